"""A child of a killed process."""

import os
import signal
import subprocess
import sys
import time

from mask2cad_tf import bound_process

_PARENT = """
import sys, time
from mask2cad_tf import bound_process
sleep = 'import time; time.sleep(99)'
child = bound_process.start([sys.executable, '-c', sleep])
print(child.pid, flush=True)
time.sleep(99)
"""


def _runs(pid: int) -> bool:
  """Whether a process is there, and no zombie that nobody waits for."""
  try:
    with open(f'/proc/{pid}/stat') as file:
      return file.read().rpartition(')')[2].split()[0] != 'Z'
  except FileNotFoundError:
    return False


def test_a_child_ends_with_its_killed_parent():
  with subprocess.Popen(
    [sys.executable, '-c', _PARENT], stdout=subprocess.PIPE, text=True
  ) as parent:
    child = int(parent.stdout.readline())
    assert _runs(child)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
  end = time.monotonic() + 10.0
  while _runs(child) and time.monotonic() < end:
    time.sleep(0.02)
  assert not _runs(child)


def test_it_is_a_popen():
  process = bound_process.start(
    [sys.executable, '-c', 'import sys; print(sys.argv); sys.exit(3)', 'a'],
    stdout=subprocess.PIPE,
    text=True,
  )
  assert process.communicate()[0] == "['-c', 'a']\n"
  assert process.returncode == 3
