"""Scores by hand; what is one fit."""

import numpy as np
import pytest
from scipy.spatial import transform

from mask2cad_tf.refinement import pose_steps
from mask2cad_tf.refinement import ranking
from mask2cad_tf.refinement import target as target_lib
from tests.refinement import scenes

_WEIGHTS = ranking.Weights(
  features=0.5, similarity=0.1, box=0.25, turn=0.06, lean=0.3
)


def _draft(
  cad_id, iou, degrees=0.0, features=None, similarity=0.0, box_iou=0.0
):
  candidate = target_lib.Candidate(
    cad_id, similarity, scenes.ROTATION[np.newaxis]
  )
  pose = pose_steps.Pose(scenes.turned(degrees), scenes.TRANSLATION)
  return ranking.Draft(candidate, None, pose, iou, box_iou, features)


def _about(axis, degrees):
  return transform.Rotation.from_euler(axis, degrees, True).as_matrix()


def test_scores_by_hand():
  drafts = [_draft('a', 0.8, similarity=0.5), _draft('b', 0.9)]
  # 0.8 + 0.1 * 0.5 + 0.5 * 0.6 = 1.15; 0.9 + 0.5 * 0.2 = 1.
  np.testing.assert_allclose(
    ranking.scores(drafts, np.array([0.6, 0.2]), _WEIGHTS), [1.15, 1.0]
  )
  # 0.9 + 0.25 * 0.8 = 1.1.
  boxed = _draft('b', 0.9, box_iou=0.8)
  assert boxed.promise(_WEIGHTS) == pytest.approx(1.1)

  # Not looked at counts as the worst seen: 0.9 + 0.5 * 0.6 = 1.2.
  np.testing.assert_allclose(
    ranking.scores(drafts, np.array([0.6, np.nan]), _WEIGHTS), [1.15, 1.2]
  )
  np.testing.assert_allclose(
    ranking.scores(drafts, np.full(2, np.nan), _WEIGHTS), [0.85, 0.9]
  )


def test_a_turn_from_the_first_rotation_costs_up_to_60_degrees():
  # 0.9 - 0.06 * 20 / 60 = 0.88; 0.9 - 0.06 from 60 degrees on.
  for degrees, promise in ((0, 0.9), (20, 0.88), (60, 0.84), (150, 0.84)):
    draft = _draft('a', 0.9, degrees)
    assert draft.promise(_WEIGHTS) == pytest.approx(promise)


def test_what_stands_pays_for_leaning():
  # 0.9 - 0.3 * 5 / 15 = 0.8; 0.9 - 0.3 from 15 degrees on; what need not stand
  # pays nothing.
  for degrees, promise in ((0, 0.9), (5, 0.8), (15, 0.6), (90, 0.6)):
    rotation = _about('z', degrees)
    pose = pose_steps.Pose(rotation, scenes.TRANSLATION)
    for stands, expected in ((True, promise), (False, 0.9)):
      candidate = target_lib.Candidate(
        'a', 0.0, rotation[np.newaxis], stands=stands
      )
      draft = ranking.Draft(candidate, None, pose, 0.9, 0.0)
      assert draft.promise(_WEIGHTS) == pytest.approx(expected)


def test_cameras_look_down_and_hardly_up():
  # Turned about the camera's x axis (to the left): +y goes towards +z, away.
  for degrees, expected in ((-60, 0.0), (0, 0.0), (5, 0.0), (12, 7.0)):
    found = ranking.lean(_about('x', degrees))
    assert np.degrees(found) == pytest.approx(expected, abs=1e-9)
  # A turn of the CAD about its own axis changes nothing.
  turned = _about('z', 8) @ _about('y', 70)
  assert np.degrees(ranking.lean(turned)) == pytest.approx(8.0)


def test_cosines_of_what_was_seen():
  drafts = [_draft('a', 0.8), _draft('b', 0.9, features=np.array([1.0, 0.0]))]
  found = ranking.feature_cosines(drafts, np.array([1.0, 1.0]), np.zeros(2))
  np.testing.assert_allclose(found, [np.nan, np.sqrt(0.5)])
  assert np.isnan(ranking.feature_cosines(drafts, None, None)).all()


def test_distinct_keeps_the_better_of_two():
  worse, better = _draft('a', 0.8, 0.0), _draft('a', 0.9, 4.0)
  aside, other = _draft('a', 0.7, 20.0), _draft('b', 0.6, 0.0)
  kept = ranking.distinct([worse, better, aside, other])
  assert kept == [better, aside, other]


def test_first_of_each():
  drafts = [_draft(cad_id, 0.5) for cad_id in 'aabab']
  assert ranking.first_of_each(range(5), drafts, 1) == [0, 2]
  assert ranking.first_of_each(range(5), drafts, 2) == [0, 1, 2, 4]
