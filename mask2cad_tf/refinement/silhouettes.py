"""Silhouettes of posed CADs beside the mask of the photo."""

import numpy as np

from mask2cad_tf.refinement import shape as shape_lib
from mask2cad_tf.refinement import target as target_lib
from mask2cad_tf.refinement import window as window_lib


class Silhouettes:
  """One window at one resolution; all pictures are 0 where nothing counts.

  Attributes:
    window: in which everything is seen.
    goal: float32 [size, size], the target's mask.
  """

  def __init__(self, target: target_lib.Target, window: window_lib.Window):
    """Samples the mask.

    Args:
      target: the object.
      window: where to look.
    """
    self.window = window
    counted = window.sample(target.countable)
    mask = np.nan_to_num(window.sample(target.mask).astype(np.float32))
    self.goal = np.where(counted, np.clip(mask, 0.0, 1.0), np.float32(0.0))
    self._counted = np.flatnonzero(counted)
    self._rays = window.rays(target.intrinsics)[self._counted]

  def render(
    self,
    shape: shape_lib.Shape,
    rotations: np.ndarray,
    translations: np.ndarray,
  ) -> np.ndarray:
    """Float32 [k, size, size] of a CAD at k poses, 0 or 1."""
    count, size = len(rotations), self.window.size
    pictures = np.zeros((count, size * size), np.float32)
    pictures[:, self._counted] = shape.hits(self._rays, rotations, translations)
    return pictures.reshape(count, size, size)

  def iou(
    self,
    shape: shape_lib.Shape,
    rotations: np.ndarray,
    translations: np.ndarray,
  ) -> np.ndarray:
    """Float64 [k]: overlap of the silhouettes with the (soft) mask."""
    pictures = self.render(shape, rotations, translations)
    overlap = (pictures * self.goal).sum(axis=(1, 2), dtype=np.float64)
    total = pictures.sum(axis=(1, 2)) + self.goal.sum() - overlap
    return overlap / np.maximum(total, 1e-6)


def blur_matrix(size: int, sigma: float) -> np.ndarray:
  """A Gaussian blur along one axis as a matrix, edges repeated.

  Args:
    size: pixels.
    sigma: pixels.

  Returns:
    float32 [size, size]: B; B P B^T blurs a picture P.
  """
  reach = int(np.ceil(4.0 * sigma))
  offsets = np.arange(-reach, reach + 1)
  weights = np.exp(-0.5 * (offsets / sigma) ** 2)
  weights /= weights.sum()
  matrix = np.zeros((size, size))
  rows = np.arange(size)
  for offset, weight in zip(offsets, weights):
    np.add.at(matrix, (rows, np.clip(rows + offset, 0, size - 1)), weight)
  return matrix.astype(np.float32)
