"""The judge: by hand, on file."""

import numpy as np
import pytest

from mask2cad_tf.refinement import confidence
from mask2cad_tf.refinement import logistic
from mask2cad_tf.refinement import refiner

_JUDGE = confidence.Confidence(
  logistic.Logistic(-3.0, (2.0, 1.0, 4.0)),
  logistic.Logistic(-1.0, (1.5, 0.5, 2.0, 1.0, 0.0)),
)


def _hypothesis(iou=0.8, features=0.5, similarity=0.25):
  return refiner.Hypothesis(
    'bed/a', similarity, np.eye(3), np.ones(3), iou, features, 1.0
  )


def test_probability_by_hand():
  # -3 + 2 * 0.8 + 0.5 + 4 * 0.25 = 0.1; 1 / (1 + e^-0.1) = 0.525.
  assert _JUDGE.probability(_hypothesis()) == pytest.approx(0.52498, abs=1e-5)
  # Features not looked at count 0: -0.4.
  unseen = _hypothesis(features=np.nan)
  assert _JUDGE.probability(unseen) == pytest.approx(0.40131, abs=1e-5)


def test_detection_scores_by_hand():
  # Both have log odds 0. The rendered one: -1 + .5 + 2 * .8 + .5 = 1.6; the
  # other: -1.
  found = _JUDGE.detection_scores(np.array([0.5, 0.5]), [[_hypothesis()], []])
  np.testing.assert_allclose(found, [0.83202, 0.26894], atol=1e-5)
  assert found.dtype == np.float32
  assert _JUDGE.detection_scores(np.zeros(0), []).shape == (0,)


def test_certain_scores_stay_finite():
  found = _JUDGE.detection_scores(np.array([0.0, 1.0]), [[], []])
  assert 0.0 < found[0] < 1e-6 and 1.0 - 1e-6 < found[1] <= 1.0


def test_round_trip_and_damage(tmp_path):
  assert confidence.load(str(tmp_path)) is None
  _JUDGE.save(str(tmp_path))
  assert confidence.load(str(tmp_path)) == _JUDGE
  (tmp_path / confidence.FILE_NAME).write_text('{"fits": {"bias": 1}}')
  with pytest.raises(ValueError, match='damaged.*mask2cad_tf.calibrate'):
    confidence.load(str(tmp_path))
