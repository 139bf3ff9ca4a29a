"""Detections without the padding after them, and with it again."""

from typing import Dict
from typing import Mapping

import tensorflow as tf

from mask2cad_tf.ops import quaternions


def most(count: tf.Tensor) -> tf.Tensor:
  """The most detections of an image, int [B] to []; 1 where there is none."""
  return tf.maximum(tf.reduce_max(count), 1)


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
