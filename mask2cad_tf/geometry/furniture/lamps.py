"""Table and floor lamps."""

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import paths
from mask2cad_tf.geometry.furniture import supports
from mask2cad_tf.geometry.furniture import surfaces

# (radius, height) as shares of the lamp's.
_GOURD = (
  (0.5, 0),
  (0.55, 0.05),
  (0.9, 0.3),
  (0.5, 0.55),
  (0.6, 0.7),
  (0.15, 0.9),
  (0.1, 1.1),
)


def lamp(
  rng: np.random.Generator, base: str, shade: str, height: float
) -> assembly.Assembly:
  """A lamp on a foot: 'gourd', 'stick', 'tripod', 'arc' or 'column'."""
  model = assembly.Assembly()
  metal = materials.pick(rng, 'metal', 'iron')
  linen = materials.pick(rng, 'linen')
  height *= rng.uniform(0.92, 1.08)
  r = 0.16 * height**0.5
  top = 0.72 * height
  x = _add_base(model, rng, base, metal, (r, top, height))
  _add_shade(model, shade, linen, metal, x, top, r, height)
  return model


def _add_base(model, rng, base, metal, sizes):
  """What carries the shade; returns the x where the shade hangs."""
  r, top, height = sizes
  if base == 'gourd':
    model.add(
      materials.pick(rng, 'ceramic'),
      surfaces.lathe(
        paths.curve([(r * a, top * b) for a, b in _GOURD], 22), 24
      ),
    )
  elif base == 'tripod':
    model.add(
      materials.pick(rng, 'wood'),
      supports.support('tripod', 2.4 * r, 2.4 * r, top, 0.016),
    )
    model.add(
      metal,
      surfaces.lathe([(0.03, top - 0.05), (0.03, top), (0.01, top + 0.1)], 12),
    )
  elif base == 'arc':
    x = 0.34 * height
    arch = np.concatenate(
      [
        [(-x, 0.02, 0)],
        paths.arc(1, 180, 20, 14) * (x, 0.45 * height, 1)
        + (0, 0.52 * height, 0),
      ]
    )
    model.add(metal, surfaces.tube(arch, 0.012))
    model.add(
      materials.pick(rng, 'stone'),
      surfaces.lathe([(0.15, 0), (0.15, 0.04), (0.13, 0.05)], 24, (-x, 0, 0)),
    )
    return arch[-1, 0]
  elif base == 'column':
    model.add(
      materials.pick(rng, 'wood'),
      supports.turned(top, 0.3 * r, 'baluster'),
      surfaces.lathe([(0.75 * r, 0), (0.7 * r, 0.02), (0.3 * r, 0.04)], 20),
    )
  else:
    model.add(
      metal,
      surfaces.lathe(
        [(0.8 * r, 0), (0.8 * r, 0.015), (0.012, 0.03), (0.01, top + 0.06)], 20
      ),
    )
  return 0.0


def _add_shade(model, shade, linen, metal, x, low, r, height):
  high = height
  profile = {
    'cone': [(1.15, low), (0.55, high)],
    'drum': [(1.05, low), (1.05, high)],
    'bell': [
      (1.2, low),
      (0.85, low + 0.3 * (high - low)),
      (0.6, low + 0.7 * (high - low)),
      (0.5, high),
    ],
    'globe': [
      (0.2, low),
      (0.75, low + 0.15 * (high - low)),
      (1, (low + high) / 2),
      (0.75, high - 0.15 * (high - low)),
      (0.2, high),
    ],
    'dome': [
      (1, low),
      (0.92, low + 0.4 * (high - low)),
      (0.6, low + 0.8 * (high - low)),
      (0.1, high),
    ],
  }[shade]
  outer = [(a * r, y) for a, y in profile]
  if shade == 'globe':
    shell = paths.curve(outer, 14)
  else:
    shell = (
      outer + [(max(a - 0.004, 0.001), y) for a, y in outer[::-1]] + [outer[0]]
    )
  model.add(linen, surfaces.lathe(shell, 28, (x, 0, 0)))
  if shade != 'globe':
    model.add(
      metal,
      surfaces.lathe(
        [
          (0.008, low - 0.02),
          (0.03, low + 0.03),
          (0.03, 0.5 * (low + high)),
          (0.008, high + 0.01),
        ],
        10,
        (x, 0, 0),
      ),
    )
