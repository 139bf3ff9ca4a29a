"""Pictures that somebody else took or made."""

import contextlib
from typing import BinaryIO
from typing import Iterator
from typing import Union

from PIL import Image

MAX_PIXELS = 128_000_000  # four bytes each while Pillow decodes

# Pillow would also run Ghostscript on EPS, and has readers that hardly anybody
# uses and nobody tests.
_FORMATS = (
  *('JPEG', 'PNG', 'WEBP', 'TIFF', 'BMP', 'GIF', 'PPM'),
  *('HEIF', 'AVIF'),
)


@contextlib.contextmanager
def opened(source: Union[str, BinaryIO]) -> Iterator[Image.Image]:
  """A picture whose header is read; pixels are read in the `with` block.

  Args:
    source: the file or its path.

  Raises:
    OSError: it cannot be opened, or is no picture.
    ValueError: damaged, or larger than MAX_PIXELS; also of whatever the block
      raises while it decodes.
  """
  Image.init()
  formats = [name for name in _FORMATS if name in Image.OPEN]
  try:
    with Image.open(source, formats=formats) as image:
      if image.width * image.height > MAX_PIXELS:
        raise ValueError(
          f'{image.width} x {image.height} pixels, expected at most '
          f'{MAX_PIXELS // 10**6} megapixels'
        )
      yield image
  except (OSError, ValueError):
    raise
  except Exception as error:  # Pillow's readers raise anything.
    raise ValueError(f'damaged: {error!r}') from error
