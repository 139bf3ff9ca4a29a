"""What all commands do alike: help, one line on bad input, exit status."""

import importlib
import pathlib
import shlex
from unittest import mock

import pytest

from mask2cad_tf import command_line
from mask2cad_tf import train
from tests import command_runner

_ROOT = pathlib.Path(__file__).parents[1]
_COMMANDS = [
  f'{folder}.{path.stem}'
  for folder in ('mask2cad_tf', 'tfrecords_tools')
  for path in sorted((_ROOT / folder).glob('*.py'))
  if "'__main__'" in path.read_text() and path.stem != '__main__'
]
# Not command_line.run's own: the trainer's flags are Model Garden's.
_TRAIN = 'mask2cad_tf.train'


@pytest.fixture(params=_COMMANDS)
def command(request):
  return importlib.import_module(request.param)


def _flags(command):
  if command is train:
    return train.trainer_flags()
  return command.FLAGS


def _examples(command):
  """The words of each command line in the help, as a shell has them."""
  lines = command.__doc__.replace('\\\n', ' ').splitlines()
  start = f'python -m {command.__name__}'
  return [
    shlex.split(line, comments=True)[3:]
    for line in lines
    if line.strip().split(' #')[0].startswith((f'{start} ', start))
  ]


def test_help_shows_every_flag(command, capsys):
  if command is train:
    argv = mock.patch('sys.argv', ['train', '--help'])
    with argv, pytest.raises(SystemExit) as stop:
      train.main()
    status, text = stop.value.code, capsys.readouterr().out
  else:
    result = command_runner.run(command, '--help')
    status, text = result.status, result.stdout
  assert status == 0
  assert text.startswith(command.__doc__)
  for flag in _flags(command):
    assert f'--{flag}' in text or f'--[no]{flag}' in text


def test_help_begins_with_a_sentence_and_an_example(command):
  sentence, example, *_ = command.__doc__.split('\n\n')
  assert sentence.endswith('.') and '\n' not in sentence
  assert example.splitlines()[0] in ('Example:', 'Examples:')
  assert f'  python -m {command.__name__}' in example
  assert max(map(len, command.__doc__.splitlines())) <= 80


def test_examples_work_as_written(command):
  own, examples = _flags(command), _examples(command)
  assert examples
  for words in examples:
    for flag in own:
      own[flag].unparse()
    _, *rest = own(['command', *words])
    # What is no flag is one of gallery's verbs, see gallery_cli_test.
    assert len(rest) == (command.__name__ == 'mask2cad_tf.gallery'), words
  for flag in own:
    own[flag].unparse()


@pytest.mark.parametrize('arguments', [('--no_such_flag=1',), ('stray',)])
def test_bad_flags_are_one_line(command, arguments):
  if command is train:  # needs TensorFlow before it sees them: train_test
    return
  line = command_runner.run(command, *arguments).only_line
  assert line.startswith(f'{command.__name__}: ')


def test_defects_of_ours_keep_their_traceback():
  def defect(argv):
    raise TypeError(argv)

  with mock.patch('sys.argv', ['x']), pytest.raises(TypeError):
    command_line.run('x', defect, importlib.import_module(_COMMANDS[0]).FLAGS)
