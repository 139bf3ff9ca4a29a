"""CADs that look the same after a turn about their up axis (+y).

The symmetry order is that of the group: 1 none, 2 or 4 equal turns, 0 any turn
(Scan2CAD's labels, `conventions.SYMMETRY_ORDERS`). A turn of the CAD multiplies
its rotation from the right, in the camera as in the allocentric frame.

Paper note: the paper is silent about symmetric CADs.
"""

import math

import tensorflow as tf

from mask2cad_tf.ops import quaternions

# 15-degree steps; a multiple of 1, 2 and 4, so that every group fits evenly.
NUM_EQUIVALENTS = 24


def equivalent_rotations(q: tf.Tensor, order: tf.Tensor) -> tf.Tensor:
  """All rotations that show a CAD as `q` does; a finite group repeats.

  Args:
    q: float [..., 4].
    order: int [...], 1, 2, 4 or 0; 0 gives 24 steps of 15 degrees.

  Returns:
    float [..., 24, 4]; the first is `q`.
  """
  order = tf.cast(order, tf.int32)[..., tf.newaxis]
  order = tf.where(order == 0, NUM_EQUIVALENTS, order)
  step = tf.math.floormod(tf.range(NUM_EQUIVALENTS), order)  # [..., 24]
  half = math.pi * tf.cast(step, q.dtype) / tf.cast(order, q.dtype)
  zero = tf.zeros_like(half)
  turns = tf.stack([tf.cos(half), zero, tf.sin(half), zero], axis=-1)
  return quaternions.multiply(q[..., tf.newaxis, :], turns)


def nearest_equivalent(
  q: tf.Tensor, order: tf.Tensor, reference: tf.Tensor
) -> tf.Tensor:
  """The rotation equivalent to `q` that is nearest to `reference`.

  Exact for every order. For order 0: a turn by 2 h maps q to
  cos(h) q + sin(h) q j, which is nearest where (cos h, sin h) is parallel to
  (<q, reference>, <q j, reference>).

  Args:
    q: float [..., 4], unit.
    order: int [...], 1, 2, 4 or 0.
    reference: float [..., 4], unit, broadcasts with `q`.

  Returns:
    float [..., 4], w >= 0.
  """
  candidates = equivalent_rotations(q, order)
  cosines = tf.abs(_dot(candidates, reference[..., tf.newaxis, :]))
  choice = tf.one_hot(
    tf.argmax(cosines, axis=-1), NUM_EQUIVALENTS, dtype=q.dtype
  )
  finite = tf.reduce_sum(choice[..., tf.newaxis] * candidates, axis=-2)
  free = _nearest_turn(q, reference)
  any_turn = tf.equal(order, 0)[..., tf.newaxis]
  return quaternions.canonicalize(tf.where(any_turn, free, finite))


def symmetric_angle(a: tf.Tensor, b: tf.Tensor, order: tf.Tensor) -> tf.Tensor:
  """Smallest angle between `b` and a rotation equivalent to `a`.

  Args:
    a: float [..., 4], unit.
    b: float [..., 4], unit, broadcasts with `a`.
    order: int [...], 1, 2, 4 or 0.

  Returns:
    float [...], radians.
  """
  return quaternions.angle(nearest_equivalent(a, order, b), b)


def _nearest_turn(q: tf.Tensor, reference: tf.Tensor) -> tf.Tensor:
  """Turns q, float [..., 4], about +y as near to `reference` as it gets."""
  up = tf.constant([0.0, 0.0, 1.0, 0.0], q.dtype)
  half_turn = quaternions.multiply(q, up)
  along = _dot(q, reference)[..., tf.newaxis]
  across = _dot(half_turn, reference)[..., tf.newaxis]
  # Both 0: every turn is equally near, and q itself serves.
  tied = along * along + across * across < 1e-12
  along = tf.where(tied, tf.ones_like(along), along)
  return quaternions.normalize(along * q + across * half_turn)


def _dot(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
  """Inner products float [...] of float [..., 4]."""
  return tf.reduce_sum(a * b, axis=-1)
