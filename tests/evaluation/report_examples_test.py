"""What is kept of the photos that pass; F1 is a stand-in."""

import dataclasses

import numpy as np
import pytest

from mask2cad_tf.evaluation import photo as photo_lib
from mask2cad_tf.evaluation import report_examples
from mask2cad_tf.geometry import posed_cad


class _Comparison:
  """F1 is what a prediction's depth says."""

  def f1(self, predicted, true, threshold):
    del true, threshold
    return predicted.depth


def _cad(f1=1.0, score=1.0, left=10.0, label=1, **changes):
  fields = {
    'label': label,
    'cad_id': 'chair/a',
    'mesh': 'a.ply',
    'rotation': np.eye(3),
    'translation': np.array([0.0, 0.0, 4.0]),
    'box': np.array([10.0, left, 50.0, left + 40.0]),
    'score': score,
    'depth': f1,
    'mask': np.ones([80, 640], bool),
    **changes,
  }
  return posed_cad.PosedCad(**fields)


def _photo(name, truths=None):
  image = np.zeros([80, 640, 3], np.uint8)
  image[10:50, 10:50] = 200
  return photo_lib.Photo(
    name,
    image,
    np.array([600.0, 600.0, 320.0, 40.0]),
    [_cad()] if truths is None else truths,
  )


def _prediction(cads, hypothesis=None):
  known = photo_lib.Retrieved(
    np.arange(3.0), {'chair/a': 0.75, 'chair/b': 0.5}, hypothesis
  )
  return photo_lib.Prediction(
    cads, [['chair/a', 'chair/b']] * len(cads), [known] * len(cads)
  )


def _examples(**changes):
  return report_examples.Examples(_Comparison(), ['chair', 'table'], **changes)


def _add(examples, name, cads):
  examples.add(_photo(name), _prediction(cads), _prediction([_cad()]))


def test_best_and_worst_by_the_first_detection():
  examples = _examples()
  for i, f1 in enumerate([0.5, 0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4, 0.6]):
    # A second detection, less sure, counts for nothing.
    _add(examples, f'{i}', [_cad(1.0, score=0.1), _cad(f1, score=0.6)])
  assert [found.f1 for found in examples.best] == [0.9, 0.8, 0.7, 0.6]
  assert [found.f1 for found in examples.worst] == [0.1, 0.2, 0.3, 0.4]
  assert examples.best[0].source_id == '2'


def test_of_few_photos_none_is_shown_twice():
  examples = _examples()
  for i, f1 in enumerate([0.5, 0.1, 0.9, 0.2, 0.8]):
    _add(examples, f'{i}', [_cad(f1)])
  assert [found.f1 for found in examples.worst] == [0.1]


def test_nothing_detected_and_nothing_hit_are_zero():
  examples = _examples()
  for f1 in (0.9, 0.8, 0.7, 0.6):
    _add(examples, f'{f1}', [_cad(f1)])
  _add(examples, 'nothing', [])
  _add(examples, 'unsure beside', [_cad(0.9, score=0.2, left=300.0)])
  _add(examples, 'sure beside', [_cad(0.9, score=0.8, left=300.0)])
  worst = examples.worst[:3]
  assert [found.f1 for found in worst] == [0.0] * 3
  # The surest mistake first.
  assert [found.source_id for found in worst] == [
    'sure beside',
    'unsure beside',
    'nothing',
  ]
  assert worst[2].cad is None


def test_a_photo_is_kept_small_with_all_that_lies_on_it():
  examples = _examples()
  _add(examples, 'a', [_cad(0.5)])
  (found,) = examples.best
  # 640 x 80 to 320 x 40: everything halves.
  assert found.image.shape == (40, 320, 3)
  assert found.cad.mask.shape == (40, 320)
  np.testing.assert_allclose(found.cad.box, [5.0, 5.0, 25.0, 25.0])
  np.testing.assert_allclose(found.intrinsics, [300.0, 300.0, 160.0, 20.0])
  assert found.similarity == 0.75
  assert found.true_names == ('chair',)


def test_an_objects_crop_has_a_margin():
  examples = _examples()
  _add(examples, 'a', [_cad()])
  (found,) = examples.objects['chair']
  # 40 pixels and 8 % (3.2) on either side, rounded: 7 to 53.
  assert found.crop.shape == (46, 46, 3)
  assert found.crop[20, 20].tolist() == [200] * 3
  assert found.crop[0, 0].tolist() == [0] * 3
  assert found.truth.mask is None
  assert found.candidates == ['chair/a', 'chair/b']
  # The origin lies on the optical axis: seen as the camera sees it.
  np.testing.assert_allclose(found.rotation, np.eye(3), atol=1e-12)


def test_a_box_beyond_the_photo_still_has_a_crop():
  for box in ([-9.0, -9.0, -3.0, -3.0], [90.0, 700.0, 99.0, 800.0]):
    examples = _examples()
    truth = _cad(box=np.array(box))
    examples.add(_photo('a', [truth]), _prediction([]), _prediction([_cad()]))
    assert min(examples.objects['chair'][0].crop.shape) >= 1


def test_a_sample_of_each_class_is_drawn_fairly(monkeypatch):
  monkeypatch.setattr(report_examples, 'MAX_OBJECTS', 3)
  times = np.zeros(12)
  for seed in range(200):
    examples = _examples(seed=seed)
    for i in range(12):
      _add(examples, str(i), [])
    table = [_cad(label=2)]
    examples.add(_photo('t', table), _prediction([]), _prediction(table))
    assert list(examples.objects) == ['chair', 'table']  # most objects first
    assert examples.num_seen == {'chair': 12, 'table': 1}
    names = [int(found.source_id) for found in examples.objects['chair']]
    assert len(set(names)) == 3
    times[names] += 1
  # 200 * 3 / 12 = 50 each; standard deviation sqrt(200 / 4 * 3 / 4) = 6.1.
  assert abs(times - 50.0).max() < 25.0


def test_the_judge_sees_refined_objects_on_true_boxes():
  examples = _examples(judge=lambda hypothesis: hypothesis)
  for f1, judged in ((0.9, 0.95), (0.4, 0.85), (0.5, 0.1), (0.3, None)):
    examples.add(
      _photo(f'{f1}'),
      _prediction([_cad(0.6)], 0.33),
      _prediction([_cad(f1)], judged),
    )
  assert examples.trials == [(0.95, True), (0.85, False), (0.1, False)]
  assert examples.best[0].confidence == 0.33
  assert _examples().trials == []


def test_bins_by_hand():
  trial = report_examples.Trial
  trials = [
    trial(0.0, False),
    trial(0.1, True),
    trial(0.5, True),
    trial(0.8, True),
    trial(1.0, False),
    trial(0.9, True),
  ]
  bins = report_examples.calibration_bins(trials)
  # [0, .2): 0, .1; [.4, .6): .5; [.8, 1]: .8, 1, .9.
  assert [each.count for each in bins] == [2, 1, 3]
  assert [each.mean for each in bins] == pytest.approx([0.05, 0.5, 0.9])
  assert [each.share for each in bins] == pytest.approx([0.5, 1.0, 2.0 / 3.0])


def test_the_ground_truth_has_photos_but_no_retrieval():
  examples = _examples()
  truths = photo_lib.Prediction([_cad()], [['chair/a']])
  examples.add(_photo('a'), truths, truths)
  assert np.isnan(examples.best[0].similarity)
  assert examples.objects == {}
  examples.add(_photo('without cads', []), _prediction([]), _prediction([]))
  assert len(examples.best) == 1


def test_a_tilted_ray_turns_what_is_seen():
  truth = dataclasses.replace(_cad(), translation=np.array([4.0, 0.0, 4.0]))
  examples = _examples()
  examples.add(_photo('a', [truth]), _prediction([]), _prediction([_cad()]))
  seen = examples.objects['chair'][0].rotation
  # 45 degrees off the axis.
  angle = np.degrees(np.arccos((np.trace(seen) - 1.0) / 2.0))
  assert angle == pytest.approx(45.0)
