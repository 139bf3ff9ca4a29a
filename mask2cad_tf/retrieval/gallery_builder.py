"""From a CAD library and a model to a gallery: render, embed, write."""

import dataclasses
import hashlib
import json
import os
from typing import Any
from typing import Callable
from typing import Dict
from typing import List
from typing import NamedTuple
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np
import tensorflow as tf

from mask2cad_tf.configs import mask2cad as mask2cad_config
from mask2cad_tf.data import atomic_folder
from mask2cad_tf.geometry import cad_folder
from mask2cad_tf.geometry import mesh_files
from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import renderer
from mask2cad_tf.geometry import rotations
from mask2cad_tf.geometry import symmetry
from mask2cad_tf.geometry import views
from mask2cad_tf.modeling import mask2cad_model
from mask2cad_tf.modeling import model_folder
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import view_silhouettes

# (CADs done, CADs in all, the id just done)
Progress = Callable[[int, int, str], None]


class _Row(NamedTuple):
  """What a gallery holds of one CAD."""

  cad: gallery_lib.Cad
  label: int
  embeddings: np.ndarray  # [V, E]
  silhouettes: np.ndarray  # [V, 128]


@dataclasses.dataclass(frozen=True)
class BuildReport:
  """What came out: the gallery as on disk, and the meshes left out.

  Attributes:
    gallery: read back from the disk.
    broken: (CAD id, reason) of each CAD left out.
  """

  gallery: gallery_lib.Gallery
  broken: Tuple[Tuple[str, str], ...]


def build(
  model: mask2cad_model.Mask2CADModel,
  config: mask2cad_config.Mask2CAD,
  library_root: str,
  output_dir: str,
  num_views: Optional[int] = None,
  skip_broken: bool = False,
  progress: Optional[Progress] = None,
  cad_ids: Optional[Sequence[str]] = None,
) -> BuildReport:
  """Builds a gallery; `output_dir` changes only when all went well.

  A CAD's views are rendered at its class's view rotations, which the model
  carries: the rotation bins (Sec. 3.2) or a denser set.

  Args:
    model: its view encoder and its `view_rotations`.
    config: its class names.
    library_root: folder <class>/<shape>/*.{obj,glb,ply,off}.
    output_dir: a gallery's folder, new or to be replaced.
    num_views: views a CAD, the first of the class's rotations; None takes all.
    skip_broken: leave out what cannot be read, and report it.
    progress: called after each CAD.
    cad_ids: the CADs that are wanted; None takes all of the library.

  Raises:
    FileNotFoundError, ValueError: no library, no CAD, a CAD id that the
      library has not, more views than the model has rotations, or a broken
      mesh (unless skipped), by name.
  """
  bins, bins_valid = _view_rotations(model, num_views)
  entries = _wanted(
    library_root,
    cad_folder.list_cads(library_root, config.class_names),
    cad_ids,
  )
  extras = _library_manifest(library_root)
  encode = tf.function(model.embed_views)
  rows, broken = [], []
  with atomic_folder.replacing(output_dir, gallery_lib.MANIFEST) as folder:
    for done, entry in enumerate(entries):
      label = 1 + config.class_names.index(entry.label_name)
      try:
        cad, renderings = _prepare(
          library_root, entry, bins[label], folder, extras
        )
      except meshes.MeshError as error:
        if not skip_broken:
          raise ValueError(
            f'{error} To go on without such CADs: --skip_broken'
          ) from error
        broken.append((entry.cad_id, str(error)))
        continue
      rows.append(
        _Row(
          cad,
          label,
          encode(renderings).numpy(),
          view_silhouettes.pack(renderings[..., 0]),
        )
      )
      if progress:
        progress(done + 1, len(entries), entry.cad_id)
    if not rows:
      raise ValueError(
        f'No CAD of {library_root!r} can be read; the first: {broken[0][1]}'
      )
    gallery_lib.write_index(
      folder,
      gallery_lib.Gallery(
        path=folder,
        class_names=tuple(config.class_names),
        encoder=model_folder.fingerprint(model),
        cads=tuple(row.cad for row in rows),
        embeddings=np.stack([row.embeddings for row in rows]),
        rotations=bins[[row.label for row in rows]],
        valid=bins_valid[[row.label for row in rows]],
        silhouettes=np.stack([row.silhouettes for row in rows]),
      ),
    )
  return BuildReport(gallery_lib.load(output_dir), tuple(broken))


def _wanted(
  library_root: str,
  entries: List[cad_folder.CadEntry],
  cad_ids: Optional[Sequence[str]],
) -> List[cad_folder.CadEntry]:
  """The entries with these ids."""
  if cad_ids is None:
    return entries
  missing = sorted(set(cad_ids) - {entry.cad_id for entry in entries})
  if missing or not cad_ids:
    raise ValueError(
      f'{len(missing)} of {len(cad_ids)} listed CADs are not in '
      f'{library_root!r}: {", ".join(missing[:5])}. Add them, or correct the '
      'list.'
    )
  return [entry for entry in entries if entry.cad_id in set(cad_ids)]


def _view_rotations(
  model: mask2cad_model.Mask2CADModel, num_views: Optional[int]
) -> Tuple[np.ndarray, np.ndarray]:
  """Rotations [C, V, 4] and which are valid [C, V]."""
  bins = np.asarray(model.view_rotations, np.float32)
  valid = np.asarray(model.view_rotations_valid, bool)
  if num_views is None:
    num_views = bins.shape[1]
  if not 1 <= num_views <= bins.shape[1]:
    raise ValueError(
      f'{num_views} views a CAD asked for; the model has {bins.shape[1]} '
      f'view rotations a class. Give --num_views=1..{bins.shape[1]}.'
    )
  return bins[:, :num_views], valid[:, :num_views]


def _prepare(
  library_root: str,
  entry: cad_folder.CadEntry,
  bins: np.ndarray,
  folder: str,
  extras: Dict[str, Dict[str, Any]],
) -> Tuple[gallery_lib.Cad, np.ndarray]:
  """Copies a CAD's files and renders it: its entry, float [V, H, W, 1]."""
  source = cad_folder.representative(library_root, entry)
  mesh_path = os.path.join(library_root, source)
  mesh = meshes.load(mesh_path)
  scene = renderer.Renderer(mesh)
  renderings = np.stack(
    [
      views.render_view(scene, rotations.matrix_from_quaternion(rotation))
      for rotation in bins
    ]
  )
  target = os.path.join(
    gallery_lib.MESHES, entry.cad_id, os.path.basename(source)
  )
  mesh_files.copy(mesh_path, os.path.join(folder, target))
  extra = extras.get(entry.cad_id, {})
  cad = gallery_lib.Cad(
    id=entry.cad_id,
    label_name=entry.label_name,
    mesh=target,
    sha256=_sha256(mesh_path),
    licence=extra.get('licence', ''),
    creator=extra.get('creator', ''),
    scale=float(extra.get('scale', 0.0)),
    symmetry=symmetry.symmetry_order(mesh),
    mirror_normal=tuple(float(x) for x in symmetry.mirror_normal(mesh)),
  )
  return cad, renderings[..., np.newaxis].astype(np.float32) / 255.0


def _library_manifest(library_root: str) -> Dict[str, Dict[str, Any]]:
  """Licence, creator, scale by CAD id, where the library has a manifest."""
  path = os.path.join(library_root, 'manifest.json')
  if not os.path.isfile(path):
    return {}
  try:
    with open(path, encoding='utf-8') as file:
      return {entry['id']: entry for entry in json.load(file)['cads']}
  except (ValueError, KeyError, TypeError) as error:
    raise ValueError(
      f'{path!r} is no manifest of a CAD library ({error}). Mend or remove '
      'it: {"cads": [{"id", "licence", "creator", "scale"}, ...]}.'
    ) from error


def _sha256(path: str) -> str:
  with open(path, 'rb') as file:
    return hashlib.sha256(file.read()).hexdigest()
