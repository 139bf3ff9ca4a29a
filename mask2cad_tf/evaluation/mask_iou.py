"""Overlap of two full-size masks."""

import numpy as np


def mask_iou(mask: np.ndarray, other_mask: np.ndarray) -> float:
  """Intersection over union of two bool masks [h, w]; 0 if both are empty.

  Raises:
    ValueError: the masks differ in size.
  """
  if mask.shape != other_mask.shape:
    raise ValueError(
      f'Masks of one photo have one size; found {mask.shape} and '
      f'{other_mask.shape}.'
    )
  union = np.count_nonzero(mask | other_mask)
  return np.count_nonzero(mask & other_mask) / max(union, 1)
