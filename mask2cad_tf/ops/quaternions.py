"""Unit quaternions (w, x, y, z): the only door to tensorflow_graphics.

q and -q are one rotation. Leading dimensions broadcast and may be unknown.
"""

import inspect
import sys
from unittest import mock

import tensorflow as tf


def _frames(context: int = 1):
  """`inspect.stack()` without source lines: [(frame,), ...]."""
  del context
  frame, found = sys._getframe(1), []
  while frame is not None:
    found.append((frame,))
    frame = frame.f_back
  return found


# While it is imported, tensorflow_graphics asks inspect.stack() who imports it,
# which reads the source lines of hundreds of frames: half of the start-up.
with mock.patch.object(inspect, 'stack', _frames):
  from tensorflow_graphics.geometry.transformation import quaternion
  from tensorflow_graphics.geometry.transformation import rotation_matrix_3d

_EPSILON = 1e-12


def wxyz_from_xyzw(q: tf.Tensor) -> tf.Tensor:
  """[..., 4] from (x, y, z, w), tensorflow_graphics', to (w, x, y, z)."""
  return tf.roll(q, shift=1, axis=-1)


def xyzw_from_wxyz(q: tf.Tensor) -> tf.Tensor:
  """[..., 4] from (w, x, y, z), the paper's, to (x, y, z, w)."""
  return tf.roll(q, shift=-1, axis=-1)


def multiply(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
  """Hamilton product: the rotation b first, then a.

  Args:
    a: float [..., 4].
    b: float [..., 4], broadcasts with `a`.

  Returns:
    float [..., 4].
  """
  return wxyz_from_xyzw(
    quaternion.multiply(xyzw_from_wxyz(a), xyzw_from_wxyz(b))
  )


def conjugate(q: tf.Tensor) -> tf.Tensor:
  """The inverse of the unit quaternion float [..., 4]."""
  return q * tf.constant([1.0, -1.0, -1.0, -1.0], q.dtype)


def normalize(q: tf.Tensor) -> tf.Tensor:
  """Scales float [..., 4] to unit length; zero (padding) becomes identity."""
  square = tf.reduce_sum(q * q, axis=-1, keepdims=True)
  empty = square < _EPSILON
  # The inner where keeps the gradient of the unused branch finite.
  scaled = q * tf.math.rsqrt(tf.where(empty, tf.ones_like(square), square))
  return tf.where(empty, tf.constant([1.0, 0.0, 0.0, 0.0], q.dtype), scaled)


def canonicalize(q: tf.Tensor) -> tf.Tensor:
  """Of q and -q, float [..., 4], the one with w >= 0."""
  return tf.where(q[..., :1] < 0.0, -q, q)


def angle(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
  """Geodesic angle 2 acos|<a, b>| between rotations, as an arc tangent.

  The arc cosine has an infinite gradient at identity and loses half the digits
  there; 2 atan2(|v|, |w|) of the relative quaternion (w, v) does neither. Its
  gradient at identity is taken as 0.

  Args:
    a: float [..., 4], any length but zero (zero gives angle 0).
    b: float [..., 4], broadcasts with `a`.

  Returns:
    float [...], radians, 0..pi.
  """
  relative = multiply(conjugate(a), b)
  square = tf.reduce_sum(relative[..., 1:] ** 2, axis=-1)
  aligned = square < _EPSILON**2
  sine = tf.where(
    aligned,
    tf.zeros_like(square),
    tf.sqrt(tf.where(aligned, tf.ones_like(square), square)),
  )
  cosine = tf.abs(relative[..., 0])
  undefined = tf.logical_and(aligned, cosine < _EPSILON)
  cosine = tf.where(undefined, tf.ones_like(cosine), cosine)
  return 2.0 * tf.atan2(sine, cosine)


def to_matrix(q: tf.Tensor) -> tf.Tensor:
  """Rotation matrices float [..., 3, 3] of quaternions float [..., 4]."""
  q = normalize(q)
  matrix = rotation_matrix_3d.from_quaternion(xyzw_from_wxyz(q))
  return tf.ensure_shape(matrix, q.shape[:-1].concatenate([3, 3]))


def from_matrix(matrix: tf.Tensor) -> tf.Tensor:
  """Quaternions float [..., 4], w >= 0, of rotations float [..., 3, 3]."""
  q = wxyz_from_xyzw(quaternion.from_rotation_matrix(matrix))
  return canonicalize(normalize(q))


def rotate(q: tf.Tensor, points: tf.Tensor) -> tf.Tensor:
  """R(q) applied to points.

  Args:
    q: float [..., 4].
    points: float [..., 3], broadcasts with `q` over the leading dimensions.

  Returns:
    float [..., 3], in the points' unit.
  """
  return tf.reduce_sum(to_matrix(q) * points[..., tf.newaxis, :], axis=-1)


def from_axis_angle(axis: tf.Tensor, radians: tf.Tensor) -> tf.Tensor:
  """Rotation about an axis, right-handed.

  Args:
    axis: float [..., 3], any length but zero.
    radians: float [...], the angle, broadcasts with `axis`.

  Returns:
    float [..., 4].
  """
  half = 0.5 * radians[..., tf.newaxis]
  vector = tf.sin(half) * tf.math.l2_normalize(axis, axis=-1)
  scalar = tf.broadcast_to(
    tf.cos(half), tf.concat([tf.shape(vector)[:-1], [1]], axis=0)
  )
  return tf.concat([scalar, vector], axis=-1)
