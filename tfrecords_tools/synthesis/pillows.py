"""Pillows, and the folds of cloth."""

import numpy as np
from scipy import ndimage

from mask2cad_tf.geometry.furniture import shapes

_PILLOW = 9  # vertices a side: 256 triangles


def pillow(
  rng: np.random.Generator, width: float, height: float, thick: float
) -> shapes.Shape:
  """A stuffed bag, lying: x across, z long, thickest in its middle.

  Args:
    rng: the source of randomness, of dents.
    width: along x, metres.
    height: along z, metres.
    thick: along y, metres.

  Returns:
    The pillow, its centre at the origin; 256 triangles.
  """
  side = np.linspace(-1, 1, _PILLOW)
  side = np.sign(side) * np.abs(side) ** rng.uniform(0.7, 1.0)  # dense rims
  u, v = np.meshgrid(side, side, indexing='ij')
  dent = ndimage.gaussian_filter(rng.normal(0, 1, u.shape), 1.5)
  dent = 0.25 * dent / max(np.abs(dent).max(), 1e-9)
  puff = np.sqrt((1 - u**4) * (1 - v**4)) * (1 + dent)
  # The rim is drawn in between the corners, which stick out.
  pinch = rng.uniform(0.03, 0.1)
  x = 0.5 * width * u * (1 - pinch * (1 - v**2) * np.abs(u))
  z = 0.5 * height * v * (1 - pinch * (1 - u**2) * np.abs(v))
  top = np.stack([x, 0.5 * thick * puff, z], -1).reshape(-1, 3)
  bottom = top * [1, -1, 1]
  faces = shapes.grid_faces(_PILLOW, _PILLOW)
  return shapes.without_slivers(
    shapes.Shape(
      np.concatenate([top, bottom]),
      np.concatenate([faces[:, ::-1], faces + len(top)]),
    )
  )


def wrinkles(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
  """Folds of cloth, [rows, columns], -1..1."""
  total = np.zeros((rows, columns))
  for count, strength in ((3, 1.0), (6, 0.6), (13, 0.4)):
    coarse = rng.random((count, count))
    total += strength * ndimage.zoom(
      coarse, (rows / count, columns / count), order=3
    )
  total -= total.mean()
  return total / max(np.abs(total).max(), 1e-9)
