"""Vertices and triangles, and what moves them.

Lengths are metres, y is up, outward faces wind counter-clockwise.
"""

from typing import NamedTuple
from typing import Sequence
from typing import Union

import numpy as np

Point = Union[Sequence[float], np.ndarray]
Points = Union[Sequence[Point], np.ndarray]


class Shape(NamedTuple):
  """A triangle soup with shared vertices."""

  vertices: np.ndarray  # float64 [n, 3]
  faces: np.ndarray  # int64 [f, 3]


def joined(*shapes: Shape) -> Shape:
  """Several shapes as one; they may overlap."""
  offsets = np.cumsum([0] + [len(s.vertices) for s in shapes[:-1]])
  return Shape(
    np.concatenate([s.vertices for s in shapes]),
    np.concatenate([s.faces + o for s, o in zip(shapes, offsets)]),
  )


def moved(shape: Shape, offset: Point) -> Shape:
  """The shape shifted by `offset` [3]."""
  return Shape(shape.vertices + np.asarray(offset, float), shape.faces)


def scaled(shape: Shape, factors: Point) -> Shape:
  """The shape scaled by positive `factors` [3] about the origin."""
  return Shape(shape.vertices * np.asarray(factors, float), shape.faces)


def rotated(
  shape: Shape, axis: str, degrees: float, about: Point = (0, 0, 0)
) -> Shape:
  """The shape turned about the axis 'x', 'y' or 'z' through `about`."""
  i = 'xyz'.index(axis)
  j, k = (i + 1) % 3, (i + 2) % 3
  c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
  matrix = np.eye(3)
  matrix[[j, j, k, k], [j, k, j, k]] = c, -s, s, c
  return Shape((shape.vertices - about) @ matrix.T + about, shape.faces)


def reflected(shape: Shape, axis: str = 'x') -> Shape:
  """The mirror image through the plane `axis` = 0."""
  sign = np.where(np.arange(3) == 'xyz'.index(axis), -1.0, 1.0)
  return Shape(shape.vertices * sign, shape.faces[:, ::-1])


def mirrored(shape: Shape, axis: str = 'x') -> Shape:
  """The shape together with its mirror image through `axis` = 0."""
  return joined(shape, reflected(shape, axis))


def ring(shape: Shape, count: int, first_degrees: float = 0) -> Shape:
  """`count` copies turned evenly about the y axis."""
  return joined(
    *[
      rotated(shape, 'y', first_degrees + 360 * i / count) for i in range(count)
    ]
  )


def grid_faces(rows: int, columns: int) -> np.ndarray:
  """Triangles [f, 3] of a rows x columns grid, wound row cross column."""
  i, j = np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing='ij')
  a = (i * columns + j).reshape(-1)
  b, c, d = a + columns, a + columns + 1, a + 1
  return np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])


def without_slivers(shape: Shape) -> Shape:
  """Welds coinciding vertices and drops triangles without area."""
  _, first, inverse = np.unique(
    np.round(shape.vertices, 9), axis=0, return_index=True, return_inverse=True
  )
  faces = inverse.reshape(-1)[shape.faces]
  a, b, c = faces.T
  return Shape(shape.vertices[first], faces[(a != b) & (b != c) & (c != a)])
