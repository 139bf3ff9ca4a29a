"""Triangles as an embree scene: what does a ray meet, and where?

The only module that imports embreex.
"""

from typing import NamedTuple

import numpy as np
from embreex import mesh_construction
from embreex import rtcore_scene

_MAX_RAYS = 1 << 18  # per embree call, bounds the memory (about 20 MiB)


class Hits(NamedTuple):
  """The nearest hits of n rays."""

  distance: np.ndarray  # float32 [n], in lengths of the direction; inf: none
  triangle: np.ndarray  # int32 [n], -1: none
  u: np.ndarray  # float32 [n], weight of the triangle's second corner
  v: np.ndarray  # float32 [n], weight of its third corner


class RayCaster:
  """A set of triangles, built once, asked often.

  Faces are hit from both sides: CADs are rarely watertight.
  """

  def __init__(self, triangles: np.ndarray):
    """Builds the scene.

    Args:
      triangles: [m, 3, 3], corners, any units; m > 0. Float32 is taken as
        it is, which is faster.
    """
    corners = np.asarray(triangles)
    if corners.dtype != np.float32:
      corners = corners.astype(np.float64)
    corners = corners.reshape(-1, 3)
    low, high = corners.min(axis=0), corners.max(axis=0)
    # Embree computes in float32: centre the triangles and scale them to 1.
    self._center = 0.5 * (low + high)
    self._scale = float((high - low).max()) or 1.0
    # Embree reads this array and this object: both must outlive the scene.
    self._triangles = np.ascontiguousarray(
      ((corners - self._center) / self._scale).reshape(-1, 3, 3), np.float32
    )
    self._scene = rtcore_scene.EmbreeScene(robust=True)
    self._geometry = mesh_construction.TriangleMesh(
      self._scene, self._triangles
    )

  def nearest(self, origins: np.ndarray, directions: np.ndarray) -> Hits:
    """The first triangle on each ray.

    Args:
      origins: [n, 3], or [3] for all.
      directions: [n, 3], of any length, not zero.

    Returns:
      The hits.
    """
    parts = [
      self._scene.run(*rays, query='INTERSECT', output=1)
      for rays in self._chunks(origins, directions)
    ]
    triangle = np.concatenate([part['primID'] for part in parts])
    distance = np.concatenate([part['tfar'] for part in parts])
    return Hits(
      np.where(triangle >= 0, distance, np.inf).astype(np.float32),
      triangle,
      np.concatenate([part['u'] for part in parts]),
      np.concatenate([part['v'] for part in parts]),
    )

  def first(self, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """`nearest(...).triangle` alone, int32 [n]. Arguments as above."""
    return np.concatenate(
      [
        self._scene.run(*rays, query='INTERSECT')
        for rays in self._chunks(origins, directions)
      ]
    )

  def occluded(self, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Bool [n]: is anything on the ray, however far? Arguments as above."""
    return np.concatenate(
      [
        self._scene.run(*rays, query='OCCLUDED') >= 0
        for rays in self._chunks(origins, directions)
      ]
    )

  def distance(self, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Float32 [n]: as `Hits.distance`, cheaper than all of `nearest`."""
    return np.concatenate(
      [
        self._far_is_inf(self._scene.run(*rays, query='DISTANCE'))
        for rays in self._chunks(origins, directions)
      ]
    )

  def _far_is_inf(self, distance: np.ndarray) -> np.ndarray:
    return np.where(distance < 1e20, distance, np.inf).astype(np.float32)

  def _chunks(self, origins, directions):
    """Rays in embree's frame, float32, some at a time; at least one chunk."""
    directions = np.asarray(directions) / self._scale
    origins = np.asarray(origins)
    center = self._center
    if origins.dtype == np.float32 and origins.ndim == 2:
      center = center.astype(np.float32)
    origins = np.broadcast_to(
      (origins - center) / self._scale, directions.shape
    )
    for first in range(0, max(len(directions), 1), _MAX_RAYS):
      rows = slice(first, first + _MAX_RAYS)
      yield (
        np.ascontiguousarray(origins[rows], np.float32),
        np.ascontiguousarray(directions[rows], np.float32),
      )
