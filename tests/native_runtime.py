"""The C++ program of `make native`, as a user would build and call it."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
from typing import Any
from typing import Dict
from typing import List

import pytest

from tests import command_runner

_ROOT = pathlib.Path(__file__).parents[1]
BINARY = _ROOT / 'build' / 'mask2cad_native'


class Result(command_runner.Result):
  """Exit status and what was printed."""

  @property
  def answers(self) -> List[Dict[str, Any]]:
    """One a photo, after checking that all went well and quietly."""
    assert (self.status, self.stderr) == (0, ''), self
    return [json.loads(line) for line in self.stdout.splitlines()]

  @property
  def only_line(self) -> str:
    """The one line that bad input prints, after checking that it is one."""
    assert self.stdout == '' and self.stderr.count('\n') == 1, self
    return super().only_line


def build() -> None:
  """Builds the program where it is out of date; skips without a compiler."""
  if not shutil.which('g++'):
    pytest.skip('no g++: apt-get install g++')
  # Against the TensorFlow that runs the tests, whatever make would install.
  subprocess.run(
    [
      'make',
      '--old-file=.venv/.ready',
      f'BIN={os.path.dirname(sys.executable)}',
      'native',
    ],
    cwd=_ROOT,
    check=True,
    stdout=subprocess.DEVNULL,
  )


def run(*arguments: Any) -> Result:
  """Runs the program with nothing in the environment that hints at Python."""
  done = subprocess.run(
    [str(BINARY), *map(str, arguments)],
    env={'PATH': os.environ['PATH']},
    capture_output=True,
    text=True,
  )
  return Result(done.returncode, done.stdout, done.stderr)
