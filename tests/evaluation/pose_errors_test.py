import math

import numpy as np
import pytest
from scipy.spatial import transform

from mask2cad_tf.evaluation import pose_errors
from mask2cad_tf.geometry import rotations


def _about(axis, degrees):
  return transform.Rotation.from_rotvec(
    np.radians(degrees) * np.array(axis, float)
  ).as_matrix()


def _random(seed, count=2):
  return rotations.matrix_from_quaternion(
    rotations.random_rotations(count, np.random.default_rng(seed))
  )


@pytest.mark.parametrize('degrees', [0.0, 1e-4, 17.0, 90.0, 179.999, 180.0])
def test_angle_of_a_turn(degrees):
  base = _random(3)[0]
  turned = base @ _about([0.6, 0.0, 0.8], degrees)
  error = pose_errors.rotation_error(turned, base)
  assert math.degrees(error) == pytest.approx(degrees, abs=1e-6)


@pytest.mark.parametrize('seed', range(10))
def test_equals_the_quaternions_angle(seed):
  first, second = _random(seed)
  expected = rotations.geodesic_angle(
    *rotations.quaternion_from_matrix(np.stack([first, second]))
  )
  assert pose_errors.rotation_error(first, second) == pytest.approx(expected)
  assert pose_errors.rotation_error(second, first) == pytest.approx(expected)


@pytest.mark.parametrize(
  'order,turn,expected',
  [
    (1, 180.0, 180.0),
    (2, 180.0, 0.0),
    (2, 90.0, 90.0),
    (2, 170.0, 10.0),
    (4, 90.0, 0.0),
    (4, 50.0, 40.0),
    (0, 123.0, 0.0),
  ],
)
def test_turns_about_the_cads_up_axis(order, turn, expected):
  true = _random(1)[0]
  predicted = true @ _about([0, 1, 0], turn)
  error = pose_errors.symmetric_rotation_error(predicted, true, order)
  assert math.degrees(error) == pytest.approx(expected, abs=1e-6)


def test_turns_about_the_cameras_up_axis_are_no_symmetry():
  # The CAD lies on its side: the camera's y is not the CAD's y.
  true = _about([0, 0, 1], 90.0)
  predicted = _about([0, 1, 0], 90.0) @ true
  error = pose_errors.symmetric_rotation_error(predicted, true, 0)
  assert math.degrees(error) == pytest.approx(90.0)


@pytest.mark.parametrize('seed', range(5))
def test_any_angle_is_the_minimum_over_all_turns(seed):
  predicted, true = _random(seed)
  turns = [
    pose_errors.rotation_error(predicted, true @ _about([0, 1, 0], degrees))
    for degrees in np.arange(0.0, 360.0, 0.25)
  ]
  error = pose_errors.symmetric_rotation_error(predicted, true, 0)
  assert error == pytest.approx(min(turns), abs=1e-4)
  assert error <= min(turns) + 1e-9


@pytest.mark.parametrize('seed', range(5))
def test_more_symmetry_never_hurts(seed):
  predicted, true = _random(seed)
  errors = [
    pose_errors.symmetric_rotation_error(predicted, true, order)
    for order in (1, 2, 4, 0)
  ]
  assert errors == sorted(errors, reverse=True)
  assert errors[0] == pose_errors.rotation_error(predicted, true)


def test_negative_order_is_refused():
  with pytest.raises(ValueError, match='found -1'):
    pose_errors.symmetric_rotation_error(np.eye(3), np.eye(3), -1)


def test_medians_and_shares_by_class():
  # chair: 10, 20, 90 degrees; the last is a half of a quarter-turn symmetry:
  # 0. Median 20, with symmetry 10; within 30 degrees 2 of 3, 3 of 3.
  # table: 40 degrees.
  evaluator = pose_errors.PoseEvaluator(('chair', 'table'))
  for degrees, order in ((10.0, 1), (20.0, 1), (90.0, 4)):
    evaluator.update_state(1, _about([0, 1, 0], degrees), np.eye(3), order)
  evaluator.update_state(2, _about([1, 0, 0], 40.0), np.eye(3))
  result = evaluator.result()
  chair = result['per_class']['chair']
  assert chair['median_degrees'] == pytest.approx(20.0)
  assert chair['symmetric_median_degrees'] == pytest.approx(10.0)
  assert chair['accuracy'] == pytest.approx(2 / 3)
  assert chair['symmetric_accuracy'] == 1.0
  assert result['per_class']['table']['accuracy'] == 0.0
  # All: 10, 20, 40, 90: median 30; 2 of 4 within.
  assert result['median_degrees'] == pytest.approx(30.0)
  assert result['accuracy'] == 0.5
  assert result['num_objects'] == 4


def test_reset_leaves_nothing():
  evaluator = pose_errors.PoseEvaluator(('chair',))
  evaluator.update_state(1, np.eye(3), np.eye(3))
  evaluator.reset()
  result = evaluator.result()
  assert result['num_objects'] == 0
  assert result['per_class'] == {}
  assert math.isnan(result['median_degrees'])


def test_errors_of_all_objects_in_degrees():
  evaluator = pose_errors.PoseEvaluator(('chair', 'table'))
  evaluator.update_state(1, _about([0.0, 1.0, 0.0], 80.0), np.eye(3), 4)
  evaluator.update_state(2, _about([0.0, 1.0, 0.0], 80.0), np.eye(3))
  np.testing.assert_allclose(evaluator.symmetric_degrees(), [10.0, 80.0])
  evaluator.reset()
  assert evaluator.symmetric_degrees().shape == (0,)
