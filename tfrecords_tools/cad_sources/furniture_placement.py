"""From Sweet Home 3D's frame and size to a library's."""

from typing import Tuple

import numpy as np

# Sweet Home 3D's fronts face +z, a library's -z: half a turn about +y.
_HALF_TURN = np.diag([-1.0, 1.0, -1.0])


def matrix(
  rotated_bounds: np.ndarray,
  rotation: np.ndarray,
  size: Tuple[float, float, float],
  standing: bool = False,
) -> np.ndarray:
  """Takes a catalogue's vertices to metres, front -z, box centred.

  v' = H S (R v - c), as Sweet Home 3D has it but for H: R is the catalogue's
  modelRotation, c the centre of the rotated model's box, S scales that box to
  the catalogue's width, height and depth, H is half a turn about +y.

  Args:
    rotated_bounds: [2, 3], box of R v.
    rotation: [3, 3], R.
    size: width (x), height (y), depth (z) in metres, positive.
    standing: put the lowest point on y = 0 instead of the centre.

  Returns:
    [4, 4], affine.
  """
  low, high = np.asarray(rotated_bounds, np.float64)
  extents = high - low
  flat = extents <= 1e-9 * extents.max()
  scale = np.where(flat, 1.0, np.asarray(size) / np.where(flat, 1.0, extents))
  result = np.eye(4)
  result[:3, :3] = _HALF_TURN @ np.diag(scale) @ rotation
  result[:3, 3] = -_HALF_TURN @ np.diag(scale) @ (0.5 * (low + high))
  if standing:
    result[1, 3] += 0.5 * extents[1] * scale[1]
  return result
