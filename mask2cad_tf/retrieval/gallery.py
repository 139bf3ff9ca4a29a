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
import zipfile
from typing import Any
from typing import Dict
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np

from mask2cad_tf import close_names

FORMAT_VERSION = 2
MANIFEST = 'manifest.json'
MESHES = 'meshes'
_EMBEDDINGS = 'embeddings.npy'
_VIEWS = 'views.npz'
INDEX = (MANIFEST, _EMBEDDINGS, _VIEWS)  # all but the meshes
NEAR_DUPLICATE = 0.95  # least mean cosine of the views at equal rotations
_UNREADABLE = (
  OSError,
  EOFError,
  KeyError,
  TypeError,
  ValueError,
  zipfile.BadZipFile,
)


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
        [self.class_names, self.encoder, list(map(_to_json, self.cads))],
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


def _to_json(cad: Cad) -> Dict[str, Any]:
  entry = dataclasses.asdict(cad)
  entry['class'] = entry.pop('label_name')
  return {
    **entry,
    'mirror_normal': list(cad.mirror_normal),
    'chiral': cad.chiral,
  }


def _from_json(entry: Dict[str, Any]) -> Cad:
  fields = {k: v for k, v in entry.items() if k not in ('class', 'chiral')}
  fields['mirror_normal'] = tuple(fields['mirror_normal'])
  return Cad(label_name=entry['class'], **fields)


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
    'cads': [_to_json(cad) for cad in gallery.cads],
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
  return gallery


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
  embeddings = np.load(os.path.join(path, _EMBEDDINGS))
  with np.load(os.path.join(path, _VIEWS)) as views:
    rotations, valid = views['rotations'], views['valid']
    silhouettes = views['silhouettes']
  return Gallery(
    path=path,
    class_names=tuple(manifest['class_names']),
    encoder=manifest['encoder_fingerprint'],
    cads=tuple(map(_from_json, manifest['cads'])),
    embeddings=embeddings,
    rotations=rotations,
    valid=valid,
    silhouettes=silhouettes,
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
    with open(manifest_path, encoding='utf-8') as file:
      manifest = json.load(file)
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
