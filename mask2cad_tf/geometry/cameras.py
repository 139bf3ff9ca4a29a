"""Pinhole projection in Pix3D's camera frame (see `conventions`)."""

from typing import Tuple

import numpy as np

_BISECTIONS = 80


def project(points: np.ndarray, intrinsics: np.ndarray) -> np.ndarray:
  """Image points u = cx - fx X / Z, v = cy - fy Y / Z.

  Args:
    points: [..., 3], camera frame, Z > 0.
    intrinsics: (fx, fy, cx, cy), pixels.

  Returns:
    [..., 2], (u, v), pixels.
  """
  points = np.asarray(points, np.float64)
  intrinsics = np.asarray(intrinsics, np.float64)
  return intrinsics[2:] - intrinsics[:2] * points[..., :2] / points[..., 2:]


def unproject(
  center: np.ndarray, depth: float, intrinsics: np.ndarray
) -> np.ndarray:
  """The point [3] of the camera frame at Z = depth that projects to center.

  Args:
    center: (u, v), pixels.
    depth: Z, CAD units.
    intrinsics: (fx, fy, cx, cy), pixels.
  """
  intrinsics = np.asarray(intrinsics, np.float64)
  slope = (intrinsics[2:] - np.asarray(center, np.float64)) / intrinsics[:2]
  return depth * np.append(slope, 1.0)


def box_fit_depth(
  vertices: np.ndarray,
  rotation: np.ndarray,
  center: np.ndarray,
  box: np.ndarray,
  intrinsics: np.ndarray,
  image_size: Tuple[float, float],
) -> float:
  """The depth at which a posed CAD is as large in the image as its box.

  The CAD's origin projects to `center`; sqrt(width * height) of its vertices'
  projected extent, cut at the image's border as the box is, equals the box's.

  Args:
    vertices: [n, 3], CAD frame.
    rotation: [3, 3], CAD to camera.
    center: (u, v), pixels.
    box: (ymin, xmin, ymax, xmax), pixels, inside the image.
    intrinsics: (fx, fy, cx, cy), pixels.
    image_size: (height, width), pixels.

  Returns:
    Z of the CAD's origin, CAD units; all vertices lie before the camera. The
    largest such Z where several fit: a box that fills the image.

  Raises:
    ValueError: the box is empty.
  """
  height, width = box[2] - box[0], box[3] - box[1]
  if not (height > 0 and width > 0):
    raise ValueError(
      f'Expected a box (ymin, xmin, ymax, xmax) with area, found '
      f'{np.asarray(box).tolist()}. Check the order of its corners.'
    )
  rotated = np.asarray(vertices, np.float64) @ np.asarray(rotation).T
  radius = np.linalg.norm(rotated, axis=-1).max()
  # The depth from which on nothing lies behind the camera.
  nearest = max(-rotated[:, 2].min(), 0.0)
  border = np.array([image_size[1], image_size[0]], np.float64)

  def extent(distance: float) -> float:
    points = rotated + unproject(center, nearest + distance, intrinsics)
    points = np.clip(project(points, intrinsics), 0.0, border)
    return np.sqrt(np.prod(np.ptp(points, axis=0)))

  # The extent falls from "fills the image" to 0: bisect the logarithm.
  target = np.sqrt(height * width) * (1.0 - 1e-9)
  low, high = 1e-6 * radius, radius
  while extent(high) > target:
    high *= 2.0
  for _ in range(_BISECTIONS):
    middle = np.sqrt(low * high)
    low, high = (middle, high) if extent(middle) > target else (low, middle)
  return float(nearest + np.sqrt(low * high))
