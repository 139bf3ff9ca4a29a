"""ShapeNetCore v2: `<synset>/<id>/models/model_normalized.obj`.

Its models stand on +y and face -z, as ours do (the README of v2; v1, whose
files lie at `<synset>/<id>/model.obj`, faces +x and is mirrored in part). Poses
such as Scan2CAD's refer to the vertices as stored: they are kept.
"""

import dataclasses
import os
from typing import List
from typing import Optional
from typing import Sequence

from mask2cad_tf.geometry import meshes
from tfrecords_tools.cad_sources import glb_conversion
from tfrecords_tools.cad_sources import source_cad

MESH = 'model_normalized.glb'
LICENCE = "ShapeNet's terms of use"
CREATOR = 'ShapeNet (Chang et al., 2015)'
# WordNet synset -> class.
LABEL_NAMES = {
  '02747177': 'bin',
  '02808440': 'bathtub',
  '02818832': 'bed',
  '02828884': 'bench',
  '02871439': 'bookcase',
  '02933112': 'cabinet',
  '03001627': 'chair',
  '03211117': 'display',
  '03636649': 'lamp',
  '04256520': 'sofa',
  '04379243': 'table',
}
_MODEL = os.path.join('models', 'model_normalized.obj')


@dataclasses.dataclass(frozen=True)
class ShapeNetModel(source_cad.SourceCad):
  """One model of ShapeNetCore v2."""

  path: str  # of model_normalized.obj

  def write(self, folder: str) -> source_cad.Written:
    """Writes a GLB with the OBJ's vertices where they are."""
    try:
      with open(self.path, 'rb') as file:
        data = file.read()
    except FileNotFoundError as error:
      raise meshes.MeshError(
        f'There is no {self.path!r}. Unpack the whole model there.'
      ) from error
    parts = glb_conversion.read_obj(data, self._read, repr(self.path))
    source_cad.write_bytes(folder, MESH, glb_conversion.glb(parts))
    return source_cad.Written((MESH,), source_cad.sha256((self.path,)))

  def _read(self, name: str) -> bytes:
    """A file named by the OBJ: below its model's folder, nowhere else."""
    model = os.path.dirname(os.path.dirname(os.path.abspath(self.path)))
    path = os.path.normpath(os.path.join(model, 'models', name))
    if not path.startswith(model + os.sep):
      raise FileNotFoundError(path)
    with open(path, 'rb') as file:
      return file.read()


def list_models(
  root: str, class_names: Optional[Sequence[str]] = None
) -> List[ShapeNetModel]:
  """The models of ShapeNet's folder whose synset is a class.

  Args:
    root: folder <synset>/<id>/models/model_normalized.obj.
    class_names: the classes that are wanted; None takes all that are known.

  Raises:
    FileNotFoundError: no such folder, or no such model in it.
    ValueError: the folder holds version 1.
  """
  if not os.path.isdir(root):
    raise FileNotFoundError(
      f'There is no folder {root!r}. Give the one that holds the synsets of '
      'ShapeNetCore v2.'
    )
  found = []
  for synset, label_name in sorted(LABEL_NAMES.items()):
    if class_names is not None and label_name not in class_names:
      continue
    for shape in _subfolders(os.path.join(root, synset)):
      folder = os.path.join(root, synset, shape)
      if os.path.isfile(os.path.join(folder, 'model.obj')):
        raise ValueError(
          f'{folder!r} is of ShapeNetCore v1, which faces another way. Give '
          'version 2, with models/model_normalized.obj.'
        )
      found.append(
        ShapeNetModel(
          cad_id=f'{label_name}/{shape}',
          name=shape,
          licence=LICENCE,
          creator=CREATOR,
          source=f'{synset}/{shape}',
          scale=0.0,
          path=os.path.join(folder, _MODEL),
        )
      )
  if not found:
    raise FileNotFoundError(
      f'No model in {root!r}. Expected <synset>/<id>/{_MODEL} with a synset '
      f'of {", ".join(sorted(LABEL_NAMES))}.'
    )
  return sorted(found, key=lambda cad: cad.cad_id)


def _subfolders(folder: str) -> List[str]:
  if not os.path.isdir(folder):
    return []
  return sorted(item.name for item in os.scandir(folder) if item.is_dir())
