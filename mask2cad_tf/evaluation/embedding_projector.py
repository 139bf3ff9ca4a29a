"""Image and shape embeddings for TensorBoard's projector, with thumbnails.

tensorboard --logdir=OUT/projector
"""

import os
from typing import Any
from typing import List
from typing import NamedTuple
from typing import Sequence

import numpy as np
from PIL import Image

from mask2cad_tf.data import atomic_folder
from mask2cad_tf.evaluation import embedding_map
from mask2cad_tf.evaluation import report_examples
from mask2cad_tf.evaluation import report_pictures
from mask2cad_tf.geometry import rotations

FOLDER = 'projector'
_SPRITE = 48  # pixels, of a thumbnail's sides
_COLUMNS = ('kind', 'class', 'name')
_CONFIG = 'projector_config.pbtxt'


class Point(NamedTuple):
  """An embedding: its kind ('photo' or 'CAD'), class, name and picture."""

  kind: str
  label_name: str
  name: str
  embedding: np.ndarray
  picture: np.ndarray


def points(
  examples: report_examples.Examples, gallery: Any, seed: int = 0
) -> List[Point]:
  """Objects in photos and a sample of their classes' views, class by class.

  Args:
    examples: of the evaluation.
    gallery: retrieval.gallery.Gallery that was searched.
    seed: of the sample.
  """
  pictures = report_pictures.CadPictures()
  found = []
  for label_name, objects in examples.objects.items():
    found += [
      Point(
        'photo', label_name, one.source_id, one.retrieved.embedding, one.crop
      )
      for one in objects
    ]
    views, _ = embedding_map.sample_views(
      gallery, label_name, report_examples.MAX_OBJECTS, seed
    )
    for row, view in views:
      cad_id = gallery.cads[row].id
      rotation = rotations.matrix_from_quaternion(
        gallery.rotations[row, view].astype(np.float64)
      )
      picture = pictures.render(gallery.mesh_path(cad_id), rotation)
      embedding = gallery.embeddings[row, view]
      found.append(Point('CAD', label_name, cad_id, embedding, picture))
  return found


def write(folder: str, found: Sequence[Point]) -> None:
  """Writes embeddings, their names and one sprite sheet; replaces the folder.

  Args:
    folder: `--logdir` of TensorBoard.
    found: what is shown; of none there is nothing to write.
  """
  if not found:
    return
  side = int(np.ceil(np.sqrt(len(found))))
  sheet = Image.new('RGB', (side * _SPRITE, side * _SPRITE), 'white')
  for index, point in enumerate(found):
    row, column = divmod(index, side)
    picture = Image.fromarray(point.picture).resize((_SPRITE, _SPRITE))
    sheet.paste(picture, (column * _SPRITE, row * _SPRITE))
  vectors = np.stack([point.embedding for point in found])
  with atomic_folder.replacing(folder, _CONFIG) as new:
    np.savetxt(os.path.join(new, 'vectors.tsv'), vectors, '%.5g', '\t')
    with open(os.path.join(new, 'names.tsv'), 'w', encoding='utf-8') as file:
      file.write('\t'.join(_COLUMNS) + '\n')
      file.writelines('\t'.join(map(_word, p[:3])) + '\n' for p in found)
    sheet.save(os.path.join(new, 'sprites.png'))
    with open(os.path.join(new, _CONFIG), 'w', encoding='utf-8') as file:
      file.write(
        'embeddings {\n  tensor_name: "embeddings"\n'
        '  tensor_path: "vectors.tsv"\n  metadata_path: "names.tsv"\n'
        '  sprite { image_path: "sprites.png" single_image_dim: '
        f'{_SPRITE} single_image_dim: {_SPRITE} }}\n}}\n'
      )


def _word(text: str) -> str:
  """Without what separates columns and rows."""
  return ' '.join(text.split())
