"""Several pictures in one row, for a first look."""

import os
from typing import Sequence
from typing import Union

from PIL import Image

_HEIGHT = 360  # pixels
_GAP = 8
_BACKGROUND = (24, 26, 32)


def write(
  paths: Sequence[Union[str, os.PathLike]], output: Union[str, os.PathLike]
) -> None:
  """Writes the pictures side by side, scaled to one height.

  Args:
    paths: pictures, left to right.
    output: PNG or JPEG; appears whole or not at all.

  Raises:
    ValueError: no picture is given.
  """
  if not paths:
    raise ValueError('No picture for a contact sheet. Give at least one.')
  pictures = [_scaled(path) for path in paths]
  width = sum(p.width for p in pictures) + _GAP * (len(pictures) + 1)
  sheet = Image.new('RGB', (width, _HEIGHT + 2 * _GAP), _BACKGROUND)
  left = _GAP
  for picture in pictures:
    sheet.paste(picture, (left, _GAP))
    left += picture.width + _GAP
  root, extension = os.path.splitext(output)
  new = f'{root}.new-{os.getpid()}{extension}'
  sheet.save(new)
  os.replace(new, output)


def _scaled(path: Union[str, os.PathLike]) -> Image.Image:
  with Image.open(path) as file:
    width = max(1, round(file.width * _HEIGHT / file.height))
    return file.convert('RGB').resize(
      (width, _HEIGHT), Image.Resampling.LANCZOS
    )
