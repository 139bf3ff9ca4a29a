"""Things that stand in a room: footprints, contacts, collisions."""

import dataclasses
from typing import Optional
from typing import Sequence

import numpy as np

from mask2cad_tf.geometry import ray_caster
from tfrecords_tools.synthesis import library as library_lib
from tfrecords_tools.synthesis import scene as scene_lib

_GAP = 0.02  # metres between neighbours


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
    """One of the shape's variants, at a plausible size."""
    mesh = cad.meshes[rng.integers(len(cad.meshes))]
    geometry = library.load(mesh)
    scale = library.draw_scale(cad, geometry, rng)
    base = _base(geometry)
    vertices = ((geometry.vertices - base) * scale).astype(np.float32)
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

  @property
  def vertices(self) -> np.ndarray:
    """Float32 [n, 3], world."""
    turned = self.thing.vertices @ turn(self.yaw).T.astype(np.float32)
    return turned + self.position.astype(np.float32)

  def footprint(self, margin: float = 0.0) -> np.ndarray:
    """Corners [4, 2] (x, z) of its box on the floor."""
    half = 0.5 * self.thing.size[[0, 2]] + margin
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    axes = turn(self.yaw)[np.ix_([0, 2], [0, 2])]
    return corners @ axes.T + self.position[[0, 2]]

  def as_object(self) -> scene_lib.PlacedCad:
    """Its pose in terms of the CAD's stored vertices."""
    rotation, scale = turn(self.yaw), self.thing.scale
    base = _base(self.thing.geometry)
    return scene_lib.PlacedCad(
      self.thing.cad.cad_id,
      self.thing.cad.label_name,
      self.thing.mesh,
      rotation,
      self.position - rotation @ (scale * base),
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
  a = first.vertices[first.thing.geometry.faces]
  b = second.vertices[second.thing.geometry.faces]
  return _edges_cross(a, b) or _edges_cross(b, a)


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
    if other is candidate.support or other.support is candidate:
      continue
    if not _heights_meet(candidate, other):
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
  support: Placed, thing: Thing, rng: np.random.Generator, tries: int = 12
) -> Optional[Placed]:
  """A level, free place on top of a support, or None."""
  caster = ray_caster.RayCaster(support.vertices[support.thing.geometry.faces])
  top = support.position[1] + support.thing.size[1] + 1.0
  half = 0.5 * support.thing.size[[0, 2]]
  for _ in range(tries):
    local = rng.uniform(-0.85, 0.85, 2) * half
    at = turn(support.yaw) @ [local[0], 0.0, local[1]] + support.position
    yaw = support.yaw + rng.uniform(-np.pi, np.pi)
    candidate = Placed(thing, yaw, at, support)
    corners = np.concatenate([candidate.footprint(), [at[[0, 2]]]])
    starts = np.insert(corners, 1, top, axis=1)
    down = np.broadcast_to([0.0, -1.0, 0.0], starts.shape)
    heights = top - caster.distance(starts, down)
    if np.isfinite(heights).all() and np.ptp(heights) < 0.004:
      at[1] = heights.max() + 0.001
      return dataclasses.replace(candidate, position=at)
  return None


def _base(geometry: library_lib.CadGeometry) -> np.ndarray:
  """Centre of the bottom of the CAD's box, CAD units."""
  middle = 0.5 * (geometry.low + geometry.high)
  return np.array([middle[0], geometry.low[1], middle[2]])


def _heights_meet(first: Placed, second: Placed) -> bool:
  low = max(first.position[1], second.position[1])
  tops = [p.position[1] + p.thing.size[1] for p in (first, second)]
  return low < min(tops)


def _edges_cross(triangles: np.ndarray, others: np.ndarray) -> bool:
  """Does an edge of `triangles` meet a face of `others`?"""
  low, high = others.min(axis=(0, 1)), others.max(axis=(0, 1))
  near = (triangles.max(axis=1) >= low) & (triangles.min(axis=1) <= high)
  triangles = triangles[near.all(axis=1)]
  if not len(triangles):
    return False
  starts = triangles.reshape(-1, 3)
  ends = np.roll(triangles, -1, axis=1).reshape(-1, 3)
  directions = ends - starts
  long = np.linalg.norm(directions, axis=1) > 1e-7
  reach = ray_caster.RayCaster(others).distance(starts[long], directions[long])
  return bool((reach < 1.0).any())
