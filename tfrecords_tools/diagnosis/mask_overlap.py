"""How far two masks of a photo agree."""

from typing import Optional

import numpy as np
from PIL import Image

SIGNATURE_SIDE = 96  # pixels, of a whole photo


def iou(first: np.ndarray, second: np.ndarray) -> float:
  """Intersection over union of two bool masks; 0 where both are empty."""
  union = np.count_nonzero(first | second)
  return float(np.count_nonzero(first & second) / max(union, 1))


def box(mask: np.ndarray) -> Optional[np.ndarray]:
  """(ymin, xmin, ymax, xmax), maxima exclusive; None of an empty mask."""
  rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
  if not len(rows):
    return None
  return np.array(
    [rows[0], columns[0], rows[-1] + 1, columns[-1] + 1], np.float64
  )


def box_iou(first: np.ndarray, second: np.ndarray) -> float:
  """Intersection over union of two boxes (ymin, xmin, ymax, xmax)."""
  edges = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
  shared = float(np.prod(np.maximum(edges, 0.0)))
  areas = [float(np.prod(x[2:] - x[:2])) for x in (first, second)]
  return shared / max(sum(areas) - shared, 1e-9)


def shrink(mask: np.ndarray, height: int, width: int) -> np.ndarray:
  """A mask at another size: the pixels that it covers by half or more."""
  if mask.shape == (height, width):
    return mask
  image = Image.fromarray(mask.astype(np.uint8) * 255)
  image = image.resize((width, height), Image.Resampling.BOX)
  return np.asarray(image) > 127


def signature(mask: np.ndarray) -> np.ndarray:
  """A whole photo's mask as SIGNATURE_SIDE squared bits, packed, uint8."""
  return np.packbits(shrink(mask, SIGNATURE_SIDE, SIGNATURE_SIDE))


def from_signature(packed: np.ndarray) -> np.ndarray:
  """Bool [SIGNATURE_SIDE, SIGNATURE_SIDE] of a signature."""
  bits = np.unpackbits(packed, count=SIGNATURE_SIDE**2)
  return bits.reshape(SIGNATURE_SIDE, SIGNATURE_SIDE).astype(bool)
