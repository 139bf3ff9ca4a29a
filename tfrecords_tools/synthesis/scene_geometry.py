"""All triangles of a scene for ray casting, and what pixels see of them."""

import functools
from typing import Dict
from typing import NamedTuple

import numpy as np

from mask2cad_tf.geometry import ray_caster
from tfrecords_tools.synthesis import scene as scene_lib
from tfrecords_tools.synthesis import texture_filter


class Seen(NamedTuple):
  """What rays through the picture meet first; n rays."""

  directions: np.ndarray  # float32 [n, 3], world, camera depth 1
  depth: np.ndarray  # float32 [n], along the camera's axis, inf: nothing
  triangle: np.ndarray  # int32 [n], -1: nothing
  u: np.ndarray  # float32 [n], weight of the second corner
  v: np.ndarray  # float32 [n], weight of the third corner


class SceneGeometry:
  """The triangles of a scene's parts, one after the other.

  The room's triangles and all others lie in two embree scenes: lamps shine
  through the room, so that a sun may stand outside of it.

  Attributes:
    triangles: float32 [m, 3, 3], world.
    parts: int32 [m], index of the triangle's part in `scene.parts`.
    first: int [parts], index of each part's first triangle.
    owners: int32 [m], as `Part.owner`.
    normals: float32 [m, 3], unit.
  """

  def __init__(self, scene: scene_lib.Scene):
    """Builds it.

    Args:
      scene: with at least one triangle.

    Raises:
      ValueError: if the scene is empty.
    """
    counts = [len(part.faces) for part in scene.parts]
    if not sum(counts):
      raise ValueError(
        'The scene has no triangles: there is nothing to draw. Give it parts.'
      )
    self._camera = scene.camera
    self.triangles = np.concatenate(
      [np.asarray(p.vertices, np.float32)[p.faces] for p in scene.parts]
    )
    self.parts = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    self.first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    self.owners = np.repeat(
      np.array([p.owner for p in scene.parts], np.int32), counts
    )
    self._areas = _cross(self.triangles)
    lengths = np.sqrt(np.einsum('ni,ni->n', self._areas, self._areas))
    self.normals = self._areas / np.maximum(lengths, 1e-20)[:, np.newaxis]
    in_room = self.owners == scene_lib.ROOM
    self._groups = [  # indices of the triangles, their caster; things first
      (rows, ray_caster.RayCaster(self.triangles[rows]))
      for rows in (np.flatnonzero(~in_room), np.flatnonzero(in_room))
      if len(rows)
    ]
    self._parts = scene.parts
    self._vertex_normals: Dict[int, np.ndarray] = {}
    self._textures: Dict[int, texture_filter.FilteredTexture] = {}
    self._has_things = not in_room.all()

  def see(self, columns: np.ndarray, rows: np.ndarray) -> Seen:
    """What the picture shows at some places.

    Args:
      columns: [n], pixels from the left edge; centres lie at +0.5.
      rows: [n], pixels from the upper edge.

    Returns:
      What the n rays meet.
    """
    fx, fy, cx, cy = self._camera.intrinsics
    in_camera = np.ones((len(columns), 3), np.float32)
    in_camera[:, 0] = (cx - columns) / fx
    in_camera[:, 1] = (cy - rows) / fy
    directions = in_camera @ self._camera.rotation.astype(np.float32)
    hits = self._nearest(self._camera.position, directions)
    return Seen(directions, hits.distance, hits.triangle, hits.u, hits.v)

  @functools.cached_property
  def _centers(self) -> Seen:
    rows, columns = np.indices((self._camera.height, self._camera.width))
    return self.see(columns.reshape(-1) + 0.5, rows.reshape(-1) + 0.5)

  def texture(self, part: int) -> texture_filter.FilteredTexture:
    """The texture of a part that has one."""
    if part not in self._textures:
      self._textures[part] = texture_filter.FilteredTexture(
        self._parts[part].material.texture
      )
    return self._textures[part]

  def vertex_normals(self, part: int) -> np.ndarray:
    """Float32 [n, 3] of a part's vertices, means by area, unit."""
    if part not in self._vertex_normals:
      faces = self._parts[part].faces
      first = self.first[part]
      areas = np.repeat(self._areas[first : first + len(faces)], 3, axis=0)
      normals = np.empty_like(self._parts[part].vertices, np.float32)
      for axis in range(3):
        normals[:, axis] = np.bincount(
          faces.reshape(-1), areas[:, axis], len(normals)
        )
      lengths = np.sqrt(np.einsum('ni,ni->n', normals, normals))
      normals /= np.maximum(lengths, 1e-20)[:, np.newaxis]
      self._vertex_normals[part] = normals
    return self._vertex_normals[part]

  def seen_at_centers(self) -> Seen:
    """What the pixels' centres see, row by row: the ground truth of masks."""
    return self._centers

  def reach(self, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Distance to the first thing or wall, float32 [n], as RayCaster's."""
    distances = [
      caster.distance(origins, directions) for _, caster in self._groups
    ]
    return functools.reduce(np.minimum, distances)

  def way_to(self, origins: np.ndarray, lamps: np.ndarray) -> np.ndarray:
    """How much of the way to a lamp is free of things; walls do not count.

    Args:
      origins: float32 [n, 3].
      lamps: float32 [n, 3], the lamp's place less the origin.

    Returns:
      Float32 [n], 0 .. 1; 1: all of it.
    """
    if not self._has_things or not len(lamps):
      return np.ones(len(lamps), np.float32)
    return np.minimum(self._groups[0][1].distance(origins, lamps), 1.0)

  def _nearest(self, origins, directions) -> ray_caster.Hits:
    found = None
    for rows, caster in self._groups:
      hits = caster.nearest(origins, directions)
      triangle = np.where(hits.triangle >= 0, rows[hits.triangle], -1)
      hits = hits._replace(triangle=triangle.astype(np.int32))
      if found is None:
        found = hits
        continue
      nearer = hits.distance < found.distance
      for mine, other in zip(found, hits):
        np.copyto(mine, other, where=nearer)
    return found


def _cross(triangles: np.ndarray) -> np.ndarray:
  """Twice the areas, along the normals, [n, 3]."""
  a, b = (triangles[:, i] - triangles[:, 0] for i in (1, 2))
  normals = np.empty_like(a)
  for i in range(3):  # np.cross takes five times as long
    j, k = (i + 1) % 3, (i + 2) % 3
    normals[:, i] = a[:, j] * b[:, k] - a[:, k] * b[:, j]
  return normals
