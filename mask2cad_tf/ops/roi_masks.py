"""RoI masks: outer boxes, mask targets, product of mask and features."""

from typing import Optional

import tensorflow as tf


def outer_boxes(
  boxes: tf.Tensor, scale: float, image_shape: Optional[tf.Tensor] = None
) -> tf.Tensor:
  """Boxes grown about their centres, so that a mask may exceed its box.

  Args:
    boxes: float [..., 4], (ymin, xmin, ymax, xmax), pixels.
    scale: outer side over inner side; ShapeMask's is 1.25.
    image_shape: number [..., 2], (height, width), pixels: clips the result.

  Returns:
    float [..., 4], pixels.

  Raises:
    ValueError: `scale` is below 1.
  """
  if scale < 1.0:
    raise ValueError(
      f'An outer box encloses its box, so its scale must be at least 1; '
      f'found {scale}. Set roi.outer_box_scale >= 1.'
    )
  margin = 0.5 * (scale - 1.0) * (boxes[..., 2:] - boxes[..., :2])
  grown = tf.concat([boxes[..., :2] - margin, boxes[..., 2:] + margin], axis=-1)
  if image_shape is None:
    return grown
  limit = tf.cast(image_shape, boxes.dtype)
  return tf.clip_by_value(grown, 0.0, tf.concat([limit, limit], axis=-1))


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


def mask_features(
  features: tf.Tensor, mask_logits: tf.Tensor, stop_gradient: bool
) -> tf.Tensor:
  """M_i∘F_i, what the object looks like (Sec. 3.1).

  Paper note: M_i is the sigmoid of the predicted coarse mask, at training too;
  with `stop_gradient` the CAD branches do not reshape the mask.

  Args:
    features: float [..., M, M, channels], F_i.
    mask_logits: float [..., M, M].
    stop_gradient: whether M_i enters as a constant.

  Returns:
    float [..., M, M, channels].
  """
  probs = tf.sigmoid(mask_logits)
  if stop_gradient:
    probs = tf.stop_gradient(probs)
  return features * tf.cast(probs, features.dtype)[..., tf.newaxis]


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
