"""Kills `mask2cad_tf.train` at random moments: are the weights the same?

  python -m tests.benchmarks.training_kills --work_dir=DIR

Trains `mask2cad_tiny` on the toy data in deterministic mode, once undisturbed
and once with SIGKILLs: while it starts, in the middle of a loop, and as soon
as a file of a checkpoint appears. After the last kill the same command runs to
the end. All numbers of the last checkpoint (weights, optimizer, step) must be
the same bit for bit, and every logged loss the same. DIR must be new or empty.
Exit status 1 if anything differs.
"""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
from absl import app
from absl import flags
from official.modeling import hyperparams

from tests import toy
from tests import toy_training
from tests.benchmarks import work_folder

_WORK_DIR = flags.DEFINE_string('work_dir', None, 'New or empty folder.')
_KILLS = flags.DEFINE_integer('kills', 20, 'How often.')
_STEPS = flags.DEFINE_integer('steps', 200, 'Of the training.')
_INTERVAL = flags.DEFINE_integer('interval', 5, 'Steps between checkpoints.')
_SEED = flags.DEFINE_integer('seed', 0, 'Of the moments.')
_KINDS = ('start', 'loop', 'checkpoint')


def main(_):
  work_folder.claim(_WORK_DIR.value)
  params = _write_params()
  undisturbed, killed = (
    os.path.join(_WORK_DIR.value, name) for name in ('undisturbed', 'killed')
  )
  start = time.monotonic()
  first = None
  process = _start(params, undisturbed)
  while process.poll() is None:
    if first is None and _newest(undisturbed):
      first = time.monotonic() - start
    time.sleep(0.1)
  whole = time.monotonic() - start
  seconds_a_loop = (whole - first) * _INTERVAL.value / _STEPS.value
  print(f'undisturbed: {whole:.0f} s, first checkpoint after {first:.0f} s')

  rng = np.random.default_rng(_SEED.value)
  kills = {kind: 0 for kind in _KINDS}
  steps_at_kill = []
  for number in range(_KILLS.value):
    kind = _KINDS[number % len(_KINDS)]
    target = _STEPS.value * (number + 1) // (_KILLS.value + 2)
    process = _start(params, killed)
    if kind == 'start':
      time.sleep(rng.uniform(0.0, first))
    else:
      _wait(process, lambda target=target: _newest(killed) >= target)
      if kind == 'loop':
        time.sleep(rng.uniform(0.0, 2.0 * seconds_a_loop))
      else:
        known = set(os.listdir(killed))
        _wait(process, lambda known=known: set(os.listdir(killed)) - known)
        time.sleep(rng.uniform(0.0, 0.05))
    if process.poll() is not None:
      raise RuntimeError(f'It ended before kill {number}; see train.log.')
    process.send_signal(signal.SIGKILL)
    process.wait()
    kills[kind] += 1
    steps_at_kill.append(_newest(killed))
    print(f'kill {number + 1} ({kind}): checkpoint {steps_at_kill[-1]}')
  if _start(params, killed).wait():
    raise RuntimeError('The training does not go on; see train.log.')

  last = f'ckpt-{_STEPS.value}'
  differing = toy_training.differences(
    os.path.join(undisturbed, last), os.path.join(killed, last)
  )
  wanted, found = map(toy_training.scalars, (undisturbed, killed))
  wrong = [
    (key, wanted.get(key), value)
    for key, value in found.items()
    if wanted.get(key) != value
  ]
  print(
    json.dumps(
      {
        'steps': _STEPS.value,
        'kills': kills,
        'checkpoint_at_kill': steps_at_kill,
        'numbers_compared': len(toy_training.weights(f'{killed}/{last}')),
        'numbers_that_differ': differing,
        'losses_compared': len(found),
        'losses_that_differ': wrong,
        'losses_missing': len(set(wanted) - set(found)),
      }
    )
  )
  if differing or wrong or set(wanted) - set(found):
    sys.exit(1)


def _write_params():
  """Data and configuration; the path of the latter."""
  data = toy.make(os.path.join(_WORK_DIR.value, 'toy'))
  config = toy_training.experiment(
    data,
    task={'model': {'style_noise': 1.0}},  # chance in the model, too
    train_data={'seed': 7, 'deterministic': True},
    train_steps=_STEPS.value,
    steps_per_loop=_INTERVAL.value,
    summary_interval=_INTERVAL.value,
    checkpoint_interval=_INTERVAL.value,
  )
  path = os.path.join(_WORK_DIR.value, 'params.yaml')
  hyperparams.save_params_dict_to_yaml(config, path)
  return path


def _start(params, model_dir):
  with open(os.path.join(_WORK_DIR.value, 'train.log'), 'a') as log:
    return subprocess.Popen(
      [
        *(sys.executable, '-m', 'mask2cad_tf.train', '--mode=train'),
        *('--experiment=mask2cad_tiny', f'--config_file={params}'),
        f'--model_dir={model_dir}',
      ],
      stdout=log,
      stderr=log,
    )


def _wait(process, ready):
  """Until it is ready, or the process has ended."""
  while process.poll() is None and not ready():
    time.sleep(0.002)


def _newest(model_dir):
  """Step of the newest checkpoint in TensorFlow's list, or 0."""
  try:
    with open(os.path.join(model_dir, 'checkpoint')) as file:
      return int(file.readline().split('-')[-1].strip().strip('"'))
  except (FileNotFoundError, ValueError):
    return 0


if __name__ == '__main__':
  flags.mark_flags_as_required(['work_dir'])
  app.run(main)
