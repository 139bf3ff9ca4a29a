"""f^obj on a frozen ImageNet backbone: views of CADs never seen in training.

Paper note: Sec. 3.4 trains a ResNet-18 from scratch; with few CADs and hours
instead of days, features that are there already carry further.
"""

from typing import Any
from typing import Dict
from typing import Optional

import tensorflow as tf
from official.vision.ops import preprocess_ops

from mask2cad_tf import conventions
from mask2cad_tf.modeling.backbones import efficientnet_lite
from mask2cad_tf.modeling.heads import cad
from mask2cad_tf.modeling.layers import grid_pooling

_SIDE = conventions.VIEW_SIZE
# Level 4's cells of a 128-pixel view; level 3's are moved to the channels.
STEM_SHAPE = (8, 8, 4 * 40 + 112)


@tf.keras.utils.register_keras_serializable(package='Mask2CAD')
class FrozenViewEncoder(tf.keras.layers.Layer):
  """EfficientNet-Lite0, never trained, under a trunk like the image side's.

  `stem` and `call` are apart so that the stem's features can be cached.
  """

  def __init__(
    self,
    embedding_size: int = conventions.EMBEDDING_SIZE,
    grid_size: int = 1,
    num_filters: int = 96,
    num_convs: int = 2,
    norm: str = 'group_norm',
    imagenet_weights: bool = True,
    kernel_regularizer: Optional[tf.keras.regularizers.Regularizer] = None,
    **kwargs,
  ):
    """Initializes the encoder.

    Args:
      embedding_size: E.
      grid_size: cells a side that the embedding consists of.
      num_filters: channels of the trunk.
      num_convs: its 3x3 convolutions.
      norm: of `heads.cad.NORMS`.
      imagenet_weights: read the stem's weights from their package; False
        leaves them to a checkpoint.
      kernel_regularizer: of the trunk.
      **kwargs: passed to Layer.
    """
    super().__init__(**kwargs)
    self._config_dict = {
      'embedding_size': embedding_size,
      'grid_size': grid_size,
      'num_filters': num_filters,
      'num_convs': num_convs,
      'norm': norm,
      'imagenet_weights': imagenet_weights,
      'kernel_regularizer': kernel_regularizer,
    }

  def build(self, input_shape: Any) -> None:
    """Creates stem and trunk."""
    config = self._config_dict
    self._backbone = efficientnet_lite.EfficientNetLite(
      tf.keras.layers.InputSpec(shape=[None, _SIDE, _SIDE, 3]), name='stem'
    )
    if config['imagenet_weights']:
      efficientnet_lite.load_imagenet_weights(self._backbone)
    self._backbone.trainable = False
    self._project = tf.keras.layers.Dense(
      config['num_filters'],
      kernel_regularizer=config['kernel_regularizer'],
      name='project',
    )
    self._trunk = cad.RoiConvTrunk(
      num_filters=config['num_filters'],
      num_convs=config['num_convs'],
      output_filters=grid_pooling.channels_a_cell(
        config['embedding_size'], config['grid_size']
      ),
      final_activation=False,
      grid_size=config['grid_size'],
      norm=config['norm'],
      kernel_regularizer=config['kernel_regularizer'],
      name='trunk',
    )
    super().build(input_shape)

  def stem(self, views: tf.Tensor) -> tf.Tensor:
    """Features of the frozen backbone.

    Args:
      views: [n, 128, 128, 1], 0..1, background 0.

    Returns:
      float32 [n, *STEM_SHAPE].
    """
    levels = self._levels(tf.repeat(tf.cast(views, tf.float32), 3, axis=-1))
    return tf.concat(
      [tf.nn.space_to_depth(levels['3'], 2), levels['4']], axis=-1
    )

  def fine_features(self, crops: tf.Tensor) -> tf.Tensor:
    """Level 3 of the frozen backbone: what a rendering is compared by.

    Args:
      crops: [n, 128, 128, 3], 0..1, RGB.

    Returns:
      float32 [n, 16, 16, 40].
    """
    return self._levels(crops)['3']

  def _levels(self, rgb: tf.Tensor) -> Dict[str, tf.Tensor]:
    return self._backbone(preprocess_ops.normalize_image(rgb), training=False)

  def call(
    self, views: tf.Tensor, training: Optional[bool] = None
  ) -> tf.Tensor:
    """Embeds views.

    Args:
      views: [..., 128, 128, 1], 0..1, or [..., *STEM_SHAPE], their stem's
        features.
      training: whether batch norms use and update batch statistics.

    Returns:
      float32 [..., E], not normalised.
    """
    x = tf.reshape(views, tf.concat([[-1], views.shape[-3:]], axis=0))
    if x.shape[-1] == 1:
      x = self.stem(x)
    x = tf.nn.relu(self._project(tf.cast(x, self.compute_dtype)))
    x = self._trunk(x[:, tf.newaxis], training=training)[:, 0]
    size = self._config_dict['embedding_size']
    x = tf.reshape(x, tf.concat([tf.shape(views)[:-3], [size]], axis=0))
    return tf.cast(tf.ensure_shape(x, [*views.shape[:-3], size]), tf.float32)

  def get_config(self) -> Dict[str, Any]:
    """The constructor's arguments."""
    return {**super().get_config(), **self._config_dict}
