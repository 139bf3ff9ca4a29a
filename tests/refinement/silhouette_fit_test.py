"""The fit finds a known pose again."""

import numpy as np
import pytest

from mask2cad_tf.refinement import placement
from mask2cad_tf.refinement import pose_steps
from mask2cad_tf.refinement import shape as shape_lib
from mask2cad_tf.refinement import silhouette_fit
from mask2cad_tf.refinement import silhouettes as silhouettes_lib
from mask2cad_tf.refinement import window as window_lib
from tests.refinement import scenes


def _fit(target, pose, depth):
  shape = shape_lib.Shape(scenes.table())
  for size, stages in (
    (48, silhouette_fit.COARSE_TO_FINE),
    (96, silhouette_fit.POLISH),
  ):
    window = window_lib.around(target.box, 1.3, size)
    silhouettes = silhouettes_lib.Silhouettes(target, window)
    frame = pose_steps.Frame(
      shape.pivot, window.side / scenes.INTRINSICS[:2], depth
    )
    goal = silhouette_fit.Goal(
      silhouettes, placement.box_edges(target), scenes.INTRINSICS, True
    )
    pose = silhouette_fit.fit(shape, goal, pose, frame, stages)
  return pose


@pytest.mark.parametrize(
  'axis', [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0.6, 0.64, 0.48)]
)
def test_finds_the_pose_again(axis):
  # 15 degrees off and 5 % of the depth aside: ends within 1 degree and 1 %.
  target = scenes.target_of(scenes.silhouette(scenes.table()))
  start = pose_steps.Pose(
    scenes.turned(15, axis), scenes.TRANSLATION + [0.125, -0.125, 0.0]
  )
  pose = _fit(target, start, scenes.DEPTH)
  assert scenes.degrees_between(pose.rotation, scenes.ROTATION) < 1.0
  np.testing.assert_allclose(
    pose.translation, scenes.TRANSLATION, atol=0.01 * scenes.DEPTH
  )
  np.testing.assert_allclose(pose.translation[2], scenes.DEPTH, rtol=1e-9)


def test_finds_the_depth():
  target = scenes.target_of(scenes.silhouette(scenes.table()), depth=None)
  start = pose_steps.Pose(scenes.turned(10), 1.15 * scenes.TRANSLATION)
  pose = _fit(target, start, None)
  assert scenes.degrees_between(pose.rotation, scenes.ROTATION) < 2.0
  np.testing.assert_allclose(pose.translation[2], scenes.DEPTH, rtol=0.03)


def test_the_truth_stays():
  target = scenes.target_of(scenes.silhouette(scenes.table()))
  start = pose_steps.Pose(scenes.ROTATION, scenes.TRANSLATION)
  pose = _fit(target, start, scenes.DEPTH)
  assert scenes.degrees_between(pose.rotation, scenes.ROTATION) < 0.5


def test_the_box_knows_of_legs_that_the_mask_lost():
  whole = scenes.silhouette(scenes.table())
  box = scenes.box_of(whole)
  top = whole.copy()
  top[int(0.5 * (box[0] + box[2])) :] = 0.0
  start = pose_steps.Pose(scenes.turned(5), scenes.TRANSLATION)
  errors = [
    scenes.degrees_between(
      _fit(target, start, scenes.DEPTH).rotation, scenes.ROTATION
    )
    for target in (
      scenes.target_of(top, box=box),
      scenes.target_of(top, box=scenes.box_of(top)),
    )
  ]
  assert errors[0] < 0.7 * errors[1]
