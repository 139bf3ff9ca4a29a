"""Silhouettes against Renderer, IoU by hand, blur against SciPy."""

import numpy as np
import pytest
from scipy import ndimage

from mask2cad_tf.refinement import shape as shape_lib
from mask2cad_tf.refinement import silhouettes as silhouettes_lib
from mask2cad_tf.refinement import window as window_lib
from tests.refinement import scenes


def _silhouettes(target, size=64):
  window = window_lib.around(target.box, 1.3, size)
  return silhouettes_lib.Silhouettes(target, window)


def _poses(*rotations):
  return np.stack(rotations), np.tile(scenes.TRANSLATION, (len(rotations), 1))


def test_the_true_pose_overlaps_wholly():
  mesh = scenes.table()
  silhouettes = _silhouettes(scenes.target_of(scenes.silhouette(mesh)))
  overlap = silhouettes.iou(
    shape_lib.Shape(mesh), *_poses(scenes.ROTATION, scenes.turned(40))
  )
  assert overlap[0] > 0.97
  assert overlap[1] < 0.8


def test_iou_by_hand():
  # A cube that covers the window, a mask on its left half with p = 0.5:
  # overlap 0.5 * 0.5 = 0.25, union 1 + 0.25 - 0.25 = 1.
  mask = np.zeros((240, 320), np.float32)
  mask[:, :160] = 0.5
  box = np.array([70.0, 110.0, 170.0, 210.0])
  silhouettes = _silhouettes(scenes.target_of(mask, box=box))
  cube = shape_lib.Shape(scenes.box((9.0, 9.0, 1.0)))
  pose = np.eye(3)[np.newaxis], np.array([[0.0, 0.0, 3.0]])
  np.testing.assert_allclose(silhouettes.iou(cube, *pose), [0.25], atol=1e-6)


def test_what_does_not_count_is_empty():
  countable = np.zeros((240, 320), bool)
  countable[:, 160:] = True
  mesh = scenes.table()
  target = scenes.target_of(scenes.silhouette(mesh), countable=countable)
  silhouettes = _silhouettes(target)
  picture = silhouettes.render(shape_lib.Shape(mesh), *_poses(scenes.ROTATION))[
    0
  ]
  hidden = ~silhouettes.window.sample(countable)
  assert hidden.any()
  assert not picture[hidden].any()
  assert not silhouettes.goal[hidden].any()


def test_many_poses_are_single_poses(monkeypatch):
  mesh = shape_lib.Shape(scenes.table())
  target = scenes.target_of(scenes.silhouette(scenes.table()))
  poses = _poses(*[scenes.turned(angle) for angle in range(0, 50, 7)])
  silhouettes = _silhouettes(target, 32)
  many = silhouettes.render(mesh, *poses)
  for index in range(len(many)):
    one = silhouettes.render(mesh, *(part[index : index + 1] for part in poses))
    np.testing.assert_array_equal(one[0], many[index])
  monkeypatch.setattr(shape_lib, '_RAYS', 3000)
  np.testing.assert_array_equal(silhouettes.render(mesh, *poses), many)


@pytest.mark.parametrize('sigma', [1.2, 2.5])
def test_blur_is_scipys(sigma):
  picture = np.random.default_rng(0).uniform(size=(48, 48))
  blur = silhouettes_lib.blur_matrix(48, sigma)
  np.testing.assert_allclose(
    blur @ picture @ blur.T,
    ndimage.gaussian_filter(picture, sigma, mode='nearest', truncate=4.0),
    atol=2e-3,
  )
  np.testing.assert_allclose(blur.sum(axis=1), 1.0, rtol=1e-5)
