"""What a gallery holds of a CAD: rendered, embedded, its files copied.

Without TensorFlow but for what the encoder brings.
"""

import contextlib
import dataclasses
import math
import os
from typing import Any
from typing import Callable
from typing import Dict
from typing import List
from typing import Optional
from typing import Sequence
from typing import Tuple
from typing import Union

import numpy as np

from mask2cad_tf import close_names
from mask2cad_tf import progress
from mask2cad_tf.data import worker_pool
from mask2cad_tf.foreign import json_files
from mask2cad_tf.geometry import cad_folder
from mask2cad_tf.geometry import mesh_files
from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import renderer
from mask2cad_tf.geometry import rotations
from mask2cad_tf.geometry import symmetry
from mask2cad_tf.geometry import views
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import view_silhouettes

# A CAD and its views uint8 [V, H, W], or why there are none.
_Rendered = Tuple[
  Union[gallery_lib.Cad, meshes.MeshError], Optional[np.ndarray]
]
_MANY = 8  # CADs; for fewer no process is worth its start


@dataclasses.dataclass(frozen=True)
class Encoder:
  """What embeds the views of CADs: a model's, or a SavedModel's.

  Attributes:
    fingerprint: of its weights: which embeddings belong to it.
    class_names: the foreground classes; class id = 1 + index.
    rotations: float32 [C, V, 4], (w, x, y, z), of the views by class id.
    valid: bool [C, V], False where a view repeats another.
    embed: grey renderings float32 [V, 128, 128, 1], 0..1, to float [V, E].
  """

  fingerprint: str
  class_names: Tuple[str, ...]
  rotations: np.ndarray
  valid: np.ndarray
  embed: Callable[[np.ndarray], np.ndarray]

  def first_views(self, count: int) -> 'Encoder':
    """The same with fewer views. Raises ValueError if it has not so many."""
    most = self.rotations.shape[1]
    if not 1 <= count <= most:
      raise ValueError(
        f'{count} views a CAD asked for; the model has {most} view rotations '
        f'a class. Give --num_views=1..{most}.'
      )
    return dataclasses.replace(
      self, rotations=self.rotations[:, :count], valid=self.valid[:, :count]
    )


def make(
  encoder: Encoder,
  library_root: str,
  entries: Sequence[cad_folder.CadEntry],
  folder: str,
  skip_broken: bool = False,
  num_processes: int = 1,
) -> Tuple[gallery_lib.Gallery, Tuple[Tuple[str, str], ...]]:
  """The gallery of a library's CADs; their files are copied below `folder`.

  A CAD's views are rendered at its class's view rotations, which the model
  carries: the rotation bins (Sec. 3.2) or a denser set. Progress: on stderr.

  Args:
    encoder: of the model.
    library_root: folder of the library.
    entries: its CADs that are wanted, at least one.
    folder: gets meshes/; the index is left to the caller.
    skip_broken: leave out what cannot be read, and report it.
    num_processes: that render while this one embeds; 1 or few CADs: none.

  Returns:
    The gallery, row by row as the entries; (CAD id, reason) of each CAD left
    out.

  Raises:
    ValueError: a broken mesh (unless skipped), by name; or nothing else.
  """
  labels = [1 + encoder.class_names.index(e.label_name) for e in entries]
  render = _Rendering(
    library_root,
    entries,
    encoder.rotations[labels],
    folder,
    library_manifest(library_root),
  )
  indices = range(len(entries))
  if num_processes > 1 and len(entries) >= _MANY:
    rendered = worker_pool.map_unordered(render, indices, num_processes)
  else:
    rendered = ((index, render(index)) for index in indices)
  rows, broken = {}, {}
  line = progress.Line('gallery', len(entries), 'CADs')
  with contextlib.closing(rendered), line:
    for index, (cad, pictures) in rendered:
      line.add()
      cad_id = entries[index].cad_id
      if isinstance(cad, meshes.MeshError):
        if not skip_broken:
          raise ValueError(
            f'{cad} To go on without such CADs: --skip_broken'
          ) from cad
        broken[index] = (cad_id, str(cad))
        continue
      grey = pictures[..., np.newaxis].astype(np.float32) / 255.0
      rows[index] = cad, encoder.embed(grey), view_silhouettes.pack(pictures)
  left_out = tuple(broken[index] for index in sorted(broken))
  if not rows:
    raise ValueError(
      f'No CAD of {library_root!r} can be read; the first: {left_out[0][1]}'
    )
  kept = sorted(rows)
  cads, embeddings, silhouettes = zip(*(rows[index] for index in kept))
  kept_labels = [labels[index] for index in kept]
  gallery = gallery_lib.Gallery(
    path=folder,
    class_names=encoder.class_names,
    encoder=encoder.fingerprint,
    cads=cads,
    embeddings=np.stack(embeddings),
    rotations=encoder.rotations[kept_labels],
    valid=encoder.valid[kept_labels],
    silhouettes=np.stack(silhouettes),
  )
  return gallery, left_out


def wanted(
  library_root: str,
  class_names: Sequence[str],
  cad_ids: Optional[Sequence[str]] = None,
) -> List[cad_folder.CadEntry]:
  """The library's CADs with these ids; None takes all.

  Raises:
    FileNotFoundError, ValueError: no library, no CAD, classes that are not
      known, or a CAD id that the library has not.
  """
  entries = cad_folder.list_cads(library_root, class_names)
  if cad_ids is None:
    return entries
  known = {entry.cad_id for entry in entries}
  missing = sorted(set(cad_ids) - known)
  if missing or not cad_ids:
    hint = close_names.hint(missing[0], known) if missing else ''
    raise ValueError(
      f'{len(missing)} of {len(cad_ids)} listed CADs are not in '
      f'{library_root!r}: {", ".join(missing[:5])}.{hint} Add them, or correct '
      'the list.'
    )
  return [entry for entry in entries if entry.cad_id in set(cad_ids)]


@dataclasses.dataclass(frozen=True)
class _Rendering:
  """Copies a CAD's files and renders its views; can be sent to a process.

  Attributes:
    library_root: folder of the library.
    entries: the CADs.
    rotations: float32 [n, V, 4] of their views.
    folder: gets meshes/.
    extras: licence, creator, scale by CAD id.
  """

  library_root: str
  entries: Sequence[cad_folder.CadEntry]
  rotations: np.ndarray
  folder: str
  extras: Dict[str, Dict[str, Any]]

  def __call__(self, index: int) -> _Rendered:
    """The CAD and its pictures, or the error and None."""
    try:
      return self._render(self.entries[index], self.rotations[index])
    except meshes.MeshError as error:
      return error, None

  def _render(self, entry: cad_folder.CadEntry, turns: np.ndarray) -> _Rendered:
    source = cad_folder.representative(self.library_root, entry)
    mesh_path = os.path.join(self.library_root, source)
    mesh = meshes.load(mesh_path)
    scene = renderer.Renderer(mesh)
    pictures = np.stack(
      [
        views.render_view(scene, rotations.matrix_from_quaternion(turn))
        for turn in turns
      ]
    )
    target = os.path.join(
      gallery_lib.MESHES, entry.cad_id, os.path.basename(source)
    )
    mesh_files.copy(mesh_path, os.path.join(self.folder, target))
    extra = self.extras.get(entry.cad_id, {})
    cad = gallery_lib.Cad(
      id=entry.cad_id,
      label_name=entry.label_name,
      mesh=target,
      sha256=gallery_lib.file_sha256(mesh_path),
      licence=extra.get('licence', ''),
      creator=extra.get('creator', ''),
      scale=float(extra.get('scale', 0.0)),
      symmetry=symmetry.symmetry_order(mesh),
      mirror_normal=tuple(float(x) for x in symmetry.mirror_normal(mesh)),
    )
    return cad, pictures


def library_manifest(library_root: str) -> Dict[str, Dict[str, Any]]:
  """Licence, creator, scale by CAD id, where the library has a manifest.

  Raises:
    ValueError: it has another's.
  """
  path = os.path.join(library_root, 'manifest.json')
  if not os.path.isfile(path):
    return {}
  try:
    cads = {entry['id']: entry for entry in json_files.read(path)['cads']}
    for entry in cads.values():
      for name in ('licence', 'creator'):
        entry.get(name, '').encode()
      if not 0 <= float(entry.get('scale', 0.0)) < math.inf:
        raise ValueError(f'scale {entry["scale"]!r}')
    return cads
  except (AttributeError, KeyError, TypeError, ValueError) as error:
    raise ValueError(
      f'{path!r} is no manifest of a CAD library ({error}). Mend or remove '
      'it: {"cads": [{"id", "licence", "creator", "scale"}, ...]}.'
    ) from error
