"""Does a posed CAD look like the photo? Cosine of fine feature maps."""

from typing import Optional
from typing import Protocol
from typing import Sequence

import numpy as np

from mask2cad_tf.refinement import pose_steps
from mask2cad_tf.refinement import shape as shape_lib
from mask2cad_tf.refinement import target as target_lib
from mask2cad_tf.refinement import window as window_lib

CROP_SIZE = 128  # pixels
GREY = 127  # of whatever is not the object


class FeatureExtractor(Protocol):
  """A network's early layers.

  It may carry `feature_mean`, float [16, 16, c]: subtracted before the cosine
  is taken. Without it the mean over the hypotheses at hand is.
  """

  def __call__(self, crops: np.ndarray) -> np.ndarray:
    """Float32 [n, 16, 16, c] of uint8 [n, 128, 128, 3], any n > 0."""
    ...


class Crops:
  """Makes the photo's crop and those of posed CADs in the same window.

  Attributes:
    photo: uint8 [CROP_SIZE, CROP_SIZE, 3], grey outside the mask.
  """

  def __init__(self, target: target_lib.Target, window: window_lib.Window):
    """Cuts the photo's crop.

    Args:
      target: the object.
      window: CROP_SIZE pixels wide.
    """
    self._intrinsics = window.intrinsics(target.intrinsics)
    self._size = window.size
    self._counted = window.sample(target.countable)
    rows, columns, inner = window.cut(*target.mask.shape)
    mask = np.clip(np.nan_to_num(target.mask[rows, columns]), 0.0, 1.0)
    mask = mask * target.countable[rows, columns]
    contrast = target.image[rows, columns].astype(np.float32) - GREY
    photo = GREY + inner.resample(contrast * mask[..., np.newaxis], 0.0)
    self.photo = np.clip(np.round(photo), 0, 255).astype(np.uint8)

  def posed(self, shape: shape_lib.Shape, pose: pose_steps.Pose) -> np.ndarray:
    """Uint8 [CROP_SIZE, CROP_SIZE, 3]: the shaded CAD over grey.

    Grey too where nothing counts, as the mask leaves the photo there.
    """
    rendering = shape.renderer.render(
      *pose, self._intrinsics, self._size, self._size, antialias=1
    )
    shown = rendering.mask & self._counted
    grey = np.where(shown, np.round(255.0 * rendering.shaded), GREY)
    return np.repeat(grey.astype(np.uint8)[..., np.newaxis], 3, axis=-1)


def cosines(
  maps: Sequence[np.ndarray],
  photo: np.ndarray,
  mean: Optional[np.ndarray] = None,
) -> np.ndarray:
  """Cosine of each map with the photo's, the mean subtracted from both.

  Args:
    maps: n arrays [16, 16, c], of the hypotheses.
    photo: [16, 16, c].
    mean: [16, 16, c]; None: the mean of the maps, or 0 for a single one.

  Returns:
    float64 [n].
  """
  stacked = np.stack([np.reshape(each, -1) for each in maps])
  stacked = stacked.astype(np.float64)
  if mean is None:
    mean = stacked.mean(axis=0) if len(stacked) > 1 else 0.0
  stacked = stacked - np.reshape(mean, -1)
  own = np.reshape(photo, -1) - np.reshape(mean, -1)
  lengths = np.linalg.norm(stacked, axis=1) * np.linalg.norm(own)
  return stacked @ own / np.maximum(lengths, 1e-12)
