import dataclasses

import numpy as np
import pytest

from mask2cad_tf.evaluation import oracle
from mask2cad_tf.geometry import posed_cad


def _cad(name, box, label=1, score=1.0, shift=0.0):
  angle = shift
  rotation = np.array(
    [
      [np.cos(angle), -np.sin(angle), 0.0],
      [np.sin(angle), np.cos(angle), 0.0],
      [0.0, 0.0, 1.0],
    ]
  )
  return posed_cad.PosedCad(
    label=label,
    cad_id=name,
    mesh=f'{name}.obj',
    rotation=rotation,
    translation=np.array([shift, 0.0, 2.0]),
    box=np.array(box, float),
    score=score,
  )


_LEFT, _RIGHT = (0, 0, 10, 10), (0, 5, 10, 15)


@pytest.mark.parametrize('part', oracle.PARTS)
def test_one_part_comes_from_the_truth_the_rest_stays(part):
  truth = _cad('true', _LEFT, shift=0.5)
  prediction = _cad('pred', _LEFT, score=0.4)
  (swapped,) = oracle.swap(part, [truth], [prediction])
  source = {p: truth if p == part else prediction for p in oracle.PARTS}
  assert swapped.mesh == source['shape'].mesh
  assert swapped.cad_id == source['shape'].cad_id
  np.testing.assert_array_equal(swapped.rotation, source['rotation'].rotation)
  np.testing.assert_array_equal(
    swapped.translation, source['translation'].translation
  )
  assert swapped.score == 0.4
  assert swapped.label == prediction.label


def test_the_truth_is_of_the_class_and_overlaps_most():
  # The prediction overlaps `far` by 1/3, `near` by 9/11, `other` fully, but
  # `other` is of another class.
  truths = [
    _cad('far', _RIGHT),
    _cad('near', (0, 1, 10, 11)),
    _cad('other', _LEFT, label=2),
  ]
  (swapped,) = oracle.swap('shape', truths, [_cad('pred', _LEFT)])
  assert swapped.cad_id == 'near'


def test_predictions_off_all_truths_stay():
  prediction = _cad('pred', (40, 40, 50, 50))
  wrong_class = _cad('pred', _LEFT, label=2)
  swapped = oracle.swap(
    'shape', [_cad('true', _LEFT)], [prediction, wrong_class]
  )
  assert swapped == [prediction, wrong_class]
  assert oracle.swap('shape', [], [prediction]) == [prediction]


def test_unknown_part_is_refused():
  with pytest.raises(ValueError, match="not 'box'"):
    oracle.swap('box', [], [])


def test_true_boxes_keep_the_best_detections_score():
  on_true = [_cad('a', _LEFT), _cad('b', (40, 40, 50, 50)), _cad('c', _LEFT, 2)]
  detections = [
    _cad('p', (0, 1, 10, 11), score=0.3),
    _cad('q', (0, 2, 10, 12), score=0.7),
    _cad('far', (0, 8, 10, 18), score=0.9),  # IoU 2/18 with the first
  ]
  swapped = oracle.swap_boxes(detections, on_true)
  assert [cad.score for cad in swapped] == [0.7, 0.0, 0.0]
  assert [cad.cad_id for cad in swapped] == ['a', 'b', 'c']


def test_the_true_shape_comes_with_its_scale():
  truth = dataclasses.replace(
    _cad('true', _LEFT), scale=np.array([1.0, 2.0, 3.0])
  )
  (swapped,) = oracle.swap('shape', [truth], [_cad('pred', _LEFT)])
  assert swapped.scale.tolist() == [1.0, 2.0, 3.0]
