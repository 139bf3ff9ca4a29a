"""The mean over valid RoIs that every RoI loss shares."""

import tensorflow as tf

from mask2cad_tf.ops import replica_mean


def masked_mean(values: tf.Tensor, valid: tf.Tensor) -> tf.Tensor:
  """Mean of the elements of valid RoIs; padded RoIs change nothing.

  Under a strategy of several replicas: this replica's sum over the mean number
  of elements of a replica, see `replica_mean`.

  Args:
    values: float [B, Q, ...].
    valid: bool [B, Q].

  Returns:
    float32 scalar; 0 if no RoI is valid.
  """
  values = tf.cast(values, tf.float32)
  valid = tf.cast(valid, tf.bool)
  elements = tf.cast(tf.reduce_prod(tf.shape(values)[2:]), tf.float32)
  keep = tf.reshape(
    valid,
    tf.concat(
      [tf.shape(valid), tf.ones([values.shape.rank - 2], tf.int32)], axis=0
    ),
  )
  # A where and not a product: what stands in padded RoIs may be infinite.
  total = tf.reduce_sum(tf.where(keep, values, 0.0))
  count = tf.reduce_sum(tf.cast(valid, tf.float32)) * elements
  return tf.math.divide_no_nan(total, replica_mean.replica_mean(count))
