"""f^obj: rendered views of CADs into the joint embedding space (Sec. 3.4)."""

from typing import Any
from typing import Dict
from typing import Optional

import tensorflow as tf
from official.vision.modeling.backbones import resnet

from mask2cad_tf import conventions


@tf.keras.utils.register_keras_serializable(package='Mask2CAD')
class ViewEncoder(tf.keras.layers.Layer):
  """ResNet from scratch, mean over the view, one linear layer.

  Paper note: the linear layer ends without a ReLU, like the image side.
  """

  def __init__(
    self,
    model_id: int = 18,
    depth_multiplier: float = 1.0,
    embedding_size: int = conventions.EMBEDDING_SIZE,
    use_sync_bn: bool = False,
    norm_momentum: float = 0.997,
    norm_epsilon: float = 1e-4,
    kernel_regularizer: Optional[tf.keras.regularizers.Regularizer] = None,
    **kwargs,
  ):
    """Initializes the encoder.

    Args:
      model_id: depth of the ResNet.
      depth_multiplier: share of its channels.
      embedding_size: E.
      use_sync_bn: whether batch statistics span all replicas.
      norm_momentum: of the batch norms.
      norm_epsilon: of the batch norms.
      kernel_regularizer: of every kernel.
      **kwargs: passed to Layer.
    """
    super().__init__(**kwargs)
    self._config_dict = {
      'model_id': model_id,
      'depth_multiplier': depth_multiplier,
      'embedding_size': embedding_size,
      'use_sync_bn': use_sync_bn,
      'norm_momentum': norm_momentum,
      'norm_epsilon': norm_epsilon,
      'kernel_regularizer': kernel_regularizer,
    }

  def build(self, input_shape: Any) -> None:
    """Creates the ResNet and the linear layer."""
    config = self._config_dict
    size = conventions.VIEW_SIZE
    self._resnet = resnet.ResNet(
      model_id=config['model_id'],
      depth_multiplier=config['depth_multiplier'],
      input_specs=tf.keras.layers.InputSpec(shape=[None, size, size, 1]),
      use_sync_bn=config['use_sync_bn'],
      norm_momentum=config['norm_momentum'],
      norm_epsilon=config['norm_epsilon'],
      kernel_regularizer=config['kernel_regularizer'],
      name='resnet',
    )
    self._linear = tf.keras.layers.Dense(
      config['embedding_size'],
      kernel_regularizer=config['kernel_regularizer'],
      name='linear',
    )
    super().build(input_shape)

  def call(
    self, views: tf.Tensor, training: Optional[bool] = None
  ) -> tf.Tensor:
    """Embeds views.

    Args:
      views: [..., 128, 128, 1], 0..1, background 0.
      training: whether batch norms use and update batch statistics.

    Returns:
      float32 [..., E], not normalised.
    """
    x = tf.reshape(views, tf.concat([[-1], views.shape[-3:]], axis=0))
    endpoints = self._resnet(x, training=training)
    x = endpoints[max(endpoints)]  # [views, 4, 4, F]
    x = self._linear(tf.reduce_mean(x, axis=[1, 2]))
    size = self._config_dict['embedding_size']
    x = tf.reshape(x, tf.concat([tf.shape(views)[:-3], [size]], axis=0))
    x = tf.ensure_shape(x, [*views.shape[:-3], size])
    return tf.cast(x, tf.float32)

  def get_config(self) -> Dict[str, Any]:
    """The constructor's arguments."""
    return {**super().get_config(), **self._config_dict}
