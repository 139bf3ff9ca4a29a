import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from mask2cad_tf.ops import cameras
from mask2cad_tf.ops import center_offsets
from mask2cad_tf.ops import mirror
from mask2cad_tf.ops import quaternions
from tests.ops import random_poses

INTRINSICS, WIDTH = random_poses.INTRINSICS, random_poses.WIDTH


def reflect(points, normal):
  return points - 2.0 * (points @ normal)[:, np.newaxis] * normal


def project_pose(q, t, points, intrinsics):
  return cameras.project(quaternions.rotate(q, points) + t, intrinsics)


class MirrorTest(tf.test.TestCase, parameterized.TestCase):
  @parameterized.parameters(range(12))
  def test_projecting_the_flipped_pose_flips_the_projection(self, seed):
    q, t = random_poses.quaternions(seed), random_poses.translations(seed)
    normal = random_poses.unit_vectors(seed)
    half = random_poses.points(seed, 10)
    # A CAD with the mirror plane `normal`, and the same CAD mirrored: the same
    # points in another order.
    cad = np.concatenate([half, reflect(half, normal)])
    mirrored = np.concatenate([reflect(half, normal), half])
    flipped = project_pose(
      mirror.flip_rotation(tf.constant(q), normal),
      mirror.flip_translation(tf.constant(t)),
      mirrored,
      mirror.flip_intrinsics(INTRINSICS, WIDTH),
    )
    expected = mirror.flip_points(project_pose(q, t, cad, INTRINSICS), WIDTH)
    self.assertAllClose(flipped, expected, atol=2e-3)

  @parameterized.parameters(range(4))
  def test_flipping_a_chiral_cad_would_be_wrong(self, seed):
    # The property above is not trivial: a one-sided CAD does not have it.
    q, t = random_poses.quaternions(seed), random_poses.translations(seed)
    normal = random_poses.unit_vectors(seed)
    chiral = random_poses.points(seed, 10)
    flipped = project_pose(
      mirror.flip_rotation(tf.constant(q), normal),
      mirror.flip_translation(tf.constant(t)),
      chiral,
      mirror.flip_intrinsics(INTRINSICS, WIDTH),
    )
    expected = mirror.flip_points(project_pose(q, t, chiral, INTRINSICS), WIDTH)
    self.assertGreater(np.abs(flipped - expected).max(), 5.0)

  @parameterized.parameters(range(4))
  def test_rotation_is_s_r_s_obj(self, seed):
    q, normal = random_poses.quaternions(seed), random_poses.unit_vectors(seed)
    image_mirror = np.diag([-1.0, 1.0, 1.0])
    cad_mirror = np.eye(3) - 2.0 * np.outer(normal, normal)
    self.assertAllClose(
      quaternions.to_matrix(mirror.flip_rotation(tf.constant(q), normal)),
      image_mirror @ quaternions.to_matrix(q).numpy() @ cad_mirror,
      atol=1e-5,
    )

  @parameterized.parameters(range(4))
  def test_flip_commutes_with_the_allocentric_frame(self, seed):
    q, normal = random_poses.quaternions(seed), random_poses.unit_vectors(seed)
    center = cameras.project(random_poses.translations(seed), INTRINSICS)
    allocentric = cameras.allocentric_from_camera(q, center, INTRINSICS)
    flipped_camera = cameras.camera_from_allocentric(
      mirror.flip_rotation(allocentric, normal),
      mirror.flip_points(center, WIDTH),
      mirror.flip_intrinsics(INTRINSICS, WIDTH),
    )
    self.assertAllClose(
      quaternions.angle(
        flipped_camera, mirror.flip_rotation(tf.constant(q), normal)
      ),
      0.0,
      atol=1e-3,
    )

  @parameterized.parameters(range(4))
  def test_twice_is_nothing(self, seed):
    q = tf.constant(random_poses.quaternions(seed))
    normal = random_poses.unit_vectors(seed)
    twice = mirror.flip_rotation(mirror.flip_rotation(q, normal), normal)
    self.assertAllClose(quaternions.angle(twice, q), 0.0, atol=1e-4)

  def test_object_facing_the_camera_stays_so(self):
    # Turned by +a about +y becomes turned by -a, for the usual plane x = 0.

    def turn(radians):
      return quaternions.from_axis_angle(
        tf.constant([0.0, 1.0, 0.0]), tf.constant(radians)
      )

    self.assertAllClose(
      mirror.flip_rotation(turn(0.7), tf.constant([1.0, 0, 0])), turn(-0.7)
    )

  def test_center_offset_changes_sign_in_x(self):
    box = tf.constant([100.0, 200.0, 180.0, 300.0])
    flipped_box = tf.constant([100.0, WIDTH - 300.0, 180.0, WIDTH - 200.0])
    center = tf.constant([270.0, 150.0])
    # dx = (270 - 250) / 100 = 0.2, dy = (150 - 140) / 80 = 0.125.
    self.assertAllClose(center_offsets.encode(center, box), [0.2, 0.125])
    self.assertAllClose(
      center_offsets.encode(mirror.flip_points(center, WIDTH), flipped_box),
      [-0.2, 0.125],
    )

  def test_chiral_cad_gives_identity_not_nan(self):
    q = tf.constant(random_poses.quaternions(0))
    self.assertAllEqual(mirror.flip_rotation(q, tf.zeros([3])), [1, 0, 0, 0])
