"""The files of one kind in a folder that the user names."""

import os
from typing import List
from typing import Sequence


def list_files(folder: str, endings: Sequence[str], flag: str) -> List[str]:
  """Paths of the files at any depth, sorted; none for ''.

  Args:
    folder: where to look.
    endings: of the file names, lower case, with their dots.
    flag: that names the folder, for the error.

  Raises:
    FileNotFoundError: if a folder is named that has none.
  """
  if not folder:
    return []
  paths = [
    os.path.join(root, name)
    for root, _, names in os.walk(folder)
    for name in names
    if name.lower().endswith(tuple(endings))
  ]
  if not paths:
    raise FileNotFoundError(
      f'There is no file ({", ".join(endings)}) below {folder!r}. Correct '
      f'--{flag}, or leave it out.'
    )
  return sorted(paths)
