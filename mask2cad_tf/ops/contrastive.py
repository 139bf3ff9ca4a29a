"""Noise contrastive estimation of photo and CAD views, Eq. (1)-(2)."""

import math

import tensorflow as tf

from mask2cad_tf.ops import hard_mining
from mask2cad_tf.ops import replica_mean

# Stands for log 0. Finite, so that a row with no negative has a gradient.
_LOG_ZERO = -1e9


def cosine_similarity(
  x: tf.Tensor, y: tf.Tensor, temperature: float
) -> tf.Tensor:
  """D of Eq. (2), every x against every y.

  Args:
    x: float [A, E]; a zero vector has similarity 0 with everything.
    y: float [V, E].
    temperature: tau.

  Returns:
    float [A, V], within +-1 / tau.
  """
  x = tf.math.l2_normalize(x, axis=-1)
  y = tf.math.l2_normalize(y, axis=-1)
  return tf.matmul(x, y, transpose_b=True) / temperature


def pair_nce(
  similarity: tf.Tensor,
  positive: tf.Tensor,
  negative: tf.Tensor,
  negative_weight: float,
) -> tf.Tensor:
  """Eq. (1) of each anchor: -log(e^Dp / (e^Dp + C sum e^Dn)), mean over p.

  Paper note: Eq. (1) takes the logarithm of a ratio of D, but D is signed; as
  in the NCE it cites, D stands here in the exponent. The sum over positives is
  a mean, so that the loss weight does not depend on the pool.

  Args:
    similarity: float [A, V], D.
    positive: bool [A, V].
    negative: bool [A, V].
    negative_weight: C, above 0.

  Returns:
    float [A]; 0 for an anchor without positives or without negatives.
  """
  similarity = tf.cast(similarity, tf.float32)
  noise = tf.reduce_logsumexp(
    tf.where(negative, similarity, _LOG_ZERO), axis=-1, keepdims=True
  )
  # -log(a / (a + b)) = softplus(log b - log a)
  loss = tf.nn.softplus(noise + math.log(negative_weight) - similarity)
  count = tf.reduce_sum(tf.cast(positive, tf.float32), axis=-1)
  total = tf.reduce_sum(tf.where(positive, loss, 0.0), axis=-1)
  return total / tf.maximum(count, 1.0)


def contrastive_loss(
  anchors: tf.Tensor,
  views: tf.Tensor,
  anchor_cads: tf.Tensor,
  anchor_classes: tf.Tensor,
  view_cads: tf.Tensor,
  view_classes: tf.Tensor,
  anchor_valid: tf.Tensor,
  temperature: float,
  negative_weight: float,
  num_hard_positives: int,
  num_hard_negatives: int,
) -> tf.Tensor:
  """Eq. (1) with hard pairs, mean over the anchors that have a positive.

  Positives are the pool's views of the anchor's own CAD, negatives the views of
  other CADs of its class. CAD id -1 is empty: neither.

  Paper note: an anchor without negatives counts and contributes 0.

  Args:
    anchors: float [A, E], image embeddings.
    views: float [V, E], shape embeddings.
    anchor_cads: int [A]; near-duplicate CADs share one id.
    anchor_classes: int [A].
    view_cads: int [V].
    view_classes: int [V].
    anchor_valid: bool [A].
    temperature: tau, Eq. (2).
    negative_weight: C, Eq. (1).
    num_hard_positives: P_h.
    num_hard_negatives: N_h.

  Returns:
    float scalar; 0 if no anchor has a positive. Of several replicas: this one's
    sum over the mean number of such anchors of a replica.
  """
  similarity = cosine_similarity(
    tf.cast(anchors, tf.float32), tf.cast(views, tf.float32), temperature
  )
  present = tf.logical_and(
    tf.logical_and(anchor_valid, anchor_cads >= 0)[:, tf.newaxis],
    (view_cads >= 0)[tf.newaxis, :],
  )  # [A, V]
  same_cad = anchor_cads[:, tf.newaxis] == view_cads[tf.newaxis, :]
  same_class = anchor_classes[:, tf.newaxis] == view_classes[tf.newaxis, :]
  positive = tf.logical_and(present, same_cad)
  negative = present & same_class & tf.logical_not(same_cad)
  losses = pair_nce(
    similarity,
    hard_mining.hardest_positives(similarity, positive, num_hard_positives),
    hard_mining.hardest_negatives(similarity, negative, num_hard_negatives),
    negative_weight,
  )
  anchored = tf.reduce_any(positive, axis=-1)
  count = tf.reduce_sum(tf.cast(anchored, tf.float32))
  return tf.math.divide_no_nan(
    tf.reduce_sum(losses), replica_mean.replica_mean(count)
  )
