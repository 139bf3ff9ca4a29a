"""Normals and colours of the surfaces that rays meet."""

import dataclasses
from typing import Dict

import numpy as np

from tfrecords_tools.synthesis import scene as scene_lib
from tfrecords_tools.synthesis import scene_geometry

NOTHING = -1  # kind: the ray leaves the scene
GROUND = -2  # kind: it meets the shadow catcher
_GROUND_REACH = 50.0  # metres along the camera's axis
_CREASE = 0.8  # cosine between normals; parts not smooth have edges from there
_FLATTEST = 0.1  # cosine below which textures are not thinned out further


@dataclasses.dataclass(frozen=True, eq=False)
class Surfaces:
  """What n rays meet; zeros where they meet nothing."""

  directions: np.ndarray  # float32 [n, 3], unit, world
  points: np.ndarray  # float32 [n, 3], world
  normals: np.ndarray  # float32 [n, 3], of shading, towards the camera
  flat_normals: np.ndarray  # float32 [n, 3], of the triangle
  albedo: np.ndarray  # float32 [n, 3], linear
  parts: np.ndarray  # int32 [n], -1: no part
  kinds: np.ndarray  # int32 [n], equal on one side of one part; < 0: no part


def dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
  """Scalar products of vectors [..., 3]."""
  return np.einsum('...i,...i->...', a, b)


def surfaces(
  scene: scene_lib.Scene,
  geometry: scene_geometry.SceneGeometry,
  seen: scene_geometry.Seen,
) -> Surfaces:
  """The surfaces where rays end.

  Args:
    scene: gives materials and vertices.
    geometry: of the scene.
    seen: the rays.

  Returns:
    One entry a ray.
  """
  lengths = np.sqrt(dot(seen.directions, seen.directions))
  rays = seen.directions / lengths[:, np.newaxis]
  hit = np.flatnonzero(seen.triangle >= 0)
  if len(hit) == len(rays):
    return Surfaces(rays, **_of_parts(scene, geometry, seen, rays))
  found = _empty(rays)
  chosen = scene_geometry.Seen(*(value[hit] for value in seen))
  for name, values in _of_parts(scene, geometry, chosen, rays[hit]).items():
    getattr(found, name)[hit] = values
  if scene.shadow_catcher:
    _add_ground(found, seen, scene.camera.position.astype(np.float32))
  return found


def _of_parts(scene, geometry, seen, rays) -> Dict[str, np.ndarray]:
  """Fields of `Surfaces` of rays that all meet a part."""
  position = scene.camera.position.astype(np.float32)
  flat = geometry.normals[seen.triangle]
  cosine = dot(flat, rays)
  flat *= np.where(cosine > 0, np.float32(-1), np.float32(1))[:, np.newaxis]
  parts = geometry.parts[seen.triangle]
  pixel = seen.depth / np.float32(scene.camera.intrinsics[0])
  hits = _Hits(
    seen.triangle,
    position + seen.depth[:, np.newaxis] * seen.directions,
    np.stack([1.0 - seen.u - seen.v, seen.u, seen.v], axis=-1),
    flat,
    pixel / np.sqrt(np.maximum(np.abs(cosine), _FLATTEST)),
  )
  normals, albedo = _dress(scene, geometry, hits, parts)
  return {
    'points': hits.points,
    'normals': normals,
    'flat_normals': flat,
    'albedo': albedo,
    'parts': parts,
    'kinds': 6 * parts + _side(flat),
  }


@dataclasses.dataclass(frozen=True, eq=False)
class _Hits:
  """Rays that meet a part."""

  triangle: np.ndarray  # int32 [n]
  points: np.ndarray  # float32 [n, 3]
  weights: np.ndarray  # float32 [n, 3], of the triangle's corners
  flat: np.ndarray  # float32 [n, 3]
  footprint: np.ndarray  # float32 [n], metres that a pixel spans

  def __getitem__(self, rows) -> '_Hits':
    return _Hits(*(value[rows] for value in vars(self).values()))


def _empty(rays: np.ndarray) -> Surfaces:
  return Surfaces(
    rays,
    *(np.zeros_like(rays) for _ in range(4)),
    parts=np.full(len(rays), -1, np.int32),
    kinds=np.full(len(rays), NOTHING, np.int32),
  )


def _side(normals: np.ndarray) -> np.ndarray:
  """Which of a box's six sides a surface is most like, int32 [n], 0..5."""
  size = np.abs(normals)
  axis = np.where(
    (size[:, 1] >= size[:, 0]) & (size[:, 1] >= size[:, 2]),
    1,
    np.where(size[:, 0] > size[:, 2], 0, 2),
  )
  negative = np.take_along_axis(normals, axis[:, np.newaxis], 1)[:, 0] < 0
  return (2 * axis + negative).astype(np.int32)


def _add_ground(found: Surfaces, seen, position) -> None:
  """Lets rays that meet nothing end on the floor y = 0."""
  down = seen.directions[:, 1]
  rows = np.flatnonzero((seen.triangle < 0) & (down < 0))
  depth = -position[1] / down[rows]
  rows, depth = (
    x[(depth > 0) & (depth < _GROUND_REACH)] for x in (rows, depth)
  )
  found.points[rows] = position + depth[:, np.newaxis] * seen.directions[rows]
  found.normals[rows] = found.flat_normals[rows] = (0.0, 1.0, 0.0)
  found.kinds[rows] = GROUND


def _dress(scene, geometry, hits: _Hits, parts):
  """Shading normals and albedo, part by part."""
  normals, albedo = hits.flat.copy(), np.empty_like(hits.flat)
  order = np.argsort(parts, kind='stable')
  bounds = np.searchsorted(parts[order], np.arange(len(scene.parts) + 1))
  for index, part in enumerate(scene.parts):
    rows = order[bounds[index] : bounds[index + 1]]
    if not len(rows):
      continue
    albedo[rows] = part.material.color
    textured = part.material.texture is not None
    rounded = part.smooth or part.owner != scene_lib.ROOM
    if not (rounded or textured):
      continue
    own = hits[rows]
    corners = part.faces[own.triangle - geometry.first[index]]
    if rounded:
      normals[rows] = _smooth(
        geometry.vertex_normals(index),
        corners,
        own,
        0.0 if part.smooth else _CREASE,
      )
    if textured:
      uv, tiles = _texture_places(part, corners, own)
      albedo[rows] *= geometry.texture(index).sample(uv, tiles)
  return normals, albedo


def _smooth(vertex_normals, corners, hits: _Hits, crease) -> np.ndarray:
  """Interpolated vertex normals, on the side of the flat ones.

  A corner whose normal is `crease` (a cosine) or more away from the
  triangle's lies on an edge that is to be seen: it takes the triangle's.
  """
  normals = np.zeros_like(hits.flat)
  for index in range(3):
    corner = vertex_normals[corners[:, index]]
    cosine = dot(corner, hits.flat)
    corner = corner * np.sign(cosine)[:, np.newaxis]
    round_off = (np.abs(cosine) > crease)[:, np.newaxis]
    weight = hits.weights[:, index : index + 1]
    normals += weight * np.where(round_off, corner, hits.flat)
  lengths = np.sqrt(dot(normals, normals))[:, np.newaxis]
  return normals / np.maximum(lengths, 1e-12)


def _texture_places(part: scene_lib.Part, corners, hits: _Hits):
  """Texture coordinates [n, 2] and how many tiles a pixel spans, [n].

  The part's own coordinates, or by the nearest of the world's planes.
  """
  if part.uv is not None:
    uv = part.uv[corners]
    density = _areas(uv) / np.maximum(_areas(part.vertices[corners]), 1e-12)
    places = np.einsum('nc,ncd->nd', hits.weights, uv)
    return places, hits.footprint * np.sqrt(density)
  size = part.material.texture_size
  axis = np.abs(hits.flat).argmax(axis=1)
  across = np.where(axis == 0, hits.points[:, 2], hits.points[:, 0])
  up = np.where(axis == 1, hits.points[:, 2], hits.points[:, 1])
  return np.stack([across, up], axis=-1) / size, hits.footprint / size


def _areas(corners: np.ndarray) -> np.ndarray:
  """Areas [n] of triangles [n, 3, 2 or 3]."""
  a, b = (corners[:, i] - corners[:, 0] for i in (1, 2))
  squares = np.einsum('ni,ni->n', a, a) * np.einsum('ni,ni->n', b, b)
  mixed = np.einsum('ni,ni->n', a, b)
  return 0.5 * np.sqrt(np.maximum(squares - mixed**2, 0.0))
