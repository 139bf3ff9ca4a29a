"""`mask2cad_tiny` on the toy data, as an experiment to train."""

import glob
import os
from typing import Any
from typing import Dict
from typing import Iterator
from typing import Tuple

import numpy as np
import tensorflow as tf
from official.core import config_definitions as cfg
from official.core import exp_factory
from tensorflow.core.util import event_pb2

from mask2cad_tf import registry_imports  # noqa: F401
from tests import toy


def overrides(
  data: toy.ToyData, train_data: Dict[str, Any] = None, **trainer: Any
) -> Dict[str, Any]:
  """What makes `mask2cad_tiny` train on the toy data.

  Args:
    data: the toy data.
    train_data: overrides of its training data's configuration.
    **trainer: overrides of the trainer's.
  """
  split = {'input_path': data.image_records, 'views_path': data.view_records}
  return {
    'task': {
      'library_path': data.library,
      'model': {
        'class_names': list(data.class_names),
        'num_classes': 1 + len(data.class_names),
        'pose': {'medoids_path': data.medoids, 'rotation_frame': 'allocentric'},
        'shapemask': {'priors_path': data.priors, 'num_priors': 4},
      },
      'train_data': {**split, **(train_data or {})},
      'validation_data': split,
    },
    'trainer': {
      'optimizer_config': {'learning_rate': {'cosine': {'decay_steps': 100}}},
      **trainer,
    },
  }


def experiment(
  data: toy.ToyData,
  task: Dict[str, Any] = None,
  train_data: Dict[str, Any] = None,
  **trainer: Any,
) -> cfg.ExperimentConfig:
  """The experiment; `task` overrides the task's configuration."""
  config = exp_factory.get_exp_config('mask2cad_tiny')
  config.override(overrides(data, train_data, **trainer))
  config.task.override(task or {})
  return config


def weights(checkpoint: str) -> Dict[str, np.ndarray]:
  """All numbers of a checkpoint, by name."""
  reader = tf.train.load_checkpoint(checkpoint)
  return {
    name: reader.get_tensor(name)
    for name in reader.get_variable_to_shape_map()
    if name != '_CHECKPOINTABLE_OBJECT_GRAPH'
  }


def differences(first: str, second: str) -> Dict[str, float]:
  """Names of the numbers that differ in bits, with their largest difference.

  `save_counter` counts files, not steps.
  """
  found, wanted = weights(first), weights(second)
  assert set(found) == set(wanted)
  return {
    name: float(np.abs(found[name] - value).max())
    for name, value in wanted.items()
    if not name.startswith('save_counter')
    and found[name].tobytes() != value.tobytes()
  }


def scalars(model_dir: str) -> Dict[Tuple[int, str], float]:
  """What training logged, by step and name.

  A step that was done twice, before a kill and after it, must have logged the
  same twice.
  """
  found = {}
  for path in sorted(glob.glob(os.path.join(model_dir, 'train', 'events*'))):
    for key, value in _events(path):
      if found.setdefault(key, value) != value:
        raise AssertionError(f'{key}: {found[key]} and {value}')
  return found


def _events(path: str) -> Iterator[Tuple[Tuple[int, str], float]]:
  try:
    for record in tf.data.TFRecordDataset(path):
      event = event_pb2.Event.FromString(record.numpy())
      for value in event.summary.value:
        if value.tag != 'steps_per_second':
          array = tf.make_ndarray(value.tensor)
          yield (event.step, value.tag), float(array)
  except tf.errors.DataLossError:
    pass  # a kill has cut the file's end short
