"""What a library's manifest says about a CAD's shape."""

import os
from typing import Any
from typing import Dict
from typing import List
from typing import Sequence

import numpy as np
import trimesh

from mask2cad_tf.geometry import cad_folder
from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import symmetry

# Geometry is called stray where it makes up half of an edge of the CAD's box,
# or more.
STRAY_SHARE = 0.5
_STRAY_POINTS = 20000
_STRAY_PERCENTILES = (0.1, 99.9)
_MIN_SIBLINGS = 3  # variants from which on they judge each other
_DIGITS = 6


def measure(root: str, cad_id: str, names: Sequence[str]) -> Dict[str, Any]:
  """Measures one CAD of a library folder.

  Args:
    root: folder of the library.
    cad_id: '<class>/<shape>'.
    names: the shape's mesh files, sorted.

  Returns:
    The manifest's fields meshes, representative, triangles, size, symmetry,
    mirror_normal, chiral, stray_geometry. All but the last are of the variant
    most like the others.

  Raises:
    meshes.MeshError: a mesh cannot be used.
  """
  paths = tuple(f'{cad_id}/{name}' for name in names)
  entry = cad_folder.CadEntry(cad_id, cad_id.split('/')[0], paths)
  variants = [
    meshes.load(os.path.join(root, path), with_materials=False)
    for path in paths
  ]
  chosen = cad_folder.representative(root, entry)
  mesh = variants[paths.index(chosen)]
  normal = symmetry.mirror_normal(mesh)
  return {
    'meshes': list(paths),
    'representative': chosen,
    'triangles': len(mesh.faces),
    'size': [round(float(edge), _DIGITS) for edge in mesh.extents],
    'symmetry': symmetry.symmetry_order(mesh),
    'mirror_normal': [round(float(x), _DIGITS) + 0.0 for x in normal],
    'chiral': not normal.any(),
    'stray_geometry': stray_shares(variants),
  }


def stray_shares(variants: Sequence[trimesh.Trimesh]) -> List[float]:
  """How much of each variant's box holds next to nothing, 0..1.

  A share is of the edge of the bounding box where it is most: what only the
  outermost 0.1 % of the surface reaches or, with three variants or more, what
  reaches beyond the median variant (some of Pix3D's swivel chairs stand far
  away from their feet).

  Args:
    variants: of one shape, one frame.
  """
  edges = np.stack([mesh.extents for mesh in variants])  # [v, 3]
  kept = np.stack([_robust_extents(mesh) for mesh in variants])
  if len(variants) >= _MIN_SIBLINGS:
    kept = np.minimum(kept, np.median(edges, axis=0))
  # Of a flat CAD's thickness nothing can be said.
  thick = edges > 1e-6 * edges.max(axis=1, keepdims=True)
  shares = np.where(thick, 1.0 - kept / np.where(thick, edges, 1.0), 0.0)
  return [round(float(x), 3) for x in shares.max(axis=1).clip(0.0, 1.0)]


def _robust_extents(mesh: trimesh.Trimesh) -> np.ndarray:
  points, _ = meshes.sample_surface(mesh, _STRAY_POINTS, seed=0)
  low, high = np.percentile(points, _STRAY_PERCENTILES, axis=0)
  return high - low


def groups(root: str, representatives: Sequence[str]) -> List[int]:
  """Near-duplicates among the CADs of one class.

  Args:
    root: folder of the library.
    representatives: one mesh path a CAD, relative to the root.

  Returns:
    For each the index of the first CAD that it duplicates, else its own.
  """
  cads = [
    meshes.load(os.path.join(root, path), with_materials=False)
    for path in representatives
  ]
  return [int(first) for first in symmetry.duplicate_groups(cads)]
