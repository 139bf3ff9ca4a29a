"""Average precision: hand cases of the envelope and of the matching."""

import numpy as np
import pytest

from mask2cad_tf.geometry import average_precision


def test_hand_case():
  # Descending: hit, miss, hit, miss of 3 truths. Precision 1, 1/2, 2/3, 1/2 at
  # recall 1/3, 1/3, 2/3, 2/3; envelope 1 then 2/3, then 0 up to recall 1.
  ap = average_precision.average_precision(
    [0.6, 0.9, 0.7, 0.8], [False, True, True, False], 3
  )
  np.testing.assert_allclose(ap, (1 + 2 / 3) / 3)


def test_a_late_hit_lifts_the_envelope():
  # Miss, hit, hit of 2: precision 1/2, 2/3 -> the envelope is 2/3 throughout.
  ap = average_precision.average_precision(
    [3.0, 2.0, 1.0], [False, True, True], 2
  )
  np.testing.assert_allclose(ap, 2 / 3)


def test_extremes():
  ap = average_precision.average_precision
  assert ap([0.9, 0.8], [True, True], 2) == 1.0
  assert ap([0.9, 0.8], [False, False], 2) == 0.0
  assert ap([], [], 2) == 0.0
  with np.errstate(all='raise'):  # without dividing by it
    assert np.isnan(ap([0.9], [False], 0))


@pytest.mark.parametrize('seed', range(4))
def test_only_the_order_of_scores_counts(seed):
  rng = np.random.default_rng(seed)
  scores, matches = rng.uniform(size=30), rng.uniform(size=30) < 0.5
  first = average_precision.average_precision(scores, matches, 40)
  second = average_precision.average_precision(np.exp(scores), matches, 40)
  assert first == second
  # Dropping the worst miss never hurts.
  kept = np.arange(30) != np.flatnonzero(~matches)[0]
  assert (
    average_precision.average_precision(scores[kept], matches[kept], 40)
    >= first
  )


@pytest.mark.parametrize(
  'scores, matches, positives',
  [([0.5], [True, False], 3), ([0.5, 0.4], [True, True], 1)],
)
def test_contradictions_are_refused(scores, matches, positives):
  with pytest.raises(ValueError, match='match_detections'):
    average_precision.average_precision(scores, matches, positives)


def test_the_better_scored_detection_takes_the_truth():
  similarity = np.array([[0.9, 0.0], [0.8, 0.0], [0.0, 0.6]])
  np.testing.assert_array_equal(
    average_precision.match_detections(
      similarity, np.array([0.5, 0.7, 0.1]), 0.5
    ),
    [False, True, True],
  )


def test_a_detection_takes_the_most_similar_free_truth():
  # The first takes truth 1; the second falls back to truth 0.
  similarity = np.array([[0.6, 0.9], [0.7, 0.8]])
  np.testing.assert_array_equal(
    average_precision.match_detections(similarity, np.array([2, 1]), 0.5),
    [True, True],
  )
  # At 0.75 only truth 1 counts, and it is taken.
  np.testing.assert_array_equal(
    average_precision.match_detections(similarity, np.array([2, 1]), 0.75),
    [True, False],
  )


def test_the_threshold_is_strict():
  np.testing.assert_array_equal(
    average_precision.match_detections(np.array([[0.5]]), np.array([1.0]), 0.5),
    [False],
  )


@pytest.mark.parametrize('shape', [(3, 0), (0, 2), (0, 0)])
def test_nothing_to_match(shape):
  matches = average_precision.match_detections(
    np.zeros(shape), np.ones(shape[0]), 0.5
  )
  assert matches.shape == (shape[0],)
  assert not matches.any()


def test_precision_at_recalls_by_hand():
  # Hits at ranks 1, 3 and 4 of 4 truths: recall 1/4 at precision 1, then 2/4
  # at 2/3 and 3/4 at 3/4; the envelope lifts 2/3 to 3/4.
  scores, matches = [0.9, 0.8, 0.7, 0.6], [True, False, True, True]
  found = average_precision.precision_at(
    np.array([0.0, 0.25, 0.3, 0.5, 0.75, 0.76, 1.0]), scores, matches, 4
  )
  assert found.tolist() == [1.0, 1.0, 0.75, 0.75, 0.75, 0.0, 0.0]
  nothing = average_precision.precision_at(np.array([0.0, 1.0]), [], [], 1)
  assert nothing.tolist() == [0.0, 0.0]
