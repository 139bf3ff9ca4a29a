"""The folder that a benchmark works in."""

import os


def claim(path: str) -> None:
  """Makes the folder, or takes an empty one.

  Raises:
    ValueError: there is something in it already.
  """
  os.makedirs(path, exist_ok=True)
  if os.listdir(path):
    raise ValueError(f'{path!r} is not empty.')
