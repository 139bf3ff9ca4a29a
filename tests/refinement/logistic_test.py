"""Logistic regression: on data of known odds, by hand."""

import numpy as np
import pytest
from scipy import special

from mask2cad_tf.refinement import logistic


def test_probabilities_by_hand():
  judge = logistic.Logistic(-3.0, (2.0, 4.0))
  # -3 + 2 * 0.8 + 4 * 0.375 = 0.1; 1 / (1 + e^-0.1) = 0.525.
  found = judge.probabilities(np.array([[0.8, 0.375], [1.5, 0.0]]))
  np.testing.assert_allclose(found, [0.52498, 0.5], atol=1e-5)


def test_fit_finds_the_odds_again():
  rng = np.random.default_rng(0)
  rows = rng.uniform(0, 1, (20_000, 3))
  odds = -2.0 + rows @ [3.0, 2.0, -1.0]
  judge = logistic.fit(rows, rng.uniform(size=20_000) < special.expit(odds))
  np.testing.assert_allclose(
    judge.probabilities(rows), special.expit(odds), atol=0.05
  )


def test_separable_data_stay_finite():
  rows = np.repeat([[0.2, 0, 0], [0.9, 0, 0]], 10, axis=0)
  judge = logistic.fit(rows, rows[:, 0] > 0.5)
  assert np.isfinite([judge.bias, *judge.weights]).all()
  assert judge.probabilities(rows[-1]) > 0.8


def test_one_kind_teaches_nothing():
  with pytest.raises(ValueError, match='3 of 3 are true'):
    logistic.fit(np.ones((3, 3)), np.ones(3, bool))


def test_auroc_by_hand():
  # Pairs (good, bad): .9 > .8, .9 > .2, .5 < .8, .5 > .2: 3 of 4.
  truths = np.array([True, False, True, False])
  assert logistic.auroc(np.array([0.9, 0.8, 0.5, 0.2]), truths) == 0.75
  assert logistic.auroc(np.full(4, 0.5), truths) == 0.5
