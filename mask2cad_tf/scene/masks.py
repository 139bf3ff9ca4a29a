"""Masks of a photo: from RoI probabilities, to and from COCO RLE."""

from typing import Any
from typing import Dict
from typing import Tuple

import numpy as np
from pycocotools import mask as coco_mask


def paste(
  probabilities: np.ndarray,
  outer_box: np.ndarray,
  height: int,
  width: int,
  threshold: float = 0.5,
) -> np.ndarray:
  """The photo-size mask of an RoI mask, sampled bilinearly.

  Args:
    probabilities: float [m, m], inside the outer box; 0 outside.
    outer_box: float [4], yxyx, pixels; may exceed the photo.
    height: of the photo, pixels.
    width: of the photo, pixels.
    threshold: a pixel above it belongs to the object.

  Returns:
    bool [height, width].
  """
  return (
    paste_probabilities(probabilities, outer_box, height, width) > threshold
  )


def paste_probabilities(
  probabilities: np.ndarray, outer_box: np.ndarray, height: int, width: int
) -> np.ndarray:
  """As `paste`, before the threshold: float32 [height, width]."""
  size = probabilities.shape[0]
  (top, left, bottom, right) = np.asarray(outer_box, np.float64)
  pasted = np.zeros((height, width), np.float32)
  rows, row_weights = _axis_weights(top, bottom, height, size)
  columns, column_weights = _axis_weights(left, right, width, size)
  pasted[rows, columns] = row_weights @ probabilities @ column_weights.T
  return pasted


def _axis_weights(
  low: float, high: float, length: int, size: int
) -> Tuple[slice, np.ndarray]:
  """Pixels whose centres lie in [low, high], and their weights [n, size]."""
  first = int(np.clip(np.ceil(low - 0.5), 0, length))
  last = int(np.clip(np.ceil(high - 0.5), first, length))
  centers = np.arange(first, last) + 0.5
  cells = (centers - low) / max(high - low, 1e-6) * size - 0.5
  cells = np.clip(cells, 0, size - 1)[:, np.newaxis]
  return slice(first, last), np.maximum(
    0.0, 1.0 - np.abs(cells - np.arange(size))
  )


def encode_rle(mask: np.ndarray) -> Dict[str, Any]:
  """COCO's compressed RLE of a bool mask [h, w], ready for JSON."""
  rle = coco_mask.encode(np.asfortranarray(mask, np.uint8))
  return {
    'size': [int(n) for n in rle['size']],
    'counts': rle['counts'].decode('ascii'),
  }


def decode_rle(rle: Dict[str, Any]) -> np.ndarray:
  """The bool mask [h, w] of COCO's compressed RLE."""
  return coco_mask.decode(
    {'size': rle['size'], 'counts': rle['counts'].encode('ascii')}
  ).astype(bool)
