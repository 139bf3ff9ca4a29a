"""Ray-cast renderings of posed CADs (embree): shading, depth, normals, masks.

Pixel centres lie at +0.5. Faces are visible from both sides and normals turn
to the camera: CADs are rarely watertight and often wound inside out.
"""

import dataclasses
from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import trimesh

from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import ray_caster

AMBIENT = 0.25  # grey of a surface seen edge-on; facing the light it is 1
# A headlight raised above the camera: tops, fronts and undersides differ, and
# a mirrored scene still gives the mirrored picture. Unit, camera frame.
_TO_LIGHT = np.array([0.0, 0.5, -1.0]) / np.sqrt(1.25)
_MAX_RAYS = 1 << 18  # per embree call, bounds the memory (about 20 MiB)


@dataclasses.dataclass(frozen=True, eq=False)
class Rendering:
  """Images [height, width] of one posed CAD; background 0 unless said."""

  shaded: np.ndarray  # float32, 0..1
  depth: np.ndarray  # float32, Z in CAD units, inf where empty
  normals: np.ndarray  # float32 [height, width, 3], unit, camera frame
  mask: np.ndarray  # bool, coverage >= 0.5
  coverage: np.ndarray  # float32, share of the pixel's rays that hit
  triangles: np.ndarray  # int32, face seen nearest, -1 where empty


class PosedRenderer(NamedTuple):
  """A CAD's renderer and where the CAD stands."""

  renderer: 'Renderer'
  rotation: np.ndarray  # [3, 3], CAD to camera
  translation: np.ndarray  # [3], CAD units


class Renderer:
  """A mesh as an embree scene, built once, rendered at many poses.

  Attributes:
    vertices: float64 [n, 3], CAD frame.
  """

  def __init__(self, mesh: trimesh.Trimesh):
    """Builds the scene.

    Args:
      mesh: CAD frame, any units.
    """
    self._center = mesh.bounds.mean(axis=0)
    self._radius = float(
      np.linalg.norm(mesh.vertices - self._center, axis=-1).max()
    )
    self.vertices = np.asarray(mesh.vertices, np.float64)
    self._corners = trimesh.bounds.corners(mesh.bounds)
    self._normals = np.asarray(mesh.face_normals, np.float64)
    self._caster = ray_caster.RayCaster(mesh.triangles)

  def render(
    self,
    rotation: np.ndarray,
    translation: np.ndarray,
    intrinsics: np.ndarray,
    height: int,
    width: int,
    antialias: int = 2,
  ) -> Rendering:
    """Renders the CAD at X = R v + t.

    Grey = 0.25 + 0.75 max(n . light, 0), averaged over the pixel's rays with 0
    for those that miss. Depth, normal and triangle are the nearest ray's.

    Args:
      rotation: [3, 3], CAD to camera (Pix3D's frame).
      translation: [3], CAD units.
      intrinsics: (fx, fy, cx, cy), pixels.
      height: pixels.
      width: pixels.
      antialias: rays per pixel along each axis.

    Returns:
      The images.
    """
    images = Rendering(
      shaded=np.zeros((height, width), np.float32),
      depth=np.full((height, width), np.inf, np.float32),
      normals=np.zeros((height, width, 3), np.float32),
      mask=np.zeros((height, width), bool),
      coverage=np.zeros((height, width), np.float32),
      triangles=np.full((height, width), -1, np.int32),
    )
    pose = (np.asarray(rotation, np.float64), translation)
    for rows, columns in self._chunks(
      *pose, intrinsics, height, width, antialias**2
    ):
      directions = _directions(rows, columns, intrinsics, antialias)
      self._fill(images, rows, columns, pose, directions)
    np.greater_equal(images.coverage, 0.5, out=images.mask)
    return images

  def shaded(
    self,
    rotation: np.ndarray,
    translation: np.ndarray,
    intrinsics: np.ndarray,
    height: int,
    width: int,
    antialias: int = 2,
  ) -> np.ndarray:
    """`render(...).shaded` [height, width] alone, to the bit, and faster."""
    image = np.zeros((height, width), np.float32)
    rotation = np.asarray(rotation, np.float64)
    normals = self._normals @ rotation.T
    # Of faces, not of rays: most faces are seen by many.
    facing = _light(normals @ _TO_LIGHT), _light(-(normals @ _TO_LIGHT))
    normals = np.ascontiguousarray(normals.T)  # [3, faces]
    for rows, columns in self._chunks(
      rotation, translation, intrinsics, height, width, antialias**2
    ):
      directions = _directions(rows, columns, intrinsics, antialias)
      shape = directions.shape[:2]
      directions = directions.reshape(-1, 3)
      triangles = self._caster.first(
        *self._object_rays(directions, rotation, translation)
      )
      (hits,) = np.nonzero(triangles >= 0)
      faces = triangles[hits]
      toward = normals[0, faces] * directions[hits, 0]
      toward += normals[1, faces] * directions[hits, 1]
      toward += normals[2, faces]  # directions have Z = 1
      light = np.zeros(len(directions))
      light[hits] = np.where(toward > 0, facing[1][faces], facing[0][faces])
      image[rows, columns] = light.reshape(shape).mean(axis=1)
    return image

  def silhouette(
    self,
    rotation: np.ndarray,
    translation: np.ndarray,
    intrinsics: np.ndarray,
    height: int,
    width: int,
  ) -> np.ndarray:
    """Bool [height, width]: does the ray through the pixel's centre hit?"""
    mask = np.zeros((height, width), bool)
    pose = (np.asarray(rotation, np.float64), translation)
    for rows, columns in self._chunks(*pose, intrinsics, height, width, 1):
      directions = _directions(rows, columns, intrinsics, 1)
      mask[rows, columns] = self._caster.occluded(
        *self._object_rays(directions[:, 0], *pose)
      )
    return mask

  def depth(
    self,
    rotation: np.ndarray,
    translation: np.ndarray,
    intrinsics: np.ndarray,
    height: int,
    width: int,
  ) -> np.ndarray:
    """Float32 [height, width]: Z at the pixel's centre, inf where empty."""
    image = np.full((height, width), np.inf, np.float32)
    pose = (np.asarray(rotation, np.float64), translation)
    for rows, columns in self._chunks(*pose, intrinsics, height, width, 1):
      directions = _directions(rows, columns, intrinsics, 1)
      image[rows, columns] = self._cast(directions[:, 0], *pose)[0]
    return image

  def _fill(self, images, rows, columns, pose, directions) -> None:
    """Renders the pixels (rows, columns); directions [n, samples, 3]."""
    shape = directions.shape[:2]
    depth, triangles = self._cast(directions.reshape(-1, 3), *pose)
    normals = self._camera_normals(
      pose[0], triangles, directions.reshape(-1, 3)
    )
    light = _light(normals @ _TO_LIGHT)
    light[triangles < 0] = 0.0
    depth, triangles = depth.reshape(shape), triangles.reshape(shape)
    nearest = np.arange(shape[0]), depth.argmin(axis=1)
    images.shaded[rows, columns] = light.reshape(shape).mean(axis=1)
    images.coverage[rows, columns] = (triangles >= 0).mean(axis=1)
    images.depth[rows, columns] = depth[nearest]
    images.triangles[rows, columns] = triangles[nearest]
    images.normals[rows, columns] = normals.reshape(shape + (3,))[nearest]

  def _cast(self, directions, rotation, translation):
    """Depth (inf: no hit) and triangle (-1: no hit) of rays [n, 3]."""
    found = self._caster.nearest(
      *self._object_rays(directions, rotation, translation)
    )
    # Directions have Z = 1, so a length of them is a unit of depth.
    depth = found.distance + self._start(rotation, translation)
    return depth, found.triangle

  def _start(self, rotation, translation) -> float:
    """Depth at which rays start: just before the CAD, never behind."""
    center = rotation @ self._center + translation
    return max(0.0, float(center[2] - 1.01 * self._radius))

  def _object_rays(self, directions, rotation, translation):
    """Origins and directions [n, 3] in the CAD's frame."""
    start = self._start(rotation, translation)
    origins = (start * directions - translation) @ rotation
    return origins, directions @ rotation

  def _chunks(
    self, rotation, translation, intrinsics, height, width, samples
  ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pixels (rows [n], columns [n]) around the CAD, some rows at a time."""
    top, left, bottom, right = self._window(
      rotation, translation, intrinsics, height, width
    )
    if right <= left:
      return
    step = max(1, _MAX_RAYS // (samples * (right - left)))
    for first in range(top, bottom, step):
      rows, columns = np.mgrid[first : min(first + step, bottom), left:right]
      yield rows.reshape(-1), columns.reshape(-1)

  def _window(
    self, rotation, translation, intrinsics, height, width
  ) -> tuple[int, int, int, int]:
    """Rows and columns (top, left, bottom, right) that can see the CAD."""
    points = self._corners @ rotation.T + translation
    if points[:, 2].min() <= 1e-6 * self._radius:
      return 0, 0, height, width  # Reaches behind the camera.
    image = cameras.project(points, intrinsics)
    left, top = np.floor(image.min(axis=0)) - 1
    right, bottom = np.ceil(image.max(axis=0)) + 1
    return (
      int(np.clip(top, 0, height)),
      int(np.clip(left, 0, width)),
      int(np.clip(bottom, 0, height)),
      int(np.clip(right, 0, width)),
    )

  def _camera_normals(self, rotation, triangles, directions) -> np.ndarray:
    """Unit normals [rays, 3] turned to the camera, 0 where nothing is hit."""
    normals = self._normals[triangles] @ rotation.T
    away = np.sum(normals * directions, axis=-1) > 0
    normals[away] *= -1.0
    normals[triangles < 0] = 0.0
    return normals


def render_many(
  posed: Sequence[PosedRenderer],
  intrinsics: np.ndarray,
  height: int,
  width: int,
) -> tuple[np.ndarray, np.ndarray]:
  """Several CADs in one picture, the nearer one in front.

  Args:
    posed: (renderer, rotation, translation) of each CAD, one camera frame.
    intrinsics: (fx, fy, cx, cy), pixels.
    height: pixels.
    width: pixels.

  Returns:
    depth float32 [height, width], inf where empty, and the index into `posed`
    of the CAD seen there, int32 [height, width], -1 where empty.
  """
  nearest = np.full((height, width), np.inf, np.float32)
  instances = np.full((height, width), -1, np.int32)
  for index, (renderer, rotation, translation) in enumerate(posed):
    depth = renderer.depth(rotation, translation, intrinsics, height, width)
    closer = depth < nearest
    nearest[closer], instances[closer] = depth[closer], index
  return nearest, instances


def _light(cosines: np.ndarray) -> np.ndarray:
  """Grey of surfaces by the cosines of their normals and the light."""
  return AMBIENT + (1.0 - AMBIENT) * np.maximum(cosines, 0.0)


def _directions(rows, columns, intrinsics, antialias) -> np.ndarray:
  """Camera-frame rays [n, antialias ** 2, 3] of pixels, Z = 1."""
  fx, fy, cx, cy = np.asarray(intrinsics, np.float64)
  offsets = (np.arange(antialias) + 0.5) / antialias
  down, right = (
    grid.reshape(-1) for grid in np.meshgrid(offsets, offsets, indexing='ij')
  )
  x = (cx - (columns[:, np.newaxis] + right)) / fx
  y = (cy - (rows[:, np.newaxis] + down)) / fy
  return np.stack([x, y, np.ones_like(x)], axis=-1)
