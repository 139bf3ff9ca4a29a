"""Folders `<class>/<shape>/*.{obj,glb,ply,off}`, copied byte by byte.

Pix3D's `model/` is one: its poses refer to the vertices as they are stored, so
nothing is moved or scaled, and the files of a shape are its variants.
"""

import dataclasses
import os
from typing import List
from typing import Optional
from typing import Sequence
from typing import Tuple

from mask2cad_tf import conventions
from mask2cad_tf.geometry import cad_folder
from mask2cad_tf.geometry import mesh_files
from tfrecords_tools.cad_sources import source_cad

PIX3D_LICENCE = 'Creative Commons Attribution 4.0'
PIX3D_CREATOR = 'Pix3D (Sun et al., CVPR 2018)'


@dataclasses.dataclass(frozen=True)
class MeshFolder(source_cad.SourceCad):
  """A shape's folder with its variants."""

  paths: Tuple[str, ...]  # of the mesh files, sorted

  def write(self, folder: str) -> source_cad.Written:
    """Copies the mesh files, with the materials that they name."""
    names = tuple(os.path.basename(path) for path in self.paths)
    for path, name in zip(self.paths, names):
      mesh_files.copy(path, os.path.join(folder, name))
    return source_cad.Written(names, source_cad.sha256(self.paths))


def list_folder(
  root: str,
  class_names: Optional[Sequence[str]] = None,
  licence: str = '',
  creator: str = '',
  scale: float = 0.0,
) -> List[MeshFolder]:
  """The shapes of a folder.

  Args:
    root: folder <class>/<shape>/*.{obj,glb,ply,off}.
    class_names: the classes that are wanted; None takes all.
    licence: of every CAD.
    creator: of every CAD.
    scale: metres per unit, 0 where that is unknown.

  Raises:
    FileNotFoundError: no such folder, or no CAD in it.
  """
  return [
    MeshFolder(
      cad_id=entry.cad_id,
      name=entry.cad_id.split('/')[1].replace('_', ' '),
      licence=licence,
      creator=creator,
      source=entry.cad_id,
      scale=scale,
      paths=tuple(os.path.join(root, path) for path in entry.mesh_paths),
    )
    for entry in cad_folder.list_cads(root)
    if class_names is None or entry.label_name in class_names
  ]


def list_pix3d(
  root: str, class_names: Optional[Sequence[str]] = None
) -> List[MeshFolder]:
  """The shapes of Pix3D's `model/` folder; arguments as `list_folder`.

  Raises:
    FileNotFoundError: no such folder, or none of Pix3D's classes in it.
  """
  wanted = [
    name
    for name in conventions.PIX3D_CLASSES
    if class_names is None or name in class_names
  ]
  found = list_folder(root, wanted, PIX3D_LICENCE, PIX3D_CREATOR)
  if not found:
    raise FileNotFoundError(
      f"{root!r} has none of the folders {', '.join(wanted)}. Give Pix3D's "
      'model/ folder.'
    )
  return found
