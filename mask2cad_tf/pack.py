r"""Packs a trained model: params.yaml and float16 weights, one small folder.

Example:
  python -m mask2cad_tf.pack --model=runs/objects --output_dir=OUT \
    --parts_from=runs/detection:backbone,decoder,head

Every command that takes --model=DIR takes the folder. A gallery belongs to the
weights as they are rounded: build it from the packed model, then pack that one
with --gallery. What calibrate learnt of a model comes along, unless parts of
another training do.
"""

import os
from typing import Dict
from typing import Sequence
from typing import Tuple

from absl import flags

from mask2cad_tf import command_line

FLAGS = flags.FlagValues()  # apart from other commands' flags
_MODEL = flags.DEFINE_string(
  'model', None, 'Folder with params.yaml and a checkpoint.', flag_values=FLAGS
)
_OUTPUT_DIR = flags.DEFINE_string(
  'output_dir',
  None,
  'Folder to write; an earlier packed model there is replaced as a whole.',
  flag_values=FLAGS,
)
_PARTS_FROM = flags.DEFINE_multi_string(
  'parts_from',
  [],
  "DIR:part,part,...: take these parts from another training's folder of the "
  'same architecture; FILE.data:openimages_detector: from the packed assets '
  'of the npm package @mediapipe/objectron. May be repeated, for other parts.',
  flag_values=FLAGS,
)
_GALLERY = flags.DEFINE_string(
  'gallery',
  None,
  'Gallery of the packed model, of CADs that the package can make again (see '
  'retrieval/default_gallery.py): becomes its default gallery.',
  flag_values=FLAGS,
)


def main(argv: Sequence[str]) -> None:
  """Loads the model, exchanges parts, writes the folder and says its size."""
  command_line.require(model=_MODEL.value, output_dir=_OUTPUT_DIR.value)
  command_line.reject(argv[1:])
  sources = _parse(_PARTS_FROM.value)
  # Imported late: --help and wrong flags need no TensorFlow.
  from mask2cad_tf.modeling import model_folder
  from mask2cad_tf.refinement import confidence

  model, config = model_folder.load(_MODEL.value)
  judge = None if sources else confidence.load(_MODEL.value)
  for folder, parts in sources.items():
    _take(model, config, folder, parts)
  companions = []
  if judge is not None:
    companions.append(judge.save)
  if _GALLERY.value:
    companions.append(_add_gallery)
  manifest = model_folder.write_packed(
    model, config, _OUTPUT_DIR.value, companions
  )
  entries = manifest['variables'].values()
  halves = sum(entry['dtype'] == 'float16' for entry in entries)
  print(
    f'{_OUTPUT_DIR.value}: {len(entries)} variables, {halves} of them float16, '
    f'{_megabytes(_OUTPUT_DIR.value):.2f} MB'
  )


def _add_gallery(folder: str) -> None:
  """Puts the gallery beside a packed model, if it is that model's."""
  from mask2cad_tf.modeling import model_folder
  from mask2cad_tf.retrieval import default_gallery
  from mask2cad_tf.retrieval import gallery as gallery_lib

  rounded, config = model_folder.load(folder)
  gallery_lib.load(
    _GALLERY.value,
    model_folder.fingerprint(rounded),
    config.task.model.class_names,
  )
  default_gallery.shrink(
    _GALLERY.value, os.path.join(folder, default_gallery.FILE_NAME)
  )


def _parse(values: Sequence[str]) -> Dict[str, Tuple[str, ...]]:
  """Folder -> the parts to take from it."""
  sources: Dict[str, Tuple[str, ...]] = {}
  seen = set()
  for value in values:
    folder, _, names = value.rpartition(':')
    parts = tuple(name.strip() for name in names.split(','))
    if not folder or not all(parts):
      raise ValueError(
        f'--parts_from={value!r}: expected DIR:part,part,..., e.g. '
        'runs/detection:backbone,decoder,head.'
      )
    for name in parts:
      if name in seen:
        raise ValueError(
          f'--parts_from={value!r}: {name} is named twice. Each part comes '
          'from one folder.'
        )
      seen.add(name)
    sources[folder] = (*sources.get(folder, ()), *parts)
  return sources


def _take(model, config, folder: str, parts: Sequence[str]) -> None:
  """Loads parts of the model from another training's checkpoint."""
  from mask2cad_tf.modeling import initialization
  from mask2cad_tf.modeling import model_folder
  from mask2cad_tf.modeling import objectron_weights

  where = f'--parts_from={folder}:{",".join(parts)}'
  initialization.select(model.checkpoint_items, parts, where)
  if folder.endswith(objectron_weights.SUFFIX):
    _take_openimages(model, folder, parts, where)
    return
  names = model_folder.load_params(folder).task.model.class_names
  if list(names) != list(config.task.model.class_names):
    raise ValueError(
      f'{where}: its classes are {", ".join(names)}; those of --model are '
      f'{", ".join(config.task.model.class_names)}. Parts of one model know '
      'the same classes.'
    )
  report = initialization.load_init_checkpoint(model, folder, parts)
  if report.not_loaded:
    raise ValueError(
      f'{where}: {len(report.not_loaded)} variables are not in '
      f'{report.path!r}, e.g. {report.not_loaded[0]}. Take parts from a '
      'training of the same architecture.'
    )


def _take_openimages(
  model, file: str, parts: Sequence[str], where: str
) -> None:
  """Gives the model the OpenImages detector of an npm package."""
  from mask2cad_tf.modeling import objectron_weights

  if list(parts) != ['openimages_detector']:
    raise ValueError(
      f'{where}: an npm package has one part, openimages_detector.'
    )
  weights = objectron_weights.read(file)
  try:
    model.openimages_detector.set_weights(weights)
  except ValueError as error:  # Keras's: another number, another shape
    raise ValueError(
      f'{where}: another edition of the detector, with other layers than that '
      f'of version 0.4 ({error}).'
    ) from error


def _megabytes(folder: str) -> float:
  sizes = [entry.stat().st_size for entry in os.scandir(folder)]
  return sum(sizes) / 1e6


if __name__ == '__main__':
  command_line.run('mask2cad_tf.pack', main, FLAGS)
