import numpy as np
import pytest

from tfrecords_tools.diagnosis import mask_overlap


def _block(top, left, bottom, right, size=(8, 8)):
  mask = np.zeros(size, bool)
  mask[top:bottom, left:right] = True
  return mask


def test_iou_by_hand():
  # 4 x 4 = 16 pixels each, 2 x 3 = 6 shared: 6 / (16 + 16 - 6).
  first, second = _block(0, 0, 4, 4), _block(2, 1, 6, 5)
  assert mask_overlap.iou(first, second) == pytest.approx(6 / 26)
  assert mask_overlap.iou(first, first) == 1.0
  assert mask_overlap.iou(first, ~first) == 0.0
  assert mask_overlap.iou(first & False, first & False) == 0.0


def test_box_has_exclusive_maxima():
  assert mask_overlap.box(_block(2, 1, 6, 5)).tolist() == [2, 1, 6, 5]
  assert mask_overlap.box(np.zeros((3, 3), bool)) is None


def test_box_iou_by_hand():
  first, second = np.array([0, 0, 4, 4.0]), np.array([2, 1, 6, 5.0])
  assert mask_overlap.box_iou(first, second) == pytest.approx(6 / 26)
  assert mask_overlap.box_iou(first, first + 10) == 0.0


def test_shrink_keeps_pixels_covered_by_half():
  mask = _block(0, 0, 4, 3)
  assert mask_overlap.shrink(mask, 4, 4)[:, :2].tolist() == (
    [[True, True], [True, True], [False, False], [False, False]]
  )
  assert mask_overlap.shrink(mask, 8, 8) is mask


def test_signatures_survive_packing():
  mask = _block(10, 20, 50, 60, (96, 96))
  packed = mask_overlap.signature(mask)
  assert packed.nbytes == 96 * 96 // 8
  assert (mask_overlap.from_signature(packed) == mask).all()
