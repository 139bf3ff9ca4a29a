"""`python -m mask2cad_tf.train`: what is wrong is told before it trains."""

import re
import sys

import pytest
from absl import flags
from absl.testing import flagsaver

from mask2cad_tf import train
from mask2cad_tf.configs import experiments
from mask2cad_tf.tasks import training_run

_GOOD = ('--experiment=mask2cad_tiny', '--mode=train', '--model_dir=nowhere')


def _run(monkeypatch, *arguments):
  """Runs the command; returns the flags that a trainer was given."""
  train.trainer_flags()
  seen = {}

  def note(argv):
    seen.update(argv=argv[1:], **flags.FLAGS.flag_values_dict())

  with flagsaver.flagsaver(), monkeypatch.context() as patch:
    patch.setattr(sys, 'argv', ['train', *arguments])
    patch.setattr(training_run, 'main', note)
    with pytest.raises(SystemExit) as stop:
      train.main()
  return stop.value.code, seen


def test_the_trainer_gets_the_flags_once(monkeypatch, tmp_path):
  config = tmp_path / 'config.yaml'
  config.write_text('trainer: {train_steps: 3}')
  status, seen = _run(
    monkeypatch,
    *_GOOD,
    f'--config_file={config}',
    '--noenable_async_checkpointing',
  )
  assert not status
  assert seen['experiment'] == 'mask2cad_tiny'
  assert seen['config_file'] == [str(config)]
  assert not seen['enable_async_checkpointing']


@pytest.mark.parametrize(
  'arguments, message',
  [
    (
      ['--experiment=mask2cad_lit', *_GOOD[1:]],
      "--experiment=mask2cad_lit is not registered; .*mean 'mask2cad_lite'",
    ),
    (_GOOD[:2], '--model_dir missing'),
    (
      [*_GOOD, '--mod=train'],
      "flag 'mod'.*See: python -m mask2cad_tf.train --help",
    ),
    ([*_GOOD, 'stray'], "Cannot use 'stray'"),
    ([*_GOOD, '--config_file=no.yaml'], '--config_file=no.yaml: there is no'),
    (
      [*_GOOD, '--params_override=task.model.nun_views=3'],
      "mask2cad_tiny: The key 'nun_views' does not exist",
    ),
  ],
)
def test_a_line_for_bad_input(monkeypatch, capsys, arguments, message):
  status, seen = _run(monkeypatch, *arguments)
  assert status == 2 and not seen
  (line,) = capsys.readouterr().err.splitlines()
  assert line.startswith('mask2cad_tf.train: ')
  assert re.search(message, line)


def test_every_named_experiment_is_registered():
  for name in experiments.NAMES:
    assert experiments.get(name).task


def test_configuration_files_hold_plain_values(monkeypatch, capsys, tmp_path):
  config = tmp_path / 'config.yaml'
  config.write_text('trainer: !!python/object/apply:os.getcwd []')
  status, seen = _run(monkeypatch, *_GOOD, f'--config_file={config}')
  assert status == 2 and not seen
  assert 'which no configuration needs' in capsys.readouterr().err
