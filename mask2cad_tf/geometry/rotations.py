"""Rotations in NumPy: quaternions (w, x, y, z), matrices, allocentric frame."""

import numpy as np
from scipy.spatial import transform

_TOLERANCE = 1e-3


def matrix_from_quaternion(quaternion: np.ndarray) -> np.ndarray:
  """Rotation matrices [..., 3, 3] of quaternions [..., 4], any length > 0."""
  quaternion = np.asarray(quaternion, np.float64)
  xyzw = np.roll(quaternion, -1, axis=-1).reshape(-1, 4)
  matrices = transform.Rotation.from_quat(xyzw).as_matrix()
  return matrices.reshape(quaternion.shape[:-1] + (3, 3))


def quaternion_from_matrix(matrix: np.ndarray) -> np.ndarray:
  """Unit quaternions [..., 4], w >= 0, of rotation matrices [..., 3, 3]."""
  matrix = np.asarray(matrix, np.float64)
  xyzw = transform.Rotation.from_matrix(matrix.reshape(-1, 3, 3)).as_quat()
  wxyz = np.roll(xyzw, 1, axis=-1)
  wxyz = np.where(wxyz[:, :1] < 0, -wxyz, wxyz)
  return wxyz.reshape(matrix.shape[:-2] + (4,))


def geodesic_angle(first: np.ndarray, second: np.ndarray) -> np.ndarray:
  """Angle between rotations, 2 acos |<q1, q2>| (Sec. 3.3).

  Args:
    first: unit quaternions [..., 4].
    second: unit quaternions [..., 4], broadcast against `first`.

  Returns:
    Radians [...], between 0 and pi; q and -q are one rotation.
  """
  dot = np.abs(np.sum(np.asarray(first) * np.asarray(second), axis=-1))
  return 2.0 * np.arccos(np.minimum(dot, 1.0))


def check_rotation(matrix: np.ndarray, where: str) -> None:
  """Refuses what is not a rotation.

  Args:
    matrix: [3, 3].
    where: what carries it, for the message (a file, a record, an argument).

  Raises:
    ValueError: not 3x3, not finite, not orthonormal or det != 1 (within 1e-3).
  """
  matrix = np.asarray(matrix, np.float64)
  if matrix.shape != (3, 3) or not np.isfinite(matrix).all():
    raise ValueError(
      f'{where}: expected a finite 3x3 rotation matrix, found shape '
      f'{matrix.shape}: {matrix.tolist()}. Correct the annotation.'
    )
  determinant = np.linalg.det(matrix)
  skew = np.abs(matrix @ matrix.T - np.eye(3)).max()
  if abs(determinant - 1.0) > _TOLERANCE or skew > _TOLERANCE:
    raise ValueError(
      f'{where}: expected a rotation (orthonormal, determinant 1), found '
      f'determinant {determinant:.4f}, R R^T off the identity by {skew:.4f}. '
      'Take scale and mirroring out of the matrix, or correct the '
      'annotation.'
    )


def ray_rotation(center: np.ndarray, intrinsics: np.ndarray) -> np.ndarray:
  """Smallest rotation that takes +z to the ray through an image point.

  Args:
    center: (u, v), pixels.
    intrinsics: (fx, fy, cx, cy), pixels.

  Returns:
    R_ray [3, 3], camera frame.
  """
  fx, fy, cx, cy = np.asarray(intrinsics, np.float64)
  ray = np.array([-(center[0] - cx) / fx, -(center[1] - cy) / fy, 1.0])
  ray /= np.linalg.norm(ray)
  axis = np.cross([0.0, 0.0, 1.0], ray)
  cross = np.array(
    [
      [0.0, -axis[2], axis[1]],
      [axis[2], 0.0, -axis[0]],
      [-axis[1], axis[0], 0.0],
    ]
  )
  # Rodrigues with sin = |axis|, cos = ray z > 0: no division by zero.
  return np.eye(3) + cross + cross @ cross / (1.0 + ray[2])


def allocentric_from_camera(
  rotation: np.ndarray, center: np.ndarray, intrinsics: np.ndarray
) -> np.ndarray:
  """R_ray^T R [3, 3]: the rotation as it looks from the ray."""
  return ray_rotation(center, intrinsics).T @ rotation


def camera_from_allocentric(
  rotation: np.ndarray, center: np.ndarray, intrinsics: np.ndarray
) -> np.ndarray:
  """R_ray R [3, 3]: inverse of `allocentric_from_camera`."""
  return ray_rotation(center, intrinsics) @ rotation


def random_rotations(count: int, rng: np.random.Generator) -> np.ndarray:
  """Uniform unit quaternions [count, 4], w >= 0."""
  quaternions = rng.normal(size=(count, 4))
  quaternions /= np.linalg.norm(quaternions, axis=-1, keepdims=True)
  return np.where(quaternions[:, :1] < 0, -quaternions, quaternions)
