r"""What a backbone that photos have taught is worth to the detector.

  python -m tests.benchmarks.backbones --config_file=runs/lite/objects.yaml \
      --validation=synthetic:'runs/lite/cached/records/validation/images*' \
      --validation=real:'runs/real/records/images*' \
      --output_dir=runs/backbones --steps=200 --repeats=2

Trains the detector from renderings at one small budget, on two backbones, each
as it is and trained along, and with a detector on each. Measures COCO's AP^box
of the heads on every set of photos. The config file is one of
mask2cad_tf.train's; its records need photos, no features. Repeats differ by
their random weights and by the order of the photos. Writes backbones.json and
backbones.md; what is measured stays measured.
"""

import pathlib
from typing import Any
from typing import Dict
from typing import List
from typing import Mapping
from typing import Sequence

import numpy as np
from absl import flags

from mask2cad_tf import command_line
from tests.benchmarks import small_trainings

FLAGS = flags.FlagValues()
_CONFIG = flags.DEFINE_string(
  'config_file', None, 'YAML: data, medoids, priors.', flag_values=FLAGS
)
_VALIDATION = flags.DEFINE_multi_string(
  'validation', None, 'NAME:PATTERN of image records.', flag_values=FLAGS
)
_OUTPUT_DIR = flags.DEFINE_string(
  'output_dir', 'runs/backbones', 'Trainings and tables.', flag_values=FLAGS
)
_STEPS = flags.DEFINE_integer(
  'steps', 200, 'Of each training.', lower_bound=1, flag_values=FLAGS
)
_REPEATS = flags.DEFINE_integer(
  'repeats', 1, 'Trainings of each variant.', lower_bound=1, flag_values=FLAGS
)


def _task(backbone: str, freeze: bool) -> Dict[str, Any]:
  return {
    'freeze_backbone': freeze,
    'model': {
      'backbone': {'type': backbone},
      'roi': {'boxes_from_masks': False},  # no masks, no redrawing
      'imagenet_exponent': 0.0,
      'openimages_weight': 0.0,
    },
    'train_data': {'cached_features': False},
  }


VARIANTS = {
  'EfficientNet-Lite0, ImageNet, frozen': _task('efficientnet_lite', True),
  'EfficientNet-Lite0, ImageNet, trained': _task('efficientnet_lite', False),
  'MobileNetV2, OpenImages, frozen': _task('openimages_mobilenet', True),
  'both, frozen, a detector on each': _task('imagenet_and_openimages', True),
  'MobileNetV2, OpenImages, trained': _task('openimages_mobilenet', False),
}


def run(name: str, repeat: int, patterns: Mapping[str, str]) -> Dict[str, Any]:
  """Trains, or goes on, and measures: photos -> learning_curves's measures."""
  from tests.benchmarks import learning_curves

  words = name.replace(',', '').replace(' ', '_')
  folder = pathlib.Path(_OUTPUT_DIR.value) / f'{words}_{repeat}'
  small_trainings.train(
    folder, _CONFIG.value, 'detection', _STEPS.value, VARIANTS[name]
  )
  return {
    photos: learning_curves.measure_detection(folder, pattern)
    for photos, pattern in patterns.items()
  }


def markdown(results: Mapping[str, List[Dict[str, Any]]]) -> str:
  """Mean of the repeats and their spread (largest minus smallest)."""
  photos = list(next(iter(results.values()))[0])
  lines = [
    f'| backbone | trainings | {": AP, AP50 | ".join(photos)}: AP, AP50 |',
    '|' + ' --- |' * (2 + len(photos)),
  ]
  for name, runs in results.items():
    cells = []
    for key in photos:
      values = np.array([list(run[key].values()) for run in runs])
      mean, spread = values.mean(axis=0), np.ptp(values, axis=0)
      cells.append(
        ', '.join(f'{m:.1f} ({s:.1f})' for m, s in zip(mean, spread))
      )
    lines.append(f'| {name} | {len(runs)} | {" | ".join(cells)} |')
  return '\n'.join(lines) + '\n'


def main(argv: Sequence[str]) -> None:
  """Trains, measures, writes after every training."""
  command_line.require(config_file=_CONFIG.value, validation=_VALIDATION.value)
  command_line.reject(argv[1:])
  patterns = dict(entry.split(':', 1) for entry in _VALIDATION.value)
  path = pathlib.Path(_OUTPUT_DIR.value) / 'backbones.json'
  results = small_trainings.load_results(path)
  for repeat in range(_REPEATS.value):
    for name in VARIANTS:
      runs = results.get(name, [])
      if len(runs) > repeat:
        continue
      results[name] = [*runs, run(name, repeat, patterns)]
      small_trainings.save_results(path, results, markdown(results))
      print(f'{name}, {repeat}: {results[name][-1]}', flush=True)
  print(markdown(results))


if __name__ == '__main__':
  command_line.run('tests.benchmarks.backbones', main, FLAGS)
