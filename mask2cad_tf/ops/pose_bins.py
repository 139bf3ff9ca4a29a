"""Rotations as a bin and a delta (Sec. 3.3).

Bins are the medoids of a class's training rotations.

Paper note: the paper does not say on which side the delta multiplies. Ours acts
from the left, in the camera's (or ray's) axes: R = dR R_bin.
"""

import tensorflow as tf

from mask2cad_tf.ops import quaternions


def nearest_bin(
  rotations: tf.Tensor, bins: tf.Tensor, valid: tf.Tensor
) -> tf.Tensor:
  """Index of the valid bin at the smallest geodesic angle.

  Args:
    rotations: float [..., 4], unit.
    bins: float [..., K, 4], unit.
    valid: bool [..., K]; False marks padding.

  Returns:
    int32 [...]; the first of equally near bins; 0 where no bin is valid.
  """
  cosines = tf.abs(tf.reduce_sum(rotations[..., tf.newaxis, :] * bins, axis=-1))
  cosines = tf.where(valid, cosines, -tf.ones_like(cosines))
  return tf.argmax(cosines, axis=-1, output_type=tf.int32)


def encode_delta(rotations: tf.Tensor, bins: tf.Tensor) -> tf.Tensor:
  """The delta dR with R = dR R_bin.

  Args:
    rotations: float [..., 4], unit.
    bins: float [..., 4], unit, broadcasts with `rotations`.

  Returns:
    float [..., 4], w >= 0.
  """
  return quaternions.canonicalize(
    quaternions.multiply(rotations, quaternions.conjugate(bins))
  )


def apply_delta(delta: tf.Tensor, bins: tf.Tensor) -> tf.Tensor:
  """The rotation dR R_bin; the inverse of `encode_delta`.

  Args:
    delta: float [..., 4], of any length, as the head puts it out.
    bins: float [..., 4], unit, broadcasts with `delta`.

  Returns:
    float [..., 4], unit, w >= 0.
  """
  return quaternions.canonicalize(
    quaternions.multiply(quaternions.normalize(delta), bins)
  )
