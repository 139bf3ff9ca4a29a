"""A CAD library on disk: `<class>/<shape>/*.{obj,glb,ply,off}`.

Pix3D's `model/` works as it is. Several files of one shape are its variants.
Folders below a shape are not read.
"""

import dataclasses
import logging
import os
from collections.abc import Sequence
from typing import Optional

import numpy as np

from mask2cad_tf import close_names
from mask2cad_tf.geometry import mesh_metrics
from mask2cad_tf.geometry import meshes

_EXTENSIONS = ('.obj', '.glb', '.ply', '.off')
_VARIANT_POINTS = 2000
_VARIANT_THRESHOLD = 0.03  # of the longest edge: 0.3 where that is scaled to 10
_MAX_VARIANTS = 12


@dataclasses.dataclass(frozen=True)
class CadEntry:
  """One shape of the library."""

  cad_id: str  # '<class>/<shape>'
  label_name: str  # '<class>'
  mesh_paths: tuple[str, ...]  # relative to the root, sorted


def list_cads(
  root: str, class_names: Optional[Sequence[str]] = None
) -> list[CadEntry]:
  """The library's shapes, sorted by id.

  Args:
    root: folder of the library.
    class_names: the classes that are known; None accepts every folder.

  Returns:
    One entry per shape that has a mesh.

  Raises:
    FileNotFoundError: no such folder, or no CAD in it.
    ValueError: class folders that `class_names` does not hold.
  """
  if not os.path.isdir(root):
    raise FileNotFoundError(
      f'No CAD library at {root!r}. Expected a folder with '
      "<class>/<shape>/*.{obj,glb,ply,off}; Pix3D's model/ is one."
    )
  labels = _subfolders(root)
  entries = [
    CadEntry(f'{label}/{shape}', label, paths)
    for label in labels
    for shape in _subfolders(os.path.join(root, label))
    if (paths := _mesh_paths(root, label, shape))
  ]
  if not entries:
    raise FileNotFoundError(
      f'No CAD in {root!r}. Expected <class>/<shape>/*.{{obj,glb,ply,off}}, '
      f'found the folders {labels[:5]}.'
    )
  found = {entry.label_name for entry in entries}
  known = sorted(found) if class_names is None else list(class_names)
  unknown = sorted(found - set(known))
  if unknown:
    raise ValueError(
      f'{root!r} has folders of unknown classes {unknown}; known are '
      f'{known}.{close_names.hint(unknown[0], known)} Rename or remove '
      'them, or set the classes in the config.'
    )
  return entries


def representative(root: str, entry: CadEntry) -> str:
  """The variant that is most like the others (medoid by mutual F1).

  Args:
    root: folder of the library.
    entry: a shape; of more than 12 variants an even subset of 12 competes.

  Returns:
    Its mesh path relative to the root.

  Raises:
    meshes.MeshError: a variant cannot be read.
  """
  paths = entry.mesh_paths
  if len(paths) == 1:
    return paths[0]
  if len(paths) > _MAX_VARIANTS:
    picks = np.linspace(0, len(paths) - 1, _MAX_VARIANTS).round().astype(int)
    paths = [paths[pick] for pick in picks]
  variants = [meshes.load(os.path.join(root, path)) for path in paths]
  points = [
    meshes.sample_surface(mesh, _VARIANT_POINTS, seed=0)[0] for mesh in variants
  ]
  # The median edge: stray geometry makes some variants' own box useless.
  edge = float(np.median([mesh.extents.max() for mesh in variants]))
  return paths[int(np.argmax(_mutual_f1(points, _VARIANT_THRESHOLD * edge)))]


def _mutual_f1(points: list[np.ndarray], threshold: float) -> np.ndarray:
  """Sum of each point set's F1 against all others, [n]."""
  scores = np.zeros((len(points), len(points)))
  for i in range(len(points)):
    for j in range(i):
      f1 = mesh_metrics.f1_scores(points[i], points[j], (threshold,))
      scores[i, j] = scores[j, i] = f1[threshold]
  return scores.sum(axis=1)


def _subfolders(folder: str) -> list[str]:
  return sorted(
    item.name
    for item in os.scandir(folder)
    if item.is_dir() and not item.name.startswith('.')
  )


def _mesh_paths(root: str, label: str, shape: str) -> tuple[str, ...]:
  """Mesh files of one shape, sorted, relative to the root."""
  names = sorted(
    name
    for name in os.listdir(os.path.join(root, label, shape))
    if name.lower().endswith(_EXTENSIONS)
  )
  if not names:
    logging.warning(
      'No mesh directly in %s: left out.', os.path.join(root, label, shape)
    )
  return tuple(f'{label}/{shape}/{name}' for name in names)
