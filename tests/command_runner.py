"""Runs a command of the package in this process, as a user would call it."""

import contextlib
import dataclasses
import io
import types
from unittest import mock

from mask2cad_tf import command_line


@dataclasses.dataclass(frozen=True)
class Result:
  """Exit status and what was printed."""

  status: int
  stdout: str
  stderr: str

  @property
  def only_line(self) -> str:
    """The one line that bad input prints, after checking that it is one."""
    lines = self.stderr.splitlines()
    assert self.status == 2, self
    assert len(lines) == 1, lines
    return lines[0]


def run(module: types.ModuleType, *arguments: str) -> Result:
  """Runs `python -m <module> <arguments>`; tracebacks come through."""
  stdout, stderr, status = io.StringIO(), io.StringIO(), 0
  with (
    mock.patch('sys.argv', [module.__file__, *arguments]),
    contextlib.redirect_stdout(stdout),
    contextlib.redirect_stderr(stderr),
  ):
    try:
      command_line.run(module.__name__, module.main, module.FLAGS)
    except SystemExit as error:
      status = error.code
  return Result(status, stdout.getvalue(), stderr.getvalue())


def files_below(folder) -> dict:
  """Path -> bytes of every file below a folder, hidden ones included."""
  return {
    str(path): path.read_bytes() for path in folder.rglob('*') if path.is_file()
  }
