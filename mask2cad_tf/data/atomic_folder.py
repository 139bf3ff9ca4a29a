"""A folder that appears whole or not at all."""

import contextlib
import os
import shutil
from typing import Iterator


@contextlib.contextmanager
def replacing(path: str, marker: str) -> Iterator[str]:
  """Yields a new sibling folder that becomes `path` when the block succeeds.

  When the block raises, the new folder is deleted and `path` is as before.

  Args:
    path: the folder to write or to replace.
    marker: a file that every folder of this kind has, e.g. 'manifest.json'; an
      existing folder without it is someone else's and is not replaced.

  Raises:
    ValueError: `path` exists, is not empty and lacks the marker.
  """
  path = os.path.abspath(path)
  _check_replaceable(path, marker)
  parent, base = os.path.split(path)
  os.makedirs(parent, exist_ok=True)
  new = os.path.join(parent, f'.{base}.new-{os.getpid()}')
  old = os.path.join(parent, f'.{base}.old-{os.getpid()}')
  os.mkdir(new)
  try:
    yield new
    if os.path.isdir(path):
      os.rename(path, old)
    os.rename(new, path)
  except BaseException:
    if os.path.isdir(old) and not os.path.exists(path):
      os.rename(old, path)
    raise
  finally:
    shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def _check_replaceable(path: str, marker: str) -> None:
  if not os.path.lexists(path):
    return
  if not os.path.isdir(path):
    raise ValueError(
      f'{path!r} is a file; a folder is to be written there. Give another '
      'path or remove it.'
    )
  if os.listdir(path) and not os.path.exists(os.path.join(path, marker)):
    raise ValueError(
      f'{path!r} is not empty and has no {marker}: it will not be '
      'overwritten. Give another path or remove it.'
    )
