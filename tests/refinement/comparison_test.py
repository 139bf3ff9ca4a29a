"""How well drafts agree with a target that is known."""

import dataclasses

import numpy as np
import pytest

from mask2cad_tf.evaluation import mask_iou
from mask2cad_tf.refinement import comparison as comparison_lib
from mask2cad_tf.refinement import pose_steps
from mask2cad_tf.refinement import ranking
from mask2cad_tf.refinement import shape as shape_lib
from mask2cad_tf.refinement import target as target_lib
from tests.refinement import scenes

_TRUE = pose_steps.Pose(scenes.ROTATION, scenes.TRANSLATION)


@pytest.fixture(name='mask', scope='module')
def _mask():
  return scenes.silhouette(scenes.table())


@pytest.fixture(name='shape', scope='module')
def _shape():
  return shape_lib.Shape(scenes.table())


def _draft(shape, pose):
  return ranking.Draft(
    target_lib.Candidate('t', 1.0, ()), shape, pose, 0.0, 0.0
  )


def test_overlaps_of_poses(mask, shape):
  target = scenes.target_of(mask)
  beside = pose_steps.Pose(scenes.ROTATION, scenes.TRANSLATION + [5.0, 0, 0])
  poses = [_TRUE, beside]
  (iou, box_iou), nothing = comparison_lib.Comparison(target).overlaps(
    shape, poses
  )
  assert iou > 0.97 and nothing == (0.0, 0.0)
  assert 0.48 < box_iou <= 0.5  # a detected box counts half
  exact = dataclasses.replace(target, exact_box=True)
  found = comparison_lib.Comparison(exact).overlaps(shape, poses)
  assert found == [(iou, 2.0 * box_iou), (0.0, 0.0)]


def test_a_draft_is_fitted_and_measured_anew(mask, shape):
  comparison = comparison_lib.Comparison(scenes.target_of(mask))
  draft = _draft(shape, pose_steps.Pose(scenes.turned(8.0), scenes.TRANSLATION))
  draft.iou, draft.box_iou = comparison.overlaps(shape, [draft.pose])[0]
  before = draft.iou
  comparison.fit(draft)
  fitted = draft.iou
  assert before + 0.05 < fitted
  comparison.polish(draft)
  assert draft.iou >= fitted - 0.01
  assert scenes.degrees_between(draft.pose.rotation, scenes.ROTATION) < 1.0
  assert comparison.overlaps(shape, [draft.pose]) == [
    (draft.iou, draft.box_iou)
  ]


def test_nothing_is_compared_with_an_empty_mask(mask):
  assert not comparison_lib.Comparison(scenes.target_of(mask)).is_blind
  empty = scenes.target_of(np.zeros_like(mask), box=scenes.box_of(mask))
  assert comparison_lib.Comparison(empty).is_blind


def test_mask_and_box_by_photo_and_cad(mask, shape):
  # Half of the mask is unsure: there the CAD decides.
  unsure = mask.astype(np.float32)
  unsure[:, 160:] = 0.3 * unsure[:, 160:]
  target = dataclasses.replace(scenes.target_of(mask), mask=unsure)
  found, box = comparison_lib.Comparison(target).seen(_draft(shape, _TRUE))
  assert mask_iou.mask_iou(found, mask) > 0.97
  np.testing.assert_allclose(box, scenes.box_of(found))
  exact = dataclasses.replace(target, exact_box=True, box=np.array([9.0] * 4))
  _, kept = comparison_lib.Comparison(exact).seen(_draft(shape, _TRUE))
  np.testing.assert_array_equal(kept, exact.extent())
