import numpy as np
import pytest

from mask2cad_tf.geometry import box_overlap


def test_hand_cases():
  box = [0.0, 0.0, 10.0, 10.0]
  others = [
    [0.0, 0.0, 10.0, 10.0],  # itself: 1
    [5.0, 0.0, 15.0, 10.0],  # 50 of 150
    [5.0, 5.0, 15.0, 15.0],  # 25 of 175
    [10.0, 0.0, 20.0, 10.0],  # they touch: 0
    [30.0, 30.0, 20.0, 20.0],  # inverted: empty
  ]
  assert box_overlap.box_iou(box, others)[0] == pytest.approx(
    [1.0, 50 / 150, 25 / 175, 0.0, 0.0]
  )


def test_shapes_and_empty_lists():
  boxes = np.tile([0.0, 0.0, 1.0, 1.0], [3, 1])
  assert box_overlap.box_iou(boxes, boxes[:2]).shape == (3, 2)
  assert box_overlap.box_iou(boxes, np.array([])).shape == (3, 0)
  assert box_overlap.box_iou(np.array([]), boxes).shape == (0, 3)


def test_two_empty_boxes_are_zero_not_nan():
  empty = [1.0, 1.0, 1.0, 1.0]
  assert box_overlap.box_iou(empty, empty).item() == 0.0


def test_extent_of_a_mask():
  mask = np.zeros([6, 9], bool)
  mask[2, 3] = mask[4, 7] = True  # maxima are exclusive
  np.testing.assert_array_equal(box_overlap.mask_extent(mask), [2, 3, 5, 8])
