"""One ground plane under several posed CADs, and the scales that reach it.

A photo does not tell size from distance: X = R v + t and s X = s R v + s t have
the same picture, u = cx - fx (s X) / (s Z) = cx - fx X / Z, v alike. So every
object has one free factor s > 0, and a ground plane settles it:

  plane:   n . X = -h, n the unit normal upwards, h > 0 the camera's height.
  lowest:  m = min over the object's points of n . X.
  scaled:  min of n . (s X) = s m, which is -h for s = h / d with d = -m.

d is the camera's height above the object's own ground, in units of its CAD.
Only an object whose lowest point is below the horizon, d > 0, can reach the
plane.

The plane comes from the objects: n is the mean of the up directions that
agree, h the median of d. Both are weighted; neither follows a single outlier.
"""

from typing import NamedTuple
from typing import Optional
from typing import Sequence

import numpy as np

MAX_TILT = np.radians(20.0)  # between an object's up direction and the normal
MIN_SCALE, MAX_SCALE = 0.4, 2.5  # a CAD that needs more is no fit
_ROUNDS = 10  # of choosing the up directions that agree; two or three suffice


class Plane(NamedTuple):
  """n . X = -h in the camera's frame.

  Attributes:
    normal: n, float [3], unit length, upwards.
    distance: h, of the camera above the plane, > 0; units of the points.
  """

  normal: np.ndarray
  distance: float


def common_normal(ups: np.ndarray, weights: np.ndarray) -> np.ndarray:
  """The mean of the up directions that agree best, float [3], unit length.

  Starts at the direction with most weight within MAX_TILT of it; then the mean
  of those within MAX_TILT takes its place until they stay the same.

  Args:
    ups: [objects, 3], unit length, camera frame.
    weights: [objects], > 0.
  """
  cosines = ups @ ups.T
  agree = cosines >= np.cos(MAX_TILT)
  members = agree[np.argmax((agree * cosines) @ weights)]
  normal = _unit_mean(ups, weights, members)
  for _ in range(_ROUNDS):
    now = ups @ normal >= np.cos(MAX_TILT)
    if (now == members).all():
      break
    members, normal = now, _unit_mean(ups, weights, now)
  return normal


def _unit_mean(
  ups: np.ndarray, weights: np.ndarray, members: np.ndarray
) -> np.ndarray:
  total = weights[members] @ ups[members]
  return total / np.linalg.norm(total)


def camera_height(points: np.ndarray, normal: np.ndarray) -> float:
  """d: the camera's height above the lowest of points [n, 3] along a normal."""
  return float(-(points @ normal).min())


def median_height(heights: np.ndarray, weights: np.ndarray) -> float:
  """The weighted median of heights [n] > 0, weights [n] > 0.

  The geometric mean of the two middle ones where they split the weights in
  halves.
  """
  order = np.argsort(heights, kind='stable')
  below = np.cumsum(weights[order]) / np.sum(weights)
  # Halves within rounding are halves.
  low = np.searchsorted(below, 0.5 - 1e-9)
  high = np.searchsorted(below, 0.5 + 1e-9)
  return float(np.sqrt(heights[order[low]] * heights[order[high]]))


def scale_onto(
  plane: Plane, up: np.ndarray, points: np.ndarray
) -> Optional[float]:
  """The factor s that puts an object's lowest point on the plane.

  Args:
    plane: of the ground.
    up: [3], unit length: the object's up direction, camera frame.
    points: [n, 3], of the object, camera frame.

  Returns:
    s, in MIN_SCALE..MAX_SCALE; None where the object does not stand on the
    plane: tilted by more than MAX_TILT, not below the horizon, too large or too
    small.
  """
  height = camera_height(points, plane.normal)
  if up @ plane.normal < np.cos(MAX_TILT) or height <= 0.0:
    return None
  scale = plane.distance / height
  return scale if MIN_SCALE <= scale <= MAX_SCALE else None


def fit(
  ups: np.ndarray,
  points: Sequence[np.ndarray],
  weights: np.ndarray,
  given: np.ndarray,
) -> Optional[Plane]:
  """The plane that posed objects stand on.

  Its normal comes from all of them, since depth does not turn an object; its
  distance from those whose depth is given, where some of them stand.

  Args:
    ups: [objects, 3], unit length: up directions, camera frame.
    points: of each object, [n, 3], camera frame.
    weights: [objects], > 0.
    given: bool [objects], whose depth is known.

  Returns:
    The plane; None where fewer than two objects stand on it.
  """
  if len(ups) < 2:
    return None
  normal = common_normal(ups, weights)
  heights = np.array([camera_height(part, normal) for part in points])
  stands = (ups @ normal >= np.cos(MAX_TILT)) & (heights > 0.0)
  voters = stands & given if (stands & given).any() else stands
  if not voters.any():
    return None
  plane = Plane(normal, median_height(heights[voters], weights[voters]))
  reached = [
    scale_onto(plane, up, part) is not None for up, part in zip(ups, points)
  ]
  return plane if np.sum(reached) >= 2 else None
