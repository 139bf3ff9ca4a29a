"""AP^box and AP^mask equal pycocotools run from files."""

import dataclasses
import json

import numpy as np
import pytest
from pycocotools import coco
from pycocotools import cocoeval
from pycocotools import mask as mask_lib

from mask2cad_tf.evaluation import detection_evaluator
from mask2cad_tf.geometry import posed_cad

_SIZE = (60, 80)
_NAMES = ('chair', 'sofa', 'table')


def _cad(box, label=1, score=1.0, mask='box'):
  box = np.array(box, float)
  if isinstance(mask, str):
    mask = np.zeros(_SIZE, bool)
    y0, x0, y1, x1 = box.round().astype(int)
    mask[max(y0, 0) : y1, max(x0, 0) : x1] = True
  return posed_cad.PosedCad(
    label=label,
    cad_id='chair/a',
    mesh='',
    rotation=np.eye(3),
    translation=np.zeros(3),
    box=box,
    score=score,
    mask=mask,
  )


def _evaluate(images):
  evaluator = detection_evaluator.DetectionEvaluator(_NAMES)
  for truths, predictions in images:
    evaluator.update_state(truths, predictions, _SIZE)
  return evaluator.result()


def _random_images(seed):
  rng = np.random.default_rng(seed)
  images = []
  for _ in range(15):
    truths, predictions = [], []
    for _ in range(rng.integers(0, 4)):
      y, x = rng.uniform(0, 30, 2)
      box = np.array([y, x, y + rng.uniform(8, 25), x + rng.uniform(8, 40)])
      label = int(rng.integers(1, 3))  # no table: a class without truths
      truths.append(_cad(box, label))
      for _ in range(rng.integers(0, 3)):
        predictions.append(
          _cad(
            box + rng.normal(0, 1.5, 4),
            label if rng.random() < 0.8 else int(rng.integers(1, 4)),
            float(rng.random()),
          )
        )
    images.append((truths, predictions))
  return images


def _write_coco(images, folder):
  """The same images as COCO's two JSON files."""
  truths, results = [], []
  for index, (true, predicted) in enumerate(images):
    for cads, entries in ((true, truths), (predicted, results)):
      for cad in cads:
        rle = mask_lib.encode(np.asfortranarray(cad.mask.astype(np.uint8)))
        y0, x0, y1, x1 = cad.box
        entries.append(
          {
            'image_id': index + 1,
            'category_id': cad.label,
            'bbox': [x0, y0, x1 - x0, y1 - y0],
            'segmentation': {
              'size': rle['size'],
              'counts': rle['counts'].decode(),
            },
            'score': cad.score,
          }
        )
  for number, entry in enumerate(truths, start=1):
    entry.update(id=number, iscrowd=0, area=1.0)
  dataset = {
    'images': [
      {'id': i + 1, 'height': _SIZE[0], 'width': _SIZE[1]}
      for i in range(len(images))
    ],
    'annotations': truths,
    'categories': [{'id': i + 1, 'name': n} for i, n in enumerate(_NAMES)],
  }
  (folder / 'truths.json').write_text(json.dumps(dataset))
  (folder / 'results.json').write_text(json.dumps(results))


@pytest.mark.parametrize('seed', range(3))
def test_equals_pycocotools_from_files(seed, tmp_path):
  images = _random_images(seed)
  result = _evaluate(images)
  _write_coco(images, tmp_path)
  truths = coco.COCO(str(tmp_path / 'truths.json'))
  for kind, iou_type in (('box', 'bbox'), ('mask', 'segm')):
    results = truths.loadRes(str(tmp_path / 'results.json'))
    reference = cocoeval.COCOeval(truths, results, iou_type)
    reference.evaluate()
    reference.accumulate()
    reference.summarize()
    found = result[kind]
    assert [found.ap, found.ap50, found.ap75] == pytest.approx(
      reference.stats[:3].tolist()
    )
    assert 0.0 < found.ap75 < found.ap50 < 1.0
    by_class = list(found.per_class.values())
    for index in range(2):
      precision = reference.eval['precision'][:, :, index, 0, -1]
      assert by_class[index] == pytest.approx(precision.mean())
    assert np.isnan(by_class[2])


def test_boxes_and_masks_are_judged_apart():
  # The box is right. Of the mask, 300 pixels of 400 are found and nothing
  # else: IoU 0.75, right at .50 to .75: 6 of 10 levels.
  truth = _cad([10, 10, 30, 30])
  mask = np.zeros(_SIZE, bool)
  mask[10:25, 10:30] = True
  result = _evaluate([([truth], [dataclasses.replace(truth, mask=mask)])])
  assert result['box'].ap == pytest.approx(1.0)
  assert result['mask'].ap == pytest.approx(0.6)
  assert result['mask'].ap75 == pytest.approx(1.0)


def test_first_detection_counts():
  # COCOeval takes id 0 for "unmatched": a lone pair must be found.
  truth = _cad([10, 10, 30, 30])
  assert _evaluate([([truth], [truth])])['box'].ap == pytest.approx(1.0)


def test_no_predictions_is_zero_and_no_truths_is_nan():
  truth = _cad([10, 10, 30, 30])
  assert _evaluate([([truth], [])])['mask'].ap == 0.0
  assert np.isnan(_evaluate([([], [truth])])['mask'].ap)


def test_missing_or_small_masks_are_refused():
  evaluator = detection_evaluator.DetectionEvaluator(_NAMES)
  with pytest.raises(ValueError, match='found no mask'):
    evaluator.update_state([_cad([0, 0, 9, 9], mask=None)], [], _SIZE)
  with pytest.raises(ValueError, match=r'found one of \(3, 3\)'):
    small = _cad([0, 0, 9, 9], mask=np.ones((3, 3), bool))
    evaluator.update_state([], [small], _SIZE)


def test_without_masks_and_reset():
  evaluator = detection_evaluator.DetectionEvaluator(
    _NAMES, include_masks=False
  )
  cad = _cad([0, 0, 9, 9], mask=None)
  evaluator.update_state([cad], [], _SIZE)
  evaluator.reset()
  evaluator.update_state([cad], [cad], _SIZE)
  assert list(evaluator.result()) == ['box']
  assert evaluator.result()['box'].ap == pytest.approx(1.0)


def test_what_is_found_in_a_crowd_counts_neither_way():
  truth = _cad([10, 10, 40, 40])
  crowd = _cad([0, 45, 60, 80])
  # Better than the right one, and inside the crowd: intersection over the
  # prediction's own area, 1. As a false positive it would halve the AP.
  inside = _cad([20, 50, 40, 70], score=0.9)
  right = _cad([10, 10, 40, 40], score=0.5)
  evaluator = detection_evaluator.DetectionEvaluator(_NAMES)
  evaluator.update_state([truth], [inside, right], _SIZE, [crowd])
  for summary in evaluator.result().values():
    assert summary.per_class50['chair'] == pytest.approx(1.0)
  for summary in _evaluate([([truth], [inside, right])]).values():
    assert summary.per_class50['chair'] == pytest.approx(0.5)


def test_box_curves_by_hand():
  evaluator = detection_evaluator.DetectionEvaluator(_NAMES)
  box = [0, 0, 20, 20]
  # IoU 0.6; a false alarm scores higher: precision 1/2 to recall 1/2.
  found = [_cad([0, 0, 20, 12], score=0.5), _cad([40, 40, 60, 80], score=0.9)]
  evaluator.update_state([_cad(box)], found, _SIZE)
  evaluator.update_state([_cad(box)], [], _SIZE)
  curves = evaluator.box_precision_at_50()
  assert list(curves) == ['chair']
  np.testing.assert_allclose(curves['chair'], [0.5] * 51 + [0.0] * 50)


def test_the_curves_area_is_ap50():
  evaluator = detection_evaluator.DetectionEvaluator(_NAMES)
  for truths, predictions in _random_images(0):
    evaluator.update_state(truths, predictions, _SIZE)
  ap = evaluator.result()['box'].per_class50
  for name, precision in evaluator.box_precision_at_50().items():
    assert precision.mean() == pytest.approx(ap[name])
