"""Heads predict for every class; a RoI keeps what they say of its own."""

import tensorflow as tf


def of_class(values: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
  """Picks each RoI's own class.

  Args:
    values: [B, N, C, ...].
    classes: int [B, N].

  Returns:
    [B, N, ...].
  """
  index = tf.expand_dims(classes, axis=-1)
  return tf.squeeze(tf.gather(values, index, batch_dims=2), axis=2)
