"""RetinaNet's losses, as `official.vision.tasks.retinanet` computes them."""

from typing import Any
from typing import Mapping

import tensorflow as tf
from official.vision.losses import focal_loss
from official.vision.losses import loss_utils

from mask2cad_tf.configs import mask2cad
from mask2cad_tf.ops import replica_mean


def detection_losses(
  outputs: Mapping[str, Any],
  labels: Mapping[str, Any],
  num_classes: int,
  config: mask2cad.Losses,
) -> dict[str, tf.Tensor]:
  """Focal loss of the classes and Huber loss of the boxes, unweighted.

  Args:
    outputs: 'cls_outputs' {level: float [B, h, w, anchors * C]}, 'box_outputs'
      {level: float [B, h, w, anchors * 4]}.
    labels: 'cls_targets' {level: int [B, h, w, anchors]}, 'box_targets'
      {level: float [B, h, w, anchors * 4]}, 'cls_weights' and 'box_weights'
      float [B, all anchors].
    num_classes: C, with the background.
    config: focal and Huber constants.

  Returns:
    'cls' and 'box', float scalars: sums over (1 + number of positive anchors).
    Of several replicas: so that their mean is that of the global batch.
  """
  sum_over_anchors = tf.keras.losses.Reduction.SUM
  cls_loss = focal_loss.FocalLoss(
    alpha=config.focal_loss_alpha,
    gamma=config.focal_loss_gamma,
    reduction=sum_over_anchors,
  )
  box_loss = tf.keras.losses.Huber(
    config.huber_loss_delta, reduction=sum_over_anchors
  )
  replicas = tf.distribute.get_strategy().num_replicas_in_sync
  normalizer = replica_mean.replica_mean(
    tf.reduce_sum(labels['box_weights']) + 1.0 / replicas
  )
  cls_targets = loss_utils.multi_level_flatten(
    labels['cls_targets'], last_dim=None
  )
  return {
    'cls': cls_loss(
      y_true=tf.one_hot(cls_targets, num_classes),
      y_pred=loss_utils.multi_level_flatten(
        outputs['cls_outputs'], last_dim=num_classes
      ),
      sample_weight=labels['cls_weights'] / normalizer,
    ),
    'box': box_loss(
      y_true=loss_utils.multi_level_flatten(labels['box_targets'], last_dim=4),
      y_pred=loss_utils.multi_level_flatten(outputs['box_outputs'], last_dim=4),
      sample_weight=labels['box_weights'] / normalizer,
    ),
  }
