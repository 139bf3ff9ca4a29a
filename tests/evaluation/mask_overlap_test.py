"""Mean IoU of masks, over all objects and by class."""

import math

import numpy as np
import pytest

from mask2cad_tf.evaluation import mask_overlap
from mask2cad_tf.geometry import posed_cad


def _cad(columns, label=1):
  mask = None
  if columns is not None:
    mask = np.zeros((4, 6), bool)
    mask[:, slice(*columns)] = True
  return posed_cad.PosedCad(
    label=label,
    cad_id='',
    mesh='',
    rotation=np.eye(3),
    translation=np.zeros(3),
    box=np.array([0.0, 0.0, 4.0, 6.0]),
    mask=mask,
  )


def _result(*pairs):
  evaluator = mask_overlap.MaskEvaluator(('bed', 'chair', 'sofa'))
  for predicted, truth in pairs:
    evaluator.update_state(predicted, truth)
  return evaluator.result()


def test_by_hand():
  # Columns 0-2 and 1-3: 2 of 4. The whole of a chair: 1. None of another: 0.
  result = _result(
    (_cad((0, 3)), _cad((1, 4))),
    (_cad((0, 3)), _cad((0, 3), label=2)),
    (_cad((0, 3)), _cad((3, 6), label=2)),
  )
  assert result == {
    'mean_iou': pytest.approx((0.5 + 1.0 + 0.0) / 3),
    'num_objects': 3,
    'per_class': {
      'bed': {'mean_iou': 0.5, 'num_objects': 1},
      'chair': {'mean_iou': 0.5, 'num_objects': 2},
    },
  }


def test_the_class_is_the_truths():
  result = _result((_cad((0, 3), label=3), _cad((0, 3), label=2)))
  assert list(result['per_class']) == ['chair']


def test_objects_without_masks_do_not_count():
  full = _cad((0, 6))
  assert _result((full, _cad(None)), (_cad(None), full))['num_objects'] == 0
  assert _result((full, _cad(None)), (full, full))['mean_iou'] == 1.0


def test_nothing_is_nan():
  result = _result()
  assert math.isnan(result['mean_iou'])
  assert (result['num_objects'], result['per_class']) == (0, {})


def test_reset_forgets():
  evaluator = mask_overlap.MaskEvaluator(('bed',))
  evaluator.update_state(_cad((0, 3)), _cad((0, 3)))
  evaluator.reset()
  assert evaluator.result()['num_objects'] == 0
