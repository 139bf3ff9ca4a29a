r"""COCO's photos with boxes and masks -> image records without CADs.

Example:
  python -m tfrecords_tools.coco --photos_dir=coco/val2017 \
    --annotations=coco/annotations/instances_val2017.json \
    --class_map=couch:sofa,'dining table:table' --output_dir=records/coco

mask2cad_tf.evaluate takes AP^box and AP^mask from such records; all that needs
a true CAD leaves their objects out. They are not for training: an object has
the CAD id '', the identity as its rotation, depth 1 and a black view; and no
camera is known, a phone's is assumed.

Photos without an object of our classes are left out. Crowds are marked.

Writes <output_dir>/images.tfrecord-* and manifest.json. A run that was killed
goes on where it stopped when it is started again.
"""

import collections
import dataclasses
import math
import os
import sys
from typing import Any
from typing import Dict
from typing import List
from typing import Mapping
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np
from absl import flags

from mask2cad_tf import close_names
from mask2cad_tf import command_line
from mask2cad_tf import conventions
from mask2cad_tf.data import record_files
from mask2cad_tf.foreign import json_files
from mask2cad_tf.foreign import paths
from mask2cad_tf.foreign import pictures
from mask2cad_tf.geometry import views
from tfrecords_tools import coco_masks
from tfrecords_tools import example_runner
from tfrecords_tools import record_examples
from tfrecords_tools import record_writer

# COCO's names of our classes, where they are others.
CLASS_MAP = {'couch': 'sofa', 'dining table': 'table'}

FLAGS = flags.FlagValues()
flags.DEFINE_string(
  'photos_dir',
  None,
  "Folder that the annotations' file names start from.",
  required=True,
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'annotations',
  None,
  "COCO's instances_*.json, or another of its format.",
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
flags.DEFINE_list(
  'class_map',
  [f'{theirs}:{ours}' for theirs, ours in CLASS_MAP.items()],
  'THEIRS:OURS,...: categories under another name than our class. Those of '
  'no class of ours are left out.',
  flag_values=FLAGS,
)
flags.DEFINE_integer('num_shards', 1, 'Record files.', flag_values=FLAGS)
flags.DEFINE_boolean(
  'skip_broken',
  False,
  'Leave out photos with bad input and list them, '
  'instead of stopping at the first.',
  flag_values=FLAGS,
)
example_runner.define_flags(FLAGS)

_BROKEN = (ValueError, OSError)


@dataclasses.dataclass(frozen=True)
class Annotation:
  """One object: our class, box yxyx in pixels, COCO's mask of it."""

  label_name: str
  box: Tuple[float, float, float, float]
  segmentation: Any  # polygons [[x, y, ...], ...], or RLE
  is_crowd: bool


@dataclasses.dataclass(frozen=True)
class Photo:
  """One photo, path inside the folder, and its objects of our classes."""

  image: str
  source_id: int
  width: int  # pixels
  height: int
  objects: Tuple[Annotation, ...]


def read(
  path: str,
  class_map: Mapping[str, str],
  class_names: Sequence[str] = conventions.PIX3D_CLASSES,
) -> Tuple[List[Photo], Dict[str, int]]:
  """Reads a file of COCO's format.

  Args:
    path: the JSON file.
    class_map: category -> our class, where the names differ.
    class_names: our classes.

  Returns:
    Photos with an object of our classes, sorted by file name; and how many
    objects each category has that is left out.

  Raises:
    FileNotFoundError: there is no such file.
    ValueError: it is not of COCO's format or contradicts itself, or the map
      leads to no class of ours; says where.
  """
  for theirs, ours in class_map.items():
    if ours not in class_names:
      raise ValueError(
        f'The class map takes {theirs!r} to {ours!r}, which is none of our '
        f'classes: {", ".join(class_names)}.'
        f'{close_names.hint(ours, class_names)}'
      )
  content = _content(path)
  try:
    return _photos(content, class_map, class_names)
  except KeyError as error:
    raise ValueError(
      f'{path!r}: an entry has no {error.args[0]!r}. Expected the format of '
      "COCO's instances_*.json: images, annotations, categories."
    ) from error
  except (AttributeError, OverflowError, TypeError, ValueError) as error:
    raise ValueError(f'{path!r}: {error}') from error


def convert(
  photos_dir: str,
  annotations: str,
  output_dir: str,
  class_map: Optional[Mapping[str, str]] = None,
  num_shards: int = 1,
  skip_broken: bool = False,
  class_names: Sequence[str] = conventions.PIX3D_CLASSES,
  num_processes: int = 1,
  runner: str = example_runner.LOCAL,
  beam_options: Sequence[str] = (),
  restart: bool = False,
) -> List[str]:
  """Writes the image records of COCO photos.

  Args:
    photos_dir: folder that the annotations' file names start from.
    annotations: COCO's JSON.
    output_dir: where images.tfrecord-* and manifest.json go.
    class_map: category -> our class; None is CLASS_MAP.
    num_shards: number of files.
    skip_broken: leave out photos with bad input instead of raising.
    class_names: our classes; ids are 1 + index.
    num_processes: see `example_runner.run`; so are the next three.
    runner: where the photos are converted.
    beam_options: Beam's command line.
    restart: throw away what an unfinished run left.

  Returns:
    Why photos were left out, one sentence each.

  Raises:
    ValueError, OSError: bad input, unless skip_broken; nothing is published.
  """
  class_map = dict(CLASS_MAP if class_map is None else class_map)
  photos, left_out = read(annotations, class_map, class_names)
  if not photos:
    raise ValueError(
      f'{annotations!r} has no object of {", ".join(class_names)}; its '
      f'categories with objects are {", ".join(left_out) or "none"}. Name '
      'ours with --class_map.'
    )
  return example_runner.run(
    _Maker(photos_dir, photos, tuple(class_names)),
    len(photos),
    output_dir,
    'images',
    num_shards,
    {
      'annotations': os.path.basename(annotations),
      'annotations_sha256': example_runner.file_hash(annotations),
      'categories_left_out': left_out,
      'class_map': class_map,
      'class_names': list(class_names),
    },
    runner=runner,
    num_processes=num_processes,
    skip_broken=skip_broken,
    restart=restart,
    beam_options=beam_options,
  ).skipped


@dataclasses.dataclass(frozen=True)
class _Maker:
  """One photo -> its record."""

  photos_dir: str
  photos: Sequence[Photo]
  class_names: Tuple[str, ...]

  def __call__(self, index: int) -> example_runner.Made:
    photo = self.photos[index]
    try:
      with open(os.path.join(self.photos_dir, photo.image), 'rb') as file:
        encoded = file.read()
      example = record_examples.image_example(
        encoded,
        photo.image,
        photo.source_id,
        _intrinsics(photo),
        [self._object(photo, item) for item in photo.objects],
      )
    except _BROKEN as error:
      if str(error).startswith(photo.image):
        raise
      raise ValueError(f'{photo.image}: {error}') from error
    return example_runner.Made(
      example.SerializeToString(deterministic=True),
      {'crowds': sum(item.is_crowd for item in photo.objects)},
    )

  def _object(
    self, photo: Photo, item: Annotation
  ) -> record_examples.ObjectRecord:
    side = conventions.VIEW_SIZE
    return record_examples.ObjectRecord(
      label=1 + self.class_names.index(item.label_name),
      label_name=item.label_name,
      box=item.box,
      mask=coco_masks.decode(
        item.segmentation, photo.image, photo.height, photo.width
      ),
      cad_id='',
      mesh='',
      rotation=np.eye(3),
      translation=np.array([0.0, 0.0, 1.0]),
      jittered_view=views.encode_png(np.zeros([side, side], np.uint8)),
      is_crowd=item.is_crowd,
    )


def _content(path: str) -> Mapping[str, Any]:
  if not os.path.exists(path):
    raise FileNotFoundError(
      f"There is no annotation file {path!r}. Give COCO's instances_*.json."
    )
  content = json_files.read(path)
  if not isinstance(content, dict):
    raise ValueError(
      f"{path!r} is a JSON {type(content).__name__}; COCO's format is an "
      'object with images, annotations and categories.'
    )
  return content


def _photos(
  content: Mapping[str, Any],
  class_map: Mapping[str, str],
  class_names: Sequence[str],
) -> Tuple[List[Photo], Dict[str, int]]:
  names = {entry['id']: entry['name'] for entry in content['categories']}
  images = {entry['id']: entry for entry in content['images']}
  if len(images) != len(content['images']):
    raise ValueError('two images have the same id. Number them anew.')
  objects: Dict[int, List[Annotation]] = collections.defaultdict(list)
  left_out: Dict[str, int] = collections.Counter()
  for entry in content['annotations']:
    for key, known in (('image_id', images), ('category_id', names)):
      if entry[key] not in known:
        raise ValueError(
          f'annotation {entry.get("id")} has {key} {entry[key]!r}, which the '
          'file does not list. Correct the annotations.'
        )
    category = names[entry['category_id']]
    label_name = class_map.get(category, category)
    if label_name in class_names:
      objects[entry['image_id']].append(_annotation(entry, label_name))
    else:
      left_out[category] += 1
  photos = [
    Photo(
      paths.below(images[key]['file_name'], 'file_name'),
      int(key),
      _side(images[key]['width']),
      _side(images[key]['height']),
      tuple(items),
    )
    for key, items in objects.items()
  ]
  return sorted(photos, key=lambda photo: photo.image), dict(left_out)


def _side(value: Any) -> int:
  if not isinstance(value, int) or not 0 < value <= pictures.MAX_PIXELS:
    raise ValueError(f'a photo has a side of {value!r} pixels.')
  return value


def _annotation(entry: Mapping[str, Any], label_name: str) -> Annotation:
  left, top, width, height = map(float, entry['bbox'])
  return Annotation(
    label_name,
    (top, left, top + height, left + width),
    entry['segmentation'],
    bool(entry.get('iscrowd', 0)),
  )


def _intrinsics(photo: Photo) -> Tuple[float, float, float, float]:
  """Those of `predict` for a photo that says nothing of its camera."""
  diagonal = math.hypot(photo.width, photo.height)
  focal = diagonal * conventions.DEFAULT_FOCAL_35MM / conventions.DIAGONAL_35MM
  return focal, focal, 0.5 * photo.width, 0.5 * photo.height


def _parse_class_map(values: Sequence[str]) -> Dict[str, str]:
  pairs = [value.strip().rpartition(':') for value in values]
  for (theirs, _, ours), value in zip(pairs, values):
    if not theirs or not ours:
      raise ValueError(
        f'--class_map: {value!r} is no THEIRS:OURS, e.g. couch:sofa or '
        "'dining table:table'."
      )
  return {theirs.strip(): ours.strip() for theirs, _, ours in pairs}


def main(argv: Sequence[str]) -> None:
  """Runs the tool with its flags."""
  command_line.reject(argv[1:])
  skipped = convert(
    FLAGS.photos_dir,
    FLAGS.annotations,
    FLAGS.output_dir,
    _parse_class_map(FLAGS.class_map),
    FLAGS.num_shards,
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
  print(
    f'{FLAGS.output_dir}: {section["num_examples"]} photos; {counts}; '
    f'crowds {section["counts"]["crowds"]}'
  )
  for category, count in section['settings']['categories_left_out'].items():
    print(f'left out {category}: {count} objects')


if __name__ == '__main__':
  command_line.run('tfrecords_tools.coco', main, FLAGS)
