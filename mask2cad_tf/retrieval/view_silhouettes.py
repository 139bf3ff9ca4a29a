"""Silhouettes of gallery views, 32 x 32, a bit a cell: a mask finds its CAD.

A view shows its CAD in a square 1.25 times the longer side of its extent; a
mask is looked at in the same square of its own, so the two overlap where shape
and rotation agree.
"""

from typing import Tuple

import numpy as np

from mask2cad_tf.geometry import box_overlap

SIDE = 32
# views.canonical_camera lets a CAD fill 0.8 of a view.
FRAME = 1.25


def pack(renderings: np.ndarray) -> np.ndarray:
  """Silhouettes of renderings.

  Args:
    renderings: float [V, S, S], 0 = background; S a multiple of 32.

  Returns:
    uint8 [V, 128], packed bits, row by row.
  """
  count, size = renderings.shape[:2]
  step = size // SIDE
  cells = (renderings > 0).reshape(count, SIDE, step, SIDE, step)
  full = cells.mean(axis=(2, 4)) >= 0.5
  return np.packbits(full.reshape(count, -1), axis=-1)


def unpack(packed: np.ndarray) -> np.ndarray:
  """Bool [..., 1024] of packed silhouettes [..., 128]."""
  return np.unpackbits(packed, axis=-1).astype(bool)


def coarse(packed: np.ndarray, side: int) -> np.ndarray:
  """Silhouettes in fewer cells.

  Args:
    packed: uint8 [..., 128].
    side: cells a side, a divisor of 32.

  Returns:
    float32 [..., side, side], the share of each cell that is covered.
  """
  step = SIDE // side
  cells = unpack(packed).reshape(*packed.shape[:-1], side, step, side, step)
  return cells.mean(axis=(-3, -1), dtype=np.float32)


def of_mask(mask: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
  """A photo's mask as a gallery view would show it.

  Args:
    mask: bool [H, W].

  Returns:
    float32 [1024], the share of each cell that the mask covers, and bool
    [1024], the cells whose centres lie in the photo. All zero and False for an
    empty mask.
  """
  if not mask.any():
    return np.zeros(SIDE * SIDE, np.float32), np.zeros(SIDE * SIDE, bool)
  low, high = np.split(box_overlap.mask_extent(mask), 2)
  side = FRAME * (high - low).max()
  start = 0.5 * (low + high) - 0.5 * side
  centers = start[:, np.newaxis] + side * (np.arange(SIDE) + 0.5) / SIDE
  y_weights, y_inside = _axis(centers[0], mask.shape[0], side / SIDE)
  x_weights, x_inside = _axis(centers[1], mask.shape[1], side / SIDE)
  values = y_weights @ mask.astype(np.float32) @ x_weights.T
  inside = y_inside[:, np.newaxis] & x_inside
  return values.reshape(-1).astype(np.float32), inside.reshape(-1)


def _axis(
  centers: np.ndarray, length: int, step: float
) -> Tuple[np.ndarray, np.ndarray]:
  """Weights [32, length] of a cell-wide box filter; which are inside."""
  edges = np.stack([centers - 0.5 * step, centers + 0.5 * step])
  pixels = np.arange(length)
  overlap = np.minimum(edges[1][:, np.newaxis], pixels + 1) - np.maximum(
    edges[0][:, np.newaxis], pixels
  )
  return np.maximum(overlap, 0.0) / step, (centers > 0) & (centers < length)


def iou(
  target: np.ndarray, inside: np.ndarray, silhouettes: np.ndarray
) -> np.ndarray:
  """Overlap of a mask with views, where the photo can tell.

  Args:
    target: float [1024], of `of_mask`.
    inside: bool [1024], of `of_mask`.
    silhouettes: bool [..., 1024].

  Returns:
    float32 [...], intersection over union of soft and hard masks.
  """
  views = silhouettes[..., inside].astype(np.float32)
  target = target[inside]
  both = views @ target
  return both / np.maximum(views.sum(axis=-1) + target.sum() - both, 1e-6)
