"""Means over the replicas of a distributed training."""

import tensorflow as tf


def replica_mean(value: tf.Tensor) -> tf.Tensor:
  """Mean of `value` over all replicas; `value` itself where there is one.

  What divides a replica's sum of losses by it, instead of by its own count,
  makes the mean of the replicas' losses the loss of the global batch, however
  the counted objects are spread over the replicas.

  Args:
    value: float, of any shape; not differentiated.

  Returns:
    Of the same shape, the same on all replicas.
  """
  context = tf.distribute.get_replica_context()
  if context is None or context.num_replicas_in_sync == 1:
    return value
  return tf.stop_gradient(
    context.all_reduce(tf.distribute.ReduceOp.MEAN, value)
  )
