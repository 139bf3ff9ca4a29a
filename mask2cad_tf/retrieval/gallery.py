"""A gallery on disk: CAD meshes, embeddings of their views, a manifest.

    manifest.json    format, content hash, classes, encoder, one entry per CAD
    meshes/          the CADs' files, copied, under <class>/<shape>/
    embeddings.npy   float32 [cads, V, E], as the view encoder gave them
    views.npz        rotations [cads, V, 4] (w, x, y, z); valid [cads, V];
                     silhouettes [cads, V, 128], see view_silhouettes

NumPy only: a gallery is read where TensorFlow is not.
"""

import dataclasses
import functools
import hashlib
import json
import os
from typing import Any
from typing import Dict
from typing import Iterator
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np

from mask2cad_tf import close_names
from mask2cad_tf.foreign import array_files
from mask2cad_tf.foreign import json_files
from mask2cad_tf.foreign import paths
from mask2cad_tf.retrieval import gallery_entries

FORMAT_VERSION = 2
MANIFEST = 'manifest.json'
MESHES = gallery_entries.MESHES
_EMBEDDINGS = 'embeddings.npy'
_VIEWS = 'views.npz'
INDEX = (MANIFEST, _EMBEDDINGS, _VIEWS)  # all but the meshes
NEAR_DUPLICATE = 0.95  # least mean cosine of the views at equal rotations
_UNREADABLE = (OSError, AttributeError, KeyError, TypeError, ValueError)


Cad = gallery_entries.Cad


@dataclasses.dataclass(frozen=True)
class Gallery:
  """A gallery in memory; row i of every array is `cads[i]`.

  Attributes:
    path: its folder.
    class_names: the foreground classes; class id = 1 + index.
    encoder: fingerprint of the view encoder that made the embeddings.
    cads: the entries.
    embeddings: float32 [cads, V, E].
    rotations: float32 [cads, V, 4], (w, x, y, z), of the views.
    valid: bool [cads, V], False where a view repeats another.
    silhouettes: uint8 [cads, V, 128], packed 32 x 32 bits of the views.
  """

  path: str
  class_names: Tuple[str, ...]
  encoder: str
  cads: Tuple[Cad, ...]
  embeddings: np.ndarray
  rotations: np.ndarray
  valid: np.ndarray
  silhouettes: np.ndarray

  @property
  def cad_ids(self) -> Tuple[str, ...]:
    """The ids, row by row."""
    return tuple(cad.id for cad in self.cads)

  @property
  def labels(self) -> np.ndarray:
    """int32 [cads], class ids."""
    return np.array(
      [1 + self.class_names.index(cad.label_name) for cad in self.cads],
      np.int32,
    )

  @functools.cached_property
  def content_hash(self) -> str:
    """sha256 over entries, embeddings and views: two galleries, one answer."""
    digest = hashlib.sha256()
    digest.update(
      json.dumps(
        [
          self.class_names,
          self.encoder,
          list(map(gallery_entries.to_json, self.cads)),
        ],
        sort_keys=True,
      ).encode()
    )
    for array, dtype in (
      (self.embeddings, '<f4'),
      (self.rotations, '<f4'),
      (self.valid, 'u1'),
      (self.silhouettes, 'u1'),
    ):
      digest.update(str(array.shape).encode())
      digest.update(np.ascontiguousarray(array, dtype).tobytes())
    return digest.hexdigest()

  @property
  def version(self) -> str:
    """Twelve digits of the content hash, for people and for scene.json."""
    return self.content_hash[:12]

  @functools.cached_property
  def _rows(self) -> Dict[str, int]:
    return {cad.id: row for row, cad in enumerate(self.cads)}

  def row(self, cad_id: str) -> int:
    """Row of a CAD. Raises ValueError for an id it does not hold."""
    if cad_id not in self._rows:
      raise ValueError(
        f'Gallery {self.path!r} has no CAD {cad_id!r}; it holds '
        f'{len(self.cads)} CADs.{close_names.hint(cad_id, self.cad_ids)}'
      )
    return self._rows[cad_id]

  def cad(self, cad_id: str) -> Cad:
    """The entry of a CAD. Raises ValueError for an id it does not hold."""
    return self.cads[self.row(cad_id)]

  def credit(self, cad_id: str) -> Dict[str, str]:
    """'creator' and 'licence' of a CAD, as far as known."""
    cad = self.cad(cad_id)
    known = {'creator': cad.creator, 'licence': cad.licence}
    return {name: value for name, value in known.items() if value}

  def near_duplicates(self, cad_id: str, cosine: float) -> Tuple[str, ...]:
    """Ids of CADs that look like one from everywhere, itself among them.

    Args:
      cad_id: of the gallery; another id gives ().
      cosine: least mean cosine of the views at equal rotations.
    """
    if cad_id not in self._rows:
      return ()
    row = self._rows[cad_id]
    same_class = np.flatnonzero(self.labels == self.labels[row])
    means = view_cosines(
      self.embeddings[row],
      self.valid[row],
      self.embeddings[same_class],
      self.valid[same_class],
    )
    near = same_class[(means >= cosine) | (same_class == row)]
    return tuple(self.cads[i].id for i in near)

  def mesh_path(self, cad_id: str) -> str:
    """Path of a CAD's mesh file. Raises ValueError for an unknown id."""
    return os.path.join(self.path, self.cad(cad_id).mesh)

  def take(self, rows: Sequence[int]) -> 'Gallery':
    """The gallery of these rows, in this order."""
    rows = list(rows)
    return dataclasses.replace(
      self,
      cads=tuple(self.cads[row] for row in rows),
      embeddings=self.embeddings[rows],
      rotations=self.rotations[rows],
      valid=self.valid[rows],
      silhouettes=self.silhouettes[rows],
    )

  def merge(self, other: 'Gallery') -> 'Gallery':
    """The CADs of two galleries, sorted by id; path and encoder are its own."""
    cads = self.cads + other.cads
    both = dataclasses.replace(
      self,
      cads=cads,
      embeddings=np.concatenate([self.embeddings, other.embeddings]),
      rotations=np.concatenate([self.rotations, other.rotations]),
      valid=np.concatenate([self.valid, other.valid]),
      silhouettes=np.concatenate([self.silhouettes, other.silhouettes]),
    )
    return both.take(sorted(range(len(cads)), key=lambda row: cads[row].id))


def view_cosines(
  views: np.ndarray,
  valid: np.ndarray,
  other_views: np.ndarray,
  other_valid: np.ndarray,
) -> np.ndarray:
  """How alike a CAD and others look: mean cosine of views at equal rotations.

  Args:
    views: float [V, E], of the CAD.
    valid: bool [V].
    other_views: float [n, V, E].
    other_valid: bool [n, V].

  Returns:
    float [n], over the views that are valid in both; 0 where none is.
  """
  both = valid & other_valid
  lengths = np.linalg.norm(views, axis=-1) * np.linalg.norm(
    other_views, axis=-1
  )
  cosines = (views * other_views).sum(axis=-1) / np.maximum(lengths, 1e-12)
  return np.where(both, cosines, 0.0).sum(axis=1) / np.maximum(
    both.sum(axis=1), 1
  )


def write_index(folder: str, gallery: Gallery) -> None:
  """Writes all but the meshes into a folder that is not in use yet."""
  np.save(
    os.path.join(folder, _EMBEDDINGS), gallery.embeddings.astype(np.float32)
  )
  np.savez(
    os.path.join(folder, _VIEWS),
    rotations=gallery.rotations.astype(np.float32),
    valid=gallery.valid.astype(bool),
    silhouettes=gallery.silhouettes,
  )
  manifest = {
    'format_version': FORMAT_VERSION,
    'content_hash': gallery.content_hash,
    'class_names': list(gallery.class_names),
    'encoder_fingerprint': gallery.encoder,
    'cads': [gallery_entries.to_json(cad) for cad in gallery.cads],
  }
  with open(os.path.join(folder, MANIFEST), 'w', encoding='utf-8') as file:
    json.dump(manifest, file, indent=1, sort_keys=True)
    file.write('\n')


def load(
  path: str,
  encoder: Optional[str] = None,
  class_names: Optional[Sequence[str]] = None,
) -> Gallery:
  """Reads a gallery.

  Args:
    path: its folder.
    encoder: fingerprint of the model's view encoder; None takes any.
    class_names: the model's foreground classes; None takes any.

  Raises:
    FileNotFoundError: no gallery there.
    ValueError: another format, damaged, or of another encoder or class list.
  """
  gallery, intact = read(path)
  if not intact:
    raise ValueError(
      _damaged(path, 'its content is not what its manifest says')
    )
  check_belongs(gallery, encoder, class_names)
  for fault in shape_faults(gallery):
    raise ValueError(_damaged(path, fault))
  for cad in gallery.cads:
    if not paths.stays(path, cad.mesh):
      raise ValueError(
        _damaged(path, f'{cad.id}: a link leads out of the folder')
      )
  return gallery


def shape_faults(gallery: Gallery) -> Iterator[str]:
  """One line for each array that is not of the entries' number and views."""
  shape = gallery.embeddings.shape
  if len(shape) != 3 or shape[0] != len(gallery.cads) or 0 in shape:
    yield (
      f'embeddings: shape {list(shape)}, expected [{len(gallery.cads)}, views, '
      'dimensions]'
    )
    return
  for name, last, kind in (
    ('embeddings', shape[2:], np.float32),
    ('rotations', (4,), np.float32),
    ('valid', (), np.bool_),
    ('silhouettes', (128,), np.uint8),
  ):
    array, expected = getattr(gallery, name), (*shape[:2], *last)
    if array.shape != expected or array.dtype != kind:
      yield (
        f'{name}: {array.dtype} {list(array.shape)}, expected '
        f'{np.dtype(kind)} {list(expected)}'
      )


def read(path: str) -> Tuple[Gallery, bool]:
  """Reads a gallery as it is, even if it is not what its manifest says.

  Replaced by another process in the middle, it is read again.

  Returns:
    The gallery, and whether it has the content hash of its manifest.

  Raises:
    FileNotFoundError: no gallery there.
    ValueError: another format or unreadable.
  """
  while True:
    stamp = _stamp(path)
    manifest, problem = _read_manifest(path), None
    try:
      gallery = _read_content(path, manifest)
      intact = gallery.content_hash == manifest['content_hash']
    except _UNREADABLE as error:
      problem = error
    if _stamp(path) != stamp:
      continue
    if problem:
      raise ValueError(_damaged(path, str(problem))) from problem
    return gallery, intact


def _stamp(path: str) -> Optional[Tuple[int, int]]:
  """Tells two manifests at one path apart, even two of the same content."""
  try:
    status = os.stat(os.path.join(path, MANIFEST))
  except OSError:
    return None
  return status.st_ino, status.st_mtime_ns


def file_sha256(path: str) -> str:
  """Of a mesh file, as the manifest has it."""
  with open(path, 'rb') as file:
    return hashlib.sha256(file.read()).hexdigest()


def _read_content(path: str, manifest: Dict[str, Any]) -> Gallery:
  views = array_files.read_npz(os.path.join(path, _VIEWS))
  return Gallery(
    path=path,
    class_names=tuple(map(gallery_entries.text, manifest['class_names'])),
    encoder=gallery_entries.text(manifest['encoder_fingerprint']),
    cads=tuple(map(gallery_entries.from_json, manifest['cads'])),
    embeddings=array_files.read_npy(os.path.join(path, _EMBEDDINGS)),
    rotations=views['rotations'],
    valid=views['valid'],
    silhouettes=views['silhouettes'],
  )


def _read_manifest(path: str) -> Dict[str, Any]:
  manifest_path = os.path.join(path, MANIFEST)
  if not os.path.isfile(manifest_path):
    raise FileNotFoundError(
      f'No gallery at {path!r} (no {MANIFEST} there). Build it: python -m '
      f'mask2cad_tf.gallery build --library=LIB --gallery={path} '
      '--model=DIR'
    )
  try:
    manifest = json_files.read(manifest_path)
    version = manifest['format_version']
  except (ValueError, KeyError, TypeError) as error:
    raise ValueError(
      _damaged(path, f'{MANIFEST} is no manifest: {error}')
    ) from error
  if version != FORMAT_VERSION:
    raise ValueError(
      f'Gallery {path!r} has format {version}, this version reads '
      f'{FORMAT_VERSION}. Build it anew: python -m mask2cad_tf.gallery build'
    )
  return manifest


def _damaged(path: str, why: str) -> str:
  return (
    f'Gallery {path!r} is damaged ({why}). Build it anew: python -m '
    'mask2cad_tf.gallery build --library=LIB '
    f'--gallery={path} --model=DIR'
  )


def check_belongs(
  gallery: Gallery, encoder: Optional[str], class_names: Optional[Sequence[str]]
) -> None:
  """Raises ValueError for another encoder's or class list's; see `load`."""
  rebuild = (
    'Build one for this model: python -m mask2cad_tf.gallery build '
    '--library=LIB --gallery=G --model=DIR'
  )
  if encoder is not None and gallery.encoder != encoder:
    raise ValueError(
      f'Gallery {gallery.path!r} was made by another view encoder '
      f"({gallery.encoder[:12]}) than the model's ({encoder[:12]}): their "
      f'embeddings do not compare. Name its model with --model, if it has one '
      f'of its own. {rebuild}'
    )
  if class_names is not None and gallery.class_names != tuple(class_names):
    raise ValueError(
      f'Gallery {gallery.path!r} has the classes '
      f'{", ".join(gallery.class_names)}; the model has '
      f'{", ".join(class_names)}. {rebuild}'
    )
