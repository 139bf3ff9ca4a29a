"""Resize and crop a photo; randomness enters as arguments.

What `official.vision.ops.preprocess_ops.resize_and_crop_image` does, with the
random scale and offset given by the caller instead of drawn inside, and with
antialiasing: large photos must look like what the network was trained on.
"""

from typing import Sequence
from typing import Tuple

import tensorflow as tf
from official.vision.ops import preprocess_ops


def network_input(image: tf.Tensor, padded_size: Sequence[int]) -> tf.Tensor:
  """Normalises, then pads with zeros, as Model Garden does.

  Args:
    image: float [h, w, 3], 0..1, at most as large as the result.
    padded_size: (height, width) of the result.

  Returns:
    float [*padded_size, 3].
  """
  image = preprocess_ops.normalize_image(image)
  image = tf.image.pad_to_bounding_box(image, 0, 0, *padded_size)
  return tf.ensure_shape(image, [*padded_size, 3])


def resize_and_crop(
  image: tf.Tensor,
  output_size: Sequence[int],
  scale: tf.Tensor,
  place: tf.Tensor,
) -> Tuple[tf.Tensor, tf.Tensor]:
  """Fits the image, times a scale, into the output; crops what sticks out.

  Args:
    image: number [h, w, 3].
    output_size: (height, width) of the crop.
    scale: float scalar; 1 fits the whole image in.
    place: float [2], (y, x) in 0 .. 1: where the crop lies in what sticks out.

  Returns:
    float [at most output_size, 3] in the image's value range, and image_info
    [4, 2]: original size, output size, scale, offset, each (y, x).
  """
  size = tf.cast(tf.shape(image)[:2], tf.float32)
  output = tf.constant(output_size, tf.float32)
  target = tf.round(scale * output)
  scaled_size = tf.round(size * tf.reduce_min(target / size))
  offset = tf.floor(tf.maximum(scaled_size - output, 0.0) * place)
  scaled = tf.image.resize(
    image, tf.cast(scaled_size, tf.int32), antialias=True
  )
  top, left = tf.unstack(tf.cast(offset, tf.int32))
  cropped = scaled[top : top + output_size[0], left : left + output_size[1]]
  info = tf.stack([size, output, scaled_size / size, offset])
  return cropped, info


def boxes_in_input(boxes: tf.Tensor, image_info: tf.Tensor) -> tf.Tensor:
  """Boxes of photos in the pixels of the network's input.

  Args:
    boxes: float [B, N, 4], yxyx, original pixels.
    image_info: float [B, 4, 2], of `resize_and_crop`.

  Returns:
    float [B, N, 4].
  """
  scale = tf.tile(image_info[:, 2:3], [1, 1, 2])  # [B, 1, 4]
  offset = tf.tile(image_info[:, 3:4], [1, 1, 2])
  return boxes * scale - offset
