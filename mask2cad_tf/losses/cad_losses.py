"""Losses of the CAD branches: embedding, rotation bin and delta, centre.

Every RoI is judged by the outputs of its true class; padded RoIs (class 0) by
none. All losses are float32 scalars of one replica, 0 if no RoI counts.
"""

from typing import Mapping
from typing import NamedTuple

import tensorflow as tf
from official.modeling import tf_utils

from mask2cad_tf.configs import mask2cad
from mask2cad_tf.losses import masked_mean
from mask2cad_tf.ops import contrastive
from mask2cad_tf.ops import pose_bins
from mask2cad_tf.ops import quaternions
from mask2cad_tf.ops import rotation_symmetry

# The logit of a bin that its class does not have; finite for its gradient.
_NO_BIN = -1e9


class _ClassBins(NamedTuple):
  """Bins and logits of each RoI's own class."""

  rotations: tf.Tensor  # float [B, Q, K, 4]
  valid: tf.Tensor  # bool [B, Q, K]
  logits: tf.Tensor  # float [B, Q, K]


def embedding_loss(
  outputs: Mapping[str, tf.Tensor],
  labels: Mapping[str, tf.Tensor],
  config: mask2cad.Losses,
) -> tf.Tensor:
  """Eq. (1) over the pool of rendered views (Sec. 3.2).

  The pool holds the views of all images of the replica or, with
  `cross_replica_pool`, of all replicas (static shapes only).

  Args:
    outputs: 'image_embeddings' float [B, Q, E], 'view_embeddings' float
      [B, P, V, E] of P pool objects per image.
    labels: 'roi_cads', 'roi_classes' int [B, Q], 'roi_valid' bool [B, Q],
      'pool_cads', 'pool_classes' int [B, P]; CAD -1 is empty.
    config: temperature, negative weight, hard mining.

  Returns:
    float32 scalar.
  """
  images = outputs['image_embeddings']
  views = outputs['view_embeddings']
  views, view_cads, view_classes = _pool(
    tf.reshape(views, [-1, views.shape[-1]]),
    _per_view(labels['pool_cads'], views),
    _per_view(labels['pool_classes'], views),
    config.cross_replica_pool,
  )
  return contrastive.contrastive_loss(
    anchors=tf.reshape(images, [-1, images.shape[-1]]),
    views=views,
    anchor_cads=tf.reshape(labels['roi_cads'], [-1]),
    anchor_classes=tf.reshape(labels['roi_classes'], [-1]),
    view_cads=view_cads,
    view_classes=view_classes,
    anchor_valid=tf.reshape(labels['roi_valid'], [-1]),
    temperature=config.temperature,
    negative_weight=config.negative_weight,
    num_hard_positives=config.num_hard_positives,
    num_hard_negatives=config.num_hard_negatives,
  )


def pose_losses(
  outputs: Mapping[str, tf.Tensor],
  labels: Mapping[str, tf.Tensor],
  bins: tf.Tensor,
  bins_valid: tf.Tensor,
  config: mask2cad.Losses,
) -> dict[str, tf.Tensor]:
  """Cross entropy of the rotation bin, Huber loss of the delta (Sec. 3.3).

  Paper note: "classified rotations within theta" are RoIs whose arg-max bin
  lies within theta of the truth; the delta's target starts at that bin. With
  `use_symmetry` the bins of a symmetric CAD's equivalent rotations are right
  together, and the delta's truth is the one nearest to the arg-max bin.

  Args:
    outputs: 'pose_bin_logits' float [B, Q, C, K], 'pose_deltas' float
      [B, Q, C, 1, 4] (one per class) or [B, Q, C, K, 4] (one per bin).
    labels: 'roi_classes', 'roi_symmetries' int [B, Q], 'roi_rotations' float
      [B, Q, 4], 'roi_valid' bool [B, Q].
    bins: float [C, K, 4].
    bins_valid: bool [C, K].
    config: `pose_huber_delta`, `refine_max_angle`, `use_symmetry`.

  Returns:
    'pose_bin', 'pose_delta' and 'refined_share', the share of posed RoIs that
    train the delta, float32 scalars.
  """
  classes = labels['roi_classes']
  choices = _class_bins(outputs['pose_bin_logits'], classes, bins, bins_valid)
  posed = _counts(labels) & tf.reduce_any(choices.valid, axis=-1)
  truth = quaternions.normalize(tf.cast(labels['roi_rotations'], tf.float32))
  symmetry = labels['roi_symmetries']
  if not config.use_symmetry:
    symmetry = tf.ones_like(symmetry)

  best = tf.argmax(choices.logits, axis=-1, output_type=tf.int32)  # [B, Q]
  start = tf.gather(choices.rotations, best, batch_dims=2)  # [B, Q, 4]
  target = rotation_symmetry.nearest_equivalent(truth, symmetry, start)
  near = quaternions.angle(target, start) <= config.refine_max_angle
  refined = posed & near
  error = _chosen_deltas(
    outputs['pose_deltas'], classes, best
  ) - pose_bins.encode_delta(target, start)
  return {
    'pose_bin': masked_mean.masked_mean(
      _bin_cross_entropy(choices, truth, symmetry, config.refine_max_angle),
      posed,
    ),
    'pose_delta': masked_mean.masked_mean(
      _huber(error, config.pose_huber_delta), refined
    ),
    'refined_share': masked_mean.masked_mean(tf.cast(near, tf.float32), posed),
  }


def center_loss(
  outputs: Mapping[str, tf.Tensor],
  labels: Mapping[str, tf.Tensor],
  config: mask2cad.Losses,
) -> tf.Tensor:
  """Huber loss of the shift from box centre to object centre (Sec. 3.3).

  Args:
    outputs: 'center_offsets' float [B, Q, C, 2], (dx, dy).
    labels: 'roi_center_offsets' float [B, Q, 2], 'roi_classes' int [B, Q],
      'roi_valid' bool [B, Q].
    config: `pose_huber_delta`.

  Returns:
    float32 scalar.
  """
  offsets = _of_class(outputs['center_offsets'], labels['roi_classes'])
  error = offsets - tf.cast(labels['roi_center_offsets'], tf.float32)
  return masked_mean.masked_mean(
    _huber(error, config.pose_huber_delta), _counts(labels)
  )


def _pool(
  views: tf.Tensor, cads: tf.Tensor, classes: tf.Tensor, cross_replica: bool
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
  """The pool's views float [V, E] and their CADs and classes int [V]."""
  if not cross_replica:
    return views, cads, classes
  return tuple(
    tf_utils.cross_replica_concat(value, axis=0)
    for value in (views, cads, classes)
  )


def _per_view(ids: tf.Tensor, views: tf.Tensor) -> tf.Tensor:
  """Repeats int [B, P], one per pool object, to [B * P * V], one per view."""
  return tf.repeat(tf.reshape(ids, [-1]), views.shape[2])


def _counts(labels: Mapping[str, tf.Tensor]) -> tf.Tensor:
  """Marks the RoIs that hold an object: bool [B, Q]."""
  return tf.cast(labels['roi_valid'], tf.bool) & (labels['roi_classes'] > 0)


def _of_class(values: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
  """Each RoI's class row, float32 [B, Q, ...], of [B, Q, C, ...]."""
  return tf.gather(tf.cast(values, tf.float32), classes, batch_dims=2)


def _class_bins(
  logits: tf.Tensor, classes: tf.Tensor, bins: tf.Tensor, bins_valid: tf.Tensor
) -> _ClassBins:
  """Bins and logits of each RoI's class; missing bins get no probability."""
  valid = tf.gather(tf.cast(bins_valid, tf.bool), classes)
  return _ClassBins(
    rotations=tf.gather(tf.cast(bins, tf.float32), classes),
    valid=valid,
    logits=tf.where(valid, _of_class(logits, classes), _NO_BIN),
  )


def _bin_cross_entropy(
  choices: _ClassBins, truth: tf.Tensor, symmetry: tf.Tensor, reach: float
) -> tf.Tensor:
  """-log of the probability that the bin is a right one, float [B, Q].

  Right are the bins nearest to an equivalent of the truth, if within `reach`
  of it: what lies farther off, no delta brings home. The nearest of them all is
  always right.
  """
  equivalents = rotation_symmetry.equivalent_rotations(truth, symmetry)
  targets = pose_bins.nearest_bin(  # [B, Q, G]
    equivalents,
    choices.rotations[:, :, tf.newaxis],
    choices.valid[:, :, tf.newaxis],
  )
  angles = quaternions.angle(
    equivalents, tf.gather(choices.rotations, targets, batch_dims=2)
  )
  least = tf.reduce_min(angles, axis=-1, keepdims=True)
  is_right = tf.reduce_any(
    (angles <= tf.maximum(least, reach))[..., tf.newaxis]
    & tf.one_hot(targets, choices.logits.shape[-1], True, False, dtype=tf.bool),
    axis=2,
  )  # [B, Q, K]
  right = tf.where(is_right, choices.logits, _NO_BIN)
  return tf.reduce_logsumexp(choices.logits, axis=-1) - tf.reduce_logsumexp(
    right, axis=-1
  )


def _chosen_deltas(
  deltas: tf.Tensor, classes: tf.Tensor, best: tf.Tensor
) -> tf.Tensor:
  """Delta of the class or, if per bin, of its best bin: float [B, Q, 4]."""
  deltas = _of_class(deltas, classes)  # [B, Q, 1 or K, 4]
  if deltas.shape[2] == 1:
    return deltas[:, :, 0]
  return tf.gather(deltas, best, batch_dims=2)


def _huber(error: tf.Tensor, delta: float) -> tf.Tensor:
  """Eq. (3) of each number, summed over the last axis.

  Paper note: Eq. (3) is scalar and the paper does not say how the four (two)
  numbers of a delta (centre) combine: their sum, so that the printed weight 5.0
  is per number. The delta is compared raw, not normalised.

  Args:
    error: float [..., n].
    delta: where the loss turns from quadratic to linear.

  Returns:
    float [...].
  """
  size = tf.abs(error)
  quadratic = tf.minimum(size, delta)
  return tf.reduce_sum(quadratic * (size - 0.5 * quadratic), axis=-1)
