"""Q sampled RoIs per image: which objects, their boxes, their mask targets."""

from typing import Tuple

import tensorflow as tf


def sample_objects(
  num_objects: tf.Tensor, limit: int, num_rois: int, seed: tf.Tensor
) -> Tuple[tf.Tensor, tf.Tensor]:
  """Chooses objects and deals them out to the RoIs.

  All objects get as many RoIs as each other, or one more: with replacement
  where there are fewer objects than RoIs, as evenly as can be.

  Args:
    num_objects: int32 scalar, n.
    limit: at most so many different objects.
    num_rois: Q.
    seed: int [2].

  Returns:
    chosen int32 [m], m = min(n, limit, Q), different objects in random order;
    slots int32 [Q], each RoI's place in `chosen`; all m when n = 0.
  """
  shuffled = tf.random.experimental.stateless_shuffle(
    tf.range(num_objects), seed
  )
  chosen = shuffled[: min(limit, num_rois)]
  count = tf.shape(chosen)[0]
  slots = tf.math.floormod(tf.range(num_rois), tf.maximum(count, 1))
  return chosen, slots


def jitter_boxes(
  boxes: tf.Tensor, scale: float, image_shape: tf.Tensor, seed: tf.Tensor
) -> tf.Tensor:
  """Moves and scales boxes at random, as detections would be off (Sec. 3.4).

  Args:
    boxes: float [Q, 4], (ymin, xmin, ymax, xmax), pixels.
    scale: standard deviation: of the centre in box sides, of the log side.
    image_shape: float [2], (height, width): the result is clipped to it.
    seed: int [2].

  Returns:
    float [Q, 4]; a box that clipping would empty stays as it was.
  """
  noise = tf.random.stateless_normal(tf.shape(boxes), seed, stddev=scale)
  sides = boxes[:, 2:] - boxes[:, :2]
  centers = boxes[:, :2] + 0.5 * sides + noise[:, :2] * sides
  half = 0.5 * sides * tf.exp(noise[:, 2:])
  jittered = tf.clip_by_value(
    tf.concat([centers - half, centers + half], axis=-1),
    0.0,
    tf.concat([image_shape, image_shape], axis=-1),
  )
  empty = tf.reduce_any(
    jittered[:, 2:] <= jittered[:, :2], axis=-1, keepdims=True
  )
  return tf.where(empty, boxes, jittered)


def decode_masks(
  pngs: tf.Tensor, height: tf.Tensor, width: tf.Tensor, flip: tf.Tensor
) -> tf.Tensor:
  """PNG string [m] -> uint8 [m, h, w], 0 or 255, flipped like the photo."""
  masks = tf.cond(  # map_fn cannot stack none of unknown size
    tf.size(pngs) > 0,
    lambda: tf.map_fn(
      lambda png: tf.io.decode_png(png, channels=1)[..., 0],
      pngs,
      fn_output_signature=tf.TensorSpec([None, None], tf.uint8),
    ),
    lambda: tf.zeros([0, height, width], tf.uint8),
  )
  return tf.cond(flip, lambda: tf.reverse(masks, axis=[2]), lambda: masks)


def mask_targets(
  masks: tf.Tensor,
  slots: tf.Tensor,
  outer_boxes: tf.Tensor,
  image_info: tf.Tensor,
  size: int,
  factor: int,
) -> Tuple[tf.Tensor, tf.Tensor]:
  """Coarse and fine mask targets inside the outer boxes (ShapeMask).

  Sampled from the full-size masks; 0 outside the part of the photo that the
  network sees. A coarse cell is set where half of its fine cells are.

  Args:
    masks: uint8 [m, h, w] of the photo, 0 or 255.
    slots: int32 [Q], each RoI's mask; m = none.
    outer_boxes: float [Q, 4], network pixels; may exceed the image.
    image_info: float [4, 2], of `image_scaling.resize_and_crop`.
    size: side of the coarse mask.
    factor: side of the fine mask over that of the coarse one.

  Returns:
    float [Q, size, size] and [Q, size * factor, size * factor], 0 or 1.
  """
  photo, window, scale, offset = tf.unstack(image_info)
  side = size * factor
  fine = _crop(
    masks,
    slots,
    (outer_boxes + tf.tile(offset, [2])) / tf.tile(scale, [2]),
    side,
  )
  fine *= _visible(
    outer_boxes, side, tf.minimum(window, photo * scale - offset)
  )
  fine = tf.cast(fine >= 0.5, tf.float32)
  coarse = tf.reduce_mean(
    tf.reshape(fine, [-1, size, factor, size, factor]), axis=[2, 4]
  )
  return tf.cast(coarse >= 0.5, tf.float32), fine


def _crop(
  masks: tf.Tensor, slots: tf.Tensor, boxes: tf.Tensor, side: int
) -> tf.Tensor:
  """Bilinear samples at the cell centres of boxes, float [Q, side, side].

  Reads only the pixels it needs: to copy every RoI's whole mask is slower.
  """
  # The border's outer half pixel keeps the border's value; the mask behind the
  # last is empty.
  masks = tf.concat([masks[:, :1], masks, masks[:, -1:]], axis=1)
  masks = tf.concat([masks[..., :1], masks, masks[..., -1:]], axis=2)
  masks = tf.pad(masks, [[0, 1], [0, 0], [0, 0]])
  # crop_and_resize takes the first and last sample, in steps of whole sides.
  half_cell = 0.5 * (boxes[:, 2:] - boxes[:, :2]) / side
  samples = 0.5 + tf.concat(
    [boxes[:, :2] + half_cell, boxes[:, 2:] - half_cell], axis=-1
  )
  last = tf.cast(tf.tile(tf.shape(masks)[1:] - 1, [2]), tf.float32)
  return (
    tf.image.crop_and_resize(
      masks[..., tf.newaxis], samples / last, slots, [side, side]
    )[..., 0]
    / 255.0
  )


def _visible(boxes: tf.Tensor, side: int, end: tf.Tensor) -> tf.Tensor:
  """1 at cells whose centres lie between 0 and end (y, x), [Q, side, side]."""
  cells = (tf.range(side, dtype=tf.float32) + 0.5) / side

  def inside(low, high, length):
    points = low[:, tf.newaxis] + cells * (high - low)[:, tf.newaxis]
    return tf.cast((points >= 0.0) & (points <= length), tf.float32)

  rows = inside(boxes[:, 0], boxes[:, 2], end[0])
  columns = inside(boxes[:, 1], boxes[:, 3], end[1])
  return rows[:, :, tf.newaxis] * columns[:, tf.newaxis, :]
