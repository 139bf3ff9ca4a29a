"""Requests that a server must refuse, and what the refusal must say."""

import functools
import io
import struct

import numpy as np
from PIL import Image


@functools.cache
def photo(width: int, height: int, kind: str = 'JPEG') -> bytes:
  """A photo of noise; a large one is grey, or it would take seconds."""
  if width * height > 1_000_000:
    image = Image.new('RGB', (width, height), (120, 130, 140))
  else:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
    image = Image.fromarray(pixels)
  file = io.BytesIO()
  image.save(file, kind)
  return file.getvalue()


def png_header(width: int, height: int) -> bytes:
  """A PNG that ends after its header, which claims a size."""
  size = struct.pack('>II', width, height)
  return photo(32, 32, 'PNG')[:16] + size + b'\x08\x02\x00\x00\x00'


# name -> (bytes, what the error says)
FAULTS = {
  'empty': (lambda: b'', 'no bytes. Send a JPEG or PNG'),
  'text': (
    lambda: b'It is a room with a bed.',
    '24 bytes that are neither JPEG nor PNG',
  ),
  'gif': (lambda: photo(32, 32, 'GIF'), 'neither JPEG nor PNG'),
  'png_signature': (
    lambda: photo(32, 32, 'PNG')[:20],
    '20 bytes that are neither JPEG nor PNG',
  ),
  'truncated_jpeg': (
    lambda: photo(200, 100)[: len(photo(200, 100)) // 2],
    'Invalid JPEG data',
  ),
  'jpeg_header': (lambda: photo(200, 100)[:10], 'Invalid JPEG data'),
  'truncated_png': (lambda: photo(200, 100, 'PNG')[:-500], 'Invalid PNG data'),
  'tiny_jpeg': (lambda: photo(1, 1), '1 x 1 pixels: too small'),
  'tiny_png': (lambda: photo(1, 1, 'PNG'), '1 x 1 pixels: too small'),
  'huge_jpeg': (
    lambda: photo(12000, 9000),
    '12000 x 9000 pixels: too large, expected at most 64 megapixels',
  ),
  'huge_png': (
    lambda: photo(12000, 9000, 'PNG'),
    '12000 x 9000 pixels: too large, expected at most 64 megapixels',
  ),
}
