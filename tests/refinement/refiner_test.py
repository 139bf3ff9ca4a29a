"""The refiner on photos whose answer is known."""

import dataclasses

import numpy as np
import pytest
import trimesh

from mask2cad_tf.evaluation import mask_iou
from mask2cad_tf.refinement import comparison
from mask2cad_tf.refinement import refiner as refiner_lib
from tests.refinement import scenes

_PLENTY = 1e3  # seconds: never runs out


def _shelf():
  parts = [
    scenes.box((1.0, 0.05, 0.6), (0.0, y, 0.0)) for y in (-0.3, 0.0, 0.3)
  ]
  return trimesh.util.concatenate([*parts, scenes.box((0.05, 0.6, 0.6))])


_LIBRARY = {
  'table': scenes.table,
  'shelf': _shelf,
  'block': lambda: scenes.box((1.0, 0.65, 0.6)),
  'pole': lambda: trimesh.creation.cylinder(
    0.3, 0.65, transform=trimesh.geometry.align_vectors([0, 0, 1], [0, 1, 0])
  ),
}


def _load(cad_id):
  return _LIBRARY[cad_id]()


def _candidates(*cad_ids, degrees=15.0):
  return [
    refiner_lib.Candidate(
      cad_id, 0.9 - 0.1 * index, scenes.turned(degrees)[np.newaxis]
    )
    for index, cad_id in enumerate(cad_ids)
  ]


def _refine(target, candidates, seconds=_PLENTY, **kwargs):
  return refiner_lib.Refiner(_load, **kwargs).refine(
    target, candidates, seconds
  )


class _Tiles:
  """Mean colour of 8 x 8 tiles: a network of no layers."""

  def __init__(self, feature_mean=None):
    if feature_mean is not None:
      self.feature_mean = feature_mean

  def __call__(self, crops):
    assert crops.dtype == np.uint8
    tiles = crops.reshape(len(crops), 16, 8, 16, 8, 3)
    return tiles.mean(axis=(2, 4), dtype=np.float32)


def test_pose_of_a_known_cad():
  target = scenes.target_of(scenes.silhouette(scenes.table()))
  best = _refine(target, _candidates('table'))[0]
  assert scenes.degrees_between(best.rotation, scenes.ROTATION) < 1.0
  np.testing.assert_allclose(
    best.translation, scenes.TRANSLATION, atol=0.01 * scenes.DEPTH
  )
  assert best.silhouette_iou > 0.96
  assert np.isnan(best.feature_similarity)


@pytest.mark.parametrize('most', [1 << 20, 120 * 160])
def test_the_best_has_a_mask_with_legs(monkeypatch, most):
  # The network is sure of top and drawer, not of the legs, and takes in the
  # shadow beside them.
  monkeypatch.setattr(comparison, '_MOST_OUTLINE', most)
  truth = scenes.silhouette(scenes.table())
  legless = trimesh.util.concatenate(
    [
      scenes.box((1.0, 0.05, 0.6), (0.0, 0.3, 0.0)),
      scenes.box((0.3, 0.3, 0.5), (0.3, 0.15, 0.0)),
    ]
  )
  sure = scenes.silhouette(legless)
  seen = np.where(truth, 0.3, 0.0) + np.where(sure, 0.6, 0.0)
  seen[:, -40:] = 0.6
  target = scenes.target_of(truth)
  target = dataclasses.replace(target, mask=seen.astype(np.float32))
  found = _refine(target, _candidates('table', 'shelf'))
  assert found[0].cad_id == 'table'
  assert [each.mask is None for each in found] == [False, True]
  overlap = mask_iou.mask_iou(found[0].mask, truth)
  # Seen at half of the resolution an outline is off by half a pixel.
  assert overlap > (0.95 if most == 1 << 20 else 0.9)
  assert mask_iou.mask_iou(seen > 0.5, truth) < 0.75
  np.testing.assert_allclose(found[0].box, scenes.box_of(truth), atol=4)
  assert found[1].box is None
  exact = dataclasses.replace(target, exact_box=True)
  np.testing.assert_array_equal(
    _refine(exact, _candidates('table'))[0].box, target.box
  )


def test_unknown_depth():
  target = scenes.target_of(scenes.silhouette(scenes.table()), depth=None)
  best = _refine(target, _candidates('table'))[0]
  assert scenes.degrees_between(best.rotation, scenes.ROTATION) < 2.0
  np.testing.assert_allclose(best.translation[2], scenes.DEPTH, rtol=0.03)


@pytest.mark.parametrize('features', [None, _Tiles(), _Tiles(np.zeros(768))])
def test_the_right_cad_wins(features):
  # It comes last from retrieval.
  target = scenes.target_of(scenes.silhouette(scenes.table()))
  found = _refine(
    target, _candidates('shelf', 'block', 'table'), features=features
  )
  assert [each.cad_id for each in found][0] == 'table'
  assert len({each.cad_id for each in found}) == len(found) == 3
  scores = [each.score for each in found]
  assert scores == sorted(scores, reverse=True)
  assert np.isnan(found[0].feature_similarity) == (features is None)


def test_features_tell_what_silhouettes_cannot():
  # Two blocks of one silhouette; one is hollow in front.
  front = scenes.box((1.0, 0.65, 0.6))
  hollow = trimesh.util.concatenate(
    [
      scenes.box((1.0, 0.02, 0.6), (0.0, 0.315, 0.0)),
      scenes.box((1.0, 0.02, 0.6), (0.0, -0.315, 0.0)),
      scenes.box((1.0, 0.65, 0.02), (0.0, 0.0, -0.29)),
      scenes.box((0.02, 0.65, 0.6), (-0.49, 0.0, 0.0)),
      scenes.box((0.02, 0.65, 0.6), (0.49, 0.0, 0.0)),
    ]
  )
  library = {'full': front, 'hollow': hollow}
  for name, mesh in library.items():
    image = np.full((scenes.HEIGHT, scenes.WIDTH, 3), 30, np.uint8)
    image = _photo_of(mesh, image)
    target = scenes.target_of(scenes.silhouette(front), image=image)
    found = refiner_lib.Refiner(library.get, features=_Tiles()).refine(
      target, _candidates('full', 'hollow', degrees=2), _PLENTY
    )
    assert found[0].cad_id == name


def _photo_of(mesh, image):
  rendering = refiner_lib.shape_lib.Shape(mesh).renderer.render(
    scenes.ROTATION,
    scenes.TRANSLATION,
    scenes.INTRINSICS,
    scenes.HEIGHT,
    scenes.WIDTH,
  )
  image[rendering.mask] = np.round(255 * rendering.shaded[rendering.mask])[
    :, np.newaxis
  ]
  return image


def test_cut_off_at_the_border():
  translation = scenes.TRANSLATION + [0.55, 0.0, 0.0]
  mask = scenes.silhouette(scenes.table(), translation=translation)
  assert mask[:, 0].any()
  best = _refine(scenes.target_of(mask), _candidates('table', degrees=8))[0]
  assert scenes.degrees_between(best.rotation, scenes.ROTATION) < 2.0
  np.testing.assert_allclose(best.translation, translation, atol=0.03)


def test_what_an_occluder_hides_is_no_evidence():
  whole = scenes.silhouette(scenes.table())
  countable = np.ones(whole.shape, bool)
  countable[130:, 100:] = False  # something stands in front
  seen = whole & countable
  errors = []
  for counts in (countable, np.ones(whole.shape, bool)):
    target = scenes.target_of(seen, countable=counts)
    best = _refine(target, _candidates('table', degrees=8))[0]
    errors.append(scenes.degrees_between(best.rotation, scenes.ROTATION))
  assert errors[0] < 2.0
  assert errors[1] > 2.0 * errors[0] + 3.0


def test_views_are_chosen_by_silhouette():
  # The given rotation is far off; a view of the class is near.
  target = scenes.target_of(scenes.silhouette(scenes.table()))
  candidates = _candidates('table', degrees=170)
  alone = _refine(target, candidates)[0]
  assert scenes.degrees_between(alone.rotation, scenes.ROTATION) > 20
  views = np.stack([scenes.turned(angle) for angle in (100, 12, 250)])
  best = _refine(target, candidates, extra_rotations=lambda cad_id: views)[0]
  assert scenes.degrees_between(best.rotation, scenes.ROTATION) < 1.5


def test_a_symmetric_cad():
  mask = scenes.silhouette(_load('pole'))
  spins = np.stack(
    [
      scenes.turned(10)
      @ trimesh.transformations.rotation_matrix(angle, [0, 1, 0])[:3, :3]
      for angle in (0.0, 1.0, 2.0)
    ]
  )
  candidate = refiner_lib.Candidate('pole', 0.9, spins, symmetry=0)
  best = _refine(scenes.target_of(mask), [candidate])[0]
  cosine = best.rotation[:, 1] @ scenes.ROTATION[:, 1]
  assert np.degrees(np.arccos(min(cosine, 1.0))) < 2.0


def test_soft_masks_do():
  whole = scenes.silhouette(scenes.table()).astype(np.float32)
  target = scenes.target_of(0.1 + 0.8 * whole, box=scenes.box_of(whole > 0))
  best = _refine(target, _candidates('table'))[0]
  assert scenes.degrees_between(best.rotation, scenes.ROTATION) < 2.0


@pytest.mark.parametrize('depth', [scenes.DEPTH, None])
@pytest.mark.parametrize('value', [0.0, np.nan])
def test_without_a_mask_the_order_of_retrieval(depth, value):
  box = scenes.box_of(scenes.silhouette(scenes.table()))
  mask = np.full((scenes.HEIGHT, scenes.WIDTH), value)
  found = _refine(
    scenes.target_of(mask, depth, box=box),
    _candidates('shelf', 'table', degrees=0),
  )
  assert [each.cad_id for each in found] == ['shelf', 'table']
  np.testing.assert_array_equal(found[1].rotation, scenes.ROTATION)
  np.testing.assert_allclose(
    found[1].translation, scenes.TRANSLATION, rtol=0.01, atol=0.02
  )


@pytest.mark.parametrize(
  'box', [(50, 50, 50, 50), (9, 9, 2, 2), (np.nan,) * 4, (-90, -90, -50, -50)]
)
@pytest.mark.parametrize('is_empty', [False, True])
def test_degenerate_boxes(box, is_empty):
  mask = scenes.silhouette(scenes.table()) & (not is_empty)
  target = scenes.target_of(mask, box=np.array(box, float))
  found = _refine(target, _candidates('table'))
  assert np.isfinite(found[0].translation).all()


def test_nothing_counts():
  mask = scenes.silhouette(scenes.table())
  target = scenes.target_of(mask, countable=np.zeros(mask.shape, bool))
  assert _refine(target, _candidates('table'))[0].cad_id == 'table'


def test_no_candidates():
  target = scenes.target_of(scenes.silhouette(scenes.table()))
  assert _refine(target, []) == []


class _Counted(_Tiles):
  """Counts the crops it sees."""

  count = 0

  def __call__(self, crops):
    self.count += len(crops)
    return super().__call__(crops)


@pytest.mark.parametrize(
  'seconds, seen',
  # The photo, the drafts looked at, and again those polished.
  [(0.0, 1 + 1 + 1), (1.0, 1 + 2 + 1), (2.0, 1 + 4 + 2)],
)
def test_budget_scales_the_work(seconds, seen):
  target = scenes.target_of(scenes.silhouette(scenes.table()))
  features = _Counted()
  options = refiner_lib.RefinerOptions(
    max_candidates=10, max_fitted=8, max_featured=4, max_polished=2
  )
  refiner = refiner_lib.Refiner(_load, None, features, options)
  found = refiner.refine(target, _candidates(*_LIBRARY), seconds)
  assert found[0].cad_id == 'table'
  assert features.count == seen


def test_top_k():
  target = scenes.target_of(scenes.silhouette(scenes.table()))
  refiner = refiner_lib.Refiner(_load)
  candidates = _candidates('table', 'shelf', 'block')
  assert len(refiner.refine(target, candidates, _PLENTY, top_k=2)) == 2


def test_the_same_twice():
  target = scenes.target_of(scenes.silhouette(scenes.table()), depth=None)
  candidates = _candidates('shelf', 'table')
  first = _refine(target, candidates, features=_Tiles())
  second = _refine(target, candidates, features=_Tiles())
  for one, other in zip(first, second):
    assert (one.cad_id, one.score) == (other.cad_id, other.score)
    np.testing.assert_array_equal(one.rotation, other.rotation)
    np.testing.assert_array_equal(one.translation, other.translation)


@pytest.mark.parametrize('cores', [None, 1, 3])
def test_the_same_on_any_number_of_cores(monkeypatch, cores):
  target = scenes.target_of(scenes.silhouette(scenes.table()))
  candidates = _candidates('shelf', 'block', 'table')
  expected = _refine(target, candidates, features=_Tiles())
  monkeypatch.setattr(refiner_lib.os, 'cpu_count', lambda: cores)
  found = _refine(target, candidates, features=_Tiles())
  assert len(found) == len(expected) == 3
  for first, second in zip(expected, found):
    assert first.cad_id == second.cad_id
    np.testing.assert_array_equal(first.rotation, second.rotation)
    np.testing.assert_array_equal(first.translation, second.translation)
    assert first.score == second.score


def test_a_detected_box_pulls_no_edges():
  # A box one fifth too wide: exact, it widens what fits the mask.
  mask = scenes.silhouette(scenes.table())
  box = scenes.box_of(mask)
  box[3] += 0.2 * (box[3] - box[1])
  found = [
    _refine(
      dataclasses.replace(scenes.target_of(mask, box=box), exact_box=exact),
      _candidates('table'),
    )[0]
    for exact in (False, True)
  ]
  assert found[1].silhouette_iou < found[0].silhouette_iou - 0.02
