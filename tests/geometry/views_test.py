"""Views: framing, scale, determinism, jitter."""

import io

import numpy as np
import pytest
import trimesh
from PIL import Image

from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import renderer as renderer_lib
from mask2cad_tf.geometry import rotations
from mask2cad_tf.geometry import views


def _rotation(seed):
  return rotations.matrix_from_quaternion(
    rotations.random_rotations(1, np.random.default_rng(seed))[0]
  )


@pytest.mark.parametrize('seed', range(6))
def test_the_extent_is_centred_and_fills_four_fifths(seed):
  vertices = np.random.default_rng(seed).normal(size=(50, 3)) * [1, 5, 2] + 7
  rotation = _rotation(seed)
  translation, intrinsics = views.canonical_camera(vertices, rotation, 200)
  image = cameras.project(vertices @ rotation.T + translation, intrinsics)
  low, high = image.min(axis=0), image.max(axis=0)
  np.testing.assert_allclose(low + high, 200.0)
  np.testing.assert_allclose((high - low).max(), 0.8 * 200)
  # The box's centre lies on the optical axis: the rotation is allocentric.
  center = 0.5 * (vertices.min(axis=0) + vertices.max(axis=0))
  np.testing.assert_allclose(
    (rotation @ center + translation)[:2], 0.0, atol=1e-9
  )


def test_the_bounding_sphere_is_seen_under_the_field_of_view():
  # Radius 1 under 30 degrees: 1 / sin 15 degrees = 3.8637 away.
  vertices = np.array([[-1.0, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0]])
  translation, _ = views.canonical_camera(vertices, np.eye(3))
  np.testing.assert_allclose(translation, [0, 0, 3.8637033], atol=1e-6)


def test_a_view_fills_its_square():
  renderer = renderer_lib.Renderer(trimesh.creation.box((1.0, 2.0, 1.0)))
  view = views.render_view(renderer, np.eye(3))
  assert view.shape == (128, 128)
  assert view.dtype == np.uint8
  rows, columns = np.nonzero(view)
  # 0.8 * 128 = 102.4 pixels high around 64: 12.8 to 115.2; rays at quarters.
  assert (rows.min(), rows.max()) == (13, 114)
  assert abs((columns.min() + columns.max() + 1) / 2 - 64) <= 0.5
  # The front faces the camera: 0.25 + 0.75 * 2 / sqrt 5 = 0.9208.
  assert view[64, 64] == round(255 * (0.25 + 0.75 * 2 / 5**0.5))


def test_scale_and_place_do_not_matter():
  cad = trimesh.creation.cone(0.5, 1.0)
  other = cad.copy().apply_scale(500.0).apply_translation((30.0, -9.0, 4.0))
  first, second = (
    views.render_view(renderer_lib.Renderer(mesh), _rotation(3)).astype(int)
    for mesh in (cad, other)
  )
  assert (np.abs(first - second) > 8).mean() < 0.002


def test_png_is_lossless_and_repeatable():
  view = np.arange(128 * 128, dtype=np.uint32).reshape(128, 128) % 251
  view = view.astype(np.uint8)
  encoded = views.encode_png(view)
  assert encoded == views.encode_png(view.copy())
  decoded = Image.open(io.BytesIO(encoded))
  assert decoded.mode == 'L'
  np.testing.assert_array_equal(np.asarray(decoded), view)


def test_jitter_turns_by_normal_angles_about_any_axis():
  rng = np.random.default_rng(0)
  rotation = _rotation(1)
  turns = np.stack(
    [
      views.jitter_rotation(rotation, 10.0, rng) @ rotation.T
      for _ in range(2000)
    ]
  )
  cosines = (np.trace(turns, axis1=1, axis2=2) - 1) / 2
  angles = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
  # Mean |N(0, 10)| = 10 sqrt(2 / pi) = 7.98.
  np.testing.assert_allclose(angles.mean(), 7.98, atol=0.5)
  axes = np.stack(
    [
      turns[:, 2, 1] - turns[:, 1, 2],
      turns[:, 0, 2] - turns[:, 2, 0],
      turns[:, 1, 0] - turns[:, 0, 1],
    ],
    -1,
  )
  np.testing.assert_allclose(axes.mean(axis=0), 0.0, atol=0.02)


def test_no_jitter_changes_nothing():
  rotation = _rotation(2)
  jittered = views.jitter_rotation(rotation, 0.0, np.random.default_rng(0))
  np.testing.assert_allclose(jittered, rotation, atol=1e-12)
