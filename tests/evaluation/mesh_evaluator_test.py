"""AP^mesh: hand cases, and an independent reference on random scenes."""

import functools
import itertools

import numpy as np
import pytest
import trimesh

from mask2cad_tf.evaluation import mesh_evaluator
from mask2cad_tf.evaluation import surface_comparison
from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import posed_cad
from mask2cad_tf.geometry import rotations

_BOX = (0.0, 0.0, 10.0, 10.0)
_ELSEWHERE = (50.0, 50.0, 60.0, 60.0)


def _cad(name, label=1, score=1.0, box=_BOX):
  return posed_cad.PosedCad(
    label=label,
    cad_id=name,
    mesh=name,
    rotation=np.eye(3),
    translation=np.zeros(3),
    box=np.array(box),
    score=score,
  )


class _F1Table:
  """Stands in for SurfaceComparison: F1 by (predicted, true) name."""

  def __init__(self, table):
    self._table = table
    self.asked = []

  def f1(self, predicted, true, threshold):
    del threshold
    self.asked.append((predicted.cad_id, true.cad_id))
    return self._table[predicted.cad_id, true.cad_id]


def _evaluate(table, images, class_names=('chair', 'table')):
  evaluator = mesh_evaluator.MeshEvaluator(_F1Table(table), class_names)
  for index, (truths, predictions) in enumerate(images):
    evaluator.update_state(truths, predictions, str(index))
  return evaluator.result()


def test_levels_that_f1_exceeds_count():
  # F1 = 0.72 exceeds 0.50, 0.55, 0.60, 0.65, 0.70: 5 of 10 levels.
  result = _evaluate({('p', 't'): 0.72}, [([_cad('t')], [_cad('p')])])
  for mode in mesh_evaluator.MODES:
    assert result[mode].ap == pytest.approx(0.5)
    assert result[mode].ap50 == 1.0
    assert result[mode].ap75 == 0.0
    assert result[mode].per_class['chair'] == pytest.approx(0.5)


def test_f1_must_exceed_the_level():
  result = _evaluate({('p', 't'): 0.75}, [([_cad('t')], [_cad('p')])])
  # 0.50 to 0.70; not 0.75 itself.
  assert result['strict'].ap == pytest.approx(0.5)
  assert result['strict'].ap75 == 0.0


def test_classes_without_truths_are_left_out_of_the_mean():
  result = _evaluate(
    {('p', 't'): 1.0},
    [([_cad('t')], [_cad('p'), _cad('q', label=2, score=0.9)])],
  )
  assert result['strict'].ap == 1.0
  assert np.isnan(result['strict'].per_class['table'])


def test_class_mean_not_object_mean():
  # Two chairs found, one table missed: (1 + 0) / 2.
  images = [
    ([_cad('t')], [_cad('p')]),
    ([_cad('t')], [_cad('p')]),
    ([_cad('t', label=2)], []),
  ]
  assert _evaluate({('p', 't'): 1.0}, images)['strict'].ap == 0.5


def test_far_boxes_are_dropped_or_false_positives():
  # The far prediction has the higher score. Strict: false, then true: the
  # precision at recall 1 is 1/2. Mesh R-CNN's mode does not see it.
  images = [
    (
      [_cad('t')],
      [_cad('far', score=0.9, box=_ELSEWHERE), _cad('p', score=0.8)],
    )
  ]
  result = _evaluate({('p', 't'): 1.0}, images)
  assert result['meshrcnn'].ap == 1.0
  assert result['strict'].ap == 0.5


def test_a_far_box_never_matches_however_alike_its_mesh():
  images = [([_cad('t')], [_cad('p', box=_ELSEWHERE)])]
  result = _evaluate({('p', 't'): 1.0}, images)
  assert result['meshrcnn'].ap == result['strict'].ap == 0.0


def test_box_iou_must_exceed_three_tenths():
  # Boxes of 10 x 10 and 10 x 3 inside it: IoU 30 / 100, not more than 0.3.
  images = [([_cad('t')], [_cad('p', box=(0.0, 0.0, 10.0, 3.0))])]
  assert _evaluate({('p', 't'): 1.0}, images)['meshrcnn'].ap == 0.0
  images = [([_cad('t')], [_cad('p', box=(0.0, 0.0, 10.0, 3.1))])]
  assert _evaluate({('p', 't'): 1.0}, images)['meshrcnn'].ap == 1.0


def test_an_object_is_found_once():
  # The duplicate of higher score is right, the other false; a second image
  # is missed: recall 1/2 at precision 1.
  images = [
    ([_cad('t')], [_cad('p', score=0.6), _cad('p', score=0.9)]),
    ([_cad('t')], []),
  ]
  assert _evaluate({('p', 't'): 1.0}, images)['strict'].ap == 0.5


def test_wrong_class_is_charged_to_the_predicted_class():
  # Image 1: a chair, predicted as a table at 0.9. Image 2: a table, found at
  # 0.8. Table: false, true: AP 1/2. Chair: nothing predicted: 0.
  images = [
    ([_cad('c')], [_cad('p', label=2, score=0.9)]),
    ([_cad('t', label=2)], [_cad('p', label=2, score=0.8)]),
  ]
  result = _evaluate({('p', 't'): 1.0}, images)
  for mode in mesh_evaluator.MODES:  # the wrong one overlaps a true box
    assert result[mode].per_class == {'chair': 0.0, 'table': 0.5}


def test_only_pairs_that_can_match_are_compared():
  table = _F1Table({('p', 't'): 1.0})
  evaluator = mesh_evaluator.MeshEvaluator(table, ('chair', 'table'))
  evaluator.update_state(
    [_cad('t'), _cad('u', label=2), _cad('v', box=_ELSEWHERE)],
    [_cad('p')],
    'image',
  )
  assert table.asked == [('p', 't')]


def test_reset_forgets_and_images_come_once():
  evaluator = mesh_evaluator.MeshEvaluator(
    _F1Table({('p', 't'): 0.0}), ('chair',)
  )
  evaluator.update_state([_cad('t')], [_cad('p')], 'image')
  with pytest.raises(ValueError, match="'image' was added twice"):
    evaluator.update_state([_cad('t')], [_cad('p')], 'image')
  evaluator.reset()
  assert np.isnan(evaluator.result()['strict'].ap)
  evaluator.update_state([], [], 'image')


def test_unknown_label_is_refused():
  evaluator = mesh_evaluator.MeshEvaluator(_F1Table({}), ('chair',))
  with pytest.raises(ValueError, match='label 2'):
    evaluator.update_state([_cad('t', label=2)], [], 'image')


def _reference(images, f1, num_classes, strict):
  """AP by class and level, written apart: all pairs, all thresholds."""
  levels = np.arange(50, 100, 5) / 100
  table = np.full([num_classes, 10], np.nan)
  for label, level in itertools.product(range(1, num_classes + 1), range(10)):
    flags, positives = [], 0
    for truths, predictions in images:
      positives += sum(t.label == label for t in truths)
      taken = set()
      for p in sorted(predictions, key=lambda p: -p.score):
        if p.label != label:
          continue
        near = [t for t in truths if _iou(p.box, t.box) > 0.3]
        if not near and not strict:
          continue
        scored = [
          (f1(p, t), i)
          for i, t in enumerate(near)
          if t.label == label and id(t) not in taken
        ]
        best, index = max(scored, default=(0.0, -1))
        if best > levels[level]:
          taken.add(id(near[index]))
        flags.append((p.score, best > levels[level]))
    if positives:
      table[label - 1, level] = _area(flags, positives)
  return table


def _iou(a, b):
  height = min(a[2], b[2]) - max(a[0], b[0])
  width = min(a[3], b[3]) - max(a[1], b[1])
  shared = max(height, 0) * max(width, 0)
  areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
  return shared / (sum(areas) - shared)


def _f1(predicted, true, library, seed, num_points, distance):
  clouds = []
  for cad, offset in (
    (predicted, 0),
    (true, surface_comparison.TRUE_SEED_OFFSET),
  ):
    points = meshes.sample_surface(
      library[cad.mesh], num_points, seed + offset
    )[0]
    clouds.append(points @ cad.rotation.T + cad.translation)
  edge = np.ptp(library[true.mesh].vertices @ true.rotation.T, axis=0).max()
  near = (
    np.linalg.norm(clouds[0][:, None] - clouds[1][None], axis=-1) * 10 / edge
    < distance
  )
  precision, recall = near.any(axis=1).mean(), near.any(axis=0).mean()
  return 2 * precision * recall / (precision + recall + 1e-8)


def _area(flags, positives):
  """Sum over true positives of the best precision from there on."""
  ordered = [hit for _, hit in sorted(flags, key=lambda flag: -flag[0])]
  precisions = [sum(ordered[: i + 1]) / (i + 1) for i in range(len(ordered))]
  return sum(
    max(precisions[i:]) / positives for i, hit in enumerate(ordered) if hit
  )


def _random_images(rng, num_images):
  """Up to three truths an image; predictions disturbed or made up."""
  images = []
  names = ['a', 'b', 'c']
  for _ in range(num_images):
    truths, predictions = [], []
    for place in range(rng.integers(0, 4)):
      corner = np.array([6.0 * place, 0.0])
      box = np.concatenate([corner, corner + 10.0])
      truth = posed_cad.PosedCad(
        label=int(rng.integers(1, 4)),
        cad_id='',
        mesh=str(rng.choice(names)),
        rotation=rotations.matrix_from_quaternion(
          rotations.random_rotations(1, rng)[0]
        ),
        translation=rng.normal(0, 0.02, 3) + [0, 0, 2],
        box=box,
      )
      truths.append(truth)
      for _ in range(rng.integers(0, 3)):
        right = rng.random() < 0.7
        predictions.append(
          posed_cad.PosedCad(
            label=truth.label if right else int(rng.integers(1, 4)),
            cad_id='',
            mesh=truth.mesh if right else str(rng.choice(names)),
            rotation=truth.rotation,
            translation=truth.translation + rng.normal(0, 0.1, 3),
            box=box + rng.normal(0, 3.0, 4),
            score=float(rng.random()),
          )
        )
    images.append((truths, predictions))
  return images


@pytest.mark.parametrize('seed', range(3))
def test_equals_an_independent_reference(seed):
  rng = np.random.default_rng(seed)
  library = {
    'a': trimesh.creation.box([1.0, 1.0, 1.0]),
    'b': trimesh.creation.box([1.0, 0.9, 1.0]),
    'c': trimesh.creation.cylinder(0.3, 1.0, sections=8),
  }
  num_points = 250  # so few that F1 at this distance spreads over the levels
  distance = 1.0
  comparison = surface_comparison.SurfaceComparison(
    library.get, num_points, seed
  )
  names = ('chair', 'sofa', 'table')
  evaluator = mesh_evaluator.MeshEvaluator(comparison, names, distance)
  images = _random_images(rng, 30)
  for index, (truths, predictions) in enumerate(images):
    evaluator.update_state(truths, predictions, str(index))
  result = evaluator.result()
  f1 = functools.cache(
    lambda p, t: _f1(p, t, library, seed, num_points, distance)
  )
  for mode in mesh_evaluator.MODES:
    expected = _reference(images, f1, len(names), mode == 'strict')
    assert 0.0 < result[mode].ap75 < result[mode].ap50 < 1.0
    assert list(result[mode].per_class.values()) == pytest.approx(
      expected.mean(axis=1).tolist(), nan_ok=True
    )
    assert result[mode].ap50 == pytest.approx(np.nanmean(expected[:, 0]))
    assert result[mode].ap75 == pytest.approx(np.nanmean(expected[:, 5]))
  assert result['strict'].ap <= result['meshrcnn'].ap


def test_ground_truth_fed_back_is_perfect():
  rng = np.random.default_rng(0)
  library = {
    'a': trimesh.creation.box([1.0, 0.1, 0.4]),
    'b': trimesh.creation.icosphere(2, 0.5),
    'c': trimesh.creation.cylinder(0.3, 1.0),
  }
  evaluator = mesh_evaluator.MeshEvaluator(
    surface_comparison.SurfaceComparison(library.get),
    ('chair', 'sofa', 'table'),
  )
  for index, (truths, _) in enumerate(_random_images(rng, 10)):
    evaluator.update_state(truths, truths, str(index))
  for summary in evaluator.result().values():
    assert summary.per_class == {'chair': 1.0, 'sofa': 1.0, 'table': 1.0}


def test_curves_by_hand():
  evaluator = mesh_evaluator.MeshEvaluator(
    _F1Table({('p', 't'): 0.6, ('q', 't'): 0.4}), ('chair', 'table')
  )
  far = _cad('far', score=1.0, box=_ELSEWHERE)
  evaluator.update_state([_cad('t')], [far, _cad('p', score=0.9)], '0')
  evaluator.update_state([_cad('t')], [_cad('q', score=0.5)], '1')
  # One of two truths is found: first of what reaches a box, second of all.
  curves = evaluator.precision_at_50('meshrcnn')
  assert list(curves) == ['chair']
  assert curves['chair'].tolist() == [1.0] * 51 + [0.0] * 50
  strict = evaluator.precision_at_50('strict')['chair']
  assert strict.tolist() == [0.5] * 51 + [0.0] * 50
