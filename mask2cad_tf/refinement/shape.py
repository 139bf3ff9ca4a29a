"""A CAD prepared to be posed many times."""

import functools

import numpy as np
import trimesh

from mask2cad_tf.geometry import ray_caster
from mask2cad_tf.geometry import renderer as renderer_lib

_RAYS = 1 << 17  # per embree call
_DIRECTIONS = 128  # in which the outline is exact


class Shape:
  """A mesh as an embree scene with what placing it needs.

  Attributes:
    pivot: [3], centre of the bounding box, CAD frame.
    radius: of the bounding sphere around the pivot, CAD units.
    outline: [n, 3], the outermost vertices: few, yet they span the mesh.
  """

  def __init__(self, mesh: trimesh.Trimesh):
    """Builds the scene.

    Args:
      mesh: CAD frame, any units, with faces.
    """
    self._mesh = mesh
    triangles = np.asarray(mesh.triangles, np.float64)
    points = np.asarray(mesh.vertices, np.float64)[np.unique(mesh.faces)]
    self.pivot = 0.5 * (points.min(axis=0) + points.max(axis=0))
    self.radius = float(np.linalg.norm(points - self.pivot, axis=-1).max())
    self.outline = _outermost(points)
    self._caster = ray_caster.RayCaster(triangles)

  def hits(
    self, rays: np.ndarray, rotations: np.ndarray, translations: np.ndarray
  ) -> np.ndarray:
    """Which rays meet the CAD, at many poses at once.

    Args:
      rays: float32 [n, 3], camera frame, from the camera.
      rotations: [k, 3, 3], CAD to camera.
      translations: [k, 3], CAD units.

    Returns:
      bool [k, n].
    """
    at_once = max(1, _RAYS // max(len(rays), 1))
    parts = []
    for first in range(0, len(rotations), at_once):
      turns = np.asarray(rotations[first : first + at_once], np.float32)
      shifts = np.asarray(translations[first : first + at_once], np.float32)
      directions = np.matmul(rays, turns)  # [k, n, 3], CAD frame
      origins = -np.einsum('ki,kij->kj', shifts, turns)
      hit = self._caster.occluded(
        np.repeat(origins, len(rays), axis=0), directions.reshape(-1, 3)
      )
      parts.append(hit.reshape(directions.shape[:2]))
    return np.concatenate(parts)

  @functools.cached_property
  def renderer(self) -> renderer_lib.Renderer:
    """For shaded pictures; built when first asked for."""
    return renderer_lib.Renderer(self._mesh)


def _outermost(points: np.ndarray) -> np.ndarray:
  """The points [n, 3] that lie farthest in some of many directions."""
  return points[np.unique((_sphere(_DIRECTIONS) @ points.T).argmax(axis=1))]


def _sphere(count: int) -> np.ndarray:
  """Evenly spread unit vectors [count + 6, 3], the axes among them."""
  height = 1.0 - (2.0 * np.arange(count) + 1.0) / count
  angle = np.pi * (3.0 - np.sqrt(5.0)) * np.arange(count)
  ring = np.sqrt(1.0 - height**2)
  spiral = np.stack([ring * np.cos(angle), height, ring * np.sin(angle)], -1)
  return np.concatenate([np.eye(3), -np.eye(3), spiral])
