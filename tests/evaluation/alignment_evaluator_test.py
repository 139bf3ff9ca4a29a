"""Alignment accuracy: hand-made scans, moved by known amounts."""

import dataclasses

import numpy as np
import pytest
from scipy.spatial import transform

from mask2cad_tf.evaluation import alignment_evaluator
from mask2cad_tf.geometry import posed_cad

_NAMES = ('chair', 'table')


def _turn(degrees, axis='y'):
  return transform.Rotation.from_euler(axis, degrees, True).as_matrix()


def _cad(x, label=1, **changes):
  fields = {
    'label': label,
    'cad_id': f'{_NAMES[label - 1]}/a',
    'rotation': _turn(30.0),
    'translation': np.array([x, 0.0, 1.0]),
    'scale': np.array([0.8, 1.0, 1.2]),
    **changes,
  }
  return alignment_evaluator.AlignedCad(**fields)


def _moved(cad, shift=0.0, degrees=0.0, axis='y', factor=1.0, **changes):
  return dataclasses.replace(
    cad,
    translation=cad.translation + [0.0, shift, 0.0],
    rotation=cad.rotation @ _turn(degrees, axis),
    scale=cad.scale * factor,
    **changes,
  )


def _evaluate(truths, predictions, **settings):
  evaluator = alignment_evaluator.AlignmentEvaluator(_NAMES, **settings)
  evaluator.update_state('scene0000_00', truths, predictions)
  return evaluator.result()


def test_ground_truth_is_all_right():
  evaluator = alignment_evaluator.AlignmentEvaluator(_NAMES)
  for scene in ('scene0000_00', 'scene0001_00'):
    truths = [_cad(0.0), _cad(3.0), _cad(6.0, label=2)]
    for frame in (truths[:2], truths[1:], []):
      evaluator.update_state(scene, frame, frame)
  result = evaluator.result()
  # What two frames show counts once.
  assert (result['num_scenes'], result['num_objects']) == (2, 6)
  for key in (
    'accuracy',
    'retrieval_accuracy',
    'class_accuracy',
    'class_retrieval_accuracy',
    'ground_truth',
  ):
    assert result[key] == 1.0
  assert result['per_class']['chair']['num_objects'] == 4
  assert result['per_scene']['scene0001_00']['accuracy'] == 1.0


@pytest.mark.parametrize(
  'change,is_right',
  [
    ({'shift': 0.19}, True),
    ({'shift': 0.21}, False),
    ({'degrees': 19.0}, True),
    ({'degrees': 21.0}, False),
    ({'degrees': 19.0, 'axis': 'x'}, True),
    ({'degrees': 21.0, 'axis': 'x'}, False),
    ({'factor': 1.19}, True),
    ({'factor': 1.21}, False),
    ({'factor': 0.81}, True),
    ({'factor': 0.79}, False),
    # |mean(s / s_true) - 1|: (1.5 + 1 + 1) / 3 = 1.167, (1.7 + 2) / 3 = 1.233.
    ({'factor': np.array([1.5, 1.0, 1.0])}, True),
    ({'factor': np.array([1.7, 1.0, 1.0])}, False),
    ({'label': 2}, False),
  ],
)
def test_limits_of_a_single_object(change, is_right):
  truth = _cad(0.0)
  result = _evaluate([truth], [_moved(truth, **change)])
  assert result['accuracy'] == float(is_right)


def test_hand_computed_scan():
  # Four chairs in a row: .19 m, .21 m, 19 degrees, 21 degrees off; two tables:
  # 19 %, 21 % of scale off. Right: 2 of 4 chairs and 1 of 2 tables.
  truths = [_cad(3.0 * i) for i in range(4)]
  truths += [_cad(3.0 * i, label=2) for i in range(4, 6)]
  changes = (
    {'shift': 0.19},
    {'shift': 0.21},
    {'degrees': 19.0},
    {'degrees': 21.0},
    {'factor': 1.19},
    {'factor': 1.21},
  )
  found = [_moved(truth, **c) for truth, c in zip(truths, changes)]
  found[0] = dataclasses.replace(found[0], cad_id='chair/b')
  result = _evaluate(truths, found)
  assert result['accuracy'] == pytest.approx(3 / 6)
  assert result['per_class']['chair']['accuracy'] == pytest.approx(2 / 4)
  assert result['per_class']['table']['accuracy'] == pytest.approx(1 / 2)
  assert result['class_accuracy'] == pytest.approx((2 / 4 + 1 / 2) / 2)
  # The first chair is right but for its CAD.
  assert result['retrieval_accuracy'] == pytest.approx(2 / 6)
  assert result['class_retrieval_accuracy'] == pytest.approx(
    (1 / 4 + 1 / 2) / 2
  )
  assert result['ground_truth'] == 1.0


@pytest.mark.parametrize(
  'symmetry,degrees,is_right',
  [
    (4, 90.0, True),
    (4, 109.0, True),
    (4, 111.0, False),
    (4, 45.0, False),
    (2, 90.0, False),
    (2, 180.0, True),
    (1, 180.0, False),
    (0, 77.0, True),
  ],
)
def test_turns_of_a_symmetric_table(symmetry, degrees, is_right):
  truth = _cad(0.0, label=2, symmetry=symmetry)
  # The prediction's own symmetry is not asked: it may be another CAD.
  found = _moved(truth, degrees=degrees, symmetry=1)
  assert _evaluate([truth], [found])['accuracy'] == float(is_right)


def test_a_free_turn_does_not_excuse_a_tilt():
  truth = _cad(0.0, symmetry=0)
  found = _moved(truth, degrees=25.0, axis='x')
  assert _evaluate([truth], [found])['accuracy'] == 0.0


def test_duplicates_count_once():
  truths = [_cad(0.0), _cad(3.0)]
  found = [_moved(truths[0], shift=s) for s in (0.0, 0.05, 0.1, 0.39)]
  assert _evaluate(truths, found)['accuracy'] == 0.5


def test_the_best_of_the_frames_stays():
  truth = _cad(0.0)
  near, far = _moved(truth, score=0.7), _moved(truth, shift=0.3, score=0.9)
  # The far one wins, 0.3 m from the near one, and is wrong.
  assert _evaluate([truth], [near, far])['accuracy'] == 0.0
  better = dataclasses.replace(near, score=0.95)
  assert _evaluate([truth], [better, far])['accuracy'] == 1.0


def test_what_was_dropped_drops_nothing():
  # b is within 0.4 m of a, and c of b but not of a: a and c stay.
  truths = [_cad(0.0), _cad(0.7)]
  found = [_cad(x, score=s) for x, s in ((0.0, 0.9), (0.35, 0.8), (0.7, 0.7))]
  assert _evaluate(truths, found)['accuracy'] == 1.0


def test_as_many_of_a_class_as_there_are():
  truth = _cad(0.0)
  stray = [_cad(5.0 + 2.0 * i, score=0.9) for i in range(3)]
  right = dataclasses.replace(truth, score=0.8)
  # One chair is there: the first stray one takes its place.
  assert _evaluate([truth], [*stray, right])['accuracy'] == 0.0
  tables = [dataclasses.replace(cad, label=2) for cad in stray]
  assert _evaluate([truth], [*tables, right])['accuracy'] == 1.0


def test_each_takes_the_nearest_free_one():
  # Both predictions are right for both; the better must not take the other's.
  settings = {'duplicate': alignment_evaluator.Limits(0.01, 1.0, 0.01)}
  truths = [_cad(0.0), _cad(0.1)]
  found = [_cad(0.02, score=0.9), _cad(0.12, score=0.8)]
  assert _evaluate(truths, found, **settings)['accuracy'] == 1.0


def test_wrong_cad_fails_only_with_retrieval():
  truths = [_cad(0.0), _cad(3.0)]
  found = [truths[0], dataclasses.replace(truths[1], cad_id='chair/b')]
  result = _evaluate(truths, found)
  assert (result['accuracy'], result['retrieval_accuracy']) == (1.0, 0.5)


def test_low_scores_do_not_count():
  truth = _cad(0.0)
  for score, accuracy in ((0.5, 1.0), (0.49, 0.0)):
    found = dataclasses.replace(truth, score=score)
    assert _evaluate([truth], [found])['accuracy'] == accuracy


def test_truths_too_near_each_other_are_reported():
  truths = [_cad(0.0), _cad(0.3), _cad(3.0)]
  result = _evaluate(truths, truths)
  assert result['accuracy'] == result['ground_truth'] == pytest.approx(2 / 3)


def test_a_scan_without_predictions_counts():
  evaluator = alignment_evaluator.AlignmentEvaluator(_NAMES)
  evaluator.update_state('a', [_cad(0.0)], [_cad(0.0)])
  evaluator.update_state('b', [_cad(0.0), _cad(3.0), _cad(6.0)], [])
  result = evaluator.result()
  assert result['accuracy'] == 0.25
  assert result['per_scene']['b'] == {
    'accuracy': 0.0,
    'retrieval_accuracy': 0.0,
    'num_objects': 3,
  }


def test_nothing_added_is_nothing():
  assert alignment_evaluator.AlignmentEvaluator(_NAMES).result() == {}


@pytest.mark.parametrize('seed', range(3))
def test_the_world_does_not_depend_on_the_frame(seed):
  rng = np.random.default_rng(seed)
  rotation = transform.Rotation.random(random_state=seed).as_matrix()
  truth = _cad(1.0, score=0.9, symmetry=2)
  to_world = np.eye(4)
  to_world[:3, :3] = rotation
  to_world[:3, 3] = rng.normal(size=3)
  camera = posed_cad.PosedCad(
    label=1,
    cad_id=truth.cad_id,
    mesh='m',
    rotation=rotation.T @ truth.rotation,
    translation=rotation.T @ (truth.translation - to_world[:3, 3]),
    box=np.zeros(4),
    score=0.9,
    scale=truth.scale,
  )
  again = alignment_evaluator.to_world(camera, to_world, 2)
  for name in ('rotation', 'translation', 'scale', 'score', 'symmetry'):
    np.testing.assert_allclose(
      getattr(again, name), getattr(truth, name), atol=1e-12
    )
