"""What is wrong with a gallery: manifest, arrays, meshes, encoder."""

import collections
from typing import Iterator
from typing import List
from typing import Optional
from typing import Sequence

import numpy as np

from mask2cad_tf.retrieval import gallery as gallery_lib

# No encoder that was trained embeds a view shorter or longer.
_NORMS = (1e-6, 1e6)


def faults(
  path: str,
  encoder: Optional[str] = None,
  class_names: Optional[Sequence[str]] = None,
) -> List[str]:
  """One line for each fault of a gallery.

  Args:
    path: its folder.
    encoder: fingerprint of the model's view encoder; None takes any.
    class_names: the model's foreground classes; None takes any.

  Raises:
    FileNotFoundError: no gallery there.
  """
  try:
    gallery, intact = gallery_lib.read(path)
  except ValueError as error:
    return [str(error)]
  found = [] if intact else ['the content is not what the manifest says']
  try:
    gallery_lib.check_belongs(gallery, encoder, class_names)
  except ValueError as error:
    found.append(str(error))
  return [*found, *_entries(gallery), *_arrays(gallery), *_meshes(gallery)]


def _entries(gallery: gallery_lib.Gallery) -> Iterator[str]:
  if not gallery.cads:
    yield 'the gallery holds no CAD'
  for cad_id, count in collections.Counter(gallery.cad_ids).items():
    if count > 1:
      yield f'{cad_id}: listed {count} times'
  for cad in gallery.cads:
    if cad.label_name not in gallery.class_names:
      yield f'{cad.id}: class {cad.label_name!r} is not one of the classes'


def _arrays(gallery: gallery_lib.Gallery) -> Iterator[str]:
  wrong = list(gallery_lib.shape_faults(gallery))
  yield from wrong or _values(gallery)


def _values(gallery: gallery_lib.Gallery) -> Iterator[str]:
  norms = np.linalg.norm(gallery.embeddings, axis=-1)
  turns = np.linalg.norm(gallery.rotations, axis=-1)
  for row, cad_id in enumerate(gallery.cad_ids):
    # Not the other way round: comparisons with NaN are False.
    if not np.all((norms[row] >= _NORMS[0]) & (norms[row] <= _NORMS[1])):
      yield f'{cad_id}: an embedding is zero, huge or not finite'
    if not np.all(np.abs(turns[row] - 1.0) < 1e-3):
      yield f'{cad_id}: a rotation is no unit quaternion'
    if not gallery.valid[row].any():
      yield f'{cad_id}: no view is valid'


def _meshes(gallery: gallery_lib.Gallery) -> Iterator[str]:
  for cad in gallery.cads:
    try:
      digest = gallery_lib.file_sha256(gallery.mesh_path(cad.id))
    except OSError as error:
      yield f'{cad.id}: the mesh cannot be read: {error}'
      continue
    if digest != cad.sha256:
      yield f'{cad.id}: the mesh {cad.mesh!r} is not the one that was embedded'
