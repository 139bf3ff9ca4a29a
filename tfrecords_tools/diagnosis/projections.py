"""Annotated CADs drawn where their poses put them."""

import collections
import os
from typing import NamedTuple
from typing import Tuple

import numpy as np

from mask2cad_tf.foreign import paths
from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import renderer

_MAX_FACES = 2_000_000  # in memory at a time, about 500 MiB


class View(NamedTuple):
  """A camera and the size of its picture."""

  intrinsics: np.ndarray  # fx, fy, cx, cy, pixels; a negative one mirrors
  height: int
  width: int

  def shrunk(self, max_side: int) -> 'View':
    """The same picture with its longer side at most max_side pixels."""
    side = max(self.height, self.width)
    if side <= max_side:
      return self
    height = max(1, round(self.height * max_side / side))
    width = max(1, round(self.width * max_side / side))
    stretch = np.tile([width / self.width, height / self.height], 2)
    return View(self.intrinsics * stretch, height, width)


class Pose(NamedTuple):
  """X = R v + t, CAD to camera; R may mirror."""

  rotation: np.ndarray  # [3, 3]
  translation: np.ndarray  # [3]


class Projector:
  """Renderers of a library's meshes, the last ones used kept in memory."""

  def __init__(self, library: str, max_faces: int = _MAX_FACES):
    """Loads nothing yet.

    Args:
      library: folder of the CADs.
      max_faces: that are kept in memory.
    """
    self._library = library
    self._max_faces = max_faces
    self._kept: collections.OrderedDict = collections.OrderedDict()
    self._faces = 0

  def renderer(
    self, mesh: str, scale: Tuple[float, float, float] = (1.0, 1.0, 1.0)
  ) -> renderer.Renderer:
    """The renderer of a mesh, its vertices multiplied by scale [3].

    Raises:
      meshes.MeshError: the mesh is missing, broken or not in the library.
    """
    key = (mesh, tuple(np.round(scale, 6)))
    if key in self._kept:
      self._kept.move_to_end(key)
      return self._kept[key][0]
    why = paths.fault(mesh)
    if why:
      raise meshes.MeshError(f'The mesh {mesh!r} {why}.')
    loaded = meshes.load(
      os.path.join(self._library, mesh), with_materials=False
    )
    if not np.allclose(scale, 1.0):
      loaded.vertices = loaded.vertices * np.asarray(scale)
    made = renderer.Renderer(loaded)
    self._kept[key] = (made, len(loaded.faces))
    self._faces += len(loaded.faces)
    while self._faces > self._max_faces and len(self._kept) > 1:
      _, (_, faces) = self._kept.popitem(last=False)
      self._faces -= faces
    return made


def silhouette(drawer: renderer.Renderer, pose: Pose, view: View) -> np.ndarray:
  """Bool [height, width]: the pixels whose centres the CAD covers."""
  return drawer.silhouette(
    pose.rotation, pose.translation, view.intrinsics, view.height, view.width
  )


def depth(drawer: renderer.Renderer, pose: Pose, view: View) -> np.ndarray:
  """Float32 [height, width]: Z at the pixels' centres, inf where empty."""
  return drawer.depth(
    pose.rotation, pose.translation, view.intrinsics, view.height, view.width
  )
