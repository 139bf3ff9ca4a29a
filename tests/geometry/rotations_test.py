"""Rotations: closed forms, round trips, refusals."""

import numpy as np
import pytest

from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import rotations

_HALF = np.sqrt(0.5)
_INTRINSICS = (500.0, 400.0, 320.0, 240.0)


def test_a_quarter_turn_about_up():
  # cos 45, sin 45 about +y: x goes to -z.
  matrix = rotations.matrix_from_quaternion([_HALF, 0.0, _HALF, 0.0])
  np.testing.assert_allclose(
    matrix, [[0, 0, 1], [0, 1, 0], [-1, 0, 0]], atol=1e-12
  )


@pytest.mark.parametrize('seed', range(5))
def test_quaternions_and_matrices_round_trip(seed):
  quaternions = rotations.random_rotations(20, np.random.default_rng(seed))
  quaternions = quaternions.reshape(4, 5, 4)
  matrices = rotations.matrix_from_quaternion(-2.0 * quaternions)
  assert matrices.shape == (4, 5, 3, 3)
  np.testing.assert_allclose(
    rotations.quaternion_from_matrix(matrices), quaternions, atol=1e-12
  )


def test_angle_closed_forms():
  identity = np.array([1.0, 0.0, 0.0, 0.0])
  quarter = np.array([_HALF, 0.0, _HALF, 0.0])
  half = np.array([0.0, 0.0, 0.0, 1.0])
  angles = rotations.geodesic_angle(
    identity, np.stack([identity, -identity, quarter, half])
  )
  np.testing.assert_allclose(angles, [0.0, 0.0, np.pi / 2, np.pi], atol=1e-12)


@pytest.mark.parametrize('seed', range(5))
def test_angle_is_a_metric_and_the_matrices_angle(seed):
  a, b, c = rotations.random_rotations(3, np.random.default_rng(seed))
  matrix_a, matrix_b = rotations.matrix_from_quaternion(np.stack([a, b]))
  angle = rotations.geodesic_angle(a, b)
  # trace(R) = 1 + 2 cos(angle)
  np.testing.assert_allclose(
    np.trace(matrix_a.T @ matrix_b), 1.0 + 2.0 * np.cos(angle), atol=1e-9
  )
  np.testing.assert_allclose(rotations.geodesic_angle(b, -a), angle)
  detour = rotations.geodesic_angle(a, c) + rotations.geodesic_angle(c, b)
  assert angle <= detour + 1e-12


@pytest.mark.parametrize(
  'matrix, words',
  [
    (np.diag([1.0, 1.0, -1.0]), 'determinant -1.0000'),
    (2.0 * np.eye(3), 'determinant 8.0000'),
    ([[1.0, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], 'off the identity'),
    (np.full((3, 3), np.nan), 'finite'),
    (np.eye(4), 'shape'),
  ],
)
def test_what_is_not_a_rotation_is_refused(matrix, words):
  with pytest.raises(ValueError, match=words) as error:
    rotations.check_rotation(matrix, 'img/chair/0001.jpg')
  assert str(error.value).startswith('img/chair/0001.jpg')
  assert 'orrect' in str(error.value)


def test_a_printed_rotation_passes():
  quaternion = rotations.random_rotations(1, np.random.default_rng(0))[0]
  rounded = rotations.matrix_from_quaternion(quaternion).round(4)
  rotations.check_rotation(rounded, 'rounded to four digits')


@pytest.mark.parametrize(
  'center', [(320.0, 240.0), (10.0, 400.0), (639.0, 0.0), (-900.0, 240.0)]
)
def test_ray_rotation_takes_forward_to_the_ray(center):
  matrix = rotations.ray_rotation(center, _INTRINSICS)
  rotations.check_rotation(matrix, 'ray')
  np.testing.assert_allclose(
    cameras.project(matrix[:, 2], _INTRINSICS), center, atol=1e-9
  )
  # Smallest: it turns by just the angle between +z and the ray.
  np.testing.assert_allclose(
    np.trace(matrix), 1.0 + 2.0 * matrix[2, 2], atol=1e-12
  )


def test_the_principal_ray_turns_nothing():
  np.testing.assert_allclose(
    rotations.ray_rotation((320.0, 240.0), _INTRINSICS), np.eye(3)
  )


@pytest.mark.parametrize('seed', range(3))
def test_allocentric_and_camera_frames_are_inverse(seed):
  rng = np.random.default_rng(seed)
  matrix = rotations.matrix_from_quaternion(
    rotations.random_rotations(1, rng)[0]
  )
  center = rng.uniform(0, 640, 2)
  there = rotations.allocentric_from_camera(matrix, center, _INTRINSICS)
  back = rotations.camera_from_allocentric(there, center, _INTRINSICS)
  np.testing.assert_allclose(back, matrix, atol=1e-12)


def test_random_rotations_are_uniform():
  # The mean angle to the identity of uniform rotations is pi / 2 + 2 / pi.
  quaternions = rotations.random_rotations(20000, np.random.default_rng(0))
  angles = rotations.geodesic_angle(quaternions, np.array([1.0, 0, 0, 0]))
  np.testing.assert_allclose(angles.mean(), np.pi / 2 + 2 / np.pi, atol=0.02)
  assert (quaternions[:, 0] >= 0).all()
