"""`python -m mask2cad_tf`: the list of commands, and their dispatch."""

import importlib
import pathlib
import sys
from unittest import mock

import pytest

from mask2cad_tf import __main__ as commands


def _run(capsys, *arguments):
  with mock.patch('sys.argv', ['mask2cad_tf', *arguments]):
    try:
      commands.main()
      status = 0
    except SystemExit as error:
      status = error.code
  return status, capsys.readouterr()


def test_every_command_is_listed_with_what_it_does(capsys):
  status, printed = _run(capsys)
  assert status == 0
  for name in commands.COMMANDS:
    doc = importlib.import_module(f'mask2cad_tf.{name}').__doc__
    assert f'{name} ' in printed.out and doc.splitlines()[0] in printed.out


def test_no_command_is_forgotten():
  folder = pathlib.Path(commands.__file__).parent
  modules = {
    p.stem for p in folder.glob('*.py') if "'__main__'" in p.read_text()
  }
  assert modules - {'__main__'} == set(commands.COMMANDS)


def test_a_command_runs_as_its_module(capsys):
  status, printed = _run(capsys, 'predict', '--help')
  assert status == 0
  assert printed.out.startswith('Photos to 3D scenes')


def test_typing_errors_are_one_line(capsys):
  status, printed = _run(capsys, 'evalute')
  assert status == 2
  assert "no command 'evalute'. Did you mean 'evaluate'?" in printed.err


@pytest.mark.parametrize('name', ['predict', 'gallery', 'export', 'evaluate'])
def test_console_commands(name, capsys, monkeypatch):
  monkeypatch.setattr(sys, 'argv', [f'mask2cad-{name}', '--help'])
  with pytest.raises(SystemExit) as stop:
    getattr(commands, name)()
  assert stop.value.code == 0
  assert f'python -m mask2cad_tf.{name} ' in capsys.readouterr().out
