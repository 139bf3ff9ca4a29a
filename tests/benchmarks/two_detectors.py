r"""What two detectors find apart and together.

  python -m tests.benchmarks.two_detectors --model=mask2cad_tf/weights/lite \
      --validation=real:'runs/real/records/images*' \
      --validation=COCO:'runs/coco/records/images*' --output_dir=runs/detectors

COCO's AP^box of either detector of a model with two, and of the means of their
logits and offsets, which is what the model does; with and without OpenImages's
own detector pooled in. Boxes are as detected, not redrawn by masks. Writes
two_detectors.json and two_detectors.md.
"""

import pathlib
from typing import Any
from typing import Dict
from typing import Mapping

from absl import flags

from mask2cad_tf import command_line
from mask2cad_tf import packaged_model
from tests.benchmarks import learning_curves
from tests.benchmarks import small_trainings

FLAGS = flags.FlagValues()
_MODEL = flags.DEFINE_string(
  'model', None, 'Folder of the model; the packaged one.', flag_values=FLAGS
)
_VALIDATION = flags.DEFINE_multi_string(
  'validation', None, 'NAME:PATTERN of image records.', flag_values=FLAGS
)
_OUTPUT_DIR = flags.DEFINE_string(
  'output_dir', 'runs/detectors', 'Tables.', flag_values=FLAGS
)
KINDS = {'first': (1.0, 0.0), 'second': (0.0, 1.0), 'both': (0.5, 0.5)}


def finder(model: Any, weights, pooled: bool):
  """Detections of a weighted mean of the two detectors.

  Args:
    model: Mask2CADModel with two detectors.
    weights: of the first and of the second.
    pooled: whether OpenImages's own detector is asked.

  Returns:
    For `learning_curves.average_precision`.
  """
  import tensorflow as tf

  def find(images, sizes):
    features = model.backbone(images, training=False)
    first, second = (
      head(pyramid)
      for head, pyramid in zip(
        (model.head, model.second_head), model.pyramids(features)
      )
    )
    scores, offsets = (
      tf.nest.map_structure(
        lambda a, b: weights[0] * a + weights[1] * b, dict(a), dict(b)
      )
      for a, b in zip(first[:2], second[:2])
    )
    dense = {'cls_outputs': scores, 'box_outputs': offsets}
    return model.detect(dense, features, images if pooled else None, sizes)

  return find


def markdown(results: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
  """A row a kind, a column a set of photos."""
  sets = list(next(iter(results.values())))
  lines = [
    f'| detector | {" | ".join(f"{name}: AP, AP50" for name in sets)} |',
    f'| {" | ".join(["---"] * (1 + len(sets)))} |',
  ]
  for kind, row in results.items():
    cells = [f'{x["box_ap"]:.1f}, {x["box_ap50"]:.1f}' for x in row.values()]
    lines.append(f'| {" | ".join([kind, *cells])} |')
  return '\n'.join(lines) + '\n'


def main(argv) -> None:
  """Measures, and writes the table."""
  command_line.require(validation=_VALIDATION.value)
  command_line.reject(argv[1:])
  from mask2cad_tf.modeling import model_folder

  model, config = model_folder.load(_MODEL.value or packaged_model.folder())
  if model.second_head is None:
    raise ValueError('--model: expected a model with two detectors.')
  results: Dict[str, Dict[str, Dict[str, float]]] = {}
  for pooled in (False, True):
    for kind, weights in KINDS.items():
      name = f'{kind}, pooled' if pooled else kind
      results[name] = {}
      for value in _VALIDATION.value:
        photos, _, pattern = value.partition(':')
        results[name][photos] = learning_curves.average_precision(
          finder(model, weights, pooled), config.task.model, pattern
        )
      print(name, results[name], flush=True)
  small_trainings.save_results(
    pathlib.Path(_OUTPUT_DIR.value) / 'two_detectors.json',
    results,
    markdown(results),
  )


if __name__ == '__main__':
  command_line.run('tests.benchmarks.two_detectors', main, FLAGS)
