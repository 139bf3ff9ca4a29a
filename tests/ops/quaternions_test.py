import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from scipy.spatial import transform
from tensorflow_graphics.geometry.transformation import (
  quaternion as tfg_quaternion,
)

from mask2cad_tf.ops import quaternions
from tests.ops import random_poses

IDENTITY = np.array([1, 0, 0, 0], np.float32)


def scipy_rotation(q):
  """scipy takes (x, y, z, w)."""
  return transform.Rotation.from_quat(np.roll(np.asarray(q), -1, axis=-1))


class QuaternionsTest(tf.test.TestCase, parameterized.TestCase):
  def test_adapter_moves_w(self):
    # w = 1 goes from the last place, tensorflow_graphics', to our first.
    self.assertAllEqual(
      quaternions.wxyz_from_xyzw(tf.constant([2.0, 3.0, 4.0, 1.0])),
      [1.0, 2.0, 3.0, 4.0],
    )
    self.assertAllEqual(
      quaternions.xyzw_from_wxyz(tf.constant([1.0, 2.0, 3.0, 4.0])),
      [2.0, 3.0, 4.0, 1.0],
    )

  @parameterized.parameters(range(4))
  def test_adapter_against_tensorflow_graphics_and_scipy(self, seed):
    q = random_poses.quaternions(seed, 5)
    p = random_poses.points(seed, 5)
    ours = quaternions.rotate(q, p)
    theirs = tfg_quaternion.rotate(p, quaternions.xyzw_from_wxyz(q))
    self.assertAllClose(ours, theirs, atol=1e-5)
    self.assertAllClose(ours, scipy_rotation(q).apply(p), atol=1e-5)
    self.assertAllClose(
      quaternions.to_matrix(q), scipy_rotation(q).as_matrix(), atol=1e-5
    )

  def test_quarter_turn_about_up(self):
    # A quarter turn about +y takes +z to +x: (cos 45, 0, sin 45, 0).
    q = quaternions.from_axis_angle(
      tf.constant([0.0, 2.0, 0.0]), tf.constant(np.pi / 2, tf.float32)
    )
    self.assertAllClose(q, [np.sqrt(0.5), 0.0, np.sqrt(0.5), 0.0])
    self.assertAllClose(
      quaternions.rotate(q, tf.constant([0.0, 0.0, 1.0])),
      [1.0, 0.0, 0.0],
      atol=1e-6,
    )

  def test_product_of_units(self):
    # Hamilton: i j = k, j i = -k.
    i, j = tf.constant([0.0, 1, 0, 0]), tf.constant([0.0, 0, 1, 0])
    self.assertAllEqual(quaternions.multiply(i, j), [0, 0, 0, 1])
    self.assertAllEqual(quaternions.multiply(j, i), [0, 0, 0, -1])

  @parameterized.parameters(range(4))
  def test_product_rotates_second_factor_first(self, seed):
    a, b = random_poses.quaternions(seed, 2)
    p = random_poses.points(seed)
    self.assertAllClose(
      quaternions.rotate(quaternions.multiply(a, b), p),
      quaternions.rotate(a, quaternions.rotate(b, p)),
      atol=1e-5,
    )

  @parameterized.parameters(range(4))
  def test_conjugate_undoes(self, seed):
    q = random_poses.quaternions(seed, 6)
    product = quaternions.multiply(q, quaternions.conjugate(tf.constant(q)))
    self.assertAllClose(product, np.tile(IDENTITY, [6, 1]), atol=1e-6)

  @parameterized.parameters(range(4))
  def test_matrix_round_trip(self, seed):
    q = quaternions.canonicalize(random_poses.quaternions(seed, 20))
    back = quaternions.from_matrix(quaternions.to_matrix(q))
    self.assertAllClose(back, q, atol=1e-5)

  @parameterized.parameters(
    ([1, 0, 0, 0],), ([0, 1, 0, 0],), ([0, 0, 1, 0],), ([0, 0, 0, 1],)
  )
  def test_matrix_round_trip_at_half_turns(self, q):
    q = tf.constant(q, tf.float32)
    back = quaternions.from_matrix(quaternions.to_matrix(q))
    self.assertAllClose(quaternions.angle(back, q), 0.0, atol=1e-3)

  def test_normalize_gives_identity_for_padding(self):
    q = tf.constant([[0.0, 0, 0, 0], [0.0, 3, 0, 4]])
    with tf.GradientTape() as tape:
      tape.watch(q)
      unit = quaternions.normalize(q)
    self.assertAllClose(unit, [[1, 0, 0, 0], [0, 0.6, 0, 0.8]])
    self.assertTrue(np.all(np.isfinite(tape.gradient(unit, q))))

  def test_canonicalize(self):
    q = tf.constant([[-0.6, 0.8, 0, 0], [0.6, 0.8, 0, 0], [0, -1.0, 0, 0]])
    self.assertAllClose(
      quaternions.canonicalize(q),
      [[0.6, -0.8, 0, 0], [0.6, 0.8, 0, 0], [0, -1, 0, 0]],
    )

  @parameterized.parameters(1e-4, 0.01, 0.5, 1.5, 3.0, 3.1415)
  def test_angle_of_a_turn(self, radians):
    start = random_poses.quaternions(0)
    turn = quaternions.from_axis_angle(
      tf.constant([1.0, 2.0, -3.0]), tf.constant(radians)
    )
    end = quaternions.multiply(turn, start)
    self.assertAllClose(
      quaternions.angle(start, end), radians, atol=1e-6, rtol=1e-3
    )
    # Double cover: q and -q are one rotation.
    self.assertAllClose(
      quaternions.angle(start, -end), radians, atol=1e-6, rtol=1e-3
    )

  @parameterized.parameters(range(4))
  def test_angle_against_scipy(self, seed):
    a, b = random_poses.quaternions(seed, 2, 10)
    expected = (scipy_rotation(a).inv() * scipy_rotation(b)).magnitude()
    self.assertAllClose(quaternions.angle(a, b), expected, atol=1e-5)

  @parameterized.parameters(False, True)
  def test_angle_has_a_bounded_gradient(self, jit_compile):
    a, b = tf.unstack(
      tf.constant(
        [
          [[1, 0, 0, 0], [1, 0, 0, 0]],  # identity
          [[0.6, 0.8, 0, 0], [0.6, 0.8, 0, 0]],
          [[0.6, 0.8, 0, 0], [-0.6, -0.8, 0, 0]],  # one rotation, two signs
          [[1, 0, 0, 0], [0, 1, 0, 0]],  # half a turn
          [[1, 0, 0, 0], [1, 1e-7, 0, 0]],
          [[1, 0, 0, 0], [0, 0, 0, 0]],  # padding
        ]
      ),
      axis=1,
    )

    # XLA multiplies 0 by infinity where TensorFlow's own kernels do not.
    @tf.function(jit_compile=jit_compile)
    def gradients(a, b):
      return tf.gradients(quaternions.angle(a, b), [a, b])

    for gradient in gradients(a, b):
      self.assertTrue(np.all(np.isfinite(gradient)))
      self.assertLess(np.abs(gradient).max(), 2.001)

  def test_broadcasts(self):
    q = random_poses.quaternions(0, 3, 1)
    p = random_poses.points(0, 7)
    self.assertEqual(quaternions.rotate(q, p).shape, [3, 7, 3])
    self.assertEqual(quaternions.angle(q, q[0]).shape, [3, 1])
