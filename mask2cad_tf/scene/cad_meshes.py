"""The CADs of a scene, each read once: mesh, hull, renderer."""

import functools
from typing import Callable
from typing import Mapping

import numpy as np
import trimesh
from scipy import spatial

from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import renderer

_MAX_CADS = 256  # kept in memory


class CadMeshes:
  """What scene code asks of a CAD, by id; CAD frame and units."""

  def __init__(
    self,
    mesh_path: Callable[[str], str],
    credit: Callable[[str], Mapping[str, str]] = lambda _: {},
  ):
    """Takes what is known of a CAD by its id.

    Args:
      mesh_path: path of its mesh, e.g. `Gallery.mesh_path`.
      credit: 'creator' and 'licence', as far as known, e.g. `Gallery.credit`.
    """
    self.mesh_path = mesh_path
    self.credit = credit
    keep = functools.lru_cache(_MAX_CADS)
    self.mesh = keep(self._mesh)
    self.hull = keep(self._hull)
    self.renderer = keep(self._renderer)

  def _mesh(self, cad_id: str) -> trimesh.Trimesh:
    return meshes.load(self.mesh_path(cad_id))

  def _renderer(self, cad_id: str) -> renderer.Renderer:
    return renderer.Renderer(self.mesh(cad_id))

  def _hull(self, cad_id: str) -> np.ndarray:
    """Vertices [n, 3] of the convex hull: the same projected extent, few."""
    vertices = np.asarray(self.mesh(cad_id).vertices)
    try:
      return vertices[spatial.ConvexHull(vertices).vertices]
    except spatial.QhullError:  # a flat CAD has no hull
      return vertices
