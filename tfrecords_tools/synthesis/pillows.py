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
  """Soft hills and valleys of cloth, [rows, columns], -1..1."""
  total = np.zeros((rows, columns))
  for count, strength in ((3, 1.0), (6, 0.6), (13, 0.4)):
    total += strength * _smooth(rng, (count, count), (rows, columns))
  total -= total.mean()
  return total / max(np.abs(total).max(), 1e-9)


def creases(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
  """Sharp wandering folds, [rows, columns], 0..1; 1 on a ridge."""
  total = np.zeros((rows, columns))
  for _ in range(2):
    cells = rng.integers(3, 11, 2)  # longer one way than the other
    ridge = 1 - 3 * np.abs(_smooth(rng, cells, (rows, columns)) - 0.5)
    total = np.maximum(total, np.clip(ridge, 0, 1))
  # Some of the cloth lies flat.
  return total * np.clip(2 * _smooth(rng, (3, 3), (rows, columns)), 0, 1)


def _smooth(rng: np.random.Generator, cells, shape) -> np.ndarray:
  """Random heights at coarse cells, about 0..1, smooth between them."""
  coarse = rng.random(tuple(cells))
  zoom = [length / count for length, count in zip(shape, cells)]
  return ndimage.zoom(coarse, zoom, order=3, mode='nearest', grid_mode=True)
