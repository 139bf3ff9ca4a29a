"""Group normalization in few passes over memory."""

import tensorflow as tf


@tf.keras.utils.register_keras_serializable(package='Mask2CAD')
class GroupNormalization(tf.keras.layers.GroupNormalization):
  """Keras' layer for maps, with its weights, in two thirds of the time.

  No mask is multiplied in, sums are taken a channel before they are taken a
  group, and one product and one sum normalise. Statistics are float32.
  """

  def call(self, inputs: tf.Tensor) -> tf.Tensor:
    """Normalizes [n, H, W, F], each sample and each group of channels."""
    wide = tf.cast(inputs, tf.float32)
    mean = self._of_group(tf.reduce_mean(wide, axis=[1, 2]))  # [n, F]
    square = self._of_group(tf.reduce_mean(tf.square(wide), axis=[1, 2]))
    variance = tf.maximum(square - tf.square(mean), 0.0)
    scale = tf.math.rsqrt(variance + self.epsilon) * tf.cast(
      self.gamma, tf.float32
    )
    offset = tf.cast(self.beta, tf.float32) - mean * scale
    scale, offset = (
      tf.cast(x[:, tf.newaxis, tf.newaxis], inputs.dtype)
      for x in (scale, offset)
    )
    return inputs * scale + offset

  def _of_group(self, means: tf.Tensor) -> tf.Tensor:
    """Means of channels [n, F] to those of their groups, [n, F]."""
    size = means.shape[-1] // self.groups
    grouped = tf.reshape(means, [-1, self.groups, size])
    return tf.repeat(tf.reduce_mean(grouped, axis=-1), size, axis=-1)
