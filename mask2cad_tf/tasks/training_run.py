"""Model Garden's trainer on an experiment: goes on where it was cut off."""

import contextlib
import os
import shutil
import tempfile
from typing import Iterator
from typing import Optional
from typing import Sequence

import gin
import tensorflow as tf
from absl import flags
from official.common import distribute_utils
from official.core import base_trainer
from official.core import config_definitions as cfg
from official.core import task_factory
from official.core import train_lib
from official.core import train_utils
from official.modeling import performance

# Defines --enable_async_checkpointing, too.
from official.vision import train as garden_train  # noqa: F401
from official.vision.utils import summary_manager

from mask2cad_tf.tasks import checkpoints
from mask2cad_tf.tasks import loss_guard

FLAGS = flags.FLAGS


def main(_: Sequence[str]) -> None:
  """Runs the experiment that the flags describe."""
  gin.parse_config_files_and_bindings(FLAGS.gin_file, FLAGS.gin_params)
  params = train_utils.parse_configuration(FLAGS)
  run(params, FLAGS.mode, FLAGS.model_dir, FLAGS.enable_async_checkpointing)


def run(
  params: cfg.ExperimentConfig,
  mode: str,
  model_dir: str,
  async_checkpoints: bool = True,
  strategy: Optional[tf.distribute.Strategy] = None,
) -> tf.keras.Model:
  """Trains or evaluates; goes on where an earlier run was cut off.

  Args:
    params: the experiment. With `task.train_data.seed` and `deterministic` set,
      its weights do not depend on how often it was cut off.
    mode: of Model Garden's --mode.
    model_dir: checkpoints, params.yaml and summaries.
    async_checkpoints: whether training goes on while a checkpoint is written.
    strategy: None: the one that `params.runtime` names.

  Returns:
    The model.

  Raises:
    OSError: the folder cannot be written to, or its disk is full.
    ValueError: no checkpoint there can be read.
    FloatingPointError: a loss is not finite.
  """
  trains = 'train' in mode
  with _clear_write_errors(model_dir):
    if trains:
      os.makedirs(model_dir, exist_ok=True)
      train_utils.serialize_config(params, model_dir)
    if params.runtime.mixed_precision_dtype:
      performance.set_mixed_precision_policy(
        params.runtime.mixed_precision_dtype
      )
    data = params.task.train_data
    if data.seed is not None:
      tf.keras.utils.set_random_seed(data.seed)  # of the first weights
      if data.deterministic:
        tf.config.experimental.enable_op_determinism()
    strategy = strategy or _strategy(params.runtime)
    start = checkpoints.choose_last_good(model_dir)
    with _own_folder(strategy, model_dir, start) as folder:
      return _run(params, mode, folder, async_checkpoints, strategy, start)


def _run(
  params: cfg.ExperimentConfig,
  mode: str,
  folder: str,
  async_checkpoints: bool,
  strategy: tf.distribute.Strategy,
  start: Optional[str],
) -> tf.keras.Model:
  with strategy.scope():
    task = task_factory.get_task(params.task, logging_dir=folder)
  if start:
    task.start_step = checkpoints.step_of(start)
  guard = loss_guard.StopOnBadLoss(
    lambda: task.loss_guard,
    lambda: tf.train.latest_checkpoint(folder) or start,
    recovers=params.trainer.recovery_max_trials > 0,
  )
  runner = Runner(
    distribution_strategy=strategy,
    task=task,
    mode=mode,
    params=params,
    model_dir=folder,
    train_actions=[guard],
    eval_summary_manager=summary_manager.maybe_build_eval_summary_manager(
      params=params, model_dir=folder
    ),
    enable_async_checkpointing=async_checkpoints,
  )
  if 'train' in mode:
    _create_slots(runner.trainer, strategy)
  model, _ = runner.run()
  return model


class Runner(train_lib.OrbitExperimentRunner):
  """Model Garden's, whose workers start where the first one does.

  There, all but the first look for checkpoints in an empty folder, and would
  begin with weights and a step of their own.
  """

  def _maybe_build_checkpoint_manager(self) -> tf.train.CheckpointManager:
    """In the worker's own folder, see _own_folder."""
    trainer = self.params.trainer
    return tf.train.CheckpointManager(
      self.trainer.checkpoint,
      directory=self.model_dir,
      max_to_keep=trainer.max_to_keep,
      step_counter=self.trainer.global_step,
      checkpoint_interval=trainer.checkpoint_interval,
      init_fn=self.trainer.initialize,
    )


def _create_slots(
  trainer: base_trainer.Trainer, strategy: tf.distribute.Strategy
) -> None:
  """Creates the optimizer's variables before the first step does.

  Several replicas cannot create them inside the loop: TensorFlow fails to
  lift their first values out of it.
  """
  with strategy.scope():
    trainer.optimizer._create_all_weights(trainer.model.trainable_variables)


def _strategy(runtime: cfg.RuntimeConfig) -> tf.distribute.Strategy:
  """The strategy that a configuration names; joins its workers first."""
  distribute_utils.configure_cluster(runtime.worker_hosts, runtime.task_index)
  return distribute_utils.get_distribution_strategy(
    distribution_strategy=runtime.distribution_strategy,
    all_reduce_alg=runtime.all_reduce_alg,
    num_gpus=runtime.num_gpus,
    num_packs=runtime.num_packs,
    tpu_address=runtime.tpu,
  )


@contextlib.contextmanager
def _own_folder(
  strategy: tf.distribute.Strategy, model_dir: str, start: Optional[str]
) -> Iterator[str]:
  """`model_dir`; for a worker that is not the chief one to throw away.

  All workers must take part in writing, and only one may write there. All
  restore the same checkpoint at the same point of the program: a copy.
  """
  if strategy.extended.should_checkpoint:
    yield model_dir
    return
  folder = tempfile.mkdtemp()
  try:
    for path in tf.io.gfile.glob(f'{start}.*') if start else ():
      tf.io.gfile.copy(path, os.path.join(folder, os.path.basename(path)))
    checkpoints.choose_last_good(folder)  # lists it
    yield folder
  finally:
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _clear_write_errors(model_dir: str) -> Iterator[None]:
  """Says of TensorFlow's and the system's errors which folder it is about."""
  try:
    yield
  except (tf.errors.OpError, OSError) as error:
    text = str(error)
    if 'No space left' in text or 'Disk quota' in text:
      raise OSError(
        f'The disk of {model_dir!r} is full. The last checkpoint there is '
        f'{tf.train.latest_checkpoint(model_dir) or "none"}; make room and '
        'give the same command again: training goes on from it. '
        'trainer.max_to_keep says how many checkpoints are kept.'
      ) from error
    if 'Permission denied' in text or 'Read-only' in text:
      raise PermissionError(
        f'Cannot write to {model_dir!r}: {" ".join(text.split())}. Give '
        'another --model_dir, or the right to write there.'
      ) from error
    raise
