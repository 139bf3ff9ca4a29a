"""The plain way to crop a mask to a box: a reference for the fast ones."""

import tensorflow as tf


def crop_masks(masks: tf.Tensor, boxes: tf.Tensor, size: int) -> tf.Tensor:
  """Full-size masks sampled bilinearly at the cell centres of their boxes.

  Pixel centres lie at +0.5. Samples in the border's outer half pixel take the
  border's value; samples outside the image are 0.

  Args:
    masks: number [N, H, W].
    boxes: float [N, 4], (ymin, xmin, ymax, xmax), pixels; may exceed the image.
    size: side of the result, cells.

  Returns:
    float [N, size, size]; between 0 and 1 for masks of 0 and 1.
  """
  height, width = tf.unstack(tf.shape(masks)[1:])
  rows = _sample(masks, boxes[:, 0], boxes[:, 2], height, size)  # [N, size, W]
  rows = tf.transpose(rows, [0, 2, 1])
  cells = _sample(rows, boxes[:, 1], boxes[:, 3], width, size)
  return tf.transpose(cells, [0, 2, 1])


def _sample(
  values: tf.Tensor,
  low: tf.Tensor,
  high: tf.Tensor,
  length: tf.Tensor,
  size: int,
) -> tf.Tensor:
  """Linear samples along axis 1: [N, length, A] to float [N, size, A].

  `low`, `high` float [N]: the interval whose `size` cell centres are sampled.
  """
  cells = (tf.range(size, dtype=low.dtype) + 0.5) / size
  points = low[:, tf.newaxis] + cells * (high - low)[:, tf.newaxis]  # [N, size]
  inside = tf.logical_and(points >= 0.0, points <= tf.cast(length, low.dtype))
  floor = tf.floor(points - 0.5)
  weight = (points - 0.5 - floor)[..., tf.newaxis]
  first = tf.clip_by_value(tf.cast(floor, tf.int32), 0, length - 1)
  second = tf.clip_by_value(tf.cast(floor, tf.int32) + 1, 0, length - 1)
  before = tf.cast(tf.gather(values, first, batch_dims=1), low.dtype)
  after = tf.cast(tf.gather(values, second, batch_dims=1), low.dtype)
  mixed = before * (1.0 - weight) + after * weight
  return mixed * tf.cast(inside, low.dtype)[..., tf.newaxis]
