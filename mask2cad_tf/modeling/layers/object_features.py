"""F_i and M_i∘F_i: what every branch sees of an object (Sec. 3.1)."""

from typing import Any
from typing import Dict
from typing import Mapping
from typing import Sequence

import tensorflow as tf
from official.vision.modeling.layers import roi_aligner


def _axis_inside(
  low: tf.Tensor, high: tf.Tensor, crop_size: int, length: int
) -> tf.Tensor:
  """Which cells of [..., crop_size] have their centre in [0, length)."""
  cells = (tf.range(crop_size, dtype=tf.float32) + 0.5) / crop_size
  centers = low[..., None] + (high - low)[..., None] * cells
  return tf.cast((centers >= 0.0) & (centers < length), tf.float32)


@tf.keras.utils.register_keras_serializable(package='Mask2CAD')
class RoiFeatures(tf.keras.layers.Layer):
  """Crops F_i from the pyramid; zero where the crop leaves the image.

  An outer box may reach over the image's edge; there RoI align would
  extrapolate its two nearest cells, without bound.
  """

  def __init__(self, crop_size: int, min_level: int, max_level: int, **kwargs):
    """Initializes the layer.

    Args:
      crop_size: M.
      min_level: finest pyramid level to crop from.
      max_level: coarsest one.
      **kwargs: passed to Layer.
    """
    super().__init__(**kwargs)
    self._config_dict = {
      'crop_size': crop_size,
      'min_level': min_level,
      'max_level': max_level,
    }
    self._aligner = roi_aligner.MultilevelROIAligner(crop_size)

  def call(
    self,
    features: Mapping[str, tf.Tensor],
    boxes: tf.Tensor,
    image_size: Sequence[int],
  ) -> tf.Tensor:
    """Crops features, each box on the level of its size.

    Args:
      features: level to [B, H_l, W_l, C]; levels outside the layer's are
        ignored.
      boxes: [B, N, 4] yxyx, pixels of the network's input.
      image_size: height and width of the network's input, pixels.

    Returns:
      [B, N, M, M, C].
    """
    config = self._config_dict
    size = config['crop_size']
    levels = range(config['min_level'], config['max_level'] + 1)
    features = {str(level): features[str(level)] for level in levels}
    crops = self._aligner(features, boxes)
    rows = _axis_inside(boxes[..., 0], boxes[..., 2], size, image_size[0])
    cols = _axis_inside(boxes[..., 1], boxes[..., 3], size, image_size[1])
    inside = rows[..., :, None, None] * cols[..., None, :, None]
    crops = crops * tf.cast(inside, crops.dtype)
    channels = features[str(config['min_level'])].shape[-1]
    return tf.ensure_shape(
      crops, [boxes.shape[0], boxes.shape[1], size, size, channels]
    )

  def get_config(self) -> Dict[str, Any]:
    """The constructor's arguments."""
    return {**super().get_config(), **self._config_dict}
