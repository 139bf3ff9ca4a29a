"""An entry of a gallery's manifest: one CAD."""

import dataclasses
import math
from typing import Any
from typing import Dict
from typing import Tuple

from mask2cad_tf.foreign import paths

MESHES = 'meshes'
_TEXTS = ('id', 'sha256', 'licence', 'creator')


@dataclasses.dataclass(frozen=True)
class Cad:
  """One entry of the manifest.

  Attributes:
    id: '<class>/<shape>'.
    label_name: the class, one of the gallery's class list.
    mesh: path of the mesh, relative to the gallery's folder.
    sha256: of the mesh file.
    licence: as the library's manifest says, '' if unknown.
    creator: as the library's manifest says, '' if unknown.
    symmetry: order about +y (conventions.SYMMETRY_ORDERS); 0 = any angle.
    mirror_normal: unit normal of the mirror plane, CAD frame; zeros = chiral.
    scale: metres per unit of the mesh; 0 if unknown.
  """

  id: str
  label_name: str
  mesh: str
  sha256: str
  licence: str = ''
  creator: str = ''
  symmetry: int = 1
  mirror_normal: Tuple[float, float, float] = (1.0, 0.0, 0.0)
  scale: float = 0.0

  @property
  def chiral(self) -> bool:
    """Whether no mirror plane is known."""
    return not any(self.mirror_normal)


def to_json(cad: Cad) -> Dict[str, Any]:
  """The entry as the manifest has it."""
  entry = dataclasses.asdict(cad)
  entry['class'] = entry.pop('label_name')
  return {
    **entry,
    'mirror_normal': list(cad.mirror_normal),
    'chiral': cad.chiral,
  }


def from_json(entry: Dict[str, Any]) -> Cad:
  """The inverse of `to_json`.

  Raises:
    AttributeError, KeyError, TypeError: no such entry.
    ValueError: a value of another kind, or a mesh outside the gallery.
  """
  fields = {k: v for k, v in entry.items() if k not in ('class', 'chiral')}
  fields['mirror_normal'] = tuple(map(_number, fields['mirror_normal']))
  cad = Cad(label_name=text(entry['class']), **fields)
  for name in _TEXTS:
    text(getattr(cad, name))
  where = f'the CAD {cad.id!r}'
  paths.below(cad.id, where)
  if not paths.below(cad.mesh, where).startswith(f'{MESHES}/'):
    raise ValueError(f'{where}: the mesh {cad.mesh!r} is not in {MESHES}/')
  if len(cad.mirror_normal) != 3 or not isinstance(cad.symmetry, int):
    raise ValueError(f'{where}: its symmetry is none')
  if not _number(cad.scale) >= 0:
    raise ValueError(f'{where}: its scale is {cad.scale}')
  return cad


def text(value: Any) -> str:
  """The value. Raises TypeError where it is no text."""
  if not isinstance(value, str):
    raise TypeError(f'{value!r} is no text')
  return value


def _number(value: Any) -> float:
  if isinstance(value, bool) or not math.isfinite(value):
    raise ValueError(f'{value!r} is no number')
  return value
