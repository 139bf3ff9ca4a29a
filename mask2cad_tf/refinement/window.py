"""A square window of the photo: its rays, its samples, its picture."""

from typing import NamedTuple

import numpy as np
from scipy import sparse


class Window(NamedTuple):
  """A square in the photo's pixel plane, seen as size x size pixels.

  It may reach beyond the photo.
  """

  left: float  # photo pixels
  top: float  # photo pixels
  side: float  # photo pixels
  size: int  # window pixels

  def intrinsics(self, photo_intrinsics: np.ndarray) -> np.ndarray:
    """(fx, fy, cx, cy) [4] of the window taken as an image of its own."""
    fx, fy, cx, cy = np.asarray(photo_intrinsics, np.float64)
    scale = self.size / self.side
    return np.array(
      [
        fx * scale,
        fy * scale,
        (cx - self.left) * scale,
        (cy - self.top) * scale,
      ]
    )

  def rays(self, photo_intrinsics: np.ndarray) -> np.ndarray:
    """Float32 [size * size, 3], through the pixels' centres, Z = 1."""
    fx, fy, cx, cy = self.intrinsics(photo_intrinsics)
    steps = np.arange(self.size) + 0.5
    rays = np.ones((self.size, self.size, 3), np.float32)
    rays[..., 0] = (cx - steps) / fx
    rays[..., 1] = ((cy - steps) / fy)[:, np.newaxis]
    return rays.reshape(-1, 3)

  def sample(self, image: np.ndarray) -> np.ndarray:
    """Values [size, size] of the photo's pixels under the pixels' centres.

    Not averaged: a silhouette is cast by rays through the same centres.

    Args:
      image: [H, W].

    Returns:
      Of the image's type; 0 outside.
    """
    steps = (np.arange(self.size) + 0.5) * self.side / self.size
    rows = np.floor(self.top + steps).astype(int)
    columns = np.floor(self.left + steps).astype(int)
    height, width = image.shape
    inside = ((rows >= 0) & (rows < height))[:, np.newaxis] & (
      (columns >= 0) & (columns < width)
    )
    values = image[np.clip(rows, 0, height - 1)][
      :, np.clip(columns, 0, width - 1)
    ]
    return np.where(inside, values, np.zeros_like(values))

  def resample(self, image: np.ndarray, fill: float) -> np.ndarray:
    """The window's picture, smoothed where it shrinks the photo.

    Args:
      image: [H, W, channels].
      fill: value outside.

    Returns:
      float32 [size, size, channels].
    """
    height, width, channels = image.shape
    down = self._weights(self.top, height)
    right = self._weights(self.left, width)
    values = np.asarray(image, np.float32) - np.float32(fill)
    rows = down @ values.reshape(height, width * channels)
    rows = rows.reshape(self.size, width, channels).transpose(1, 0, 2)
    picture = right @ rows.reshape(width, self.size * channels)
    picture = picture.reshape(self.size, self.size, channels)
    return picture.transpose(1, 0, 2) + np.float32(fill)

  def cut(self, height: int, width: int) -> tuple[slice, slice, 'Window']:
    """What `resample` needs of a large photo.

    Args:
      height: of the photo, pixels.
      width: of the photo, pixels.

    Returns:
      Rows and columns to cut out, and the window in what they leave.
    """
    reach = max(self.side / self.size, 1.0) + 1.0

    def used(start: float, length: int) -> slice:
      first = int(np.clip(np.floor(start - reach), 0, length))
      last = int(np.clip(np.ceil(start + self.side + reach), 0, length))
      return slice(first, last)

    rows, columns = used(self.top, height), used(self.left, width)
    left, top = self.left - columns.start, self.top - rows.start
    return rows, columns, self._replace(left=left, top=top)

  def _weights(self, start: float, length: int) -> sparse.csr_matrix:
    """Triangle weights [size, length] of the photo's rows or columns."""
    step = self.side / self.size
    reach = max(step, 1.0)
    centers = start + (np.arange(self.size) + 0.5) * step
    first = np.floor(centers - reach).astype(int)
    taps = first[:, np.newaxis] + np.arange(int(np.ceil(2.0 * reach)) + 2)
    weights = 1.0 - np.abs(taps + 0.5 - centers[:, np.newaxis]) / reach
    weights = np.maximum(weights, 0.0)
    weights /= weights.sum(axis=1, keepdims=True)
    inside = (taps >= 0) & (taps < length) & (weights > 0)
    rows = np.nonzero(inside)[0]
    return sparse.csr_matrix(
      (weights[inside].astype(np.float32), (rows, taps[inside])),
      shape=(self.size, length),
    )


def around(box: np.ndarray, scale: float, size: int) -> Window:
  """The square around a box.

  Args:
    box: (ymin, xmin, ymax, xmax), photo pixels, with area.
    scale: side of the square in longer sides of the box.
    size: window pixels.

  Returns:
    The window.
  """
  ymin, xmin, ymax, xmax = (float(edge) for edge in box)
  side = scale * max(ymax - ymin, xmax - xmin)
  return Window(
    0.5 * (xmin + xmax - side), 0.5 * (ymin + ymax - side), side, size
  )
