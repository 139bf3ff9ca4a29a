"""Meshes and symmetries of the CADs that records name."""

import os
from typing import Dict
from typing import Mapping

from mask2cad_tf.foreign import paths
from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import posed_cad
from mask2cad_tf.geometry import symmetry


class TrueCads:
  """Looks true CADs up in a library, else in the gallery."""

  def __init__(
    self,
    library: str,
    gallery_meshes: Mapping[str, str],
    gallery_symmetries: Mapping[str, int],
  ):
    """Keeps where to look.

    Args:
      library: folder of the meshes that records name; '' takes the gallery's.
      gallery_meshes: CAD id -> path of its mesh.
      gallery_symmetries: CAD id -> order of its symmetry about +y.
    """
    self._library = library
    self._gallery_meshes = gallery_meshes
    self._gallery_symmetries = gallery_symmetries
    self._measured: Dict[str, int] = {}

  def find_mesh(self, cad_id: str, mesh: str) -> str:
    """Path of a true CAD's mesh.

    Args:
      cad_id: '<class>/<shape>'.
      mesh: path in the library, as records have it.

    Raises:
      ValueError: no library is given and the gallery has no such CAD, or the
        path leads out of the library.
    """
    if self._library:
      where = f'a record of the CAD {cad_id!r}'
      return os.path.join(self._library, paths.below(mesh, where))
    if cad_id not in self._gallery_meshes:
      raise ValueError(
        f'The records name the CAD {cad_id!r}, which the gallery does not '
        'hold. Give the library of the true meshes with --library.'
      )
    return self._gallery_meshes[cad_id]

  def symmetry_order(self, cad: posed_cad.PosedCad) -> int:
    """Order about +y, 0 = any angle.

    The dataset's annotation, else the gallery's entry, else measured.
    """
    if cad.symmetry is not None:
      return cad.symmetry
    if cad.cad_id in self._gallery_symmetries:
      return self._gallery_symmetries[cad.cad_id]
    if cad.mesh not in self._measured:
      self._measured[cad.mesh] = symmetry.symmetry_order(meshes.load(cad.mesh))
    return self._measured[cad.mesh]
