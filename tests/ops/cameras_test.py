import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from mask2cad_tf.ops import cameras
from mask2cad_tf.ops import quaternions
from tests.ops import random_poses

INTRINSICS = random_poses.INTRINSICS


class CamerasTest(tf.test.TestCase, parameterized.TestCase):
  def test_both_axes_are_mirrored(self):
    # u = 310 - 500 * 1 / 2 = 60, v = 250 - 520 * 0.5 / 2 = 120: a point to the
    # left (+x) and above (+y) lands left of and above the principal point.
    self.assertAllClose(
      cameras.project(tf.constant([1.0, 0.5, 2.0]), INTRINSICS), [60, 120]
    )

  @parameterized.parameters(range(4))
  def test_unproject_inverts_project(self, seed):
    points = random_poses.translations(seed, 3, 5)
    centers = cameras.project(points, INTRINSICS)
    back = cameras.unproject(centers, points[..., 2], INTRINSICS)
    self.assertAllClose(back, points, atol=1e-5)

  @parameterized.parameters(range(4))
  def test_resized_camera_sees_the_resized_image(self, seed):
    points = random_poses.translations(seed, 5)
    scale_yx, offset_yx = np.float32([0.5, 0.8]), np.float32([10.0, 30.0])
    resized = cameras.resize_intrinsics(INTRINSICS, scale_yx, offset_yx)
    expected = (
      cameras.project(points, INTRINSICS) * scale_yx[::-1] - offset_yx[::-1]
    )
    self.assertAllClose(cameras.project(points, resized), expected, atol=1e-3)

  def test_resize_by_hand(self):
    # fx 500 * 0.8, fy 520 * 0.5, cx 310 * 0.8 - 30, cy 250 * 0.5 - 10.
    self.assertAllClose(
      cameras.resize_intrinsics(
        INTRINSICS, tf.constant([0.5, 0.8]), tf.constant([10.0, 30.0])
      ),
      [400, 260, 218, 115],
    )

  def test_resize_a_batch(self):
    scales = tf.constant([[0.5, 0.8], [1.0, 2.0]])
    offsets = tf.constant([[10.0, 30.0], [0.0, 5.0]])
    self.assertAllClose(
      cameras.resize_intrinsics(INTRINSICS, scales, offsets),
      [[400, 260, 218, 115], [1000, 520, 615, 250]],
    )

  def test_ray_rotation_at_the_principal_point_is_identity(self):
    self.assertAllClose(
      cameras.ray_rotation(tf.constant(INTRINSICS[2:]), INTRINSICS),
      [1, 0, 0, 0],
    )

  @parameterized.parameters(range(4))
  def test_ray_rotation_is_the_smallest_to_the_ray(self, seed):
    target = random_poses.translations(seed)
    centers = cameras.project(target, INTRINSICS)
    q = cameras.ray_rotation(centers, INTRINSICS)
    ray = target / np.linalg.norm(target)
    self.assertAllClose(
      quaternions.rotate(q, tf.constant([0.0, 0.0, 1.0])), ray, atol=1e-5
    )
    # The smallest rotation turns by the angle between +z and the ray.
    self.assertAllClose(
      quaternions.angle(q, tf.constant([1.0, 0, 0, 0])),
      np.arccos(ray[2]),
      atol=1e-4,
    )

  @parameterized.parameters(range(4))
  def test_allocentric_round_trip(self, seed):
    q = quaternions.canonicalize(random_poses.quaternions(seed, 5))
    centers = (
      np.random.default_rng(seed).uniform(0, 480, [5, 2]).astype(np.float32)
    )
    allocentric = cameras.allocentric_from_camera(q, centers, INTRINSICS)
    back = cameras.camera_from_allocentric(allocentric, centers, INTRINSICS)
    self.assertAllClose(quaternions.angle(back, q), np.zeros(5), atol=1e-4)

  def test_objects_seen_alike_share_an_allocentric_rotation(self):
    # Turn the object and its place about the camera: the view stays the same.
    turn = quaternions.from_axis_angle(
      tf.constant([0.0, 1.0, 0.0]), tf.constant(0.4)
    )
    ahead, q = tf.constant([0.0, 0.0, 3.0]), random_poses.quaternions(1)
    aside = quaternions.rotate(turn, ahead)
    seen_ahead = cameras.allocentric_from_camera(
      q, cameras.project(ahead, INTRINSICS), INTRINSICS
    )
    seen_aside = cameras.allocentric_from_camera(
      quaternions.multiply(turn, q),
      cameras.project(aside, INTRINSICS),
      INTRINSICS,
    )
    self.assertAllClose(
      quaternions.angle(seen_ahead, seen_aside), 0.0, atol=1e-4
    )
