"""Trainings that run beside each other: their steps, their end."""

import subprocess

import pytest

from mask2cad_tf import progress
from mask2cad_tf import training_watch

_LINE = 'train | step: {:6d} | steps/sec:    4.4 | output: \n'


class _Trainer:
  """Writes a step into its log each time it is waited for, then ends."""

  def __init__(self, log, steps, returncode=0):
    self._log, self._steps, self._status = log, list(steps), returncode
    self.killed = False

  def kill(self):
    self.killed = True
    self._steps = []

  def wait(self, timeout=None):
    if self._steps:
      with open(self._log, 'a') as file:
        file.write('eval | step: 999 | x\n' + _LINE.format(self._steps.pop(0)))
      raise subprocess.TimeoutExpired('trainer', timeout)
    return self._status


def test_the_training_farthest_from_its_end_is_shown(
  tmp_path, monkeypatch, capsys
):
  monkeypatch.setattr(progress, '_SECONDS_BETWEEN_LINES', -1.0)
  slow, fast = tmp_path / 'slow.log', tmp_path / 'fast.log'
  fast.write_text(_LINE.format(10))
  training_watch.wait(
    [
      training_watch.Training('slow', _Trainer(slow, [20, 80]), slow, 100),
      training_watch.Training('fast', _Trainer(fast, [40]), fast, 40),
    ]
  )
  told = [
    line.split(' steps')[0] for line in capsys.readouterr().err.split('\n')
  ]
  # At first 0 of 100 and 10 of 40; then 20 and 40, 80 and 40.
  assert told == [
    *('train: 20 of 100', 'train: 80 of 100', 'train: 80 of 100'),
    *('train: 100 of 100', ''),
  ]


def test_a_failure_names_the_log(tmp_path):
  log = tmp_path / 'a.log'
  training = training_watch.Training('masks', _Trainer(log, [], 1), log, 10)
  with pytest.raises(ValueError, match=f'training of masks failed; .*{log}'):
    training_watch.wait([training])


def test_a_failure_is_seen_at_once_and_leaves_nobody_at_work(tmp_path):
  logs = tmp_path / 'a.log', tmp_path / 'b.log'
  long = _Trainer(logs[0], [1, 2, 3])
  trainings = [
    training_watch.Training('a', long, logs[0], 100),
    training_watch.Training('b', _Trainer(logs[1], [], 1), logs[1], 100),
  ]
  with pytest.raises(ValueError, match='training of b failed'):
    training_watch.wait(trainings)
  assert long.killed
  assert training_watch.steps_in(logs[0]) == 1  # not to its end
