"""The library's contents: names, builders and the folder they fill."""

import functools
import os
import tempfile
import zlib
from typing import Callable
from typing import Dict
from typing import List
from typing import NamedTuple
from typing import Optional
from typing import Sequence

import numpy as np
import trimesh

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import design
from mask2cad_tf.geometry.furniture import object_designs
from mask2cad_tf.geometry.furniture import seat_designs
from mask2cad_tf.geometry.furniture import storage_designs
from mask2cad_tf.geometry.furniture import surface_designs

_CLASSES: Dict[str, design.Designs] = {
  'bed': storage_designs.BEDS,
  'bookcase': storage_designs.BOOKCASES,
  'chair': seat_designs.CHAIRS,
  'desk': surface_designs.DESKS,
  'misc': object_designs.MISC,
  'sofa': seat_designs.SOFAS,
  'table': surface_designs.TABLES,
  'tool': object_designs.TOOLS,
  'wardrobe': storage_designs.WARDROBES,
}
_FILE_NAME = 'model.glb'


class Entry(NamedTuple):
  """One CAD model of the library."""

  cad_id: str  # '<class>/<name>'
  label_name: str  # the class
  builder: Callable[[], trimesh.Trimesh]  # as `build`


@functools.cache
def _designs() -> Dict[str, design.Design]:
  """Every design by its CAD id."""
  found = {}
  for label_name, designs in _CLASSES.items():
    for name, one in designs:
      cad_id = f'{label_name}/{name}'
      if cad_id in found:
        raise ValueError(
          f'Two designs are called {cad_id!r}; rename one in its list of '
          'designs.'
        )
      found[cad_id] = one
  return found


def _assemble(cad_id: str, seed: int) -> assembly.Assembly:
  """Builds a design; its random numbers depend on its id and the seed."""
  designs = _designs()
  if cad_id not in designs:
    raise KeyError(
      f'The embedded library has no CAD {cad_id!r} among its '
      f'{len(designs)}: take an id that catalogue.entries() lists.'
    )
  rng = np.random.default_rng([seed, zlib.crc32(cad_id.encode())])
  return designs[cad_id].builder(rng, **designs[cad_id].options)


def entries(seed: int = 0) -> List[Entry]:
  """All models of the library, sorted by CAD id.

  Args:
    seed: of proportions and materials, >= 0; names and structures stay.

  Returns:
    The entries.
  """
  return [
    Entry(cad_id, cad_id.split('/')[0], functools.partial(build, cad_id, seed))
    for cad_id in sorted(_designs())
  ]


def build(cad_id: str, seed: int = 0) -> trimesh.Trimesh:
  """One model.

  Args:
    cad_id: '<class>/<name>', as `entries` lists them.
    seed: of proportions and materials, >= 0.

  Returns:
    The mesh: metres, +y up, front -z, the centre of its bounding box at the
    origin, face colours linear RGBA. Left-right symmetric about x = 0 unless
    the name says otherwise (corner sofas, one-sided desks, ladders).

  Raises:
    KeyError: the library has no such model.
  """
  return _assemble(cad_id, seed).to_mesh()


def write_library(
  root: str, seed: int = 0, class_names: Optional[Sequence[str]] = None
) -> List[str]:
  """Writes `<root>/<class>/<name>/model.glb`; files already there stay.

  Each material is one named node. The bytes depend on the seed alone.

  Args:
    root: folder of the library, created when missing.
    seed: of proportions and materials, >= 0.
    class_names: only these classes; None for all.

  Returns:
    The CAD ids that the folder now holds, sorted.

  Raises:
    ValueError: a class that the library does not have.
  """
  wanted = set(_CLASSES if class_names is None else class_names)
  unknown = sorted(wanted - set(_CLASSES))
  if unknown:
    raise ValueError(
      f'The embedded library has no class {unknown}; it has '
      f'{sorted(_CLASSES)}: ask for some of those.'
    )
  cad_ids = [e.cad_id for e in entries(seed) if e.label_name in wanted]
  for cad_id in cad_ids:
    path = os.path.join(root, *cad_id.split('/'), _FILE_NAME)
    if not os.path.exists(path):
      _write(path, _assemble(cad_id, seed).to_glb())
  return cad_ids


def _write(path: str, content: bytes) -> None:
  """Writes a file whole or not at all."""
  folder = os.path.dirname(path)
  os.makedirs(folder, exist_ok=True)
  handle, temporary = tempfile.mkstemp(dir=folder, suffix='.tmp')
  try:
    with os.fdopen(handle, 'wb') as file:
      file.write(content)
    os.chmod(temporary, 0o644)  # mkstemp's are private
    os.replace(temporary, path)
  except BaseException:
    os.unlink(temporary)
    raise
