import numpy as np
import pytest

from mask2cad_tf.evaluation import mask_iou


def test_hand_case():
  # Columns 0-2 and 1-3 of four rows: 8 of 16 pixels.
  first, second = np.zeros([4, 6], bool), np.zeros([4, 6], bool)
  first[:, 0:3] = True
  second[:, 1:4] = True
  assert mask_iou.mask_iou(first, second) == 8 / 16
  assert mask_iou.mask_iou(first, first) == 1.0


def test_empty_masks_and_other_sizes():
  empty = np.zeros([4, 6], bool)
  assert mask_iou.mask_iou(empty, empty) == 0.0
  with pytest.raises(ValueError, match=r'\(4, 6\) and \(6, 4\)'):
    mask_iou.mask_iou(empty, empty.T)
