"""CADs of two datasets that are one shape under two names."""

import os
from typing import Dict
from typing import List
from typing import Sequence
from typing import Tuple

import numpy as np
import trimesh

from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import symmetry

_BOX_GAP = 2.0 * symmetry.DUPLICATE_DISTANCE  # of edges, the longest being 1
_Named = Tuple[str, trimesh.Trimesh]


def find(
  ours: Dict[str, str],
  theirs: Dict[str, str],
  our_library: str,
  their_library: str,
) -> List[Tuple[str, str]]:
  """Near-duplicates, by mutual F1, of CADs with different ids.

  Only CADs of one class whose boxes have the same proportions are compared.

  Args:
    ours: CAD id -> mesh path in our_library.
    theirs: CAD id -> mesh path in their_library.
    our_library: folder.
    their_library: folder.

  Returns:
    (our CAD id, their CAD id), sorted.
  """
  first = _load(ours, our_library)
  second = _load(
    {cad_id: path for cad_id, path in theirs.items() if cad_id not in ours},
    their_library,
  )
  pairs = []
  for our_id, mesh in first:
    for their_id, other in second:
      if (
        our_id.split('/')[0] == their_id.split('/')[0]
        and np.abs(_proportions(mesh) - _proportions(other)).max() <= _BOX_GAP
        and symmetry.are_duplicates(mesh, other)
      ):
        pairs.append((our_id, their_id))
  return sorted(pairs)


def _load(paths: Dict[str, str], library: str) -> Sequence[_Named]:
  """Readable meshes by CAD id; the others are reported elsewhere."""
  loaded = []
  for cad_id in sorted(paths):
    try:
      loaded.append(
        (cad_id, meshes.load(os.path.join(library, paths[cad_id]), False))
      )
    except meshes.MeshError:
      continue
  return loaded


def _proportions(mesh: trimesh.Trimesh) -> np.ndarray:
  """Edges [3] of the bounding box, the longest being 1."""
  return mesh.extents / mesh.extents.max()
