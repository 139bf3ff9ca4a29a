import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from mask2cad_tf import conventions
from mask2cad_tf.ops import quaternions
from mask2cad_tf.ops import rotation_symmetry
from tests.ops import random_poses

UP = np.array([0.0, 1.0, 0.0], np.float32)


def turned(q, radians):
  """The CAD turned about its own +y by `radians`, then posed by q."""
  turn = quaternions.from_axis_angle(UP, tf.constant(radians, tf.float32))
  return quaternions.multiply(q, turn)


class RotationSymmetryTest(tf.test.TestCase, parameterized.TestCase):
  @parameterized.parameters((1, 1), (2, 2), (4, 4), (0, 24))
  def test_group_sizes(self, order, expected):
    q = random_poses.quaternions(order)
    group = rotation_symmetry.equivalent_rotations(q, tf.constant(order))
    self.assertEqual(group.shape, [24, 4])
    angles = quaternions.angle(group[:, tf.newaxis], group[tf.newaxis])
    distinct = len({tuple(row) for row in (angles.numpy() < 1e-3)})
    self.assertEqual(distinct, expected)
    self.assertAllClose(group[0], q)

  def test_half_turn_symmetry_by_hand(self):
    # Order 2 at identity: identity and the half turn about y, by turns.
    group = rotation_symmetry.equivalent_rotations(
      tf.constant([1.0, 0, 0, 0]), tf.constant(2)
    )
    self.assertAllClose(
      group[:4],
      [[1, 0, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 1, 0]],
      atol=1e-6,
    )

  @parameterized.product(seed=(0, 1, 2), order=(1, 2, 4, 0))
  def test_group_keeps_the_silhouette(self, seed, order):
    # Points with the symmetry: the group permutes them.
    q = random_poses.quaternions(seed)
    count = order or 24
    radians = 2.0 * np.pi * np.arange(count) / count
    corner = random_poses.points(seed)
    cad = quaternions.rotate(
      quaternions.from_axis_angle(UP, tf.constant(radians, tf.float32)), corner
    )
    for other in rotation_symmetry.equivalent_rotations(q, tf.constant(order))[
      :5
    ]:
      distances = np.linalg.norm(
        quaternions.rotate(other, cad)[:, tf.newaxis]
        - quaternions.rotate(q, cad)[tf.newaxis],
        axis=-1,
      )
      self.assertAllClose(distances.min(axis=1), np.zeros(count), atol=1e-5)

  @parameterized.product(seed=(0, 1, 2), order=(1, 2, 4))
  def test_symmetric_angle_is_the_minimum_over_the_group(self, seed, order):
    a, b = random_poses.quaternions(seed, 2)
    expected = min(
      quaternions.angle(turned(a, 2 * np.pi * i / order), b).numpy()
      for i in range(order)
    )
    self.assertAllClose(
      rotation_symmetry.symmetric_angle(a, b, tf.constant(order)),
      expected,
      atol=1e-5,
    )

  @parameterized.parameters(range(6))
  def test_any_turn_is_exact(self, seed):
    a, b = random_poses.quaternions(seed, 2)
    exact = rotation_symmetry.symmetric_angle(a, b, tf.constant(0))
    steps = tf.constant(np.linspace(0, 2 * np.pi, 3601), tf.float32)
    turns = quaternions.from_axis_angle(UP, steps)
    sampled = quaternions.angle(quaternions.multiply(a, turns), b)
    # 0.1-degree steps: at best 1e-6 above the exact minimum, never below it.
    self.assertAllClose(exact, tf.reduce_min(sampled), atol=1e-3)
    self.assertLessEqual(exact, tf.reduce_min(sampled) + 1e-5)

  @parameterized.parameters((2, np.pi), (4, np.pi / 2), (0, 1.234))
  def test_turned_cad_is_no_error(self, order, radians):
    q = random_poses.quaternions(7)
    self.assertAllClose(
      rotation_symmetry.symmetric_angle(
        turned(q, radians), q, tf.constant(order)
      ),
      0.0,
      atol=1e-3,
    )
    self.assertAllClose(
      rotation_symmetry.symmetric_angle(turned(q, radians), q, tf.constant(1)),
      radians,
      atol=1e-3,
    )

  def test_every_turn_equally_near(self):
    # A half turn about x cannot be undone about y: all turns are pi away.
    q = tf.constant([0.0, 1.0, 0.0, 0.0])
    reference = tf.constant([1.0, 0.0, 0.0, 0.0])
    nearest = rotation_symmetry.nearest_equivalent(q, tf.constant(0), reference)
    self.assertAllClose(nearest, q)

  def test_orders_mix_in_a_batch(self):
    orders = np.int32([1, 2, 4, 0])
    a, b = random_poses.quaternions(3, 2, 4)
    together = rotation_symmetry.symmetric_angle(a, b, orders)
    alone = [
      rotation_symmetry.symmetric_angle(a[i], b[i], orders[i]) for i in range(4)
    ]
    self.assertAllClose(together, alone, atol=1e-6)

  def test_orders_are_those_of_the_conventions(self):
    for order in conventions.SYMMETRY_ORDERS.values():
      self.assertEqual(rotation_symmetry.NUM_EQUIVALENTS % (order or 24), 0)
