import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from mask2cad_tf.ops import pose_bins
from mask2cad_tf.ops import quaternions
from tests.ops import random_poses


def turns(*degrees):
  """Rotations about +y."""
  radians = tf.constant(np.radians(degrees), tf.float32)
  return quaternions.from_axis_angle(tf.constant([0.0, 1.0, 0.0]), radians)


class PoseBinsTest(tf.test.TestCase, parameterized.TestCase):
  def test_nearest_bin_by_hand(self):
    bins = turns(0, 90, 180, 270)
    # 350 degrees is 10 from 0; 140 is 40 from 180; 230 is 40 from 270.
    found = [
      pose_bins.nearest_bin(turns(d)[0], bins, tf.fill([4], True))
      for d in (350, 140, 230, 80)
    ]
    self.assertAllEqual(found, [0, 2, 3, 1])

  def test_invalid_bins_are_never_chosen(self):
    bins = turns(0, 90, 180, 270)
    valid = tf.constant([False, True, True, False])
    self.assertEqual(pose_bins.nearest_bin(turns(5)[0], bins, valid), 1)

  @parameterized.parameters(range(4))
  def test_nearest_bin_has_the_smallest_angle(self, seed):
    rotations = random_poses.quaternions(seed, 3, 6)
    bins = random_poses.quaternions(seed + 50, 3, 6, 16)
    angles = quaternions.angle(rotations[..., tf.newaxis, :], bins)
    nearest = pose_bins.nearest_bin(rotations, bins, tf.fill([3, 6, 16], True))
    self.assertAllEqual(nearest, np.argmin(angles, axis=-1))
    self.assertEqual(nearest.dtype, tf.int32)

  @parameterized.parameters(range(4))
  def test_delta_round_trip(self, seed):
    rotations, bins = random_poses.quaternions(seed, 2, 20)
    delta = pose_bins.encode_delta(rotations, bins)
    self.assertAllGreaterEqual(delta[..., 0], 0.0)
    # The head's output has any length; only its direction counts.
    back = pose_bins.apply_delta(2.5 * delta, bins)
    self.assertAllClose(
      quaternions.angle(back, rotations), np.zeros(20), atol=1e-4
    )

  def test_delta_multiplies_from_the_left(self):
    # R = dR R_bin, with R_bin a turn about x and dR one about y.
    quarter = tf.constant(np.pi / 2, tf.float32)
    about_x = quaternions.from_axis_angle(tf.constant([1.0, 0, 0]), quarter)
    about_y = quaternions.from_axis_angle(tf.constant([0, 1.0, 0]), quarter)
    self.assertAllClose(
      pose_bins.encode_delta(quaternions.multiply(about_y, about_x), about_x),
      about_y,
      atol=1e-6,
    )

  def test_initial_delta_is_the_bin_itself(self):
    bins = quaternions.canonicalize(random_poses.quaternions(0, 5))
    self.assertAllClose(
      pose_bins.apply_delta(tf.constant([0.95, 0, 0, 0]), bins), bins, atol=1e-6
    )
