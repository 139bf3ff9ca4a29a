"""PosedCad: defaults of a true object, and immutability."""

import dataclasses

import numpy as np
import pytest

from mask2cad_tf.geometry import posed_cad


def test_a_true_object_has_score_one_and_no_mask():
  cad = posed_cad.PosedCad(
    3, 'chair/a', 'chair/a/model.obj', np.eye(3), np.zeros(3), np.zeros(4)
  )
  assert cad.score == 1.0
  assert cad.mask is None
  with pytest.raises(dataclasses.FrozenInstanceError):
    cad.score = 0.5
  moved = dataclasses.replace(cad, translation=np.ones(3))
  np.testing.assert_array_equal(moved.translation, np.ones(3))
