"""One replica, two replicas, two workers: are the losses the same?

  python -m tests.benchmarks.replicas --work_dir=DIR

Trains `mask2cad_tiny` on the toy data with the same seeds and the same global
batch: on one logical CPU, on two logical CPUs (MirroredStrategy), and in two
processes on the loopback interface (MultiWorkerMirroredStrategy), with synced
batch norms, one pool of views and SGD at a low rate. The views' encoder is the
shipped model's frozen one; --train_views trains the paper's, whose batch norms
turn rounding into percents of a small gradient where views are mostly black.
Two more processes stop after half of the steps and go on. Then each evaluates
the first one's weights in the true boxes, on a number of photos that no batch
divides. Every step's losses and every number of the evaluation must agree
within --tolerance; exit status 1 if one does not. DIR must be new or empty.

Every replica has one CPU core. The time of a step is the median, without the
first one, which builds the graph; the efficiency of two is the time of one over
twice theirs, for the same batch. That says little where other work shares the
cores.
"""

import json
import os
import socket
import subprocess
import sys
import time

import numpy as np
import tensorflow as tf
from absl import app
from absl import flags
from official.modeling import optimization

from mask2cad_tf import registry_imports  # noqa: F401
from mask2cad_tf.tasks import training_run
from tests import toy
from tests import toy_training
from tests.benchmarks import work_folder

_WORK_DIR = flags.DEFINE_string('work_dir', None, 'New or empty folder.')
_STEPS = flags.DEFINE_integer('steps', 20, 'Of each training.')
_BATCH = flags.DEFINE_integer('batch', 4, 'Photos of a step, of all replicas.')
_RATE = flags.DEFINE_float('rate', 3e-4, 'Learning rate.')
_TOLERANCE = flags.DEFINE_float('tolerance', 1e-4, 'Of losses, relative.')
_TRAIN_VIEWS = flags.DEFINE_boolean(
  'train_views', False, "Train the paper's encoder of views."
)
_EVALUATED = ('one', 'two', 'workers')
_ROLES = (*_EVALUATED, 'stopped')
_STAGES = ('train', 'eval')
_ROLE = flags.DEFINE_enum('role', '', ['', *_ROLES], 'Of a child process.')
_STAGE = flags.DEFINE_enum('stage', 'train', _STAGES, 'Of a child process.')


def main(_):
  if _ROLE.value:
    _work(_ROLE.value, _STAGE.value)
    return
  work_folder.claim(_WORK_DIR.value)
  toy.make(_toy_folder())
  _run('stopped', 'train', _STEPS.value // 2)
  for role in _ROLES:
    _run(role, 'train', _STEPS.value)
  for role in _EVALUATED:
    _run(role, 'eval', _STEPS.value)
  seconds = {role: _seconds_a_step(role) for role in _EVALUATED}
  report = {
    'seconds a step': seconds,
    'efficiency': {
      role: seconds['one'] / (2.0 * seconds[role]) for role in _EVALUATED[1:]
    },
  }
  wanted, wanted_result = _scalars('one'), _result('one')
  ok = len({step for step, _ in wanted}) == _STEPS.value
  for role in _ROLES[1:]:
    found = _scalars(role)
    ok &= set(found) == set(wanted)
    losses = {}
    for (step, name), value in wanted.items():
      off = _off(found[step, name], value)
      losses[name] = max(losses.get(name, 0.0), off)
      ok &= off <= _TOLERANCE.value
    report[f'{role}: largest differences'] = losses
  for role in _EVALUATED[1:]:
    result = _result(role)
    ok &= set(result) == set(wanted_result)
    metrics = max(_off(result[key], wanted_result[key]) for key in result)
    report[f'{role}: largest difference of a metric'] = metrics
    ok &= metrics <= _TOLERANCE.value
  report['metrics'] = wanted_result
  print(json.dumps({**report, 'cpus': os.cpu_count(), 'same': bool(ok)}))
  if not ok:
    sys.exit(1)


def _off(found, wanted):
  """Difference, relative where the number is above 1."""
  return abs(found - wanted) / max(abs(wanted), 1.0)


def _toy_folder():
  return os.path.join(_WORK_DIR.value, 'toy')


def _run(role, stage, steps):
  """Starts a training's processes and waits for them."""
  clusters = [None]
  if role in ('workers', 'stopped'):
    hosts = [f'127.0.0.1:{port}' for port in _free_ports(2)]
    clusters = [
      {'cluster': {'worker': hosts}, 'task': {'type': 'worker', 'index': i}}
      for i in range(2)
    ]
  processes = []
  for index, cluster in enumerate(clusters):
    path = os.path.join(_WORK_DIR.value, f'{stage}-{role}-{index}.log')
    with open(path, 'a') as log:
      processes.append(
        subprocess.Popen(
          [
            *(sys.executable, '-m', 'tests.benchmarks.replicas'),
            *(f'--work_dir={_WORK_DIR.value}', f'--role={role}'),
            *(f'--steps={steps}', f'--batch={_BATCH.value}'),
            *(f'--stage={stage}', f'--rate={_RATE.value}'),
            f'--train_views={_TRAIN_VIEWS.value}',
          ],
          env={**os.environ, 'TF_CONFIG': json.dumps(cluster or {})},
          stdout=log,
          stderr=log,
        )
      )
  if any([process.wait() for process in processes]):
    raise RuntimeError(f'{role} failed; see {stage}-{role}-*.log.')


def _free_ports(count):
  sockets = [socket.socket() for _ in range(count)]
  for each in sockets:
    each.bind(('127.0.0.1', 0))
  ports = [each.getsockname()[1] for each in sockets]
  for each in sockets:
    each.close()
  return ports


def _work(role, stage):
  """Trains, or evaluates the first one's weights; writes what it measured."""
  cores = {'one': {0}, 'two': {0, 1}}
  worker = json.loads(os.environ['TF_CONFIG']).get('task', {}).get('index')
  os.sched_setaffinity(0, cores.get(role, {worker}))
  if role == 'two':
    tf.config.set_logical_device_configuration(
      tf.config.list_physical_devices('CPU')[0],
      [tf.config.LogicalDeviceConfiguration()] * 2,
    )
  strategy = {
    'one': lambda: tf.distribute.MirroredStrategy(['CPU:0']),
    'two': lambda: tf.distribute.MirroredStrategy(['CPU:0', 'CPU:1']),
    'workers': tf.distribute.MultiWorkerMirroredStrategy,
    'stopped': tf.distribute.MultiWorkerMirroredStrategy,
  }[role]()
  views = {'view_encoder': {'type': 'efficientnet_lite'}}
  if _TRAIN_VIEWS.value:
    views = {}
  config = toy_training.experiment(
    toy.locate(_toy_folder()),
    task={
      'model': {'norm_activation': {'use_sync_bn': True}, **views},
      'losses': {'cross_replica_pool': True},
    },
    train_data={
      'seed': 7,
      'deterministic': True,
      'sharding': False,
      'global_batch_size': _BATCH.value,
    },
    train_steps=_STEPS.value,
    steps_per_loop=1,
    summary_interval=1,
    checkpoint_interval=_STEPS.value,
  )
  config.trainer.optimizer_config = optimization.OptimizationConfig(
    {
      'optimizer': {'type': 'sgd', 'sgd': {'momentum': 0.9}},
      'learning_rate': {
        'type': 'constant',
        'constant': {'learning_rate': _RATE.value},
      },
    }
  )
  config.task.validation_data.global_batch_size = 2
  model_dir = _model_dir(role)
  if stage == 'eval':
    config.task.train_branches = ['objects']  # in true boxes
    model_dir = _model_dir('one')
  clock = _Clock()
  training_run.Runner = clock.runner(training_run.Runner)
  training_run.run(config, stage, model_dir, strategy=strategy)
  if strategy.extended.should_checkpoint:
    with open(os.path.join(_model_dir(role), f'{stage}.json'), 'w') as file:
      json.dump({'seconds': clock.seconds, 'result': clock.result}, file)


class _Clock:
  """Listens to the trainer: when steps end, what the evaluation says."""

  def __init__(self):
    self._last, self.seconds, self.result = None, [], {}

  def runner(self, base):
    clock = self

    class Runner(base):
      def __init__(self, *args, train_actions, **kwargs):
        super().__init__(
          *args,
          train_actions=[*train_actions, clock.step],
          eval_actions=[clock.evaluation],
          **kwargs,
        )

    return Runner

  def step(self, _):
    now = time.monotonic()
    if self._last is not None:
      self.seconds.append(now - self._last)
    self._last = now

  def evaluation(self, logs):
    self.result = {
      key: float(value) for key, value in logs.items() if np.ndim(value) == 0
    }


def _model_dir(role):
  return os.path.join(_WORK_DIR.value, role)


def _scalars(role):
  return toy_training.scalars(_model_dir(role))


def _result(role):
  with open(os.path.join(_model_dir(role), 'eval.json')) as file:
    return json.load(file)['result']


def _seconds_a_step(role):
  with open(os.path.join(_model_dir(role), 'train.json')) as file:
    return float(np.median(json.load(file)['seconds']))


if __name__ == '__main__':
  flags.mark_flags_as_required(['work_dir'])
  app.run(main)
