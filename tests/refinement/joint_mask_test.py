"""Network and CAD decide on an object's pixels together."""

import numpy as np

from mask2cad_tf.refinement import joint_mask


def test_odds_are_multiplied_and_divided():
  # Inside odds p / (1 - p) times 4: .2 is even, .21 and .5 are more. Outside a
  # quarter: .8 is even, .81 is more.
  probabilities = np.array([[0.19, 0.21, 0.5, 0.79, 0.81, 0.5]])
  silhouette = np.array([[1, 1, 1, 0, 0, 0]], bool)
  np.testing.assert_array_equal(
    joint_mask.joint_mask(probabilities, silhouette),
    [[False, True, True, False, True, False]],
  )


def test_what_is_certain_stays():
  probabilities = np.array([[0.0, 1.0, 0.0, 1.0, np.nan]])
  silhouette = np.array([[1, 0, 0, 1, 1]], bool)
  np.testing.assert_array_equal(
    joint_mask.joint_mask(probabilities, silhouette),
    [[False, True, False, True, False]],
  )
