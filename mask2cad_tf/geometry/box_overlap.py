"""Boxes in original pixels: their overlap, the one around a mask."""

import numpy as np


def box_iou(boxes: np.ndarray, other_boxes: np.ndarray) -> np.ndarray:
  """Intersection over union of every pair of boxes.

  Args:
    boxes: float [n, 4], (ymin, xmin, ymax, xmax), pixels, maxima exclusive.
    other_boxes: float [m, 4], likewise.

  Returns:
    float64 [n, m]; 0 where both boxes are empty.
  """
  boxes = np.asarray(boxes, np.float64).reshape(-1, 1, 4)
  others = np.asarray(other_boxes, np.float64).reshape(1, -1, 4)
  top_left = np.maximum(boxes[..., :2], others[..., :2])
  bottom_right = np.minimum(boxes[..., 2:], others[..., 2:])
  shared = np.prod(np.maximum(bottom_right - top_left, 0.0), axis=-1)
  union = _areas(boxes) + _areas(others) - shared
  return shared / np.where(union > 0.0, union, 1.0)


def _areas(boxes: np.ndarray) -> np.ndarray:
  return np.prod(np.maximum(boxes[..., 2:] - boxes[..., :2], 0.0), axis=-1)


def mask_extent(mask: np.ndarray) -> np.ndarray:
  """The box [4] (ymin, xmin, ymax, xmax), pixels, of a mask that is not empty.

  Args:
    mask: bool [H, W].
  """
  rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
  return np.array([rows[0], columns[0], rows[-1] + 1, columns[-1] + 1], float)
