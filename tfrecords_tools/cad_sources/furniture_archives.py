"""Finds Sweet Home 3D's archives: given, in Debian packages, or fetched."""

import glob
import os
import shutil
import subprocess
from typing import List
from typing import Sequence

_PACKAGES = ('sweethome3d', 'sweethome3d-furniture')
_EXTENSIONS = ('.sh3f', '.jar')


def find(given: str, work_dir: str) -> List[str]:
  """Paths of archives with a catalogue, in a fixed order.

  Args:
    given: .sh3f, .jar or .deb files or folders of them, comma-separated; ''
      fetches Debian's packages.
    work_dir: an empty folder for what is fetched or unpacked; archives found
      may lie in it.

  Raises:
    FileNotFoundError: a path does not exist, or nothing is found.
    ValueError: packages cannot be fetched or unpacked here.
  """
  if given:
    files = [path for part in given.split(',') for path in _files(part.strip())]
  else:
    files = _fetch(work_dir)
  found = []
  for index, path in enumerate(files):
    if path.endswith('.deb'):
      unpacked = os.path.join(work_dir, f'package_{index}')
      _run(['dpkg-deb', '-x', os.path.abspath(path), unpacked], work_dir)
      found += _archives_below(unpacked)
    else:
      found.append(path)
  if not found:
    raise FileNotFoundError(
      f'No .sh3f file and no sweethome3d.jar in {given or _PACKAGES!r}.'
    )
  return found


def _files(path: str) -> List[str]:
  """The path itself, or a folder's archives and packages."""
  if os.path.isdir(path):
    packages = sorted(glob.glob(os.path.join(glob.escape(path), '*.deb')))
    return packages or _archives_below(path)
  if not os.path.isfile(path):
    raise FileNotFoundError(
      f"There is no {path!r}. Give Sweet Home 3D's .sh3f, .jar or .deb files, "
      'or leave --input out to fetch the Debian packages.'
    )
  if not path.endswith((*_EXTENSIONS, '.deb')):
    raise ValueError(f'{path!r} is no .sh3f, .jar or .deb file.')
  return [path]


def _archives_below(folder: str) -> List[str]:
  """Every .sh3f and the program's jar, sorted by name."""
  found = [
    os.path.join(place, name)
    for place, _, names in os.walk(folder)
    for name in names
    if name.endswith('.sh3f') or name.lower() == 'sweethome3d.jar'
  ]
  found = [path for path in found if not os.path.islink(path)]
  return sorted(found, key=lambda path: (os.path.basename(path), path))


def _fetch(work_dir: str) -> List[str]:
  _run(['apt-get', 'download', *_PACKAGES], work_dir)
  return sorted(glob.glob(os.path.join(glob.escape(work_dir), '*.deb')))


def _run(command: Sequence[str], folder: str) -> None:
  """Runs a program of Debian's in a folder."""
  advice = (
    "Give --input with Sweet Home 3D's .sh3f files and jar (from "
    'www.sweethome3d.com, or unpacked from the Debian packages '
    f'{" and ".join(_PACKAGES)} elsewhere).'
  )
  if shutil.which(command[0]) is None:
    raise ValueError(f'There is no {command[0]} on this machine. {advice}')
  done = subprocess.run(
    list(command), cwd=folder, capture_output=True, text=True, check=False
  )
  if done.returncode:
    last = (done.stderr or done.stdout).strip().splitlines()[-1:]
    raise ValueError(
      f'{" ".join(command[:2])} failed ({" ".join(last)}). {advice}'
    )
