"""Object centre against its box, in box widths and heights (Sec. 3.3)."""

import tensorflow as tf


def encode(centers: tf.Tensor, boxes: tf.Tensor) -> tf.Tensor:
  """(centre - box centre) / (box width, box height).

  Args:
    centers: float [..., 2], (x, y), pixels.
    boxes: float [..., 4], (ymin, xmin, ymax, xmax), pixels.

  Returns:
    float [..., 2], (dx, dy); 0 along a side of length 0 (padding).
  """
  box_centers, sizes = _centers_and_sizes(boxes)
  return tf.math.divide_no_nan(centers - box_centers, sizes)


def decode(offsets: tf.Tensor, boxes: tf.Tensor) -> tf.Tensor:
  """Centres float [..., 2], (x, y), pixels; the inverse of `encode`."""
  box_centers, sizes = _centers_and_sizes(boxes)
  return box_centers + offsets * sizes


def _centers_and_sizes(boxes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
  """Box centres (x, y) and sizes (width, height), float [..., 2] each."""
  ymin, xmin, ymax, xmax = tf.unstack(boxes, axis=-1)
  centers = tf.stack([0.5 * (xmin + xmax), 0.5 * (ymin + ymax)], axis=-1)
  return centers, tf.stack([xmax - xmin, ymax - ymin], axis=-1)
