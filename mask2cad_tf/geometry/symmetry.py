"""Symmetry, chirality and near-duplicates of CADs by self-F1.

A CAD is unchanged by a motion when its moved surface covers itself: F1 of the
moved against the unmoved surface reaches a bar. Distances are shares of the
CAD's size, the longest edge of the box that holds all but the outermost percent
of its surface, so stray geometry does not blunt the test. Distances and bars
were set by eye on Pix3D's 393 shapes.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import trimesh
from scipy import spatial

from mask2cad_tf.geometry import meshes

ROTATION_DISTANCE, ROTATION_BAR = 0.02, 0.95
# Wider: swivel chairs pass with any stand of their feet, L-shaped desks and
# sofas (F1 up to 0.85) do not.
MIRROR_DISTANCE, MIRROR_BAR = 0.04, 0.88
DUPLICATE_DISTANCE, DUPLICATE_BAR = 0.02, 0.95

# 40,000 points on a closed unit box lie 0.012 apart: at 0.02 a point misses
# its own surface once in 4,000 times.
_SURFACE_POINTS = 40000
_QUERY_POINTS = 3000
# Most pairs differ at a glance; the slack is five standard deviations.
_GLANCE_POINTS, _GLANCE_SLACK = 200, 0.1
# Turns that only a body of revolution survives: no divisor of a full turn that
# four-, five- or six-legged CADs share.
_FREE_TURNS = np.radians([15.0, 37.0, 61.0, 83.0, 103.0])
_MIRRORS = np.array(
  [
    [1.0, 0.0, 0.0],
    [0.0, 0.0, 1.0],
    [np.sqrt(0.5), 0.0, np.sqrt(0.5)],
    [np.sqrt(0.5), 0.0, -np.sqrt(0.5)],
  ]
)
_MIRROR_MARGIN = 0.02  # a later plane must beat the left-right one by this


@dataclasses.dataclass(frozen=True, eq=False)
class _Surface:
  """A CAD's surface as points, for distance queries."""

  queries: np.ndarray  # [n, 3]
  tree: spatial.cKDTree  # of other, denser samples
  size: float  # robust longest edge

  def coverage(
    self, other: '_Surface', matrix: np.ndarray, distance: float, count: int
  ) -> float:
    """Share of this surface, moved by the matrix, that lies on another."""
    distances, _ = other.tree.query(
      self.queries[:count] @ matrix.T,
      distance_upper_bound=distance * other.size,
    )
    return float(np.isfinite(distances).mean())

  def f1(self, other: '_Surface', matrix: np.ndarray, distance: float) -> float:
    """F1 of this surface, moved by the orthogonal matrix, against another."""
    precision = self.coverage(other, matrix, distance, _QUERY_POINTS)
    recall = other.coverage(self, matrix.T, distance, _QUERY_POINTS)
    return 2.0 * precision * recall / (precision + recall + 1e-8)

  def duplicates(self, other: '_Surface') -> bool:
    """Do the surfaces agree as they stand?"""
    glance = self.coverage(other, np.eye(3), DUPLICATE_DISTANCE, _GLANCE_POINTS)
    if glance < DUPLICATE_BAR - _GLANCE_SLACK:
      return False
    return self.f1(other, np.eye(3), DUPLICATE_DISTANCE) >= DUPLICATE_BAR


def symmetry_order(mesh: trimesh.Trimesh, seed: int = 0) -> int:
  """Order of the CAD's symmetry about its +y axis (Scan2CAD's labels).

  Poses turn a CAD about its origin, so the axis passes through the origin.

  Args:
    mesh: CAD frame, +y up.
    seed: of the surface sampling.

  Returns:
    1 none, 2 half turns, 4 quarter turns, 0 any angle.
  """
  surface = _surface(mesh, seed)
  if all(_is_unchanged(surface, turn) for turn in _FREE_TURNS):
    return 0
  if not _is_unchanged(surface, np.pi):
    return 1
  return 4 if _is_unchanged(surface, 0.5 * np.pi) else 2


def mirror_normal(mesh: trimesh.Trimesh, seed: int = 0) -> np.ndarray:
  """Unit normal [3] of the CAD's mirror plane through the origin.

  Args:
    mesh: CAD frame, +y up.
    seed: of the surface sampling.

  Returns:
    +x (left-right) wherever that plane is as good as any, else z or a diagonal
    of x and z; zeros where no plane fits: the CAD is chiral.
  """
  surface = _surface(mesh, seed)
  scores = np.array(
    [
      surface.f1(
        surface, np.eye(3) - 2.0 * np.outer(normal, normal), MIRROR_DISTANCE
      )
      for normal in _MIRRORS
    ]
  )
  if scores.max() < MIRROR_BAR:
    return np.zeros(3)
  best = np.flatnonzero(scores >= scores.max() - _MIRROR_MARGIN)[0]
  return _MIRRORS[best].copy()


def are_duplicates(first: trimesh.Trimesh, second: trimesh.Trimesh) -> bool:
  """Do two CADs look alike in every view?

  Args:
    first: CAD frame.
    second: CAD frame.

  Returns:
    True when, centred and scaled to equal size, their F1 reaches the bar.
  """
  return bool(duplicate_groups([first, second])[1] == 0)


def duplicate_groups(
  cads: Sequence[trimesh.Trimesh], seed: int = 0
) -> np.ndarray:
  """Groups near-duplicates.

  Args:
    cads: CAD frame, one class.
    seed: of the surface sampling.

  Returns:
    int [n]: index of the first CAD that each one duplicates, else its own.
  """
  surfaces = [_surface(_normalized(cad), seed) for cad in cads]
  groups = np.arange(len(cads))
  for i, surface in enumerate(surfaces):
    for j in np.unique(groups[:i]):
      if _boxes_agree(cads[i], cads[j]) and surface.duplicates(surfaces[j]):
        groups[i] = j
        break
  return groups


def _surface(mesh: trimesh.Trimesh, seed: int) -> _Surface:
  points, _ = meshes.sample_surface(mesh, _SURFACE_POINTS, 2 * seed)
  queries, _ = meshes.sample_surface(mesh, _QUERY_POINTS, 2 * seed + 1)
  low, high = np.percentile(points, [0.5, 99.5], axis=0)
  return _Surface(queries, spatial.cKDTree(points), float((high - low).max()))


def _turn(angle: float) -> np.ndarray:
  """Rotation about +y by an angle in radians, [3, 3]."""
  cos, sin = np.cos(angle), np.sin(angle)
  return np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])


def _is_unchanged(surface: _Surface, angle: float) -> bool:
  f1 = surface.f1(surface, _turn(angle), ROTATION_DISTANCE)
  return f1 >= ROTATION_BAR


def _normalized(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
  """Bare copy, centred, longest edge 1."""
  vertices = (mesh.vertices - mesh.bounds.mean(axis=0)) / mesh.extents.max()
  return trimesh.Trimesh(vertices, mesh.faces, process=False)


def _boxes_agree(first: trimesh.Trimesh, second: trimesh.Trimesh) -> bool:
  """Are the normalised boxes' edges equal within twice the threshold?"""
  gap = first.extents / first.extents.max()
  gap = gap - second.extents / second.extents.max()
  return bool(np.abs(gap).max() <= 2.0 * DUPLICATE_DISTANCE)
