"""Finds copies of a photo, recompressed or resized, by a perceptual hash.

256 bits: signs of the lowest 16 x 16 cosine coefficients of the grey photo,
without its mean. Photos that are close are compared once more as thumbnails.
"""

from typing import Iterator
from typing import NamedTuple
from typing import Sequence
from typing import Tuple

import numpy as np
from PIL import Image
from scipy import fft

_SIDE, _KEPT = 64, 16  # pixels, coefficients along each axis
_THUMBNAIL = 32  # pixels
# Of 256 bits. On 82 real photos, copies at half the size and JPEG quality 40
# differ by 18 bits at most, different photos by 84 at least.
MAX_BITS = 44
_CORRELATION = 0.97  # of the thumbnails
_BLOCK = 256


class Fingerprint(NamedTuple):
  """What is kept of a photo."""

  bits: np.ndarray  # uint8 [32]
  thumbnail: np.ndarray  # uint8 [32, 32]


def fingerprint(photo: Image.Image) -> Fingerprint:
  """The fingerprint of a photo of any size."""
  grey = photo.convert('L')
  small = np.asarray(
    grey.resize((_SIDE, _SIDE), Image.Resampling.BOX), np.float64
  )
  low = fft.dctn(small, norm='ortho')[:_KEPT, :_KEPT].reshape(-1)
  bits = np.packbits(low > np.median(low[1:]))
  thumbnail = grey.resize((_THUMBNAIL, _THUMBNAIL), Image.Resampling.BOX)
  return Fingerprint(bits, np.asarray(thumbnail, np.uint8))


def copies(
  first: Sequence[Fingerprint], second: Sequence[Fingerprint]
) -> Iterator[Tuple[int, int]]:
  """Pairs (i, j) of photos that are one photo.

  Args:
    first: fingerprints.
    second: others.

  Yields:
    i into first and j into second, in order.
  """
  if not first or not second:
    return
  theirs = np.stack([one.bits for one in second])
  for start in range(0, len(first), _BLOCK):
    ours = np.stack([one.bits for one in first[start : start + _BLOCK]])
    for i, j in np.argwhere(distances(ours, theirs) <= MAX_BITS):
      if _correlation(first[start + i], second[j]) >= _CORRELATION:
        yield start + int(i), int(j)


def distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
  """Bits in which hashes uint8 [n, 32] and [m, 32] differ, int [n, m]."""
  count = np.zeros((len(first), len(second)), np.int32)
  ones = np.unpackbits(np.arange(256, dtype=np.uint8)[:, np.newaxis], axis=1)
  ones = ones.sum(axis=1).astype(np.uint8)
  for byte in range(first.shape[1]):
    count += ones[first[:, byte, np.newaxis] ^ second[np.newaxis, :, byte]]
  return count


def _correlation(first: Fingerprint, second: Fingerprint) -> float:
  a, b = (
    x.thumbnail.astype(np.float64) - x.thumbnail.mean() for x in (first, second)
  )
  norm = np.linalg.norm(a) * np.linalg.norm(b)
  return float(np.sum(a * b) / norm) if norm > 0 else 1.0
