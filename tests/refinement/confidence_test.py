"""The judge: by hand, on data of known odds, on file."""

import numpy as np
import pytest
from scipy import special

from mask2cad_tf.refinement import confidence
from mask2cad_tf.refinement import refiner


def _hypothesis(iou=0.8, features=0.5, similarity=0.25):
  return refiner.Hypothesis(
    'bed/a', similarity, np.eye(3), np.ones(3), iou, features, 1.0
  )


def test_probability_by_hand():
  judge = confidence.Confidence(-3.0, (2.0, 1.0, 4.0))
  # -3 + 2 * 0.8 + 0.5 + 4 * 0.25 = 0.1; 1 / (1 + e^-0.1) = 0.525.
  assert judge.probability(_hypothesis()) == pytest.approx(0.52498, abs=1e-5)
  # Features not looked at count 0: -0.4.
  unseen = _hypothesis(features=np.nan)
  assert judge.probability(unseen) == pytest.approx(0.40131, abs=1e-5)


def test_fit_finds_the_odds_again():
  rng = np.random.default_rng(0)
  rows = rng.uniform(0, 1, (20_000, 3))
  odds = -2.0 + rows @ [3.0, 2.0, -1.0]
  judge = confidence.fit(rows, rng.uniform(size=20_000) < special.expit(odds))
  found = special.expit(judge.bias + rows @ np.array(judge.weights))
  np.testing.assert_allclose(found, special.expit(odds), atol=0.05)


def test_separable_data_stay_finite():
  rows = np.repeat([[0.2, 0, 0], [0.9, 0, 0]], 10, axis=0)
  judge = confidence.fit(rows, rows[:, 0] > 0.5)
  assert np.isfinite([judge.bias, *judge.weights]).all()
  assert judge.probability(_hypothesis(0.9, 0.0, 0.0)) > 0.8


def test_one_kind_teaches_nothing():
  with pytest.raises(ValueError, match='3 of 3 CADs fit'):
    confidence.fit(np.ones((3, 3)), np.ones(3, bool))


def test_auroc_by_hand():
  # Pairs (good, bad): .9 > .8, .9 > .2, .5 < .8, .5 > .2: 3 of 4.
  fits = np.array([True, False, True, False])
  assert confidence.auroc(np.array([0.9, 0.8, 0.5, 0.2]), fits) == 0.75
  assert confidence.auroc(np.full(4, 0.5), fits) == 0.5


def test_round_trip_and_damage(tmp_path):
  assert confidence.load(str(tmp_path)) is None
  judge = confidence.Confidence(-1.5, (2.0, 0.25, 1.0))
  judge.save(str(tmp_path))
  assert confidence.load(str(tmp_path)) == judge
  (tmp_path / confidence.FILE_NAME).write_text('{"bias": 1}')
  with pytest.raises(ValueError, match='damaged.*mask2cad_tf.calibrate'):
    confidence.load(str(tmp_path))
