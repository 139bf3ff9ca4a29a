"""Detections without the padding after them, and with it again."""

from typing import Dict
from typing import Mapping

import tensorflow as tf

from mask2cad_tf.ops import quaternions


def most(count: tf.Tensor) -> tf.Tensor:
  """The most detections of an image, int [B] to []; 1 where there is none."""
  return tf.maximum(tf.reduce_max(count), 1)


def is_detection(found: Mapping[str, tf.Tensor]) -> tf.Tensor:
  """Bool [B, N]: False for the padding after an image's detections.

  Args:
    found: 'detection_scores' [B, N], 'num_detections' [B].
  """
  count = tf.cast(found['num_detections'], tf.int32)
  return tf.range(tf.shape(found['detection_scores'])[1]) < count[:, None]


def keep(
  found: Mapping[str, tf.Tensor], min_score: float
) -> Dict[str, tf.Tensor]:
  """What scores enough and has an area; it comes first, in its order.

  Args:
    found: 'detection_boxes' [B, N, 4], 'detection_classes' and
      'detection_scores' [B, N], 'num_detections' [B]; what comes after so many
      is padding.
    min_score: the least.

  Returns:
    The same; padding is 0, classes are int32.
  """
  scores, boxes = found['detection_scores'], found['detection_boxes']
  valid = is_detection(found) & (scores >= min_score)
  # What was seen in the input's padding has no area inside the photo.
  valid &= tf.reduce_all(boxes[..., 2:] > boxes[..., :2], axis=-1)
  order = tf.argsort(tf.cast(~valid, tf.int32), stable=True)
  boxes, classes, scores, valid = (
    tf.gather(value, order, batch_dims=1)
    for value in (boxes, found['detection_classes'], scores, valid)
  )
  return {
    'detection_boxes': tf.where(valid[..., None], boxes, 0.0),
    'detection_classes': tf.where(valid, tf.cast(classes, tf.int32), 0),
    'detection_scores': tf.where(valid, scores, 0.0),
    'num_detections': tf.reduce_sum(tf.cast(valid, tf.int32), axis=1),
  }


def pad(
  found: Mapping[str, tf.Tensor], boxes: tf.Tensor
) -> Dict[str, tf.Tensor]:
  """Adds what is said of padding: zeros, and no rotation.

  Args:
    found: 'detection_outer_boxes' [B, n, 4], 'detection_rotations' [B, n, 4]
      wxyz and others [B, n, ...].
    boxes: [B, N, 4], N >= n.

  Returns:
    The same, [B, N, ...].
  """
  batch, total = boxes.shape[:2]
  missing = tf.shape(boxes)[1] - tf.shape(found['detection_outer_boxes'])[1]

  def pad_one(x: tf.Tensor) -> tf.Tensor:
    x = tf.pad(x, [[0, 0], [0, missing]] + [[0, 0]] * (len(x.shape) - 2))
    return tf.ensure_shape(x, [batch, total, *x.shape[2:]])

  padded = {key: pad_one(value) for key, value in found.items()}
  padded['detection_rotations'] = quaternions.normalize(
    padded['detection_rotations']
  )
  return padded
