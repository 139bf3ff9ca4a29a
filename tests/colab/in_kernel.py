"""The package's commands run in the notebook's kernel, not in processes.

Each process starts TensorFlow anew, which takes longer than what a shortened
notebook does with it. Training alone keeps a process of its own: it happens
once in one.
"""

import importlib
import re
import shlex
import subprocess
import threading

from IPython import get_ipython

from mask2cad_tf import train_lite
from tests import command_runner

_COMMAND = re.compile(r'\s*python -m (?P<words>[^|]*)(\| (?P<filter>.*))?')


def install() -> None:
  """From now on `!python -m ...` runs here, and so do the recipe's steps."""
  shell = get_ipython()
  system, one_at_a_time = shell.system, threading.Lock()

  def run(command: str) -> None:
    found = _COMMAND.fullmatch(shell.var_expand(command, depth=1))
    if found is None:
      system(command)
      return
    text = _run(*shlex.split(found['words']))
    if found['filter']:
      done = subprocess.run(
        found['filter'],
        shell=True,
        input=text,
        stdout=subprocess.PIPE,
        text=True,
      )
      text = done.stdout
    print(text, end='')

  def step(module: str, *arguments: str) -> None:
    with one_at_a_time:
      train_lite._show(module, arguments)
      _run(module, *arguments)

  shell.system, train_lite._run = run, step


def _run(module: str, *arguments: str) -> str:
  result = command_runner.run(importlib.import_module(module), *arguments)
  if result.status:
    raise RuntimeError(f'{module} failed: {result.stderr}')
  return result.stdout
