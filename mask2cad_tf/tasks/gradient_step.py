"""One update of the weights: summed over replicas, clipped, applied."""

from typing import Sequence

import tensorflow as tf


def apply(
  optimizer: tf.keras.optimizers.Optimizer,
  gradients: Sequence[tf.Tensor],
  variables: Sequence[tf.Variable],
) -> None:
  """Applies the gradients of all replicas as one.

  Model Garden's AdamW clips each replica's gradients before it sums them, and
  under a loss scale none at all; here its `gradient_clip_norm` bounds the sum.
  The other optimizers clip the sum themselves (`global_clipnorm`).

  Args:
    optimizer: of Model Garden's factory, with a loss scale or without.
    gradients: of this replica's share of the loss, unscaled.
    variables: as many.
  """
  pairs = [(g, v) for g, v in zip(gradients, variables) if g is not None]
  clip_norm = getattr(_inner(optimizer), 'gradient_clip_norm', 0.0)
  if not clip_norm:
    optimizer.apply_gradients(pairs)
    return
  gradients, variables = zip(*pairs)
  context = tf.distribute.get_replica_context()
  if context.num_replicas_in_sync > 1:
    gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, list(gradients))
  gradients, _ = tf.clip_by_global_norm(gradients, clip_norm)
  optimizer.apply_gradients(
    list(zip(gradients, variables)), experimental_aggregate_gradients=False
  )


def _inner(
  optimizer: tf.keras.optimizers.Optimizer,
) -> tf.keras.optimizers.Optimizer:
  return getattr(optimizer, 'inner_optimizer', optimizer)
