"""Stops a training whose losses are no longer finite, and says why."""

from typing import Any
from typing import Callable
from typing import List
from typing import Mapping
from typing import Optional
from typing import Sequence

import numpy as np
import tensorflow as tf
from absl import logging


class LossGuard:
  """Remembers, on the device, the first batch with a loss that is not finite.

  Whole loops of steps run without the host; what it learns at their end are
  means. The record costs a few numbers a step and no transfer.
  """

  def __init__(self, names: Sequence[str], batch_size: int):
    """Creates the record; under the strategy's scope.

    Args:
      names: of the losses that are watched.
      batch_size: photos of a replica.
    """
    self._names = tuple(names)
    self._step = _record(-1, [], tf.int64)
    self._broken = _record(0, [len(self._names)], tf.int32)
    self._photos = _record(-1, [batch_size], tf.int64)

  def record(
    self, losses: Mapping[str, tf.Tensor], photos: tf.Tensor, step: tf.Tensor
  ) -> None:
    """Keeps the batch if it is the first bad one of this replica.

    Args:
      losses: by name, float scalars.
      photos: int64 [batch_size], source ids.
      step: int64 scalar, steps done before this one.
    """
    broken = tf.stack(
      [~tf.math.is_finite(losses[name]) for name in self._names]
    )
    first = tf.reduce_any(broken) & (self._step < 0)
    for kept, found in (
      (self._broken, tf.cast(broken, tf.int32)),
      (self._photos, photos),
      (self._step, tf.cast(step, tf.int64)),
    ):
      kept.assign(tf.where(first, found, kept))

  def finding(self) -> Optional[str]:
    """What was recorded on this machine's replicas; None if nothing was."""
    replicas = zip(
      *(
        tf.distribute.get_strategy().experimental_local_results(kept)
        for kept in (self._step, self._broken, self._photos)
      )
    )
    found = [
      (int(step), broken.numpy(), photos.numpy())
      for step, broken, photos in replicas
      if step >= 0
    ]
    if not found:
      return None
    step = min(entry[0] for entry in found)
    found = [entry for entry in found if entry[0] == step]
    names = [
      name
      for name, bad in zip(self._names, np.any([e[1] for e in found], axis=0))
      if bad
    ]
    photos = [int(photo) for entry in found for photo in entry[2]]
    return (
      f'step {step + 1}: {", ".join(names)} of the photos with the source ids '
      f'{", ".join(map(str, photos))}'
    )

  def forget(self) -> None:
    """Waits for the next bad batch."""
    self._step.assign(-1)


class StopOnBadLoss:
  """Train action: raises once a loss is not finite, before it is saved."""

  def __init__(
    self,
    guard: Callable[[], LossGuard],
    last_good: Callable[[], Optional[str]],
    recovers: bool,
  ):
    """Keeps where to ask.

    Args:
      guard: the task's; it exists once the trainer does.
      last_good: path of the checkpoint to go on from.
      recovers: whether the trainer goes back to it by itself, see
        trainer.recovery_max_trials: then a warning is all.
    """
    self._guard, self._last_good = guard, last_good
    self._recovers = recovers

  def __call__(self, logs: Mapping[str, Any]) -> None:
    """Looks at the means of the loop's losses."""
    bad = _not_finite(logs)
    if not bad:
      return
    found = self._guard().finding() or f'the means of {", ".join(bad)}'
    message = (
      f'Losses are not finite: {found}. The last checkpoint before it is '
      f'{self._last_good() or "none"}. Look at these photos (python -m '
      'tfrecords_tools.doctor --help); leave them out with '
      'task.train_data.quarantine; or lower the learning rate, or clip '
      'gradients (trainer.optimizer_config).'
    )
    if not self._recovers:
      raise FloatingPointError(message)
    logging.warning(message)
    self._guard().forget()


def _not_finite(logs: Mapping[str, Any]) -> List[str]:
  # A rate that is a variable of several replicas turns into a tensor alone.
  return [
    name
    for name, value in logs.items()
    if not np.all(np.isfinite(tf.convert_to_tensor(value)))
  ]


def _record(value: int, shape: Sequence[int], dtype: tf.DType) -> tf.Variable:
  """A variable of each replica's own, which no checkpoint holds."""
  return tf.Variable(
    tf.fill(shape, tf.constant(value, dtype)),
    trainable=False,
    synchronization=tf.VariableSynchronization.ON_READ,
    aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
  )
