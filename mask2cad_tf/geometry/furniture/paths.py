"""Polylines in space that tubes and plates follow."""

from typing import Sequence
from typing import Union

import numpy as np
from scipy import interpolate

Point = Union[Sequence[float], np.ndarray]
Points = Union[Sequence[Point], np.ndarray]


def curve(points: Points, count: int = 12) -> np.ndarray:
  """A smooth curve [count, d] through points [n, d], evenly in arc length."""
  points = np.asarray(points, float)
  length = np.linalg.norm(np.diff(points, axis=0), axis=1)
  at = np.concatenate([[0], np.cumsum(length)])
  smooth = interpolate.PchipInterpolator(at, points)
  return smooth(np.linspace(0, at[-1], count))


def bent(
  points: Points, radius: float, steps: int = 3, closed: bool = False
) -> np.ndarray:
  """The polyline with its corners rounded, as bent tube is.

  Args:
    points: corners [n, 3].
    radius: distance from a corner at which the bend begins.
    steps: segments of a bend.
    closed: the last point joins the first.

  Returns:
    Points [m, 3].
  """
  points = np.asarray(points, float)
  before, after = np.roll(points, 1, axis=0), np.roll(points, -1, axis=0)
  out = []
  for i, (a, p, b) in enumerate(zip(before, points, after)):
    if not closed and i in (0, len(points) - 1):
      out.append(p)
      continue
    start = p + (a - p) * min(0.5, radius / np.linalg.norm(a - p))
    end = p + (b - p) * min(0.5, radius / np.linalg.norm(b - p))
    for t in np.linspace(0, 1, steps + 1):
      out.append((1 - t) ** 2 * start + 2 * t * (1 - t) * p + t**2 * end)
  out = np.array(out)
  before = np.roll(out, 1, axis=0)
  repeated = np.linalg.norm(out - before, axis=1) < 1e-9
  repeated[0] &= closed
  return out[~repeated]


def arc(
  radius: float,
  first: float,
  last: float,
  count: int = 9,
  center: Point = (0, 0, 0),
  plane: str = 'xy',
) -> np.ndarray:
  """Points [count, 3] on a circle, from angle `first` to `last`, degrees."""
  angles = np.radians(np.linspace(first, last, count))
  points = np.zeros((count, 3))
  points[:, 'xyz'.index(plane[0])] = radius * np.cos(angles)
  points[:, 'xyz'.index(plane[1])] = radius * np.sin(angles)
  return points + center


def line(start: Point, end: Point, count: int) -> np.ndarray:
  """Evenly spaced points [count, d], both ends included."""
  return np.linspace(np.asarray(start, float), np.asarray(end, float), count)
