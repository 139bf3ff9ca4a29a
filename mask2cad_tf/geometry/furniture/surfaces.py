"""Turned, swept and plate-like closed solids."""

import numpy as np

from mask2cad_tf.geometry.furniture import shapes


def lathe(
  profile: shapes.Points, segments: int = 16, center: shapes.Point = (0, 0, 0)
) -> shapes.Shape:
  """A profile [(radius, y), ...], from bottom to top, turned about y.

  The ends are closed by flat discs unless their radius is zero.
  """
  profile = [(max(r, 0.0), y) for r, y in profile]
  angles = 2 * np.pi * (np.arange(segments) + 0.5) / segments
  circle = np.stack([np.sin(angles), np.cos(angles)], 1)
  rings = [
    np.stack(
      [r * circle[:, 0], np.full(segments, float(y)), r * circle[:, 1]], 1
    )
    for r, y in profile
  ]
  return shapes.moved(_skin(rings), center)


def _skin(rings: shapes.Points, capped: bool = True) -> shapes.Shape:
  """The solid through rings [m, 3]; fans close its ends if `capped`."""
  rings = np.asarray(rings)
  count, m = rings.shape[:2]
  j = np.arange(m)
  k = (j + 1) % m
  faces = []
  for i in range(count - 1):
    low, high = i * m, (i + 1) * m
    faces += [
      np.stack([low + j, low + k, high + k], 1),
      np.stack([low + j, high + k, high + j], 1),
    ]
  vertices = rings.reshape(-1, 3)
  if capped:
    first, last, end = (
      np.full(m, count * m),
      np.full(m, count * m + 1),
      m * (count - 1),
    )
    faces += [np.stack([k, j, first], 1), np.stack([end + j, end + k, last], 1)]
    vertices = np.concatenate([vertices, rings[:1].mean(1), rings[-1:].mean(1)])
  return shapes.without_slivers(shapes.Shape(vertices, np.concatenate(faces)))


def sweep(
  path: shapes.Points,
  section: np.ndarray,
  scales: shapes.Point = (),
  closed: bool = False,
  side: shapes.Point = (1, 0, 0),
) -> shapes.Shape:
  """A convex section carried along a path.

  Args:
    path: points [n, 3].
    section: [m, 2], counter-clockwise; its first axis lies along `side` as far
      as the path allows, its second one across.
    scales: of the section at each path point; empty for 1.
    closed: the path's last point joins the first.
    side: reference direction; z replaces it where the path runs along it.

  Returns:
    The swept solid.
  """
  path = np.asarray(path, float)
  if closed:
    path = np.concatenate([path, path[:1]])
  steps = np.diff(path, axis=0)
  steps /= np.linalg.norm(steps, axis=1, keepdims=True)
  first = steps[-1] if closed else steps[0]
  last = steps[0] if closed else steps[-1]
  tangents = np.concatenate([[first], steps]) + np.concatenate([steps, [last]])
  tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
  scales = np.ones(len(path)) if len(scales) == 0 else np.asarray(scales, float)
  across = np.asarray(side, float)
  if abs(across @ tangents[0]) > 0.9:
    across = np.array([0.0, 0.0, 1.0])
  rings = []
  for point, tangent, scale in zip(path, tangents, scales):
    across = across - (across @ tangent) * tangent  # parallel transport
    across /= np.linalg.norm(across)
    frame = np.stack([across, np.cross(tangent, across)])
    rings.append(point + scale * section @ frame)
  return _skin(rings, capped=not closed)


def tube(
  path: shapes.Points,
  radius: float,
  segments: int = 8,
  scales: shapes.Point = (),
  closed: bool = False,
) -> shapes.Shape:
  """A round rod along a path; `scales` multiply the radius at each point."""
  angles = 2 * np.pi * (np.arange(segments) + 0.5) / segments
  section = radius * np.stack([np.cos(angles), np.sin(angles)], 1)
  return sweep(path, section, scales, closed)


def bar(
  start: shapes.Point,
  end: shapes.Point,
  width: float,
  depth: float = 0,
  taper: float = 1.0,
  side: shapes.Point = (1, 0, 0),
) -> shapes.Shape:
  """A straight beam with bevelled corners.

  Args:
    start: first end.
    end: other end.
    width: along `side` (x; z for beams along x).
    depth: across; 0 for the width.
    taper: size of the section at `end` over that at `start`.
    side: reference direction of the width.

  Returns:
    The beam.
  """
  w, d = width / 2, (depth or width) / 2
  b = min(0.004, 0.4 * w, 0.4 * d)
  section = np.array(
    [
      (w, b - d),
      (w, d - b),
      (w - b, d),
      (b - w, d),
      (-w, d - b),
      (-w, b - d),
      (b - w, -d),
      (w - b, -d),
    ]
  )
  return sweep([start, end], section, (1.0, taper), side=side)


def slab(
  outline: np.ndarray,
  thickness: float,
  center: shapes.Point = (0, 0, 0),
  bevel: float = 0.004,
) -> shapes.Shape:
  """A flat horizontal plate with bevelled rim.

  Args:
    outline: [n, 2], (x, z), seen as star-shaped from its mean.
    thickness: in y.
    center: of the plate.
    bevel: of the rim.

  Returns:
    The plate.
  """
  outline = np.asarray(outline, float)
  if _signed_area(outline) > 0:
    outline = outline[::-1]
  middle = outline.mean(0)
  reach = np.linalg.norm(outline - middle, axis=1, keepdims=True)
  inner = middle + (outline - middle) * (1 - np.minimum(bevel / reach, 0.4))
  h, b = thickness / 2, min(bevel, 0.4 * thickness)
  levels = ((inner, -h), (outline, b - h), (outline, h - b), (inner, h))
  rings = [
    np.stack([o[:, 0], np.full(len(o), y), o[:, 1]], 1) for o, y in levels
  ]
  return shapes.moved(_skin(rings), center)


def _signed_area(outline: np.ndarray) -> float:
  """Twice the signed area of a polygon [n, 2]."""
  x, y = outline.T
  return float(x @ np.roll(y, -1) - y @ np.roll(x, -1))


def sheet(grid: np.ndarray, thickness: float) -> shapes.Shape:
  """A curved plate.

  Args:
    grid: [rows, columns, 3], the middle surface.
    thickness: measured along the surface normal.

  Returns:
    The plate with its rim.
  """
  grid = np.asarray(grid, float)
  rows, columns = grid.shape[:2]
  normal = np.cross(np.gradient(grid, axis=0), np.gradient(grid, axis=1))
  normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
  front = (grid + normal * thickness / 2).reshape(-1, 3)
  back = (grid - normal * thickness / 2).reshape(-1, 3)
  faces = shapes.grid_faces(rows, columns)
  index = np.arange(rows * columns).reshape(rows, columns)
  rim = np.concatenate(
    [index[:-1, 0], index[-1, :-1], index[:0:-1, -1], index[0, :0:-1]]
  )
  after, below = np.roll(rim, -1), rows * columns
  edge = np.concatenate(
    [
      np.stack([rim, rim + below, after + below], 1),
      np.stack([rim, after + below, after], 1),
    ]
  )
  return shapes.without_slivers(
    shapes.Shape(
      np.concatenate([front, back]),
      np.concatenate([faces, faces[:, ::-1] + below, edge]),
    )
  )


def panel(
  lower: shapes.Points, upper: shapes.Points, thickness: float
) -> shapes.Shape:
  """The flat plate between two polylines [n, 3] of equal length."""
  return sheet(np.stack([np.asarray(lower), np.asarray(upper)], 1), thickness)


def superellipse(
  width: float, depth: float, exponent: float = 2, count: int = 32
) -> np.ndarray:
  """Outline [count, 2] from an ellipse (2) over squircles to a rectangle."""
  angles = 2 * np.pi * (np.arange(count) + 0.5) / count
  c, s = np.cos(angles), np.sin(angles)
  reach = (np.abs(c) ** exponent + np.abs(s) ** exponent) ** (-1 / exponent)
  return np.stack([width / 2 * c * reach, depth / 2 * s * reach], 1)
