"""Parts that several hand tools share.

Tools stand upright in the plane x = 0, their thickness along x.
"""

import numpy as np

from mask2cad_tf.geometry.furniture import paths
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import surfaces


def plate(
  lower: shapes.Points, upper: shapes.Points, thickness: float
) -> shapes.Shape:
  """A plate between two polylines of (z, y)."""
  lower, upper = np.asarray(lower, float), np.asarray(upper, float)
  zero = np.zeros((len(lower), 1))
  return surfaces.panel(
    np.concatenate([zero, lower[:, ::-1]], 1),
    np.concatenate([zero, upper[:, ::-1]], 1),
    thickness,
  )


def grip(length: float, radius: float, low: float = 0) -> shapes.Shape:
  """A swelling round handle, upright."""
  return surfaces.lathe(
    [
      (radius * r, low + length * y)
      for r, y in (
        (0.75, 0),
        (1, 0.03),
        (1, 0.25),
        (0.8, 0.5),
        (1, 0.85),
        (0.7, 1),
      )
    ],
    14,
  )


def shaft(length: float, thick: float, wide: float) -> shapes.Shape:
  """A curved oval handle as axes and hammers have, upright."""
  path = paths.curve(
    [
      (0, 0, 0.025),
      (0, 0.12 * length, 0.0),
      (0, 0.6 * length, 0.012),
      (0, length, 0),
    ],
    12,
  )
  scales = np.interp(
    np.linspace(0, 1, 12), [0, 0.1, 0.3, 0.7, 1], [1.2, 1.1, 1.05, 0.9, 0.85]
  )
  return surfaces.sweep(
    path, surfaces.superellipse(thick, wide, 2.5, 12), scales
  )
