"""Trains in float32, bfloat16 and float16: how far apart are the losses?

  python -m tests.benchmarks.precision --work_dir=DIR

`mask2cad_tiny` on the toy data, same seeds, in one process a number type;
float16 with a dynamic loss scale. Prints each type's losses, means over the
last quarter of the steps. Exit status 1 if a loss is not finite, or a total is
above --tolerance times float32's. DIR must be new or empty.
"""

import json
import os
import subprocess
import sys

import numpy as np
from absl import app
from absl import flags
from official.modeling import hyperparams

from tests import toy
from tests import toy_training
from tests.benchmarks import work_folder

_WORK_DIR = flags.DEFINE_string('work_dir', None, 'New or empty folder.')
_STEPS = flags.DEFINE_integer('steps', 80, 'Of each training; a multiple of 4.')
_TOLERANCE = flags.DEFINE_float('tolerance', 1.1, 'Of the total loss.')
_TYPES = ('float32', 'bfloat16', 'float16')


def main(_):
  work_folder.claim(_WORK_DIR.value)
  data = toy.make(os.path.join(_WORK_DIR.value, 'toy'))
  report = {name: _train(data, name) for name in _TYPES}
  print(json.dumps({'steps': _STEPS.value, 'losses': report}))
  limit = _TOLERANCE.value * report['float32']['total_loss']
  for losses in report.values():
    if not np.all(np.isfinite(list(losses.values()))):
      sys.exit(1)
    if losses['total_loss'] > limit:
      sys.exit(1)


def _train(data, name):
  """Losses of the last quarter, by name."""
  quarter = _STEPS.value // 4
  config = toy_training.experiment(
    data,
    train_data={'seed': 7},
    train_steps=_STEPS.value,
    steps_per_loop=quarter,
    summary_interval=quarter,
    checkpoint_interval=_STEPS.value,
  )
  config.runtime.override(
    {
      'mixed_precision_dtype': name,
      'loss_scale': 'dynamic' if name == 'float16' else None,
    }
  )
  path = os.path.join(_WORK_DIR.value, f'{name}.yaml')
  hyperparams.save_params_dict_to_yaml(config, path)
  model_dir = os.path.join(_WORK_DIR.value, name)
  with open(model_dir + '.log', 'w') as log:
    subprocess.run(
      [
        *(sys.executable, '-m', 'mask2cad_tf.train', '--mode=train'),
        *('--experiment=mask2cad_tiny', f'--config_file={path}'),
        f'--model_dir={model_dir}',
      ],
      stdout=log,
      stderr=log,
      check=True,
    )
  return {
    key: value
    for (step, key), value in toy_training.scalars(model_dir).items()
    if step == _STEPS.value
  }


if __name__ == '__main__':
  flags.mark_flags_as_required(['work_dir'])
  app.run(main)
