"""How far trainings are that run beside each other, by their logs."""

import pathlib
import re
import subprocess
from typing import NamedTuple
from typing import Optional
from typing import Sequence

from mask2cad_tf import progress

_SECONDS_BETWEEN_LOOKS = 5.0
_STEP = re.compile(r'train \| step: *(\d+) ')  # as Orbit's controller writes


class Training(NamedTuple):
  """A trainer at work.

  Attributes:
    name: for errors.
    process: of the trainer.
    log: what it writes.
    steps: that it will have made.
  """

  name: str
  process: subprocess.Popen
  log: pathlib.Path
  steps: int


def wait(trainings: Sequence[Training]) -> None:
  """Waits for all, and shows the one that is farthest from its end.

  Raises:
    ValueError: one of them failed. The others are killed: they go on from
      their last checkpoints when they are started again.
  """
  longest = max(training.steps for training in trainings)
  running = list(trainings)
  try:
    with progress.Line('train', longest, 'steps', _done(trainings)) as line:
      while running:
        for training in tuple(running):
          status = _exit_status(training)
          if status:
            raise ValueError(
              f'The training of {training.name} failed; the end of '
              f'{training.log} says why.'
            )
          if status == 0:
            running.remove(training)
        line.add(max(_done(trainings) - line.done, 0))
      line.add(max(longest - line.done, 0))
  finally:
    for training in running:
      training.process.kill()
      training.process.wait()


def steps_in(log: pathlib.Path) -> int:
  """The last step that a trainer's log tells of; 0 without any."""
  if not log.exists():
    return 0
  found = _STEP.findall(log.read_text(encoding='utf-8', errors='replace'))
  return int(found[-1]) if found else 0


def _exit_status(training: Training) -> Optional[int]:
  """Looks for a few seconds; None: it is at work."""
  try:
    return training.process.wait(_SECONDS_BETWEEN_LOOKS)
  except subprocess.TimeoutExpired:
    return None


def _done(trainings: Sequence[Training]) -> int:
  """Steps of the longest training that equal the least share done."""
  longest = max(training.steps for training in trainings)
  share = min(steps_in(training.log) / training.steps for training in trainings)
  return round(min(share, 1.0) * longest)
