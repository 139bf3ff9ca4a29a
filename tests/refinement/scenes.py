"""A lopsided table and photos of it: targets whose answer is known."""

import numpy as np
import trimesh
from scipy.spatial import transform

from mask2cad_tf.geometry import renderer
from mask2cad_tf.refinement import target as target_lib

HEIGHT, WIDTH = 240, 320
INTRINSICS = np.array([500.0, 500.0, 160.0, 120.0])
DEPTH = 2.5
# Seen from above, its front turned aside.
ROTATION = transform.Rotation.from_euler(
  'xy', [-25, 215], degrees=True
).as_matrix()
TRANSLATION = np.array([0.1, -0.05, DEPTH])


def box(size, center=(0.0, 0.0, 0.0)) -> trimesh.Trimesh:
  mesh = trimesh.creation.box(size)
  mesh.apply_translation(center)
  return mesh


def table() -> trimesh.Trimesh:
  """1 x 0.65 x 0.6, four legs, a drawer on one side: no symmetry."""
  parts = [box((1.0, 0.05, 0.6), (0.0, 0.3, 0.0))]
  for x in (-0.45, 0.45):
    for z in (-0.25, 0.25):
      parts.append(box((0.05, 0.6, 0.05), (x, 0.0, z)))
  parts.append(box((0.3, 0.3, 0.5), (0.3, 0.15, 0.0)))
  return trimesh.util.concatenate(parts)


def turned(degrees: float, axis=(0.6, 0.64, 0.48)) -> np.ndarray:
  """ROTATION after a turn in the camera frame."""
  turn = transform.Rotation.from_rotvec(np.radians(degrees) * np.array(axis))
  return turn.as_matrix() @ ROTATION


def silhouette(mesh, rotation=ROTATION, translation=TRANSLATION) -> np.ndarray:
  return renderer.Renderer(mesh).silhouette(
    rotation, translation, INTRINSICS, HEIGHT, WIDTH
  )


def box_of(mask: np.ndarray) -> np.ndarray:
  rows, columns = np.nonzero(mask)
  return np.array(
    [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1], float
  )


def target_of(mask, depth=DEPTH, countable=None, image=None, box=None):
  """A photo in which nothing but the mask is known."""
  if countable is None:
    countable = np.ones(mask.shape, bool)
  if image is None:
    image = np.full(mask.shape + (3,), 90, np.uint8)
  return target_lib.Target(
    image=image,
    intrinsics=INTRINSICS,
    box=box_of(mask) if box is None else box,
    mask=mask.astype(np.float32),
    countable=countable,
    depth=depth,
  )


def degrees_between(first: np.ndarray, second: np.ndarray) -> float:
  relative = transform.Rotation.from_matrix(first.T @ second)
  return float(np.degrees(relative.magnitude()))
