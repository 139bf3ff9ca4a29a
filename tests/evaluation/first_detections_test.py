"""The best detection of a photo, and its ten best."""

import numpy as np
import pytest

from mask2cad_tf.evaluation import first_detections
from mask2cad_tf.geometry import posed_cad


def _cad(left, label=1, score=1.0):
  """A box of 10 x 10 pixels."""
  return posed_cad.PosedCad(
    label=label,
    cad_id='',
    mesh='',
    rotation=np.eye(3),
    translation=np.zeros(3),
    box=np.array([0.0, left, 10.0, left + 10.0]),
    score=score,
  )


def _result(*photos):
  evaluator = first_detections.FirstDetectionEvaluator()
  for truths, predictions in photos:
    evaluator.update_state(truths, predictions)
  return evaluator.result()


def test_by_hand():
  truth = [_cad(0)]
  # Shifted by 2: 80 / 120 = 2 / 3. By 4: 60 / 140 = 3 / 7, too little.
  right = (truth, [_cad(4, score=0.5), _cad(2, score=0.9)])
  wrong_class = (truth, [_cad(0, label=2, score=0.9), _cad(0, score=0.5)])
  shifted = (truth, [_cad(4, score=0.9)])
  nothing = (truth, [])
  assert _result(right, wrong_class, shifted, nothing) == {
    'num_photos': 4,
    'first_right': 1,
    'first_box': 2,
    'ten_right': 2,
    'ten_box': 2,
    'first_iou': pytest.approx((2 / 3 + 1 + 3 / 7 + 0) / 4),
  }


def test_an_iou_of_a_half_is_not_enough():
  # Half of the truth: 50 / 100, exactly.
  half = _cad(0)
  half.box[2] = 5.0
  result = _result(([_cad(0)], [half]))
  assert (result['first_box'], result['first_iou']) == (0, 0.5)


def test_class_and_box_of_one_true_object():
  # The box is the first's, the class the second's: not right.
  truths = [_cad(0, label=1), _cad(50, label=2)]
  result = _result((truths, [_cad(0, label=2)]))
  assert (result['first_right'], result['first_box']) == (0, 1)
  # Any of several true objects may be the one.
  result = _result((truths, [_cad(50, label=2)]))
  assert result['first_right'] == 1


@pytest.mark.parametrize('rank, found', [(10, 1), (11, 0)])
def test_ten_are_looked_at(rank, found):
  predictions = [_cad(50, score=0.9)] * (rank - 1) + [_cad(0, score=0.1)]
  result = _result(([_cad(0)], predictions))
  assert (result['first_right'], result['ten_right']) == (0, found)


def test_photos_without_objects_do_not_count():
  assert _result(([], [_cad(0)])) == {}
  assert _result(([], [_cad(0)]), ([_cad(0)], [_cad(0)]))['num_photos'] == 1


def test_reset_forgets():
  evaluator = first_detections.FirstDetectionEvaluator()
  evaluator.update_state([_cad(0)], [_cad(0)])
  evaluator.reset()
  assert evaluator.result() == {}
