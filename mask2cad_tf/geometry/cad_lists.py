"""Lists of CAD ids in JSON files, named FILE:KEY in flags."""

import os
from typing import List

from mask2cad_tf import close_names
from mask2cad_tf.foreign import json_files


def read(place: str, flag: str) -> List[str]:
  """The ids under FILE:KEY.

  Args:
    place: FILE:KEY; FILE is a JSON object of lists and whatever else.
    flag: whose value it is, for errors.

  Raises:
    FileNotFoundError: there is no such file.
    ValueError: it is not JSON, has no list of that name, or an empty one.
  """
  path, _, key = place.rpartition(':')
  if not os.path.isfile(path):
    raise FileNotFoundError(
      f'--{flag}={place}: there is no file {path!r}. Write FILE:KEY, for '
      'example cads.json:annotated.'
    )
  content = json_files.read(path)
  lists = content if isinstance(content, dict) else {}
  if not isinstance(lists.get(key), list):
    raise ValueError(
      f'{path!r} has no list {key!r}; it has {", ".join(lists) or "none"}.'
      f'{close_names.hint(key, lists)}'
    )
  if not lists[key] or not all(isinstance(x, str) for x in lists[key]):
    raise ValueError(f'{path!r} names no CAD under {key!r}.')
  return lists[key]
