r"""What more photos and longer training give, branch by branch.

  python -m tests.benchmarks.learning_curves \
      --config_file=runs/lite/objects.yaml \
      --validation='runs/lite/cached/records/validation/images*' \
      --output_dir=runs/learning_curves

Two rows of trainings a branch, each from scratch on cached features: shares of
the photos (whole shards) for the same steps, and all photos for shares of the
steps. Detection is measured by COCO's AP^box on the validation photos, objects
as tests.benchmarks.ablations does. Writes learning_curves.json and
learning_curves.md; what is measured stays measured.
"""

import pathlib
from typing import Any
from typing import Callable
from typing import Dict
from typing import List
from typing import Sequence
from typing import Tuple

import numpy as np
import yaml
from absl import flags

from mask2cad_tf import command_line
from tests.benchmarks import small_trainings

FLAGS = flags.FlagValues()
_CONFIG = flags.DEFINE_string(
  'config_file', None, 'YAML: data, medoids, priors.', flag_values=FLAGS
)
_VALIDATION = flags.DEFINE_string(
  'validation', None, 'Image records with features.', flag_values=FLAGS
)
_OUTPUT_DIR = flags.DEFINE_string(
  'output_dir', 'runs/learning_curves', 'Trainings.', flag_values=FLAGS
)
_STEPS = flags.DEFINE_list(
  'steps',
  ['detection:800', 'objects:400'],
  'BRANCH:COUNT, the longest training of each.',
  flag_values=FLAGS,
)
_SHARES = (0.125, 0.25, 0.5, 1.0)


def _shards(patterns: Sequence[str], share: float) -> List[str]:
  """The first files of each pattern; at least one."""
  from mask2cad_tf.data import record_files

  chosen = []
  for pattern in patterns:
    paths = record_files.match(pattern)
    chosen += paths[: max(1, round(share * len(paths)))]
  return chosen


def _plan() -> List[Tuple[str, float, int]]:
  """(branch, share of the photos, steps), none twice."""
  plan = []
  for entry in _STEPS.value:
    branch, _, most = entry.partition(':')
    plan += [(branch, share, int(most)) for share in _SHARES]
    plan += [(branch, 1.0, int(share * int(most))) for share in _SHARES[:-1]]
  return plan


def measure_detection(
  folder: pathlib.Path, validation: str
) -> Dict[str, float]:
  """COCO's AP^box and AP^box50 of the heads, percent.

  Features alone are what OpenImages's detector is not asked about.

  Args:
    folder: of a training of the detector.
    validation: image records, a glob.
  """
  from mask2cad_tf.modeling import model_folder

  model, config = model_folder.load(str(folder))

  def find(images, sizes):
    features = model.backbone(images, training=False)
    return model(features, image_shape=sizes, training=False)

  return average_precision(find, config.task.model, validation)


def average_precision(
  find: Callable[[Any, Any], Dict[str, Any]], config: Any, validation: str
) -> Dict[str, float]:
  """COCO's AP^box and AP^box50 of what is found in photos, percent.

  Args:
    find: normalised images [1, h, w, 3] and their sizes without padding [1, 2]
      -> a model's detections.
    config: of that model.
    validation: image records, a glob.
  """
  import tensorflow as tf

  from mask2cad_tf.data import image_scaling
  from mask2cad_tf.evaluation import detection_evaluator
  from mask2cad_tf.evaluation import photo_records
  from mask2cad_tf.geometry import posed_cad

  input_size = config.input_size[:2]
  evaluator = detection_evaluator.DetectionEvaluator(
    config.class_names, include_masks=False
  )

  @tf.function(input_signature=[tf.TensorSpec([None, None, 3], tf.uint8)])
  def detect(photo):
    image, info = image_scaling.resize_and_crop(
      photo, input_size, 1.0, tf.zeros(2)
    )
    image = image_scaling.network_input(image / 255.0, input_size)
    size = tf.round(info[0] * info[2])
    return find(image[tf.newaxis], size[tf.newaxis]), info[2]

  for photo in photo_records.read(validation, lambda cad_id, mesh: mesh):
    found, scale = detect(photo.image)
    count = int(found['num_detections'][0])
    boxes, labels, scores = (
      found[f'detection_{key}'][0, :count].numpy()
      for key in ('boxes', 'classes', 'scores')
    )
    detected = [
      posed_cad.PosedCad(
        label=int(label),
        cad_id='',
        mesh='',
        rotation=np.eye(3),
        translation=np.zeros(3),
        box=box,
        score=float(score),
      )
      for box, label, score in zip(
        boxes / np.tile(scale.numpy(), 2), labels, scores
      )
    ]
    evaluator.update_state(photo.objects, detected, photo.size, photo.crowds)
  summary = evaluator.result()['box']
  return {'box_ap': 100 * summary.ap, 'box_ap50': 100 * summary.ap50}


def run(branch: str, share: float, steps: int) -> Dict[str, Any]:
  """Trains and measures one point of a curve."""
  from tests.benchmarks import ablations

  with open(_CONFIG.value, encoding='utf-8') as file:
    data = yaml.safe_load(file)['task']['train_data']
  folder = pathlib.Path(_OUTPUT_DIR.value) / f'{branch}_{share:g}_{steps}'
  files = _shards(data['input_path'], share)
  small_trainings.train(
    folder,
    _CONFIG.value,
    branch,
    steps,
    {
      'train_data': {'input_path': files},
      'model': {'roi': {'boxes_from_masks': False}},  # no masks, no redrawing
    },
  )
  judge = measure_detection if branch == 'detection' else ablations.measure
  return {'files': len(files), **judge(folder, _VALIDATION.value)}


def markdown(results: Dict[str, Dict[str, Any]]) -> str:
  """A table a branch."""
  lines = []
  for branch in ('detection', 'objects'):
    rows = {k: v for k, v in results.items() if k.startswith(branch)}
    if not rows:
      continue
    names = [name for name in next(iter(rows.values())) if name != 'files']
    lines += [
      f'| {branch}: share of the photos | steps | {" | ".join(names)} |',
      '| --- | --- |' + ' --- |' * len(names),
    ]
    for key, row in rows.items():
      _, share, steps = key.split()
      cells = ' | '.join(f'{row[name]:.3g}' for name in names)
      lines.append(f'| {share} | {steps} | {cells} |')
    lines.append('')
  return '\n'.join(lines)


def main(argv: Sequence[str]) -> None:
  """Trains, measures, writes after every training."""
  command_line.require(config_file=_CONFIG.value, validation=_VALIDATION.value)
  command_line.reject(argv[1:])
  path = pathlib.Path(_OUTPUT_DIR.value) / 'learning_curves.json'
  results = small_trainings.load_results(path)
  for branch, share, steps in _plan():
    key = f'{branch} {share:g} {steps}'
    if key in results:
      continue
    results[key] = run(branch, share, steps)
    small_trainings.save_results(path, results, markdown(results))
    print(f'{key}: {results[key]}', flush=True)
  print(markdown(results))


if __name__ == '__main__':
  command_line.run('tests.benchmarks.learning_curves', main, FLAGS)
