"""Horizontal flip of the photo, and what it does to poses (Sec. 3.4).

S = diag(-1, 1, 1) mirrors the camera, S_obj = I - 2 n n^T mirrors the CAD about
its own plane of symmetry with normal n. A symmetric CAD maps to itself, so
S (R v + t) = (S R S_obj) (S_obj v) + S t: the flipped pose is (S R S_obj, S t).
"""

import tensorflow as tf

from mask2cad_tf.ops import quaternions


def flip_rotation(q: tf.Tensor, mirror_normal: tf.Tensor) -> tf.Tensor:
  """Rotation S R S_obj of the mirrored object, camera or allocentric frame.

  A reflection is minus a half turn about its normal, and the two signs cancel:
  q' = (0, 1, 0, 0) q (0, n).

  Paper note: the paper says only that poses are "adjusted accordingly". A CAD
  without a mirror plane (normal 0 0 0) has no flipped pose; its photo must not
  be flipped, and its rotation here comes back as identity.

  Args:
    q: float [..., 4].
    mirror_normal: float [..., 3], unit, CAD frame; broadcasts with `q`.

  Returns:
    float [..., 4], w >= 0.
  """
  image_turn = tf.constant([0.0, 1.0, 0.0, 0.0], q.dtype)
  cad_turn = tf.concat(
    [tf.zeros_like(mirror_normal[..., :1]), mirror_normal], axis=-1
  )
  flipped = quaternions.multiply(quaternions.multiply(image_turn, q), cad_turn)
  return quaternions.canonicalize(quaternions.normalize(flipped))


def flip_translation(t: tf.Tensor) -> tf.Tensor:
  """S t for float [..., 3], camera frame."""
  return t * tf.constant([-1.0, 1.0, 1.0], t.dtype)


def flip_intrinsics(intrinsics: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
  """(fx, fy, width - cx, cy) for float [..., 4] and a width in pixels."""
  fx, fy, cx, cy = tf.unstack(intrinsics, axis=-1)
  return tf.stack([fx, fy, tf.cast(width, cx.dtype) - cx, cy], axis=-1)


def flip_points(points: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
  """(width - x, y) for points float [..., 2], pixels."""
  x, y = tf.unstack(points, axis=-1)
  return tf.stack([tf.cast(width, x.dtype) - x, y], axis=-1)
