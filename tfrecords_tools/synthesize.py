r"""CAD library -> synthetic photos with exact annotations, in image records.

Example:
  python -m tfrecords_tools.synthesize --library=LIB --output_dir=rooms \
    --num_images=1000 --renderer=fast

Writes <output_dir>/images.tfrecord-*, manifest.json, statistics.json and
preview.png. LIB is what tfrecords_tools.cad_library writes, or any folder
<class>/<id>/*.{obj,glb,ply,off}. --renderer=cycles needs `make cycles` once.

A run that was killed goes on where it stopped when it is started again, and
gives the same records, byte for byte.
"""

import dataclasses
import hashlib
import json
import os
from typing import Any
from typing import Dict
from typing import List
from typing import Sequence

from absl import flags

from mask2cad_tf import close_names
from mask2cad_tf import command_line
from mask2cad_tf import conventions
from mask2cad_tf.geometry import cad_folder
from tfrecords_tools import example_runner
from tfrecords_tools.synthesis import options as options_lib
from tfrecords_tools.synthesis import photo_maker
from tfrecords_tools.synthesis import preview_sheet
from tfrecords_tools.synthesis import statistics

FLAGS = flags.FlagValues()
_DEFAULTS = options_lib.Options(library='')

flags.DEFINE_string(
  'library', None, 'CAD library.', required=True, flag_values=FLAGS
)
flags.DEFINE_string(
  'output_dir',
  None,
  'Folder for the records.',
  required=True,
  flag_values=FLAGS,
)
flags.DEFINE_integer(
  'num_images', 1000, 'Photos.', lower_bound=1, flag_values=FLAGS
)
flags.DEFINE_enum(
  'renderer',
  _DEFAULTS.renderer,
  photo_maker.RENDERERS,
  'fast: ray cast, several photos a second; cycles: path traced with Blender.',
  flag_values=FLAGS,
)
flags.DEFINE_integer(
  'image_size',
  _DEFAULTS.image_size,
  'Pixels of the longer side.',
  lower_bound=64,
  upper_bound=4096,
  flag_values=FLAGS,
)
flags.DEFINE_float(
  'aspect_ratio',
  _DEFAULTS.aspect_ratio,
  "Width over height; 0 draws it like Pix3D's.",
  lower_bound=0.0,
  upper_bound=4.0,
  flag_values=FLAGS,
)
flags.DEFINE_integer(
  'min_objects',
  _DEFAULTS.min_objects,
  'Objects of the library in a scene, at least.',
  lower_bound=1,
  upper_bound=8,
  flag_values=FLAGS,
)
flags.DEFINE_integer(
  'max_objects',
  _DEFAULTS.max_objects,
  'Objects of the library in a scene, at most.',
  lower_bound=1,
  upper_bound=8,
  flag_values=FLAGS,
)
flags.DEFINE_list(
  'modes',
  [f'{mode}:{share}' for mode, share in _DEFAULTS.modes.items()],
  'Shares of rooms (`room`; `far` from farther away), of close-ups\n'
  '(`closeup`), and of shop photos on white or grey (`studio`).',
  flag_values=FLAGS,
)
flags.DEFINE_float(
  'min_visible',
  _DEFAULTS.min_visible,
  'Objects of which a smaller share can be seen are not annotated.',
  lower_bound=0.0,
  upper_bound=1.0,
  flag_values=FLAGS,
)
flags.DEFINE_list(
  'class_names',
  list(conventions.PIX3D_CLASSES),
  'As model.class_names; all classes of the library must be among them.',
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'poses',
  '',
  'Take cameras from these annotations (pix3d.json or a Mesh R-CNN split). By '
  "default they are drawn from a distribution like Pix3D's.",
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'poses_exclude',
  '',
  'JSON list of photos in --poses to leave out, because one tests on them.',
  flag_values=FLAGS,
)
flags.DEFINE_boolean(
  'grey_cads',
  False,
  'CADs all in one grey: what are their colours and textures worth?',
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'clutter', '', 'Folder of meshes, metres: small things.', flag_values=FLAGS
)
flags.DEFINE_string(
  'textures',
  '',
  'Folder of images for floors, walls, cloth.',
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'backgrounds', '', 'Folder of photos behind close-ups.', flag_values=FLAGS
)
flags.DEFINE_string(
  'environments',
  '',
  'Folder of .hdr or .exr panoramas that give light; cycles only.',
  flag_values=FLAGS,
)
flags.DEFINE_integer(
  'samples',
  _DEFAULTS.samples,
  'Paths a pixel; cycles only.',
  lower_bound=1,
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'blender_python',
  _DEFAULTS.blender_python,
  'Python that has bpy; cycles only.',
  flag_values=FLAGS,
)
flags.DEFINE_integer('seed', 0, 'Of everything.', flag_values=FLAGS)
flags.DEFINE_integer(
  'num_shards', 8, 'Record files.', lower_bound=1, flag_values=FLAGS
)
example_runner.define_flags(FLAGS)

STATISTICS = 'statistics.json'
PREVIEW = 'preview.png'
_PREVIEW_PHOTOS = 24
_FILES = ('poses', 'poses_exclude')
_FOLDERS = ('library', 'clutter', 'textures', 'backgrounds', 'environments')
_CYCLES_ONLY = ('samples', 'environments')


def synthesize(
  options: options_lib.Options,
  num_images: int,
  output_dir: str,
  num_shards: int = 8,
  **runner_options: Any,
) -> example_runner.Summary:
  """Makes photos and writes their records, statistics and a preview.

  Args:
    options: all that determines the photos.
    num_images: how many.
    output_dir: where everything goes.
    num_shards: record files.
    **runner_options: num_processes, runner, beam_options, restart of
      `example_runner.run`.

  Returns:
    The runner's summary.

  Raises:
    ValueError, OSError: bad options or files; earlier records stay.
  """
  _check_classes(options)
  maker = photo_maker.PhotoMaker(options)
  summary = example_runner.run(
    maker,
    num_images,
    output_dir,
    'images',
    num_shards,
    _settings(options),
    **runner_options,
  )
  pattern = os.path.join(output_dir, 'images.tfrecord-*')
  outputs = [os.path.join(output_dir, name) for name in (STATISTICS, PREVIEW)]
  if summary.num_made or not all(os.path.exists(path) for path in outputs):
    content = {**statistics.summarise(pattern), 'made': summary.counts}
    with open(outputs[0], 'w', encoding='utf-8') as file:
      json.dump(content, file, indent=1, sort_keys=True)
    preview_sheet.make(pattern, outputs[1], _PREVIEW_PHOTOS)
  return summary


def _check_classes(options: options_lib.Options) -> None:
  found = {cad.label_name for cad in cad_folder.list_cads(options.library)}
  unknown = sorted(found - set(options.class_names))
  if unknown:
    complete = [*options.class_names, *unknown]
    hint = close_names.hint(unknown[0], options.class_names)
    raise ValueError(
      f'{options.library!r} has classes that --class_names does not list: '
      f'{", ".join(unknown)}.{hint} Rename their folders, give --class_names='
      f'{",".join(complete)}, or remove them.'
    )


def _settings(options: options_lib.Options) -> Dict[str, Any]:
  """For the manifest: options, and hashes of what they name."""
  settings = dataclasses.asdict(options)
  del settings['blender_python']  # where it is does not matter
  if options.renderer != 'cycles':
    for name in _CYCLES_ONLY:
      del settings[name]
  for name in _FILES:
    if settings[name]:
      settings[f'{name}_sha256'] = example_runner.file_hash(settings[name])
  for name in _FOLDERS:
    if settings.get(name):
      settings[name] = os.path.abspath(settings[name])
      settings[f'{name}_sha256'] = _folder_hash(settings[name])
  return settings


def _folder_hash(folder: str) -> str:
  """Of the names and sizes of all files: their contents would take long."""
  if not os.path.isdir(folder):
    raise FileNotFoundError(f'There is no folder {folder!r}.')
  entries: List[str] = []
  for path, _, names in os.walk(folder, followlinks=True):
    for name in names:
      file = os.path.join(path, name)
      entries.append(f'{os.path.relpath(file, folder)} {os.path.getsize(file)}')
  return hashlib.sha256('\n'.join(sorted(entries)).encode()).hexdigest()


def _modes(words: Sequence[str]) -> Dict[str, float]:
  """{'room': 0.5, ...} of 'room:0.5,...'."""
  modes = {}
  for word in words:
    mode, _, share = word.partition(':')
    try:
      modes[mode.strip()] = float(share)
    except ValueError as error:
      raise ValueError(
        f'--modes has {word!r}; write shares as room:0.5,closeup:0.3,studio:0.2'
      ) from error
  return modes


def main(argv: Sequence[str]) -> None:
  """Runs the tool with its flags."""
  command_line.reject(argv[1:])
  names = {field.name for field in dataclasses.fields(options_lib.Options)}
  values = {name: FLAGS[name].value for name in FLAGS if name in names}
  values['modes'] = _modes(values['modes'])
  values['class_names'] = tuple(values['class_names'])
  summary = synthesize(
    options_lib.Options(**values),
    FLAGS.num_images,
    FLAGS.output_dir,
    FLAGS.num_shards,
    num_processes=FLAGS.num_processes,
    runner=FLAGS.runner,
    beam_options=FLAGS.beam_options,
    restart=FLAGS.restart,
  )
  print(f'{FLAGS.output_dir}: {summary.num_examples} photos')
  for key, count in sorted(summary.counts.items()):
    print(f'  {key.replace("_", " ")}: {count}')
  if summary.num_made:
    print(
      f'  {summary.num_made / summary.seconds:.2f} images/s, '
      f'{summary.cpu_seconds / summary.num_made:.2f} CPU-s per image'
    )


if __name__ == '__main__':
  command_line.run('tfrecords_tools.synthesize', main, FLAGS)
