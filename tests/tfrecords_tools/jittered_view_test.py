import numpy as np
import pytest
import tensorflow as tf
import trimesh

from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import renderer
from mask2cad_tf.geometry import rotations
from mask2cad_tf.geometry import views
from tfrecords_tools import jittered_view

_INTRINSICS = np.array([300.0, 300.0, 100.0, 80.0])


@pytest.fixture(scope='module', name='drawer')
def _drawer():
  return renderer.Renderer(trimesh.creation.box((1.0, 0.4, 0.6)))


def _render(drawer, degrees, seed=0, translation=(1.0, -0.3, 4.0)):
  rotation = rotations.matrix_from_quaternion(
    rotations.random_rotations(1, np.random.default_rng(8))[0]
  )
  png = jittered_view.render(
    drawer,
    rotation,
    np.array(translation),
    _INTRINSICS,
    degrees,
    np.random.default_rng(seed),
    'a.png',
  )
  return rotation, tf.io.decode_png(png)[..., 0].numpy()


def test_without_jitter_it_is_the_allocentric_view(drawer):
  rotation, view = _render(drawer, 0.0)
  center = cameras.project(np.array([1.0, -0.3, 4.0]), _INTRINSICS)
  seen = rotations.allocentric_from_camera(rotation, center, _INTRINSICS)
  np.testing.assert_array_equal(view, views.render_view(drawer, seen))
  assert np.mean(view != views.render_view(drawer, rotation)) > 0.05


def test_jitter_is_seeded_and_grows(drawer):
  _, still = _render(drawer, 0.0)
  _, first = _render(drawer, 10.0, seed=1)
  _, again = _render(drawer, 10.0, seed=1)
  _, other = _render(drawer, 10.0, seed=2)
  np.testing.assert_array_equal(first, again)
  assert np.any(first != other)
  assert np.any(first != still)


def test_behind_the_camera_is_named(drawer):
  with pytest.raises(ValueError, match='a.png.*behind the camera'):
    _render(drawer, 0.0, translation=(0.0, 0.0, -2.0))
