"""What a choice of the objects' branch is worth, at one small budget.

  python -m tests.benchmarks.ablations --config_file=runs/lite/objects.yaml \
      --validation='runs/lite/cached/records/validation/images*' \
      --output_dir=runs/ablations --steps=300 --repeats=2

Trains masks, embedding and pose from scratch on cached features (of
mask2cad_tf.cache_features, the validation's too), each variant as often as
--repeats says, and measures on the validation photos' true boxes: retrieval
among the CADs of the view records, NUM_VIEWS views each, within the class;
rotation; masks. The config file is one of mask2cad_tf.train's. Repeats differ
by their random weights and by the order of the photos. Writes ablations.json
and ablations.md; what is measured stays measured.
"""

import pathlib
from typing import Any
from typing import Dict
from typing import List
from typing import Sequence

import numpy as np
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
  'output_dir', 'runs/ablations', 'Trainings and tables.', flag_values=FLAGS
)
_STEPS = flags.DEFINE_integer(
  'steps', 300, 'Of each training.', lower_bound=1, flag_values=FLAGS
)
_REPEATS = flags.DEFINE_integer(
  'repeats', 2, 'Trainings of each variant.', lower_bound=1, flag_values=FLAGS
)
_VARIANTS = flags.DEFINE_list(
  'variants', None, 'Only these.', flag_values=FLAGS
)
_MAX_OBJECTS = 8  # of a photo; what it has more is left out


def _losses(**changes: Any) -> Dict[str, Any]:
  return {'losses': changes}


def _model(part: str, **changes: Any) -> Dict[str, Any]:
  return {'model': {part: changes}}


def _parser(**changes: Any) -> Dict[str, Any]:
  return {'train_data': {'parser': changes}}


VARIANTS = {
  'base': {},
  'tau 0.05': _losses(temperature=0.05),
  'tau 0.5': _losses(temperature=0.5),
  'C 1': _losses(negative_weight=1.0),
  'C 3': _losses(negative_weight=3.0),
  'all pairs, none mined': _losses(
    num_hard_positives=100_000, num_hard_negatives=100_000
  ),
  'delta per class': _model('pose', delta_per_bin=False),
  'no symmetry minimum': _losses(use_symmetry=False),
  'pooled embedding': _model('cad_head', grid_size=1),
  'no distractors': _parser(num_distractor_cads=0),
  'any views': _parser(nearest_views=False),
  'no jittered views': _parser(jittered_view=False),
  'boxes not jittered': _parser(box_jitter_scale=0.0),
  'features without mask': _model('cad_head', use_mask=False),
  'no style noise': {'model': {'style_noise': 0.0}},
}
_MEASURES = ('top1', 'top5', 'median_degrees', 'within_30', 'mask_iou')


def train(name: str, repeat: int) -> pathlib.Path:
  """Trains a variant, or goes on with it; returns its folder."""
  folder = (
    pathlib.Path(_OUTPUT_DIR.value) / f'{name.replace(" ", "_")}_{repeat}'
  )
  small_trainings.train(
    folder, _CONFIG.value, 'objects', _STEPS.value, VARIANTS[name]
  )
  return folder


def measure(folder: pathlib.Path, validation: str) -> Dict[str, float]:
  """Shares in [0, 1], degrees, mean IoU.

  Args:
    folder: of a training of the objects' branch.
    validation: image records with features, a glob.
  """
  import tensorflow as tf

  from mask2cad_tf.data import cached_features
  from mask2cad_tf.data import decoder
  from mask2cad_tf.data import record_files
  from mask2cad_tf.data import view_store
  from mask2cad_tf.modeling import model_folder

  model, config = model_folder.load(str(folder))
  store = view_store.ViewStore.load(
    list(config.task.train_data.views_path), cached=True
  )
  gallery = _embed(model, store)
  paths = record_files.match(validation)
  records = list(record_files.read(paths))
  shapes = cached_features.shapes(records[0], paths[0])
  decode = decoder.TfExampleDecoder(feature_shapes=shapes).decode

  @tf.function(reduce_retracing=True)
  def describe(features, boxes, classes):
    return model(
      {level: tf.cast(value, tf.float32) for level, value in features.items()},
      roi_boxes=boxes,
      roi_classes=classes,
      training=False,
    )

  rows: List[Sequence[float]] = []
  side = float(config.task.model.input_size[0])
  frame = config.task.model.pose.rotation_frame
  for record in records:
    data = decode(tf.constant(record))
    known = store.lookup(data['groundtruth_cad_ids']) >= 0
    count = min(int(tf.reduce_sum(tf.cast(known, tf.int32))), _MAX_OBJECTS)
    if not count:
      continue
    objects = {
      key: tf.boolean_mask(value, known).numpy()[:count]
      for key, value in data.items()
      if key.startswith('groundtruth_') and len(value) == len(known)
    }
    height, width = data['image'].shape[:2]
    scale = side / max(height, width)
    boxes = objects['groundtruth_boxes'] * np.array([height, width] * 2)
    padding = _MAX_OBJECTS - count
    outputs = describe(
      {level: value[tf.newaxis] for level, value in data['features'].items()},
      tf.constant(
        np.pad(boxes * scale, ((0, padding), (0, 0)))[np.newaxis], tf.float32
      ),
      tf.constant(
        np.pad(objects['groundtruth_classes'], (0, padding))[np.newaxis],
        tf.int32,
      ),
    )
    outputs = {
      key: value[0].numpy()
      for key, value in outputs.items()
      if key.startswith('detection_')
    }
    intrinsics = data['intrinsics'].numpy()
    for index in range(count):
      rows.append(
        _judge(
          {key: value[index] for key, value in outputs.items()},
          {key: value[index] for key, value in objects.items()},
          (height, width, scale, intrinsics, frame),
          store,
          gallery,
        )
      )
  top1, top5, degrees, mask_iou = np.array(rows).T
  return {
    'num_objects': len(rows),
    'top1': float(top1.mean()),
    'top5': float(top5.mean()),
    'median_degrees': float(np.median(degrees)),
    'within_30': float((degrees <= 30.0).mean()),
    'mask_iou': float(mask_iou.mean()),
  }


def _embed(model, store) -> np.ndarray:
  """Unit embeddings [n, V, E] of all CADs' views."""
  import tensorflow as tf

  parts = []
  for start in range(0, len(store.views), 16):
    views = tf.io.decode_raw(store.views[start : start + 16], tf.float16)
    views = tf.reshape(views, [*views.shape[:2], *store.feature_shape])
    parts.append(model.view_encoder(tf.cast(views, tf.float32)[tf.newaxis])[0])
  embeddings = tf.concat(parts, axis=0).numpy()
  return embeddings / np.linalg.norm(embeddings, axis=-1, keepdims=True)


def _judge(found, true, camera, store, gallery) -> Sequence[float]:
  """Right first, right among five, degrees, mask IoU of one object."""
  import tensorflow as tf

  from mask2cad_tf.evaluation import mask_iou
  from mask2cad_tf.evaluation import pose_errors
  from mask2cad_tf.geometry import rotations
  from mask2cad_tf.scene import masks

  height, width, scale, intrinsics, frame = camera
  row = int(store.lookup(tf.constant(true['groundtruth_cad_ids'])))
  same = np.flatnonzero(store.labels.numpy() == true['groundtruth_classes'])
  cosines = (gallery[same] @ found['detection_embeddings']).max(axis=1)
  groups = store.groups.numpy()[same[np.argsort(-cosines, kind='stable')]]
  first = list(dict.fromkeys(groups.tolist()))[:5]
  group = int(store.groups[row])
  rotation = rotations.matrix_from_quaternion(
    found['detection_rotations'].astype(np.float64)
  )
  if frame == 'allocentric':
    rotation = rotations.camera_from_allocentric(
      rotation, found['detection_centers'] / scale, intrinsics
    )
  radians = pose_errors.symmetric_rotation_error(
    rotation,
    rotations.matrix_from_quaternion(
      true['groundtruth_rotations'].astype(np.float64)
    ),
    int(store.symmetries[row]),
  )
  truth = tf.io.decode_png(true['groundtruth_instance_masks_png'], 1).numpy()
  pasted = masks.paste(
    found['detection_masks'],
    found['detection_outer_boxes'] / scale,
    height,
    width,
  )
  overlap = mask_iou.mask_iou(pasted, truth[..., 0] > 127)
  return first[0] == group, group in first, np.degrees(radians), overlap


def markdown(results: Dict[str, List[Dict[str, float]]]) -> str:
  """Mean of the repeats and their spread (largest minus smallest)."""
  lines = [
    '| variant | trainings | first, % | among five, % | rotation, median, '
    'degrees | within 30 degrees, % | mask IoU |',
    '|' + ' --- |' * 7,
  ]
  for name, runs in results.items():
    cells = []
    for key in _MEASURES:
      percent = 1.0 if key in ('median_degrees', 'mask_iou') else 100.0
      digits = 3 if key == 'mask_iou' else 1
      values = [percent * run[key] for run in runs]
      cells.append(
        f'{np.mean(values):.{digits}f} ({max(values) - min(values):.{digits}f})'
      )
    lines.append(f'| {name} | {len(runs)} | {" | ".join(cells)} |')
  return '\n'.join(lines) + '\n'


def main(argv: Sequence[str]) -> None:
  """Trains, measures, writes after every training."""
  command_line.require(config_file=_CONFIG.value, validation=_VALIDATION.value)
  command_line.reject(argv[1:])
  path = pathlib.Path(_OUTPUT_DIR.value) / 'ablations.json'
  results = small_trainings.load_results(path)
  for repeat in range(_REPEATS.value):
    for name in _VARIANTS.value or VARIANTS:
      runs = results.setdefault(name, [])
      if len(runs) > repeat:
        continue
      runs.append(measure(train(name, repeat), _VALIDATION.value))
      small_trainings.save_results(path, results, markdown(results))
      print(f'{name}, {repeat}: {runs[-1]}', flush=True)
  print(markdown(results))


if __name__ == '__main__':
  command_line.run('tests.benchmarks.ablations', main, FLAGS)
