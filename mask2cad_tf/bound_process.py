"""Processes that end with the one that started them, however that ends."""

import ctypes
import functools
import signal
import subprocess
from typing import Any
from typing import Sequence

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def start(arguments: Sequence[str], **options: Any) -> subprocess.Popen:
  """As subprocess.Popen: a process that SIGKILL leaves no orphan of.

  An orphan would go on writing where its successor writes. It is killed when
  the thread ends that called this, of whatever cause.
  """
  # Resolved before the fork; after it, nothing is loaded.
  prctl = ctypes.CDLL(None).prctl
  bind = functools.partial(prctl, _PR_SET_PDEATHSIG, signal.SIGKILL)
  return subprocess.Popen(arguments, preexec_fn=bind, **options)
