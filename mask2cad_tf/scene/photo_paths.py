"""Which photos are meant, and where each one's scene goes."""

import glob
import os
from typing import Dict
from typing import List
from typing import Sequence

_SUFFIXES = (
  *('.jpg', '.jpeg', '.png', '.webp', '.tif', '.tiff', '.bmp'),
  *('.heic', '.heif', '.avif'),
)


def expand(patterns: Sequence[str]) -> List[str]:
  """Paths of the photos: files as they are, folders and globs in order.

  Of a folder the files whose names end like photos' (not of its folders); of a
  glob all files. A photo that is meant twice comes once.

  Args:
    patterns: files, folders or globs ('rooms/*.jpg').

  Raises:
    FileNotFoundError: a folder without photos, a glob that fits nothing.
  """
  paths: Dict[str, None] = {}
  for pattern in patterns:
    if os.path.isdir(pattern):
      found = [
        os.path.join(pattern, name)
        for name in sorted(os.listdir(pattern))
        if os.path.splitext(name)[1].lower() in _SUFFIXES
      ]
      what = f'No photo in the folder {pattern!r} (its own folders not read).'
    elif os.path.exists(pattern) or not glob.has_magic(pattern):
      found, what = [pattern], ''
    else:
      found = [p for p in sorted(glob.glob(pattern)) if os.path.isfile(p)]
      what = f'No file fits {pattern!r}.'
    if not found:
      raise FileNotFoundError(f'{what} Check --image.')
    paths.update(dict.fromkeys(found))
  return list(paths)


def output_folders(paths: Sequence[str], output_dir: str) -> Dict[str, str]:
  """The output folder of every photo: its stem, or <parent>_<stem>.

  Raises:
    ValueError: two photos would share one.
  """

  def stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]

  def full(path: str) -> str:
    parent = os.path.basename(os.path.dirname(os.path.abspath(path)))
    return f'{parent}_{stem(path)}'

  stems = [stem(path) for path in paths]
  shared = {name for name in stems if stems.count(name) > 1}
  names = [
    full(path) if name in shared else name for path, name in zip(paths, stems)
  ]
  clash = sorted({name for name in names if names.count(name) > 1})
  if clash:
    raise ValueError(
      f'Two photos would both write {clash[0]!r} in {output_dir!r}. Rename '
      'one or call the command once per photo.'
    )
  return {
    path: os.path.join(output_dir, name) for path, name in zip(paths, names)
  }
