"""Pix3D -> image records.

  python -m tfrecords_tools.pix3d --pix3d_dir=pix3d \
      --annotations=pix3d/pix3d_s1_train.json --output_dir=records/train

--annotations is Pix3D's own pix3d.json or a split of Mesh R-CNN (COCO-like).
Writes <output_dir>/images.tfrecord-* and <output_dir>/manifest.json.
"""

import functools
import os
import sys
import zlib
from typing import Any
from typing import Dict
from typing import List
from typing import Sequence
from typing import Tuple

import numpy as np
import tensorflow as tf
from absl import flags
from PIL import Image

from mask2cad_tf import command_line
from mask2cad_tf import conventions
from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import renderer
from tfrecords_tools import jittered_view
from tfrecords_tools import pix3d_annotations
from tfrecords_tools import record_examples
from tfrecords_tools import record_writer

FLAGS = flags.FlagValues()
flags.DEFINE_string(
  'pix3d_dir',
  None,
  'Folder with img/, mask/ and model/.',
  required=True,
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'annotations',
  None,
  'pix3d.json or a Mesh R-CNN split JSON.',
  required=True,
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'output_dir',
  None,
  'Folder for the records.',
  required=True,
  flag_values=FLAGS,
)
flags.DEFINE_float(
  'jitter_degrees',
  10.0,
  'Standard deviation of the random rotation that '
  'disturbs the view rendered at the true pose.',
  flag_values=FLAGS,
)
flags.DEFINE_integer('num_shards', 8, 'Record files.', flag_values=FLAGS)
flags.DEFINE_integer('seed', 0, 'Of order and jitter.', flag_values=FLAGS)
flags.DEFINE_boolean(
  'skip_broken',
  False,
  'Leave out photos with bad input and list them, '
  'instead of stopping at the first.',
  flag_values=FLAGS,
)

_BROKEN = (ValueError, OSError)


def convert(
  pix3d_dir: str,
  annotations: str,
  output_dir: str,
  jitter_degrees: float = 10.0,
  num_shards: int = 8,
  seed: int = 0,
  skip_broken: bool = False,
  class_names: Sequence[str] = conventions.PIX3D_CLASSES,
) -> List[str]:
  """Writes the image records of a Pix3D folder.

  Args:
    pix3d_dir: folder with img/, mask/, model/.
    annotations: pix3d.json or a Mesh R-CNN split.
    output_dir: where images.tfrecord-* and manifest.json go.
    jitter_degrees: standard deviation of the jittered view's rotation.
    num_shards: number of files.
    seed: of the photos' order and of the jitter.
    skip_broken: leave out photos with bad input instead of raising.
    class_names: known classes; ids are 1 + index.

  Returns:
    Why photos were left out, one sentence each.

  Raises:
    ValueError, OSError: bad input, unless skip_broken; nothing is written.
  """
  photos = pix3d_annotations.read(annotations)
  jittered: Dict[Tuple[str, int], Any] = _jittered_views(
    pix3d_dir, photos, jitter_degrees, seed
  )
  settings = {
    'annotations': os.path.basename(annotations),
    'seed': seed,
    'jitter_degrees': jitter_degrees,
  }
  with record_writer.RecordWriter(
    output_dir, 'images', num_shards, settings
  ) as writer:
    for index in np.random.default_rng(seed).permutation(len(photos)):
      photo = photos[index]
      try:
        writer.write(_example(pix3d_dir, photo, jittered, class_names))
      except _BROKEN as error:
        if not skip_broken:
          raise
        writer.skip(f'{photo.image}: {error}')
    if not writer.num_examples:
      raise ValueError(
        f'{annotations!r} gives no usable photo ({len(writer.skipped)} were '
        'left out); nothing was written.'
      )
    return writer.skipped


def _jittered_views(
  pix3d_dir: str,
  photos: Sequence[pix3d_annotations.Photo],
  degrees: float,
  seed: int,
) -> Dict[Tuple[str, int], Any]:
  """PNG, or the error that prevents it, by (photo, object index).

  Rendered in the order of the meshes, so that each is loaded once.
  """
  load = functools.lru_cache(maxsize=1)(
    lambda model: renderer.Renderer(meshes.load(os.path.join(pix3d_dir, model)))
  )
  jobs = [
    (item.model, photo, index)
    for photo in photos
    for index, item in enumerate(photo.objects)
  ]
  results: Dict[Tuple[str, int], Any] = {}
  for model, photo, index in sorted(
    jobs, key=lambda job: (job[0], job[1].image, job[2])
  ):
    rng = np.random.default_rng([seed, zlib.crc32(photo.image.encode()), index])
    item = photo.objects[index]
    try:
      results[photo.image, index] = jittered_view.render(
        load(model),
        item.rotation,
        item.translation,
        photo.intrinsics,
        degrees,
        rng,
        photo.image,
      )
    except _BROKEN as error:
      results[photo.image, index] = error
  return results


def _example(
  pix3d_dir: str,
  photo: pix3d_annotations.Photo,
  jittered: Dict[Tuple[str, int], Any],
  class_names: Sequence[str],
) -> tf.train.Example:
  objects = []
  for index, item in enumerate(photo.objects):
    if isinstance(jittered[photo.image, index], Exception):
      raise jittered[photo.image, index]
    if item.label_name not in class_names:
      raise ValueError(
        f'{photo.image}: unknown class {item.label_name!r}; known are '
        f'{", ".join(class_names)}.'
      )
    objects.append(
      record_examples.ObjectRecord(
        label=1 + list(class_names).index(item.label_name),
        label_name=item.label_name,
        box=item.box,
        mask=_read_mask(os.path.join(pix3d_dir, item.mask)),
        cad_id=item.cad_id,
        mesh=item.mesh,
        rotation=item.rotation,
        translation=item.translation,
        jittered_view=jittered[photo.image, index],
        occluded=item.occluded,
        slightly_occluded=item.slightly_occluded,
        truncated=item.truncated,
      )
    )
  with open(os.path.join(pix3d_dir, photo.image), 'rb') as file:
    encoded = file.read()
  return record_examples.image_example(
    encoded, photo.image, photo.source_id, photo.intrinsics, objects
  )


def _read_mask(path: str) -> np.ndarray:
  if not os.path.exists(path):
    raise FileNotFoundError(
      f"There is no mask {path!r}. Unpack Pix3D's mask/ folder there."
    )
  try:
    with Image.open(path) as image:
      return np.asarray(image.convert('L')) > 127
  except (OSError, SyntaxError) as error:
    raise ValueError(
      f'{path!r}: the mask does not decode ({error}). Fetch it again, or '
      'leave the photo out with --skip_broken.'
    ) from error


def main(argv: Sequence[str]) -> None:
  """Runs the tool with its flags."""
  command_line.reject(argv[1:])
  skipped = convert(
    FLAGS.pix3d_dir,
    FLAGS.annotations,
    FLAGS.output_dir,
    FLAGS.jitter_degrees,
    FLAGS.num_shards,
    FLAGS.seed,
    FLAGS.skip_broken,
  )
  for reason in skipped:
    print(f'skipped {reason}', file=sys.stderr)


if __name__ == '__main__':
  command_line.run('tfrecords_tools.pix3d', main, FLAGS)
