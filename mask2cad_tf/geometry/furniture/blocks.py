"""Bevelled boxes and cushions."""

import functools
from typing import List
from typing import Tuple

import numpy as np

from mask2cad_tf.geometry.furniture import shapes


@functools.cache
def _bevelled_cube() -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Signs [24, 3], which coordinate is not inset [24] and faces [44, 3]."""
  signs = np.array(np.meshgrid(*[[-1, 1]] * 3, indexing='ij')).reshape(3, 8).T
  index = {
    (a, *s): 8 * a + i
    for a in range(3)
    for i, s in enumerate(map(tuple, signs))
  }
  polygons = [[index[(a, *s)] for a in range(3)] for s in map(tuple, signs)]
  for a in range(3):
    b, c = (a + 1) % 3, (a + 2) % 3
    for s in (-1, 1):
      quad, edge = [], []
      for u, v in ((-1, -1), (-1, 1), (1, 1), (1, -1)):
        key = [0, 0, 0]
        key[a], key[b], key[c] = s, u, v
        quad.append(index[(a, *key)])
      for t in (-1, 1):
        for owner, v in ((a, -1), (a, 1), (b, 1), (b, -1)):
          key = [0, 0, 0]
          key[a], key[b], key[c] = s, t, v
          edge.append(index[(owner, *key)])
      polygons += [quad, edge[:4], edge[4:]]
  all_signs = np.tile(signs, (3, 1))
  owner = np.repeat(np.arange(3), 8)
  points = all_signs * np.where(owner[:, None] == np.arange(3), 1.0, 0.8)
  faces = []
  for polygon in polygons:
    a, b, c = points[polygon[:3]]
    if np.dot(np.cross(b - a, c - a), a + b + c) < 0:
      polygon = polygon[::-1]
    faces += [
      [polygon[0], polygon[i], polygon[i + 1]]
      for i in range(1, len(polygon) - 1)
    ]
  return all_signs, owner, np.array(faces)


def box(
  size: shapes.Point, center: shapes.Point = (0, 0, 0), bevel: float = 0.004
) -> shapes.Shape:
  """A box with bevelled edges: 44 triangles."""
  signs, owner, faces = _bevelled_cube()
  half = np.asarray(size, float) / 2
  inset = np.minimum(bevel, 0.45 * half)
  free = owner[:, None] == np.arange(3)
  return shapes.Shape(
    signs * np.where(free, half, half - inset) + center, faces
  )


@functools.cache
def _cube_grid(cells: int) -> Tuple[np.ndarray, np.ndarray]:
  """Surface of a cube of `cells`^3 cells: integer points [n, 3], faces."""
  steps = np.arange(cells + 1)
  points: List[np.ndarray] = []
  faces: List[np.ndarray] = []
  for axis in range(3):
    for side in (0, cells):
      u, v = np.meshgrid(steps, steps, indexing='ij')
      plane = np.zeros((cells + 1, cells + 1, 3), int)
      plane[..., axis] = side
      plane[..., (axis + 1) % 3], plane[..., (axis + 2) % 3] = u, v
      triangles = shapes.grid_faces(cells + 1, cells + 1)
      triangles = triangles if side else triangles[:, ::-1]
      faces.append(triangles + len(points) * (cells + 1) ** 2)
      points.append(plane.reshape(-1, 3))
  unique, inverse = np.unique(
    np.concatenate(points), axis=0, return_inverse=True
  )
  return unique, inverse.reshape(-1)[np.concatenate(faces)]


def cushion(
  size: shapes.Point,
  center: shapes.Point = (0, 0, 0),
  radius: float = 0.05,
  puff: shapes.Point = (0, 0, 0),
  corner: int = 2,
) -> shapes.Shape:
  """A rounded box whose faces may bulge.

  Args:
    size: outer size before bulging.
    center: of the box.
    radius: of the edges; clipped to half of each side.
    puff: how far the middle of the faces across x, y, z bulges.
    corner: segments of a rounded edge; 2 give 432 triangles.

  Returns:
    The cushion.
  """
  grid, faces = _cube_grid(2 * corner + 2)
  half = np.asarray(size, float) / 2
  radii = np.minimum(radius, half)
  last = 2 * corner + 2
  bend = np.where(
    grid < corner,
    grid - corner,
    np.where(grid > last - corner, grid - last + corner, 0),
  )
  bend = np.tan(bend / corner * np.pi / 4)
  bend /= np.linalg.norm(bend, axis=1, keepdims=True)
  core = np.clip(grid, corner, last - corner) - corner - 1  # -1, 0, 1
  points = core * (half - radii) + bend * radii
  room = np.maximum(1 - (points / half) ** 2, 0)
  bulge = np.stack(
    [room[:, 1] * room[:, 2], room[:, 0] * room[:, 2], room[:, 0] * room[:, 1]],
    1,
  )
  points = points + np.sign(points) * bulge * np.asarray(puff, float)
  return shapes.without_slivers(shapes.Shape(points + center, faces))
