"""Normals and colours of the surfaces that rays meet."""

import dataclasses

import numpy as np

from tfrecords_tools.synthesis import scene as scene_lib
from tfrecords_tools.synthesis import scene_geometry

# sRGB byte -> linear radiance.
_BYTES = np.arange(256) / 255.0
TO_LINEAR = np.where(
  _BYTES <= 0.04045, _BYTES / 12.92, ((_BYTES + 0.055) / 1.055) ** 2.4
).astype(np.float32)


@dataclasses.dataclass(frozen=True, eq=False)
class Surfaces:
  """n points that rays meet."""

  points: np.ndarray  # float32 [n, 3], world
  normals: np.ndarray  # float32 [n, 3], shading, towards the camera
  flat_normals: np.ndarray  # float32 [n, 3], of the triangle
  albedo: np.ndarray  # float32 [n, 3], linear
  parts: np.ndarray  # int32 [n]


def surfaces(
  scene: scene_lib.Scene,
  geometry: scene_geometry.SceneGeometry,
  seen: scene_geometry.Seen,
) -> Surfaces:
  """The surfaces where rays hit.

  Args:
    scene: gives materials and vertices.
    geometry: of the scene.
    seen: rays; those that miss are left out.

  Returns:
    One entry a hit, in the order of the rays.
  """
  hit = seen.triangle >= 0
  triangle, directions = seen.triangle[hit], seen.directions[hit]
  weights = np.stack(
    [1.0 - seen.u[hit] - seen.v[hit], seen.u[hit], seen.v[hit]], axis=-1
  )
  position = scene.camera.position.astype(np.float32)
  points = position + seen.depth[hit][:, np.newaxis] * directions
  parts = geometry.parts[triangle]
  flat = geometry.normals[triangle]
  away = np.sum(flat * directions, axis=1, keepdims=True) > 0
  flat = np.where(away, -flat, flat)
  normals = flat.copy()
  albedo = np.empty_like(points)
  starts = np.searchsorted(geometry.parts, np.arange(len(scene.parts)))
  order = np.argsort(parts, kind='stable')
  bounds = np.searchsorted(parts[order], np.arange(len(scene.parts) + 1))
  for index, part in enumerate(scene.parts):
    rows = order[bounds[index] : bounds[index + 1]]
    if not len(rows):
      continue
    corners = part.faces[triangle[rows] - starts[index]]
    if part.smooth:
      normals[rows] = _smooth(part, corners, weights[rows], flat[rows])
    albedo[rows] = part.material.color
    if part.material.texture is not None:
      uv = _texture_places(
        part, corners, weights[rows], points[rows], flat[rows]
      )
      albedo[rows] *= _sample(part.material.texture, uv)
  return Surfaces(points, normals, flat, albedo, parts)


def _smooth(part, corners, weights, flat) -> np.ndarray:
  """Interpolated vertex normals, on the side of the flat ones."""
  edges = part.vertices[part.faces]
  area_normals = np.cross(edges[:, 1] - edges[:, 0], edges[:, 2] - edges[:, 0])
  vertex_normals = np.zeros_like(part.vertices)
  for corner in range(3):
    np.add.at(vertex_normals, part.faces[:, corner], area_normals)
  normals = np.einsum('nc,ncd->nd', weights, vertex_normals[corners])
  lengths = np.linalg.norm(normals, axis=1, keepdims=True)
  normals = np.where(
    lengths > 1e-12, normals / np.maximum(lengths, 1e-12), flat
  )
  behind = np.sum(normals * flat, axis=1, keepdims=True) < 0
  return np.where(behind, -normals, normals).astype(np.float32)


def _texture_places(
  part: scene_lib.Part,
  corners: np.ndarray,
  weights: np.ndarray,
  points: np.ndarray,
  flat: np.ndarray,
) -> np.ndarray:
  """Texture coordinates [n, 2]: the part's own, or by the nearest plane."""
  if part.uv is not None:
    return np.einsum('nc,ncd->nd', weights, part.uv[corners])
  axis = np.abs(flat).argmax(axis=1)
  across = np.where(axis == 0, points[:, 2], points[:, 0])
  up = np.where(axis == 1, points[:, 2], points[:, 1])
  return np.stack([across, up], axis=-1) / part.material.texture_size


def _sample(texture: np.ndarray, uv: np.ndarray) -> np.ndarray:
  """Linear colours [n, 3] of an sRGB texture; v = 0 is its bottom row."""
  height, width = texture.shape[:2]
  column = np.floor(uv[:, 0] % 1.0 * width).astype(np.int64)
  row = np.floor((1.0 - uv[:, 1] % 1.0) * height).astype(np.int64)
  texels = texture[np.minimum(row, height - 1), np.minimum(column, width - 1)]
  return TO_LINEAR[texels]


def background_at(
  background: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
  """Linear colours [n, 3] of the background at places in 0..1."""
  if background.dtype != np.uint8:
    return np.broadcast_to(background, (len(rows), 3)).astype(np.float32)
  height, width = background.shape[:2]
  return TO_LINEAR[
    background[
      np.minimum((rows * height).astype(np.int64), height - 1),
      np.minimum((columns * width).astype(np.int64), width - 1),
    ]
  ]
