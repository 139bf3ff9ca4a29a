"""Moves: what they keep, and that no move is none."""

import numpy as np
import pytest

from mask2cad_tf.refinement import pose_steps
from tests.refinement import scenes

_POSE = pose_steps.Pose(scenes.ROTATION, scenes.TRANSLATION)
_PIVOT = np.array([0.3, -0.2, 0.1])


def _frame(depth):
  return pose_steps.Frame(_PIVOT, np.array([0.5, 0.4]), depth)


def _slope(rotation, translation):
  point = rotation @ _PIVOT + translation
  return point[:2] / point[2]


@pytest.mark.parametrize('depth', [None, scenes.DEPTH])
def test_no_move(depth):
  rotations, translations = pose_steps.move(
    _POSE, np.zeros((1, 6)), _frame(depth)
  )
  np.testing.assert_allclose(rotations[0], scenes.ROTATION, atol=1e-12)
  np.testing.assert_allclose(translations[0], scenes.TRANSLATION, atol=1e-12)


@pytest.mark.parametrize('depth', [None, scenes.DEPTH])
def test_a_turn_leaves_the_pivot_in_its_place(depth):
  move = np.array([[0.3, -0.2, 0.5, 0.0, 0.0, 0.0]])
  rotations, translations = pose_steps.move(_POSE, move, _frame(depth))
  np.testing.assert_allclose(
    _slope(rotations[0], translations[0]), _slope(*_POSE), atol=1e-12
  )
  np.testing.assert_allclose(
    scenes.degrees_between(scenes.ROTATION, rotations[0]),
    np.degrees(np.sqrt(0.38)),  # |(0.3, -0.2, 0.5)|
    rtol=1e-9,
  )
  if depth is not None:  # held, though the pivot is not the origin
    np.testing.assert_allclose(translations[0, 2], depth, rtol=1e-12)


def test_a_shift_and_a_depth():
  move = np.array([[0.0, 0.0, 0.0, 0.1, -0.2, np.log(2.0)]])
  rotations, translations = pose_steps.move(_POSE, move, _frame(None))
  before = scenes.ROTATION @ _PIVOT + scenes.TRANSLATION
  after = rotations[0] @ _PIVOT + translations[0]
  np.testing.assert_allclose(after[2], 2.0 * before[2])
  np.testing.assert_allclose(  # 0.1 * 0.5 and -0.2 * 0.4
    after[:2] / after[2] - before[:2] / before[2], [0.05, -0.08], atol=1e-12
  )
