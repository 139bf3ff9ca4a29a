"""Writes a library folder: CADs, measurements, manifest, contact sheet."""

import collections
import dataclasses
import json
import os
import shutil
from typing import Any
from typing import Dict
from typing import List
from typing import NamedTuple
from typing import Sequence
from typing import Tuple
from typing import Union

import mask2cad_tf
from mask2cad_tf import progress
from mask2cad_tf.data import atomic_folder
from mask2cad_tf.data import worker_pool
from mask2cad_tf.geometry import meshes
from tfrecords_tools.cad_sources import measurements
from tfrecords_tools.cad_sources import source_cad
from tfrecords_tools.cad_sources import thumbnails

MANIFEST = 'manifest.json'
SHEET = 'contact_sheet.png'
FORMAT_VERSION = 1


class Settings(NamedTuple):
  """How a library is written."""

  source: str  # name of the kind of collection
  num_processes: int
  skip_broken: bool
  drop_copies: bool = False  # keep one of CADs that are equal byte for byte


class Report(NamedTuple):
  """What came out."""

  counts: Dict[str, int]  # CADs by class
  failed: Tuple[source_cad.Failure, ...]
  num_near_duplicates: int
  num_with_stray_geometry: int


class _Done(NamedTuple):
  """A CAD that is in the library."""

  entry: Dict[str, Any]  # of the manifest, without its group
  content: str  # hash of the meshes
  png: bytes  # thumbnail


@dataclasses.dataclass(frozen=True)
class _WriteCad:
  """Writes, measures and pictures the CAD of an index."""

  cads: Tuple[source_cad.SourceCad, ...]
  root: str
  measured: bool

  def __call__(self, index: int) -> Union[_Done, str]:
    cad = self.cads[index]
    folder = os.path.join(self.root, cad.cad_id)
    os.makedirs(folder)
    try:
      written = cad.write(folder)
      measure = measurements.measure if self.measured else _size_only
      fields = measure(self.root, cad.cad_id, written.meshes)
      png = thumbnails.render(os.path.join(self.root, fields['representative']))
    except (ValueError, OSError) as error:
      shutil.rmtree(folder)
      return str(error)
    entry = {
      'id': cad.cad_id,
      'class': cad.label_name,
      'name': cad.name,
      **fields,
      'scale': cad.scale,
      'metric': cad.scale > 0.0,
      'up': '+y',
      'front': '-z',
      'licence': cad.licence,
      'creator': cad.creator,
      'source': cad.source,
      'source_sha256': written.sha256,
    }
    paths = tuple(os.path.join(folder, name) for name in written.meshes)
    return _Done(entry, source_cad.sha256(paths), png)


@dataclasses.dataclass(frozen=True)
class _GroupClass:
  """Finds the near-duplicates of the class of an index."""

  root: str
  representatives: Tuple[Tuple[str, ...], ...]  # mesh paths by class

  def __call__(self, index: int) -> List[int]:
    return measurements.groups(self.root, self.representatives[index])


def write(
  cads: Sequence[source_cad.SourceCad],
  output_dir: str,
  settings: Settings,
  failed: Sequence[source_cad.Failure] = (),
) -> Report:
  """Writes a library, or leaves the folder as it was.

  Args:
    cads: what goes in.
    output_dir: new or to be replaced.
    settings: how.
    failed: what was left out before.

  Raises:
    ValueError: no CAD can be used, a CAD is broken and not skipped, or the
      folder is something else.
  """
  cads = sorted(cads, key=lambda cad: cad.cad_id)
  with atomic_folder.replacing(output_dir, MANIFEST) as folder:
    done, broken = _write_cads(cads, folder, settings, measured=True)
    broken = [*failed, *broken]
    if not done:
      raise ValueError(_nothing(broken))
    _add_groups(done, folder, settings.num_processes)
    _write_manifest(folder, settings, 'cads', done, broken)
    _write_sheet(folder, settings.source, done)
  entries = [one.entry for one in done]
  return Report(
    counts=dict(
      sorted(collections.Counter(entry['class'] for entry in entries).items())
    ),
    failed=tuple(broken),
    num_near_duplicates=sum(entry['group'] != entry['id'] for entry in entries),
    num_with_stray_geometry=sum(
      max(entry['stray_geometry']) >= measurements.STRAY_SHARE
      for entry in entries
    ),
  )


def write_things(
  cads: Sequence[source_cad.SourceCad], output_dir: str, settings: Settings
) -> int:
  """Writes things of no class as <output_dir>/<name>.glb.

  Args:
    cads: one mesh each.
    output_dir: new or to be replaced; gets a manifest and a sheet too.
    settings: how.

  Returns:
    How many there are.
  """
  cads = sorted(cads, key=lambda cad: cad.cad_id)
  with atomic_folder.replacing(output_dir, MANIFEST) as folder:
    done, broken = _write_cads(cads, folder, settings, measured=False)
    if not done:
      raise ValueError(_nothing(broken))
    for one in done:
      (path,) = one.entry['meshes']
      file = f'{one.entry["id"].split("/")[1]}.glb'
      os.rename(os.path.join(folder, path), os.path.join(folder, file))
      one.entry['meshes'] = [file]
    for label_name in {one.entry['class'] for one in done}:
      shutil.rmtree(os.path.join(folder, label_name))
    _write_manifest(folder, settings, 'things', done, broken)
    _write_sheet(folder, f'{settings.source}, small things', done)
  return len(done)


def _write_cads(
  cads: Sequence[source_cad.SourceCad],
  folder: str,
  settings: Settings,
  measured: bool,
) -> Tuple[List[_Done], List[source_cad.Failure]]:
  """The CADs that work, in order, and those that are left out."""
  work = _WriteCad(tuple(cads), folder, measured)
  results: Dict[int, Union[_Done, str]] = {}
  with progress.Line(settings.source, len(cads), 'CADs') as line:
    for index, result in _map(work, len(cads), settings.num_processes):
      if isinstance(result, str) and not settings.skip_broken:
        raise meshes.MeshError(
          f'{cads[index].cad_id}: {result} To go on without such CADs: '
          '--skip_broken'
        )
      results[index] = result
      line.add()
  done: List[_Done] = []
  kept: Dict[str, str] = {}  # the id of each content
  broken = []
  for index, cad in enumerate(cads):
    result = results[index]
    if isinstance(result, str):
      broken.append(source_cad.Failure(cad.cad_id, result))
    elif settings.drop_copies and result.content in kept:
      first = kept[result.content]
      shutil.rmtree(os.path.join(folder, cad.cad_id))
      broken.append(
        source_cad.Failure(cad.cad_id, f'It is byte for byte {first}.')
      )
    else:
      kept[result.content] = cad.cad_id
      done.append(result)
  for label_name in {cad.label_name for cad in cads}:
    if not os.listdir(os.path.join(folder, label_name)):
      os.rmdir(os.path.join(folder, label_name))
  return done, broken


def _add_groups(done: List[_Done], folder: str, num_processes: int) -> None:
  """Adds to each entry the id of the first CAD that it duplicates."""
  classes: Dict[str, List[Dict[str, Any]]] = {}
  for one in done:
    classes.setdefault(one.entry['class'], []).append(one.entry)
  members = list(classes.values())
  work = _GroupClass(
    folder,
    tuple(
      tuple(entry['representative'] for entry in entries) for entries in members
    ),
  )
  for index, firsts in _map(work, len(members), num_processes):
    for entry, first in zip(members[index], firsts):
      entry['group'] = members[index][first]['id']


def _map(work, count: int, num_processes: int):
  """Yields (index, work(index)) in any order."""
  if num_processes == 1 or count < 2:
    return ((index, work(index)) for index in range(count))
  return worker_pool.map_unordered(work, range(count), num_processes)


def _size_only(root: str, cad_id: str, names: Sequence[str]) -> Dict[str, Any]:
  """The manifest's fields of a thing: of one mesh, unmeasured."""
  paths = [f'{cad_id}/{name}' for name in names]
  mesh = meshes.load(os.path.join(root, paths[0]), with_materials=False)
  return {
    'meshes': paths,
    'representative': paths[0],
    'triangles': len(mesh.faces),
    'size': [round(float(edge), 6) for edge in mesh.extents],
  }


def _write_manifest(folder, settings, key, done, broken) -> None:
  manifest = {
    'format_version': FORMAT_VERSION,
    'source': settings.source,
    'package_version': mask2cad_tf.__version__,
    key: [
      {k: v for k, v in one.entry.items() if k != 'representative'}
      for one in done
    ],
    'failed': [failure._asdict() for failure in broken],
  }
  with open(os.path.join(folder, MANIFEST), 'w', encoding='utf-8') as file:
    json.dump(manifest, file, indent=1, ensure_ascii=False)
    file.write('\n')


def _write_sheet(folder: str, title: str, done: Sequence[_Done]) -> None:
  png = thumbnails.sheet(
    f'{title}: {len(done)} CADs, fronts (-z) towards the lower left',
    [
      thumbnails.Thumbnail(
        one.entry['class'], one.entry['id'].split('/')[1], one.png
      )
      for one in done
    ],
  )
  source_cad.write_bytes(folder, SHEET, png)


def _nothing(broken: Sequence[source_cad.Failure]) -> str:
  if not broken:
    return 'No CAD of these classes is in the input; nothing was written.'
  return (
    f'None of {len(broken)} CADs can be used; nothing was written. The first: '
    f'{broken[0].id}: {broken[0].reason}'
  )
