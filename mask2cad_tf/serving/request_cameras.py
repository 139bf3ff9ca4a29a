"""The cameras of a request: checked in the graph, assumed where it has none."""

import tensorflow as tf

from mask2cad_tf import conventions


def assumed(sizes: tf.Tensor) -> tf.Tensor:
  """The camera of a photo that says nothing about it: a phone's.

  Args:
    sizes: float [B, 2], (height, width), pixels.

  Returns:
    float [B, 4], (fx, fy, cx, cy), pixels: square pixels, centred, 27 mm in
    terms of a 35 mm camera (0.62 of the photo's diagonal).
  """
  focal = tf.norm(sizes, axis=-1, keepdims=True) * (
    conventions.DEFAULT_FOCAL_35MM / conventions.DIAGONAL_35MM
  )
  return tf.concat([focal, focal, 0.5 * tf.reverse(sizes, axis=[-1])], axis=-1)


def checked(intrinsics: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
  """The intrinsics, once they are cameras, one a photo.

  Without the check NaN would come out as an answer that looks like one.

  Args:
    intrinsics: float [B, 4], (fx, fy, cx, cy), pixels.
    count: int [], photos of the request.

  Returns:
    The same.

  Raises:
    tf.errors.InvalidArgumentError: another number of rows than photos, a value
      that is not finite, or a focal length that is not positive.
  """
  rows = tf.shape(intrinsics)[0]
  usable = tf.reduce_all(tf.math.is_finite(intrinsics), axis=-1)
  usable &= tf.reduce_all(intrinsics[:, :2] > 0.0, axis=-1)
  bad = tf.reshape(tf.where(~usable), [-1])
  asserts = [
    tf.debugging.Assert(
      tf.equal(rows, count),
      [
        tf.strings.join(
          [
            'intrinsics: ',
            tf.strings.as_string(rows),
            ' rows for ',
            tf.strings.as_string(count),
            ' photos. Send one row (fx, fy, cx, cy) for each.',
          ]
        )
      ],
    ),
    tf.debugging.Assert(
      tf.reduce_all(usable),
      [
        tf.strings.join(
          [
            'intrinsics[',
            _listed(bad),
            ']: ',
            _listed(tf.gather(intrinsics, bad)),
            ': expected finite fx, fy, cx, cy, and fx and fy above 0.',
          ]
        )
      ],
    ),
  ]
  with tf.control_dependencies(asserts):
    return tf.identity(intrinsics)


def _listed(numbers: tf.Tensor) -> tf.Tensor:
  """All numbers of a tensor as one text."""
  return tf.strings.reduce_join(
    tf.strings.as_string(tf.reshape(numbers, [-1])), separator=', '
  )
