"""One map at stride 4 out of all backbone levels, for RoI crops."""

from typing import Any
from typing import Dict
from typing import Mapping
from typing import Optional

import tensorflow as tf
from official.vision.ops import spatial_transform_ops

_LEVELS = ('5', '4', '3', '2')


@tf.keras.utils.register_keras_serializable(package='Mask2CAD')
class FusedPyramid(tf.keras.layers.Layer):
  """Lateral 1x1 convolutions, added from coarse to fine, norm, ReLU.

  The FPN's top-down way without its 3x3 convolutions: RoI heads have theirs.
  Independent of the detector, so both can be trained side by side on a frozen
  backbone.
  """

  def __init__(
    self,
    num_filters: int,
    norm_momentum: float = 0.99,
    norm_epsilon: float = 1e-3,
    kernel_regularizer: Optional[tf.keras.regularizers.Regularizer] = None,
    **kwargs,
  ):
    """Initializes the layer.

    Args:
      num_filters: channels of the map.
      norm_momentum: of the batch norm.
      norm_epsilon: of the batch norm.
      kernel_regularizer: of the convolutions.
      **kwargs: passed to Layer.
    """
    super().__init__(**kwargs)
    self._config_dict = {
      'num_filters': num_filters,
      'norm_momentum': norm_momentum,
      'norm_epsilon': norm_epsilon,
      'kernel_regularizer': kernel_regularizer,
    }

  def build(self, input_shape: Any) -> None:
    """Creates a lateral convolution a level, and the norm."""
    config = self._config_dict
    self._laterals = {
      level: tf.keras.layers.Conv2D(
        config['num_filters'],
        1,
        kernel_regularizer=config['kernel_regularizer'],
        name=f'lateral_{level}',
      )
      for level in _LEVELS
    }
    self._norm = tf.keras.layers.BatchNormalization(
      momentum=config['norm_momentum'],
      epsilon=config['norm_epsilon'],
      name='norm',
    )
    super().build(input_shape)

  def call(
    self, features: Mapping[str, tf.Tensor], training: bool = None
  ) -> Dict[str, tf.Tensor]:
    """Fuses the levels.

    Args:
      features: level '2' to '5' to [B, H / 2^l, W / 2^l, C_l].
      training: whether the norm uses and updates batch statistics.

    Returns:
      {'2': [B, H / 4, W / 4, num_filters]}.
    """
    fused = self._laterals['5'](features['5'])
    for level in _LEVELS[1:]:
      fused = self._laterals[level](
        features[level]
      ) + spatial_transform_ops.nearest_upsampling(fused, 2)
    return {'2': tf.nn.relu(self._norm(fused, training=training))}

  def get_config(self) -> Dict[str, Any]:
    """The constructor's arguments."""
    return {**super().get_config(), **self._config_dict}
