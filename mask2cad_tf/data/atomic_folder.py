"""A folder that appears whole or not at all."""

import contextlib
import ctypes
import fcntl
import os
import secrets
import shutil
from typing import Collection
from typing import Iterator

_AT_FDCWD = -100  # paths relative to the working directory
_RENAME_EXCHANGE = 2  # of Linux' renameat2


@contextlib.contextmanager
def replacing(path: str, marker: str) -> Iterator[str]:
  """Yields a new sibling folder that becomes `path` when the block succeeds.

  When the block raises, the new folder is deleted and `path` is as before.
  When the process is killed, `path` is the old or the new folder; what it left
  beside it goes with the next replacement.

  Where the filesystem cannot exchange two folders there is an instant without
  one, and a kill in it leaves the old folder as the sibling .NAME.old-*.

  Args:
    path: the folder to write or to replace; of a symbolic link, its target.
    marker: a file that every folder of this kind has, e.g. 'manifest.json'; an
      existing folder without it is someone else's and is not replaced.

  Raises:
    ValueError: `path` exists, is not empty and lacks the marker.
  """
  path = os.path.realpath(path)
  _check_replaceable(path, marker)
  parent, base = os.path.split(path)
  os.makedirs(parent, exist_ok=True)
  new = os.path.join(parent, f'.{base}.new-{secrets.token_hex(4)}')
  with contextlib.ExitStack() as held:
    with _held(parent):  # or a sweep takes the folder before it is held
      _sweep(parent, f'.{base}.new-')
      os.mkdir(new)
      held.enter_context(_held(new))
    try:
      yield new
      _put(new, path)
    finally:
      shutil.rmtree(new, ignore_errors=True)


@contextlib.contextmanager
def locked(path: str) -> Iterator[None]:
  """Waits until no other process changes a folder from what it held before.

  Without it, of two changes at once the earlier one is lost. A folder that is
  not there is not waited for.
  """
  while os.path.isdir(path):
    with _held(path) as handle:
      # Who had it may have put another folder in its place.
      if os.path.samestat(os.fstat(handle), os.stat(path)):
        yield
        return
  yield


def carry_over(source: str, target: str, leave: Collection[str] = ()) -> None:
  """Fills a folder with another's files: hard links, or else copies.

  Args:
    source: a folder whose files nobody writes to in place.
    target: an existing or new folder; has none of the files.
    leave: paths of files and folders that stay behind, relative to `source`.
  """

  def left(folder, names):
    inside = os.path.relpath(folder, source)
    return [
      name
      for name in names
      if os.path.normpath(os.path.join(inside, name)) in leave
    ]

  shutil.copytree(
    source, target, ignore=left, copy_function=_link, dirs_exist_ok=True
  )


def _link(source: str, target: str) -> None:
  try:
    os.link(source, target)
  except OSError:  # not on this filesystem
    shutil.copy2(source, target)


@contextlib.contextmanager
def _opened(path: str) -> Iterator[int]:
  """A handle of a folder."""
  handle = os.open(path, os.O_RDONLY)
  try:
    yield handle
  finally:
    os.close(handle)


@contextlib.contextmanager
def _held(path: str) -> Iterator[int]:
  """Holds a folder's lock, which ends with the process; yields its handle."""
  with _opened(path) as handle:
    with contextlib.suppress(OSError):  # some network drives have no locks
      fcntl.flock(handle, fcntl.LOCK_EX)
    yield handle


def _sweep(parent: str, prefix: str) -> None:
  """Deletes what killed processes left: folders that nobody holds."""
  for name in os.listdir(parent):
    if not name.startswith(prefix):
      continue
    path = os.path.join(parent, name)
    with contextlib.suppress(OSError), _opened(path) as handle:
      fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
      shutil.rmtree(path)


def _put(new: str, path: str) -> None:
  """Moves a folder into place; the one that was there takes its name."""
  if not os.path.isdir(path):
    os.rename(new, path)
  elif not _exchange(new, path):
    parent, base = os.path.split(path)
    old = os.path.join(parent, f'.{base}.old-{secrets.token_hex(4)}')
    os.rename(path, old)
    try:
      os.rename(new, path)
    except OSError:
      os.rename(old, path)
      raise
    os.rename(old, new)


def _exchange(one: str, other: str) -> bool:
  """Swaps two folders in one step; False where that cannot be done."""
  library = ctypes.CDLL(None)
  return (
    hasattr(library, 'renameat2')
    and library.renameat2(
      _AT_FDCWD,
      os.fsencode(one),
      _AT_FDCWD,
      os.fsencode(other),
      _RENAME_EXCHANGE,
    )
    == 0
  )


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
