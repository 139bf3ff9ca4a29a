"""Texture lookups without aliasing: smaller copies, bilinear between texels."""

import numpy as np

_MAX_SIDE = 512  # texels; larger textures are thinned out first
_BYTES = np.arange(256) / 255.0
# sRGB byte -> linear radiance.
TO_LINEAR = np.where(
  _BYTES <= 0.04045, _BYTES / 12.92, ((_BYTES + 0.055) / 1.055) ** 2.4
).astype(np.float32)


class FilteredTexture:
  """A tiled texture and smaller copies of it, made when they are needed."""

  def __init__(self, texture: np.ndarray):
    """Keeps it.

    Args:
      texture: uint8 [h, w, 3], sRGB.
    """
    step = 1 + (max(texture.shape[:2]) - 1) // _MAX_SIDE
    texture = texture[::step, ::step]
    # Four bytes a texel are fetched and averaged as one number.
    packed = np.zeros(texture.shape[:2] + (4,), np.uint8)
    packed[..., :3] = texture
    self._copies = [packed.view(np.uint32)[..., 0]]

  def sample(self, uv: np.ndarray, footprint: np.ndarray) -> np.ndarray:
    """Colours.

    Args:
      uv: float32 [n, 2], in tiles; v = 0 is the bottom row's lower edge.
      footprint: float32 [n], tiles that a pixel spans.

    Returns:
      Float32 [n, 3], linear.
    """
    texels = footprint * np.float32(min(self._copies[0].shape))
    level = np.rint(np.log2(np.maximum(texels, 1.0))).astype(np.int32)
    level = np.minimum(level, self._grow(int(level.max(initial=0))))
    colors = np.empty((len(uv), 3), np.float32)
    for index in np.flatnonzero(np.bincount(level)):
      rows = np.flatnonzero(level == index)
      colors[rows] = _bilinear(self._copies[index], uv[rows])
    return colors

  def _grow(self, level: int) -> int:
    """Makes copies, each half as large; returns the last level there is."""
    while len(self._copies) <= level and min(self._copies[-1].shape) >= 2:
      last = self._copies[-1]
      height, width = (size // 2 * 2 for size in last.shape)
      last = last[:height, :width]
      rows = _mean(last[::2], last[1::2])
      self._copies.append(_mean(rows[:, ::2], rows[:, 1::2]))
    return len(self._copies) - 1


def _mean(a: np.ndarray, b: np.ndarray) -> np.ndarray:
  """Of each byte of uint32, rounded down."""
  return (a & b) + (((a ^ b) & np.uint32(0xFEFEFEFE)) >> np.uint32(1))


def _bilinear(packed: np.ndarray, uv: np.ndarray) -> np.ndarray:
  height, width = packed.shape
  # With a rim from the opposite side, neighbours need no remainders.
  packed = np.pad(packed, 1, mode='wrap').reshape(-1)
  tiles = uv - np.floor(uv)
  x = tiles[:, 0] * np.float32(width) + np.float32(0.5)
  y = (1 - tiles[:, 1]) * np.float32(height) + np.float32(0.5)
  left, upper = x.astype(np.int32), y.astype(np.int32)
  # Rounding may end on the far rim itself.
  np.minimum(left, width, out=left)
  np.minimum(upper, height, out=upper)
  x, y = x - left, y - upper
  first = upper * (width + 2) + left
  colors = np.zeros((len(uv), 4), np.float32)
  for down, below in ((1 - y, 0), (y, width + 2)):
    for right, beside in ((1 - x, 0), (x, 1)):
      texels = packed[first + (below + beside)].view(np.uint8).reshape(-1, 4)
      colors += (down * right)[:, np.newaxis] * texels
  return TO_LINEAR[np.rint(colors[:, :3]).astype(np.uint8)]
