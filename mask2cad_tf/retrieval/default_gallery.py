"""The gallery that comes with a model: embeddings in one file, CADs rebuilt.

Its CADs are the embedded furniture and the two real beds inside the installed
tensorflow-graphics package, so their meshes need not be shipped; rendering and
embedding their views takes minutes, so the embeddings are. <model>/gallery.npz
holds, for n CADs of C classes with V views each:

    format_version, encoder  one each, as in a gallery's manifest
    class_names              [C]
    ids, licences, creators  [n]
    labels, symmetries       int32 [n]; class ids
    mirror_normals, scales   float64 [n, 3] and [n]
    rotations                float32 [C, V, 4], (w, x, y, z)
    embeddings               float16 [n, V, E]
    valid, silhouettes       [n, V] and [n, V, 128], as in a gallery

It goes without TensorFlow. The file is made so, after
default_gallery.write_library('LIB'):

  python -m mask2cad_tf.pack --model=runs/objects --output_dir=DIR
  python -m mask2cad_tf.gallery build --library=LIB --gallery=G --model=DIR
  python -m mask2cad_tf.pack --model=DIR --output_dir=DIR --gallery=G
"""

import contextlib
import dataclasses
import fcntl
import hashlib
import importlib.util
import io
import json
import os
import pathlib
import shutil
from typing import Dict
from typing import Iterable
from typing import Iterator
from typing import Mapping
from typing import Optional
from typing import Tuple

import numpy as np

from mask2cad_tf import packaged_model
from mask2cad_tf.data import atomic_folder
from mask2cad_tf.foreign import array_files
from mask2cad_tf.geometry import cad_folder
from mask2cad_tf.geometry import mesh_files
from mask2cad_tf.geometry.furniture import catalogue
from mask2cad_tf.retrieval import gallery as gallery_lib

FILE_NAME = 'gallery.npz'
FORMAT_VERSION = 1
CACHE_VARIABLE = 'MASK2CAD_TF_CACHE'

_CACHE = os.path.join('~', '.cache', 'mask2cad_tf')
_FURNITURE = {'licence': 'Apache-2.0', 'creator': 'mask2cad_tf', 'scale': 1.0}
_BEDS = {
  'licence': 'Creative Commons Attribution 4.0',
  'creator': 'Pix3D (Sun et al., CVPR 2018)',
  'scale': 0.0,
}


def choose(model: Optional[str], gallery: Optional[str]) -> Tuple[str, str]:
  """The folders of model and gallery; the packaged ones where none is given.

  Args:
    model: folder of a model; None or '' takes the package's.
    gallery: its gallery; None or '' takes the one that comes with the model.

  Raises:
    FileNotFoundError: the package came without a model.
    ValueError: no gallery comes with this model, or it is damaged.
    PermissionError: its CADs cannot be written into the cache.
  """
  if not model:
    model = packaged_model.folder()
  if gallery:
    return model, gallery
  if not os.path.isfile(os.path.join(model, FILE_NAME)):
    raise ValueError(
      f'--gallery missing: no {FILE_NAME} comes with the model {model!r}. '
      'Build a gallery for it: python -m mask2cad_tf.gallery build '
      f'--library=LIB --gallery=G --model={model}'
    )
  return model, materialize(model)


def sample_photos() -> pathlib.Path:
  """Folder of the real Pix3D samples inside the tensorflow-graphics package.

  Raises:
    FileNotFoundError: the package is not installed or came without them.
  """
  package = importlib.util.find_spec('tensorflow_graphics')
  roots = package.submodule_search_locations if package else []
  for root in roots:
    folder = pathlib.Path(root) / 'datasets' / 'pix3d' / 'fakes'
    if (folder / 'model').is_dir():
      return folder
  raise FileNotFoundError(
    'The package tensorflow-graphics is not installed, or came without its '
    "Pix3D samples. Install the wheel: pip install 'tensorflow-graphics=="
    "2021.12.3'"
  )


def write_library(root: str) -> None:
  """Writes the CADs of the default gallery as a library with a manifest.

  Args:
    root: folder, created when missing; meshes already there stay.
  """
  furniture = {entry.cad_id: _FURNITURE for entry in catalogue.entries()}
  extras = {**furniture, **dict.fromkeys(_real_beds(), _BEDS)}
  _write_meshes(root, extras)
  cads = [{'id': cad_id, **extras[cad_id]} for cad_id in sorted(extras)]
  with open(os.path.join(root, 'manifest.json'), 'w', encoding='utf-8') as file:
    json.dump({'cads': cads}, file, indent=1)


def shrink(gallery_folder: str, output_path: str) -> None:
  """Writes a gallery of those CADs as one file; equal galleries, equal bytes.

  Args:
    gallery_folder: a gallery, built from CADs of `write_library`.
    output_path: the file, replaced when all went well.

  Raises:
    FileNotFoundError, ValueError: no gallery, a damaged one, a CAD that cannot
      be made again, views that differ within a class, or embeddings that
      float16 cannot hold.
  """
  gallery = gallery_lib.load(gallery_folder)
  _check_known(gallery_folder, gallery.cad_ids)
  with np.errstate(over='ignore'):
    embeddings = gallery.embeddings.astype(np.float16)
  if not np.isfinite(embeddings).all():
    raise ValueError(
      f'Gallery {gallery_folder!r} has embeddings that float16 cannot hold: '
      'the training diverged. Take another model.'
    )
  cads = gallery.cads
  arrays = {
    'format_version': np.int32(FORMAT_VERSION),
    'encoder': np.array(gallery.encoder),
    'class_names': np.array(gallery.class_names),
    'ids': np.array(gallery.cad_ids),
    'licences': np.array([cad.licence for cad in cads]),
    'creators': np.array([cad.creator for cad in cads]),
    'labels': gallery.labels,
    'symmetries': np.array([cad.symmetry for cad in cads], np.int32),
    'mirror_normals': np.array([cad.mirror_normal for cad in cads]),
    'scales': np.array([cad.scale for cad in cads]),
    'rotations': _class_rotations(gallery),
    'embeddings': embeddings,
    'valid': gallery.valid,
    'silhouettes': gallery.silhouettes,
  }
  new = f'{output_path}.{os.getpid()}.tmp.npz'
  try:
    np.savez_compressed(new, **arrays)
    os.replace(new, output_path)
  finally:
    if os.path.exists(new):
      os.remove(new)


def materialize(model_folder: str, cache_dir: Optional[str] = None) -> str:
  """The model's gallery as a folder, written on the first call.

  Later calls, of other processes too, return the same folder after comparing
  every file with its checksum; a damaged one is written anew.

  Args:
    model_folder: a model with a gallery.npz.
    cache_dir: parent of the folder; None takes $MASK2CAD_TF_CACHE, else
      ~/.cache/mask2cad_tf.

  Returns:
    A folder for `gallery.load`.

  Raises:
    FileNotFoundError: no gallery.npz, or the real beds are not installed.
    ValueError: the file is damaged or of another version of the package.
    PermissionError: the folder cannot be written.
  """
  source = os.path.join(model_folder, FILE_NAME)
  if not os.path.isfile(source):
    raise FileNotFoundError(
      f'No {FILE_NAME} in {model_folder!r}. Add it: python -m '
      'mask2cad_tf.pack --gallery=G --help'
    )
  content = pathlib.Path(source).read_bytes()
  parent = cache_dir or os.environ.get(CACHE_VARIABLE)
  parent = os.path.abspath(parent or os.path.expanduser(_CACHE))
  digest = hashlib.sha256(content).hexdigest()[:12]
  path = os.path.join(parent, f'gallery-{digest}')
  if _is_intact(path):
    return path
  gallery = _read(source, content)
  _check_known(source, gallery.cad_ids)
  try:
    os.makedirs(parent, exist_ok=True)
    with _locked(f'{path}.lock'):
      if not _is_intact(path):  # no other process was faster
        _write(path, gallery)
  except OSError as error:
    raise PermissionError(
      f'The CADs of the default gallery cannot be written to {path!r} '
      f'({error}). Set {CACHE_VARIABLE} to a folder that can be written, or '
      'give a gallery of your own: --gallery=G'
    ) from error
  return path


def _real_beds() -> Dict[str, str]:
  """CAD id -> mesh of the CADs inside the tensorflow-graphics package."""
  root = str(sample_photos() / 'model')
  return {
    entry.cad_id: os.path.join(root, entry.mesh_paths[0])
    for entry in cad_folder.list_cads(root)
  }


def _check_known(place: str, cad_ids: Iterable[str]) -> None:
  known = {entry.cad_id for entry in catalogue.entries()} | set(_real_beds())
  unknown = sorted(set(cad_ids) - known)
  if unknown:
    raise ValueError(
      f'{place!r} has {len(unknown)} CADs that are neither embedded furniture '
      f'nor beds of tensorflow-graphics: {", ".join(unknown[:3])}. Build it '
      'from default_gallery.write_library, with this version of the package.'
    )


def _write_meshes(root: str, cad_ids: Iterable[str]) -> Dict[str, str]:
  """Makes the CADs' files; returns CAD id -> mesh, relative to the root."""
  wanted, beds = set(cad_ids), _real_beds()
  labels = {cad_id.split('/')[0] for cad_id in wanted - set(beds)}
  for cad_id in catalogue.write_library(root, class_names=sorted(labels)):
    if cad_id not in wanted:
      shutil.rmtree(os.path.join(root, cad_id))
  for cad_id in wanted & set(beds):
    name = os.path.basename(beds[cad_id])
    mesh_files.copy(beds[cad_id], os.path.join(root, cad_id, name))
  return {
    entry.cad_id: entry.mesh_paths[0] for entry in cad_folder.list_cads(root)
  }


def _class_rotations(gallery: gallery_lib.Gallery) -> np.ndarray:
  """The views' rotations by class [C, V, 4]; identity for a class unused."""
  shape = (len(gallery.class_names), *gallery.rotations.shape[1:])
  rotations = np.zeros(shape, np.float32)
  rotations[..., 0] = 1.0
  rows = gallery.labels - 1
  rotations[rows] = gallery.rotations
  if not np.array_equal(rotations[rows], gallery.rotations):
    raise ValueError(
      f'Gallery {gallery.path!r}: CADs of one class have different view '
      'rotations. Build it with one model.'
    )
  return rotations


def _read(path: str, content: bytes) -> gallery_lib.Gallery:
  """The file's gallery; its CADs have no mesh yet."""
  try:
    arrays = array_files.read_npz(io.BytesIO(content))
    version = int(arrays['format_version'])
    if version == FORMAT_VERSION:
      return _from_arrays(arrays)
  except (
    OSError,
    EOFError,
    KeyError,
    IndexError,
    TypeError,
    ValueError,
  ) as error:
    raise ValueError(
      f'{path!r} is damaged ({error}). Install the package again, or make the '
      'file anew: python -m mask2cad_tf.pack --gallery=G --help'
    ) from error
  raise ValueError(
    f'{path!r} has format {version}; this package reads format '
    f'{FORMAT_VERSION}. Pack the model again: python -m mask2cad_tf.pack '
    '--gallery=G --help'
  )


def _from_arrays(arrays: Mapping[str, np.ndarray]) -> gallery_lib.Gallery:
  class_names = tuple(arrays['class_names'].tolist())
  rows = arrays['labels'] - 1
  columns = zip(
    arrays['ids'].tolist(),
    rows,
    arrays['licences'].tolist(),
    arrays['creators'].tolist(),
    arrays['symmetries'].tolist(),
    arrays['mirror_normals'].tolist(),
    arrays['scales'].tolist(),
  )
  return gallery_lib.Gallery(
    path='',
    class_names=class_names,
    encoder=str(arrays['encoder']),
    cads=tuple(
      gallery_lib.Cad(
        id=cad_id,
        label_name=class_names[row],
        mesh='',
        sha256='',
        licence=licence,
        creator=creator,
        symmetry=symmetry,
        mirror_normal=tuple(normal),
        scale=scale,
      )
      for cad_id, row, licence, creator, symmetry, normal, scale in columns
    ),
    embeddings=arrays['embeddings'].astype(np.float32),
    rotations=arrays['rotations'][rows],
    valid=arrays['valid'],
    silhouettes=arrays['silhouettes'],
  )


def _write(path: str, gallery: gallery_lib.Gallery) -> None:
  """Writes the folder whole or not at all."""
  shutil.rmtree(path, ignore_errors=True)  # damaged: maybe without its marker
  with atomic_folder.replacing(path, gallery_lib.MANIFEST) as folder:
    meshes = _write_meshes(
      os.path.join(folder, gallery_lib.MESHES), gallery.cad_ids
    )
    cads = []
    for cad in gallery.cads:
      mesh = os.path.join(gallery_lib.MESHES, meshes[cad.id])
      digest = gallery_lib.file_sha256(os.path.join(folder, mesh))
      cads.append(dataclasses.replace(cad, mesh=mesh, sha256=digest))
    gallery_lib.write_index(
      folder, dataclasses.replace(gallery, path=folder, cads=tuple(cads))
    )


def _is_intact(path: str) -> bool:
  """Whether the folder is a gallery and each mesh is what it was."""
  try:
    gallery = gallery_lib.load(path)
    return all(
      gallery_lib.file_sha256(os.path.join(path, cad.mesh)) == cad.sha256
      for cad in gallery.cads
    )
  except (OSError, ValueError):
    return False


@contextlib.contextmanager
def _locked(path: str) -> Iterator[None]:
  """Waits until no other process holds the file."""
  with open(path, 'w', encoding='utf-8') as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    yield
