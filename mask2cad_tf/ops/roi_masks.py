"""RoI masks: outer boxes, mask targets, product of mask and features."""

from typing import Optional
from typing import Tuple

import tensorflow as tf

MIN_MASK_BOX_IOU = 0.5  # of a mask's box and the box that it was predicted in


def outer_boxes(
  boxes: tf.Tensor,
  scale: float,
  image_shape: Optional[tf.Tensor] = None,
  square: bool = False,
) -> tf.Tensor:
  """Boxes grown about their centres, so that a mask may exceed its box.

  Args:
    boxes: float [..., 4], (ymin, xmin, ymax, xmax), pixels.
    scale: outer side over inner side; ShapeMask's is 1.25.
    image_shape: number [..., 2], (height, width), pixels: clips the result.
    square: both sides grow to `scale` times the longer one, so that a crop
      shows the object's aspect ratio.

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
  sides = boxes[..., 2:] - boxes[..., :2]
  target = tf.reduce_max(sides, axis=-1, keepdims=True) if square else sides
  margin = 0.5 * (scale * target - sides)
  grown = tf.concat([boxes[..., :2] - margin, boxes[..., 2:] + margin], axis=-1)
  if image_shape is None:
    return grown
  limit = tf.cast(image_shape, boxes.dtype)
  return tf.clip_by_value(grown, 0.0, tf.concat([limit, limit], axis=-1))


def mask_boxes(
  probabilities: tf.Tensor, outer: tf.Tensor, boxes: tf.Tensor
) -> tf.Tensor:
  """Boxes around masks: an instance's mask ends where the instance does.

  Args:
    probabilities: float [..., M, M], masks inside the outer boxes.
    outer: float [..., 4], (ymin, xmin, ymax, xmax), pixels.
    boxes: float [..., 4], what the outer boxes were grown from.

  Returns:
    float [..., 4]: around the cells above one half; where that overlaps `boxes`
    with an IoU below `MIN_MASK_BOX_IOU`, as an empty mask does, `boxes`.
  """
  tight = _tight_boxes(probabilities, outer)
  common = tf.maximum(
    tf.minimum(tight[..., 2:], boxes[..., 2:])
    - tf.maximum(tight[..., :2], boxes[..., :2]),
    0.0,
  )
  common = tf.reduce_prod(common, axis=-1)
  union = _area(tight) + _area(boxes) - common
  trusted = tf.reduce_any(probabilities > 0.5, axis=[-2, -1]) & (
    common >= MIN_MASK_BOX_IOU * union
  )
  return tf.where(trusted[..., tf.newaxis], tight, boxes)


def _tight_boxes(probabilities: tf.Tensor, outer: tf.Tensor) -> tf.Tensor:
  """Boxes [..., 4] around the cells above one half; without any, `outer`."""
  found = probabilities > 0.5
  ends = []
  for axis in (-1, -2):  # rows, columns
    line = tf.cast(tf.reduce_any(found, axis=axis), tf.int32)  # [..., M]
    size = line.shape[-1]
    first = tf.argmax(line, axis=-1, output_type=tf.int32)
    last = size - tf.argmax(line[..., ::-1], axis=-1, output_type=tf.int32)
    ends.append(tf.cast(tf.stack([first, last], axis=-1), outer.dtype) / size)
  share = tf.stack(
    [ends[0][..., 0], ends[1][..., 0], ends[0][..., 1], ends[1][..., 1]], -1
  )
  sides = tf.tile(
    outer[..., 2:] - outer[..., :2], [1] * (len(outer.shape) - 1) + [2]
  )
  corner = tf.concat([outer[..., :2], outer[..., :2]], axis=-1)
  return corner + share * sides


def _area(boxes: tf.Tensor) -> tf.Tensor:
  return tf.reduce_prod(boxes[..., 2:] - boxes[..., :2], axis=-1)


def silhouettes(
  probabilities: tf.Tensor, outer: tf.Tensor, side: int, frame: float
) -> tf.Tensor:
  """Masks in the square around each, coarse: of one size whatever the object's.

  Args:
    probabilities: float [..., M, M], masks inside the outer boxes.
    outer: float [..., 4], (ymin, xmin, ymax, xmax), pixels.
    side: cells a side.
    frame: side of the square in the masks' longer sides.

  Returns:
    float [..., side, side], the share of each cell where the mask exceeds one
    half.
  """
  square = outer_boxes(_tight_boxes(probabilities, outer), frame, square=True)
  size = probabilities.shape[-1]

  def axis_weights(low: int, high: int) -> tf.Tensor:
    """Shares [..., side, M] of the cells that the mask's cells fill."""
    start, extent = (
      outer[..., low, tf.newaxis],
      outer[..., high] - outer[..., low],
    )
    scale = size / tf.maximum(extent, 1e-6)[..., tf.newaxis]
    edges = (
      square[..., low, tf.newaxis]
      + tf.range(side + 1, dtype=outer.dtype)
      / side
      * (square[..., high] - square[..., low])[..., tf.newaxis]
    )
    edges = ((edges - start) * scale)[..., tf.newaxis]  # in mask cells
    cells = tf.range(size, dtype=outer.dtype)
    first, last = edges[..., :-1, :], edges[..., 1:, :]
    common = tf.minimum(last, cells + 1.0) - tf.maximum(first, cells)
    return tf.maximum(common, 0.0) / tf.maximum(last - first, 1e-6)

  found = tf.cast(probabilities > 0.5, outer.dtype)
  return tf.linalg.matmul(
    axis_weights(0, 2),
    tf.linalg.matmul(found, axis_weights(1, 3), transpose_b=True),
  )


def paste(
  probabilities: tf.Tensor, outer: tf.Tensor, size: Tuple[int, int]
) -> tf.Tensor:
  """Masks in the frame of the image, sampled bilinearly.

  Args:
    probabilities: float [..., M, M], masks inside the outer boxes.
    outer: float [..., 4], (ymin, xmin, ymax, xmax), pixels; may exceed the
      image.
    size: (height, width) of the image, pixels.

  Returns:
    float [..., height, width], probabilities; 0 outside the outer boxes.
  """
  cells = probabilities.shape[-1]
  rows = _axis_weights(outer[..., 0], outer[..., 2], size[0], cells)
  columns = _axis_weights(outer[..., 1], outer[..., 3], size[1], cells)
  return tf.linalg.matmul(
    rows, tf.linalg.matmul(probabilities, columns, transpose_b=True)
  )


def _axis_weights(
  low: tf.Tensor, high: tf.Tensor, length: int, cells: int
) -> tf.Tensor:
  """Weights [..., length, cells] of a mask's cells at the pixels' centres."""
  low, high = low[..., tf.newaxis], high[..., tf.newaxis]
  centers = tf.range(length, dtype=low.dtype) + 0.5
  place = (centers - low) / tf.maximum(high - low, 1e-6) * cells - 0.5
  place = tf.clip_by_value(place, 0.0, cells - 1.0)[..., tf.newaxis]
  weights = tf.maximum(
    1.0 - tf.abs(place - tf.range(cells, dtype=low.dtype)), 0.0
  )
  inside = (centers >= low) & (centers < high)
  return tf.where(inside[..., tf.newaxis], weights, 0.0)


def pool(features: tf.Tensor, size: int) -> tf.Tensor:
  """Averages windows of a crop.

  Args:
    features: [B, N, M, M, channels].
    size: side of a window; divides M.

  Returns:
    [B, N, M / size, M / size, channels].
  """
  if size == 1:
    return features
  shape = features.shape
  x = tf.reshape(features, tf.concat([[-1], shape[2:]], axis=0))
  x = tf.nn.avg_pool2d(x, size, size, 'VALID')
  x = tf.reshape(x, tf.concat([tf.shape(features)[:2], x.shape[1:]], axis=0))
  return tf.ensure_shape(x, [*shape[:2], *x.shape[2:]])


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
