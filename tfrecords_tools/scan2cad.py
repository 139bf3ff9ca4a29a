r"""ScanNet's 25k frames with Scan2CAD's CADs -> image records.

Example:
  python -m tfrecords_tools.scan2cad --scannet_dir=scannet \
    --scan2cad_json=scan2cad/full_annotations.json \
    --shapenet_dir=ShapeNetCore.v2 --output_dir=data/scannet25k \
    --train_scenes=scannetv2_train.txt --val_scenes=scannetv2_val.txt

Writes <output_dir>/train and <output_dir>/val, each with images.tfrecord-* and
manifest.json. Which CADs become objects: `scan2cad_objects`. A training photo
without any object is left out, a validation photo is kept: what a model finds
in it is false. CAD ids are '<class>/<id_cad>', as tfrecords_tools.cad_library
--source=shapenet names them; meshes are paths below --shapenet_dir.
"""

import dataclasses
import os
import sys
from typing import Any
from typing import Dict
from typing import Sequence
from typing import Tuple

from absl import flags

from mask2cad_tf import command_line
from mask2cad_tf import conventions
from tfrecords_tools import example_runner
from tfrecords_tools import scan2cad_annotations
from tfrecords_tools import scan2cad_frames
from tfrecords_tools import scan2cad_objects
from tfrecords_tools import scan2cad_splits

FLAGS = flags.FlagValues()
flags.DEFINE_string(
  'scannet_dir',
  None,
  'Folder with scannet_frames_25k/, or that folder.',
  required=True,
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'scan2cad_json',
  None,
  "Scan2CAD's full_annotations.json.",
  required=True,
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'shapenet_dir',
  None,
  'ShapeNetCore v2: <catid>/<id>/models/model_normalized.obj.',
  required=True,
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'output_dir',
  None,
  'Folder for train/ and val/.',
  required=True,
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'train_scenes',
  '',
  "ScanNet's scannetv2_train.txt. Default: all spaces but every fifth.",
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'val_scenes', '', "ScanNet's scannetv2_val.txt.", flag_values=FLAGS
)
flags.DEFINE_enum(
  'masks',
  'visible',
  ['visible', 'amodal'],
  "The objects' masks: what is seen, or the whole silhouette, as the paper "
  'trains. Boxes are amodal either way.',
  flag_values=FLAGS,
)
flags.DEFINE_integer(
  'min_appearances',
  1000,
  'Classes that appear less often in the training frames are left out.',
  lower_bound=0,
  flag_values=FLAGS,
)
flags.DEFINE_float(
  'jitter_degrees',
  10.0,
  'Standard deviation of the random rotation that '
  'disturbs the view rendered at the true pose.',
  flag_values=FLAGS,
)
flags.DEFINE_integer(
  'num_shards', 16, 'Record files of each split.', flag_values=FLAGS
)
flags.DEFINE_integer('seed', 0, 'Of order and jitter.', flag_values=FLAGS)
flags.DEFINE_boolean(
  'skip_broken',
  False,
  'Leave out photos with bad input and list them, '
  'instead of stopping at the first.',
  flag_values=FLAGS,
)
example_runner.define_flags(FLAGS)


def convert(
  options: scan2cad_frames.Options,
  output_dir: str,
  num_shards: int = 16,
  skip_broken: bool = False,
  **runner_options: Any,
) -> Dict[str, example_runner.Summary]:
  """Writes the records of both splits.

  Args:
    options: what to convert, and how.
    output_dir: where train/ and val/ go.
    num_shards: record files of each split.
    skip_broken: leave out photos with bad input instead of raising.
    **runner_options: num_processes, runner, beam_options, restart of
      `example_runner.run`.

  Returns:
    Split -> what the runner says; 'val' is missing where it has no scan.

  Raises:
    ValueError, OSError: bad input.
  """
  folder = scan2cad_annotations.frames_folder(options.scannet_dir)
  scans = scan2cad_annotations.read(options.scan2cad_json)
  scenes = [s for s in scan2cad_annotations.list_scenes(folder) if s in scans]
  parts = scan2cad_splits.split(
    scenes, options.train_scenes, options.val_scenes
  )
  counts = _appearances(folder, scans, parts[scan2cad_splits.TRAIN])
  class_names = [
    name
    for name in conventions.SCANNET_CLASSES
    if counts.get(name, 0) >= max(options.min_appearances, 1)
  ]
  if not class_names:
    raise ValueError(
      f'No class appears {options.min_appearances} times in the training '
      f'frames: {counts}. Give a smaller --min_appearances.'
    )
  summaries = {}
  num_frames = 0
  for part, ids in parts.items():
    if not ids:
      continue
    frames = [
      frame
      for scene in ids
      for frame in scan2cad_annotations.list_frames(folder, scene)
    ]
    summaries[part] = example_runner.run(
      scan2cad_frames.FrameMaker(
        options,
        folder,
        {scene: scans[scene] for scene in ids},
        frames,
        class_names,
        keep_empty=part == scan2cad_splits.VAL,
        first_id=num_frames,
      ),
      len(frames),
      os.path.join(output_dir, part),
      'images',
      num_shards,
      _settings(options, part, ids, counts, class_names),
      skip_broken=skip_broken,
      shuffle_seed=options.seed,
      **runner_options,
    )
    num_frames += len(frames)
  return summaries


def _appearances(
  folder: str,
  scans: Dict[str, Tuple[scan2cad_annotations.AlignedModel, ...]],
  scenes: Sequence[str],
) -> Dict[str, int]:
  frames, sizes = [], {}
  for scene in scenes:
    of_scene = scan2cad_annotations.list_frames(folder, scene)
    if of_scene:
      sizes[scene] = scan2cad_frames.photo_size(
        os.path.join(folder, scan2cad_annotations.photo_path(of_scene[0])),
        scan2cad_annotations.read_intrinsics(folder, scene),
      )
      frames += of_scene
  return scan2cad_objects.appearances(scans, folder, frames, sizes)


def _settings(
  options: scan2cad_frames.Options,
  part: str,
  scenes: Sequence[str],
  counts: Dict[str, int],
  class_names: Sequence[str],
) -> Dict[str, Any]:
  return {
    **dataclasses.asdict(options),
    'annotations_sha256': example_runner.file_hash(options.scan2cad_json),
    'library': os.path.abspath(options.shapenet_dir),
    'split': part,
    'scenes': list(scenes),
    'training_appearances': counts,
    'class_names': list(class_names),
  }


def main(argv: Sequence[str]) -> None:
  """Runs the tool with its flags."""
  command_line.reject(argv[1:])
  names = [field.name for field in dataclasses.fields(scan2cad_frames.Options)]
  summaries = convert(
    scan2cad_frames.Options(**{name: FLAGS[name].value for name in names}),
    FLAGS.output_dir,
    FLAGS.num_shards,
    FLAGS.skip_broken,
    num_processes=FLAGS.num_processes,
    runner=FLAGS.runner,
    beam_options=FLAGS.beam_options,
    restart=FLAGS.restart,
  )
  for part, summary in summaries.items():
    for reason in summary.skipped:
      print(f'skipped {reason}', file=sys.stderr)
    counts = ', '.join(f'{k} {n}' for k, n in sorted(summary.counts.items()))
    print(f'{part}: {summary.num_examples} photos; {counts}')


if __name__ == '__main__':
  command_line.run('tfrecords_tools.scan2cad', main, FLAGS)
