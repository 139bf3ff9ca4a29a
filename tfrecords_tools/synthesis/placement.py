"""Things that stand in a room: footprints, contacts, collisions."""

import dataclasses
import functools
from typing import Optional
from typing import Sequence

import numpy as np

from tfrecords_tools.synthesis import library as library_lib
from tfrecords_tools.synthesis import scene as scene_lib

_GAP = 0.02  # metres between neighbours
_TRIES = 12
_LEVEL = 0.004  # metres that a surface may vary under what stands on it
_LIFT = 5e-4  # metres over that surface
_REACHABLE = 1.6  # metres; nobody puts things on higher surfaces


def turn(yaw: float) -> np.ndarray:
  """Rotation [3, 3] about +y by an angle in radians."""
  cos, sin = np.cos(yaw), np.sin(yaw)
  return np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])


@dataclasses.dataclass(frozen=True, eq=False)
class Thing:
  """A CAD in metres, upright: its box's base is centred on the origin."""

  cad: library_lib.LibraryCad
  mesh: str
  geometry: library_lib.CadGeometry
  scale: float
  vertices: np.ndarray  # float32 [n, 3], metres

  @classmethod
  def draw(
    cls,
    library: library_lib.Library,
    cad: library_lib.LibraryCad,
    rng: np.random.Generator,
  ) -> 'Thing':
    """One of the shape's variants, at a plausible size.

    Args:
      library: of the CAD.
      cad: the shape.
      rng: source of randomness.

    Returns:
      The thing.

    Raises:
      Rejected: if the drawn variants have stray geometry.
      meshes.MeshError: if a file cannot be read.
    """
    mesh, geometry = library.draw_variant(cad, rng)
    scale = library.draw_scale(cad, geometry, rng)
    vertices = ((geometry.vertices - geometry.base) * scale).astype(np.float32)
    return cls(cad, mesh, geometry, scale, vertices)

  @property
  def size(self) -> np.ndarray:
    """Edges [3] of its box, metres."""
    return (self.geometry.high - self.geometry.low) * self.scale


@dataclasses.dataclass(frozen=True, eq=False)
class Placed:
  """A thing at its place; the world's vertices are turn(yaw) v + position."""

  thing: Thing
  yaw: float
  position: np.ndarray  # float64 [3], of the base's centre
  support: Optional['Placed'] = None  # what it stands on; None: the floor
  against_wall: bool = False  # its back (+z) is at a wall

  @functools.cached_property
  def vertices(self) -> np.ndarray:
    """Float32 [n, 3], world."""
    turned = self.thing.vertices @ turn(self.yaw).T.astype(np.float32)
    return turned + self.position.astype(np.float32)

  def in_world(self, local: Sequence[float]) -> np.ndarray:
    """A point [3] given from the base's centre along the thing's axes."""
    return turn(self.yaw) @ np.asarray(local, float) + self.position

  def corners(self) -> np.ndarray:
    """The corners [8, 3] of its box, world."""
    flat = self.footprint()
    heights = self.position[1] + np.array([0.0, self.thing.size[1]])
    return np.concatenate([np.insert(flat, 1, y, axis=1) for y in heights])

  def footprint(self, margin: float = 0.0) -> np.ndarray:
    """Corners [4, 2] (x, z) of its box on the floor."""
    half = 0.5 * self.thing.size[[0, 2]] + margin
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    axes = turn(self.yaw)[np.ix_([0, 2], [0, 2])]
    return corners @ axes.T + self.position[[0, 2]]

  def holds(self, point: np.ndarray, margin: float) -> bool:
    """Is a point [3] inside its box, grown by a margin in metres?"""
    local = turn(self.yaw).T @ (point - self.position)
    half = 0.5 * self.thing.size
    away = np.abs(local - [0.0, half[1], 0.0]) - half
    return bool((away < margin).all())

  def distance(self, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Float32 [n]: where rays meet it, in lengths of the directions [n, 3].

    The CAD's own caster answers, so nothing is built for a place.
    """
    rotation, scale = turn(self.yaw), self.thing.scale
    local = (origins - self.position) @ rotation / scale
    return self.thing.geometry.caster.distance(
      local + self.thing.geometry.base, directions @ rotation / scale
    )

  def as_object(self) -> scene_lib.PlacedCad:
    """Its pose in terms of the CAD's stored vertices."""
    rotation, scale = turn(self.yaw), self.thing.scale
    return scene_lib.PlacedCad(
      self.thing.cad.cad_id,
      self.thing.cad.label_name,
      self.thing.mesh,
      rotation,
      self.position - rotation @ (scale * self.thing.geometry.base),
      scale,
    )


def overlap(first: np.ndarray, second: np.ndarray) -> bool:
  """Do two convex quadrangles [4, 2] overlap, by separating axes?"""
  for corners in (first, second):
    for edge in np.roll(corners, -1, axis=0) - corners:
      normal = np.array([-edge[1], edge[0]])
      a, b = first @ normal, second @ normal
      if a.max() <= b.min() or b.max() <= a.min():
        return False
  return True


def crossing(first: Placed, second: Placed) -> bool:
  """Does an edge of one go through a face of the other?"""
  return _edges_cross(first, second) or _edges_cross(second, first)


def fits(candidate: Placed, others: Sequence[Placed], touching: bool) -> bool:
  """May it stand there?

  Args:
    candidate: to be placed.
    others: what stands already.
    touching: let boxes overlap where the surfaces do not cross (a chair under
      a table).
  """
  mine = candidate.footprint(_GAP)
  for other in others:
    if other is candidate.support or not _heights_meet(candidate, other):
      continue
    if not overlap(mine, other.footprint()):
      continue
    if not touching or crossing(candidate, other):
      return False
  return True


def inside(placed: Placed, size: Sequence[float]) -> bool:
  """Is its footprint inside the room of size (x, z)?"""
  half = 0.5 * np.asarray(size)
  return bool((np.abs(placed.footprint()) <= half + 1e-6).all())


def surface_spot(
  support: Placed,
  thing: Thing,
  rng: np.random.Generator,
  yaw: Optional[float] = None,
) -> Optional[Placed]:
  """A level, free place on top of a support.

  Args:
    support: what to stand on.
    thing: what shall stand there.
    rng: source of randomness.
    yaw: of the thing; None: any.

  Returns:
    The place, or None if a few tries find none.
  """
  start = support.position[1] + support.thing.size[1] + 1.0
  half = 0.5 * support.thing.size[[0, 2]]
  grid = np.linspace(-0.5, 0.5, 5)
  foot = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
  foot = np.insert(foot * thing.size[[0, 2]], 1, 0.0, axis=1)
  for _ in range(_TRIES):
    local = rng.uniform(-0.9, 0.9, 2) * half
    turned = rng.uniform(-np.pi, np.pi) if yaw is None else yaw
    at = support.in_world([local[0], 0.0, local[1]])
    origins = foot @ turn(turned).T + at
    origins[:, 1] = start
    down = np.broadcast_to([0.0, -1.0, 0.0], origins.shape)
    heights = start - support.distance(origins, down)
    if not np.isfinite(heights).all() or np.ptp(heights) > _LEVEL:
      continue
    if heights.max() > _REACHABLE:
      continue
    at[1] = heights.max() + _LIFT
    candidate = Placed(thing, turned, at, support)
    if not crossing(candidate, support):
      return candidate
  return None


def _heights_meet(first: Placed, second: Placed) -> bool:
  low = max(first.position[1], second.position[1])
  tops = [p.position[1] + p.thing.size[1] for p in (first, second)]
  return low < min(tops)


def _edges_cross(mover: Placed, other: Placed) -> bool:
  """Does an edge of `mover` meet a face of `other`?"""
  triangles = mover.vertices[mover.thing.geometry.faces]
  corners = other.corners()
  low, high = corners.min(axis=0), corners.max(axis=0)
  near = (triangles.max(axis=1) >= low) & (triangles.min(axis=1) <= high)
  triangles = triangles[near.all(axis=1)]
  if not len(triangles):
    return False
  starts = triangles.reshape(-1, 3)
  directions = np.roll(triangles, -1, axis=1).reshape(-1, 3) - starts
  long = np.linalg.norm(directions, axis=1) > 1e-7
  if not long.any():
    return False
  return bool((other.distance(starts[long], directions[long]) < 1.0).any())
