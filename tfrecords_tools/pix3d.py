r"""Pix3D -> image records.

Example:
  python -m tfrecords_tools.pix3d --pix3d_dir=pix3d \
    --annotations=pix3d/pix3d_s1_train.json --output_dir=records/train

--annotations is Pix3D's own pix3d.json or a split of Mesh R-CNN (COCO-like).
Writes <output_dir>/images.tfrecord-*, manifest.json with the counts by class,
and cads.json: {"annotated": the CADs that the photos show, "all": those of
model/, "variants": the meshes of shapes that have several}. The first two are
the lists of the S2 experiment, for mask2cad_tf.gallery --cad_list.

A run that was killed goes on where it stopped when it is started again.
"""

import functools
import json
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

from mask2cad_tf import close_names
from mask2cad_tf import command_line
from mask2cad_tf import conventions
from mask2cad_tf.data import record_files
from mask2cad_tf.foreign import pictures
from mask2cad_tf.geometry import cad_folder
from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import renderer
from tfrecords_tools import example_runner
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
example_runner.define_flags(FLAGS)

CAD_LISTS = 'cads.json'
_BROKEN = (ValueError, OSError)
_RENDERERS = 4  # CADs in memory; photos come in the order of their CADs


def convert(
  pix3d_dir: str,
  annotations: str,
  output_dir: str,
  jitter_degrees: float = 10.0,
  num_shards: int = 8,
  seed: int = 0,
  skip_broken: bool = False,
  class_names: Sequence[str] = conventions.PIX3D_CLASSES,
  num_processes: int = 1,
  runner: str = example_runner.LOCAL,
  beam_options: Sequence[str] = (),
  restart: bool = False,
) -> List[str]:
  """Writes the image records of a Pix3D folder, and cads.json.

  Args:
    pix3d_dir: folder with img/, mask/, model/.
    annotations: pix3d.json or a Mesh R-CNN split.
    output_dir: where images.tfrecord-*, manifest.json and cads.json go.
    jitter_degrees: standard deviation of the jittered view's rotation.
    num_shards: number of files.
    seed: of the photos' order and of the jitter.
    skip_broken: leave out photos with bad input instead of raising.
    class_names: known classes; ids are 1 + index.
    num_processes: see `example_runner.run`; so are the next three.
    runner: where the photos are converted.
    beam_options: Beam's command line.
    restart: throw away what an unfinished run left.

  Returns:
    Why photos were left out, one sentence each.

  Raises:
    ValueError, OSError: bad input, unless skip_broken; nothing is published.
  """
  photos, defective = pix3d_annotations.read_with_defects(annotations)
  if not photos:
    raise ValueError(f'{annotations!r} has no photo with an object.')
  photos.sort(key=lambda photo: (photo.objects[0].model, photo.image))
  summary = example_runner.run(
    _Maker(pix3d_dir, photos, jitter_degrees, seed, tuple(class_names)),
    len(photos),
    output_dir,
    'images',
    num_shards,
    {
      'annotations': os.path.basename(annotations),
      'annotations_sha256': example_runner.file_hash(annotations),
      'class_names': list(class_names),
      'defective': defective,
      'jitter_degrees': jitter_degrees,
      'library': os.path.abspath(os.path.join(pix3d_dir, 'model')),
      'seed': seed,
    },
    runner=runner,
    num_processes=num_processes,
    skip_broken=skip_broken,
    restart=restart,
    beam_options=beam_options,
    shuffle_seed=seed,
  )
  _write_cad_lists(os.path.join(pix3d_dir, 'model'), photos, output_dir)
  return summary.skipped


class _Maker:
  """One photo -> its record. Keeps the last few CADs' renderers."""

  def __init__(
    self,
    pix3d_dir: str,
    photos: Sequence[pix3d_annotations.Photo],
    jitter_degrees: float,
    seed: int,
    class_names: Tuple[str, ...],
  ):
    self._dir = pix3d_dir
    self._photos = photos
    self._jitter_degrees = jitter_degrees
    self._seed = seed
    self._class_names = class_names
    self._open()

  def _open(self) -> None:
    self._renderer = functools.lru_cache(maxsize=_RENDERERS)(
      lambda model: renderer.Renderer(
        meshes.load(os.path.join(self._dir, model))
      )
    )

  def __getstate__(self) -> Dict[str, Any]:
    return {k: v for k, v in vars(self).items() if k != '_renderer'}

  def __setstate__(self, state: Dict[str, Any]) -> None:
    vars(self).update(state)
    self._open()

  def __call__(self, index: int) -> example_runner.Made:
    photo = self._photos[index]
    try:
      example = self._example(photo)
    except _BROKEN as error:
      if str(error).startswith(photo.image):
        raise
      raise ValueError(f'{photo.image}: {error}') from error
    return example_runner.Made(example.SerializeToString(deterministic=True))

  def _example(self, photo: pix3d_annotations.Photo) -> tf.train.Example:
    objects = [
      self._object(photo, item, number)
      for number, item in enumerate(photo.objects)
    ]
    with open(os.path.join(self._dir, photo.image), 'rb') as file:
      encoded = file.read()
    return record_examples.image_example(
      encoded, photo.image, photo.source_id, photo.intrinsics, objects
    )

  def _object(
    self,
    photo: pix3d_annotations.Photo,
    item: pix3d_annotations.Annotation,
    number: int,
  ) -> record_examples.ObjectRecord:
    if item.label_name not in self._class_names:
      raise ValueError(
        f'{photo.image}: unknown class {item.label_name!r}; known are '
        f'{", ".join(self._class_names)}.'
        f'{close_names.hint(item.label_name, self._class_names)}'
      )
    image_key = zlib.crc32(photo.image.encode())
    return record_examples.ObjectRecord(
      label=1 + self._class_names.index(item.label_name),
      label_name=item.label_name,
      box=item.box,
      mask=_read_mask(os.path.join(self._dir, item.mask)),
      cad_id=item.cad_id,
      mesh=item.mesh,
      rotation=item.rotation,
      translation=item.translation,
      jittered_view=jittered_view.render(
        self._renderer(item.model),
        item.rotation,
        item.translation,
        photo.intrinsics,
        self._jitter_degrees,
        np.random.default_rng([self._seed, image_key, number]),
        photo.image,
      ),
      occluded=item.occluded,
      slightly_occluded=item.slightly_occluded,
      truncated=item.truncated,
    )


def _write_cad_lists(
  library: str, photos: Sequence[pix3d_annotations.Photo], output_dir: str
) -> None:
  """cads.json: the CADs that the photos show, all CADs, and variants."""
  cads = cad_folder.list_cads(library)
  lists = {
    'annotated': sorted(
      {item.cad_id for photo in photos for item in photo.objects}
    ),
    'all': [cad.cad_id for cad in cads],
    'variants': {
      cad.cad_id: list(cad.mesh_paths) for cad in cads if cad.mesh_paths[1:]
    },
  }
  path = os.path.join(output_dir, CAD_LISTS)
  with open(f'{path}.tmp', 'w', encoding='utf-8') as file:
    json.dump(lists, file, indent=1)
  os.replace(f'{path}.tmp', path)


def _read_mask(path: str) -> np.ndarray:
  if not os.path.exists(path):
    raise FileNotFoundError(
      f"There is no mask {path!r}. Unpack Pix3D's mask/ folder there."
    )
  try:
    with pictures.opened(path) as image:
      return np.asarray(image.convert('L')) > 127
  except (OSError, ValueError) as error:
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
    num_processes=FLAGS.num_processes,
    runner=FLAGS.runner,
    beam_options=FLAGS.beam_options,
    restart=FLAGS.restart,
  )
  for reason in skipped:
    print(f'skipped {reason}', file=sys.stderr)
  section = record_files.manifest_section(
    os.path.join(
      FLAGS.output_dir, record_writer.shard_name('images', 0, FLAGS.num_shards)
    )
  )
  counts = ', '.join(
    f'{entry["name"]} {entry["objects"]}' for entry in section['classes']
  )
  print(f'{FLAGS.output_dir}: {section["num_examples"]} photos; {counts}')
  for image in section['settings']['defective']:
    print(f'left out {image}: its mask is known to belong to another photo')


if __name__ == '__main__':
  command_line.run('tfrecords_tools.pix3d', main, FLAGS)
