"""Paths that a file from elsewhere names: they stay in its folder."""

import os
import re
from typing import Any

_DRIVE = re.compile('[A-Za-z]:')


def fault(name: Any) -> str:
  """Why a text is no path below a folder, on any system; '' where it is one."""
  if not isinstance(name, str) or not name.strip():
    return 'is no path'
  if not name.isprintable():  # NUL, line breaks, halves of characters
    return 'has characters that do not print'
  if '\\' in name:
    return 'has a backslash'
  if name.startswith(('/', '~')) or _DRIVE.match(name):
    return 'is not relative to its folder'
  if '..' in name.split('/'):
    return 'leads out of its folder'
  return ''


def below(name: Any, where: str) -> str:
  """The name, where it is a path below a folder.

  Args:
    name: relative, with slashes.
    where: what names it, for the message.

  Raises:
    ValueError: it is none: empty, absolute, with '..', a backslash, a drive or
      characters that do not print.
  """
  why = fault(name)
  if why:
    raise ValueError(
      f'{where}: the path {name!r} {why}. Correct it, or do not use the file.'
    )
  return name


def stays(root: str, name: str) -> bool:
  """Whether root/name, its links followed, still lies in root."""
  root = os.path.realpath(root)
  path = os.path.realpath(os.path.join(root, name))
  return os.path.commonpath([root, path]) == root
