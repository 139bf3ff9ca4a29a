"""Losses of the ShapeMask branch: prior, coarse mask, fine mask.

Paper note: elementwise, masked by valid RoIs, then averaged. Model Garden's
legacy `ShapemaskLoss` sums over all RoIs before it masks, so that invalid ones
leak in, and divides by the area of the targets.
"""

import tensorflow as tf

from mask2cad_tf.losses import masked_mean


def prior_mask_loss(
  prior: tf.Tensor, target: tf.Tensor, valid: tf.Tensor
) -> tf.Tensor:
  """Mean squared error of the combined shape priors.

  Args:
    prior: float [B, Q, M, M], probabilities.
    target: float [B, Q, M, M], 0..1.
    valid: bool [B, Q].

  Returns:
    float32 scalar.
  """
  difference = tf.cast(prior, tf.float32) - tf.cast(target, tf.float32)
  return masked_mean.masked_mean(difference * difference, valid)


def coarse_mask_loss(
  logits: tf.Tensor, target: tf.Tensor, valid: tf.Tensor
) -> tf.Tensor:
  """Binary cross entropy of the coarse mask, float [B, Q, M, M]."""
  return _mask_cross_entropy(logits, target, valid)


def fine_mask_loss(
  logits: tf.Tensor, target: tf.Tensor, valid: tf.Tensor
) -> tf.Tensor:
  """Binary cross entropy of the upsampled mask, float [B, Q, 4M, 4M]."""
  return _mask_cross_entropy(logits, target, valid)


def _mask_cross_entropy(
  logits: tf.Tensor, target: tf.Tensor, valid: tf.Tensor
) -> tf.Tensor:
  """float32 scalar of logits and targets float [B, Q, M, M], valid [B, Q]."""
  losses = tf.nn.sigmoid_cross_entropy_with_logits(
    labels=tf.cast(target, tf.float32), logits=tf.cast(logits, tf.float32)
  )
  return masked_mean.masked_mean(losses, valid)
