"""Sweet Home 3D's catalogues (.sh3f files, the program's jar) as CADs."""

import dataclasses
import functools
import hashlib
import os
import posixpath
import re
from typing import Dict
from typing import List
from typing import NamedTuple
from typing import Optional
from typing import Sequence
from typing import Set
from typing import Tuple

import numpy as np

from mask2cad_tf.geometry import meshes
from tfrecords_tools.cad_sources import built_in_materials
from tfrecords_tools.cad_sources import furniture_classes
from tfrecords_tools.cad_sources import furniture_placement
from tfrecords_tools.cad_sources import glb_conversion
from tfrecords_tools.cad_sources import java_properties
from tfrecords_tools.cad_sources import source_cad
from tfrecords_tools.cad_sources import zip_archive

MESH = 'model.glb'
CLUTTER = 'clutter'  # takes the class's place in a small thing's id
_CATALOGUES = (
  'PluginFurnitureCatalog.properties',
  'com/eteks/sweethome3d/io/DefaultFurnitureCatalog.properties',
)
_FIELD = re.compile(r'([A-Za-z]+)#([0-9]{1,9})$')
_MAX_NAME = 200  # letters of a folder's name; file systems take 255
_METRES = 0.01  # catalogues are in centimetres


class Listing(NamedTuple):
  """What catalogues hold, in their order."""

  cads: List[source_cad.SourceCad]  # of a class
  clutter: List[source_cad.SourceCad]  # small things of none
  failed: List[source_cad.Failure]  # entries that say nothing usable


@dataclasses.dataclass(frozen=True)
class FurnitureModel(source_cad.SourceCad):
  """One model of a catalogue."""

  archive: str  # path of the .sh3f or .jar
  member: str  # path of the model in it
  rotation: Tuple[float, ...]  # 3 x 3, row by row
  size: Tuple[float, float, float]  # width x, height y, depth z, metres
  standing: bool  # lowest point at y = 0, else the box's centre

  def write(self, folder: str) -> source_cad.Written:
    """Writes model.glb: metres, +y up, front -z."""
    archive = _open(self.archive)
    member = self.member
    if member not in archive:
      raise meshes.MeshError(f'{self.source} is not in the archive.')
    digest = hashlib.sha256(archive.read(member)).hexdigest()
    if member.lower().endswith('.zip'):
      archive = zip_archive.ZipArchive(archive.read(member), self.source)
      member = _only_obj(archive, self.source)
    if not member.lower().endswith('.obj'):
      raise meshes.MeshError(f'{self.source} is not an OBJ file.')
    parts = glb_conversion.read_obj(
      built_in_materials.add_to(archive.read(member)),
      _reader(archive, member),
      self.source,
    )
    rotation = np.reshape(self.rotation, (3, 3))
    turn = np.eye(4)
    turn[:3, :3] = rotation
    matrix = furniture_placement.matrix(
      glb_conversion.bounds(glb_conversion.move(parts, turn)),
      rotation,
      self.size,
      self.standing,
    )
    data = glb_conversion.glb(glb_conversion.move(parts, matrix))
    source_cad.write_bytes(folder, MESH, data)
    return source_cad.Written((MESH,), digest)


def list_models(
  archives: Sequence[str], class_names: Optional[Sequence[str]] = None
) -> Listing:
  """Reads the catalogues of archives.

  Args:
    archives: paths of .sh3f or .jar files.
    class_names: the classes that are wanted; None takes all.

  Raises:
    ValueError: a file is no archive (or a malicious one, see `zip_archive`),
      or has no catalogue in it.
  """
  listing = Listing([], [], [])
  taken: Set[str] = set()
  for path in archives:
    archive = _open(path)
    catalogue = next((n for n in _CATALOGUES if n in archive), None)
    if catalogue is None:
      raise ValueError(
        f'{path!r} holds no furniture catalogue ({" or ".join(_CATALOGUES)}). '
        "Give Sweet Home 3D's .sh3f files or its jar."
      )
    head, entries = _entries(java_properties.parse(archive.read(catalogue)))
    for entry in entries:
      _list_entry(path, head, entry, class_names, taken, listing)
  return listing


def _list_entry(path, head, entry, class_names, taken, listing) -> None:
  """Appends a catalogue's entry where it belongs."""
  where = f'{os.path.basename(path)}:{entry.get("id", entry.get("name", "?"))}'
  try:
    model = _model(path, head, entry)
  except (KeyError, ValueError) as error:
    listing.failed.append(
      source_cad.Failure(where, f'The catalogue entry is broken: {error!r}.')
    )
    return
  if model is None:
    return
  if model.label_name == CLUTTER:
    target = listing.clutter
  elif class_names is None or model.label_name in class_names:
    target = listing.cads
  else:
    return
  target.append(dataclasses.replace(model, cad_id=_unique(model.cad_id, taken)))


def _entries(
  properties: Dict[str, str],
) -> Tuple[Dict[str, str], List[Dict[str, str]]]:
  """The catalogue's own fields, and each model's by field name."""
  head: Dict[str, str] = {}
  models: Dict[int, Dict[str, str]] = {}
  for key, value in properties.items():
    match = _FIELD.match(key)
    if match:
      models.setdefault(int(match[2]), {})[match[1]] = value.strip()
    elif '#' not in key:
      head[key] = value.strip()
  return head, [models[number] for number in sorted(models)]


def _model(path, head, entry) -> Optional[FurnitureModel]:
  """The entry as a CAD, as clutter, or None where it is neither."""
  name, category = entry['name'], entry.get('category', '')
  size = tuple(
    _METRES * float(entry[side]) for side in ('width', 'height', 'depth')
  )
  if not min(size) > 0.0 or not np.isfinite(size).all():
    raise ValueError(f'size {size}')
  rotation = tuple(
    float(x) for x in entry.get('modelRotation', '1 0 0 0 1 0 0 0 1').split()
  )
  if len(rotation) != 9:
    raise ValueError(f'modelRotation of {len(rotation)} numbers')
  model_id = entry.get('id', name)
  label = None
  if entry.get('doorOrWindow') != 'true':
    label = furniture_classes.label_of(name, category, model_id)
  standing = label is None
  if label is None:
    elevation = float(entry.get('elevation', 0.0))
    if not furniture_classes.is_clutter(name, category, size, elevation):
      return None
    label = CLUTTER
  member = entry['model'].lstrip('/')
  shape = re.sub('[^A-Za-z0-9]+', '_', model_id).strip('_')
  if not 0 < len(shape) <= _MAX_NAME:
    raise ValueError(f'id of {len(shape)} letters and digits')
  return FurnitureModel(
    cad_id=f'{label}/{shape}',
    name=name,
    licence=re.sub(r'\s+', ' ', entry.get('license', head.get('license', ''))),
    creator=entry.get('creator', head.get('provider', '')),
    source=f'{os.path.basename(path)}:{member}',
    scale=1.0,
    archive=path,
    member=member,
    rotation=rotation,
    size=size,
    standing=standing,
  )


def _unique(cad_id: str, taken: Set[str]) -> str:
  """The id, with a number where catalogues use it twice."""
  unique, count = cad_id, 1
  while unique.lower() in taken:  # folders of some systems ignore case
    count += 1
    unique = f'{cad_id}_{count}'
  taken.add(unique.lower())
  return unique


def _open(path: str) -> zip_archive.ZipArchive:
  """An archive, opened once a process unless the file changes."""
  state = os.stat(path)
  return _open_once(path, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=8)
def _open_once(path: str, unused_time: int, unused_size: int):
  return zip_archive.ZipArchive(path, repr(path))


def _reader(
  archive: zip_archive.ZipArchive, member: str
) -> glb_conversion.Read:
  """Reads files beside a member of an archive."""

  def read(name: str) -> bytes:
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(member), name))
    if beside not in archive:
      if name == built_in_materials.NAME:
        return built_in_materials.mtl()
      raise FileNotFoundError(beside)
    return archive.read(beside)

  return read


def _only_obj(archive: zip_archive.ZipArchive, where: str) -> str:
  names = sorted(n for n in archive.names if n.lower().endswith('.obj'))
  if not names:
    raise meshes.MeshError(f'{where} holds no OBJ file.')
  return names[0]
