"""Hollow and turned things: cups, vases, pots, baskets, candlesticks."""

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import paths
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import surfaces

# Outer profiles (radius, height), fractions of the widest radius and height.
_VESSELS = {
  'mug': [(0.9, 0), (1, 0.04), (1, 1)],
  'cup': [(0.5, 0), (0.55, 0.05), (0.8, 0.3), (0.95, 0.7), (1, 1)],
  'bowl': [(0.35, 0), (0.4, 0.08), (0.75, 0.35), (0.93, 0.7), (1, 1)],
  'bottle_vase': [
    (0.6, 0),
    (0.9, 0.15),
    (1, 0.35),
    (0.75, 0.55),
    (0.3, 0.7),
    (0.26, 0.92),
    (0.36, 1),
  ],
  'amphora': [
    (0.35, 0),
    (0.42, 0.05),
    (0.85, 0.4),
    (1, 0.6),
    (0.8, 0.76),
    (0.4, 0.85),
    (0.42, 0.95),
    (0.6, 1),
  ],
  'tulip_vase': [
    (0.5, 0),
    (0.4, 0.08),
    (0.75, 0.4),
    (0.7, 0.65),
    (0.8, 0.85),
    (1, 1),
  ],
  'cylinder_vase': [(0.8, 0), (0.82, 0.03), (0.9, 0.5), (1, 1)],
  'planter': [(0.68, 0), (0.7, 0.03), (0.94, 0.86), (1, 0.86), (1, 1)],
  'goblet': [
    (0.7, 0),
    (0.65, 0.03),
    (0.12, 0.08),
    (0.1, 0.45),
    (0.6, 0.55),
    (0.95, 0.75),
    (1, 1),
  ],
  'bin': [(0.72, 0), (0.75, 0.02), (0.98, 0.96), (1.03, 1)],
  'urn': [
    (0.5, 0),
    (0.52, 0.06),
    (0.25, 0.14),
    (0.7, 0.35),
    (1, 0.7),
    (0.82, 0.84),
    (1, 0.95),
    (1, 1),
  ],
}


_ROUNDED = frozenset(_VESSELS) - {'mug', 'planter', 'bin', 'urn'}


def hollow(
  kind: str, radius: float, height: float, wall: float, segments: int = 28
) -> shapes.Shape:
  """A hollow turned vessel standing on the floor."""
  outer = np.asarray(_VESSELS[kind])
  if kind in _ROUNDED:
    outer = paths.curve(outer, 22)
  outer = [(radius * r, height * y) for r, y in outer]
  inner = [(max(r - wall, 0.2 * wall), max(y, wall)) for r, y in outer[::-1]]
  return surfaces.lathe(outer + inner + [(0, wall)], segments)


def vessel(
  rng: np.random.Generator,
  kind: str,
  radius: float,
  height: float,
  handles: int = 0,
  saucer: bool = False,
) -> assembly.Assembly:
  """A vessel with up to two ear-shaped handles (left and right)."""
  model = assembly.Assembly()
  clay = materials.pick(rng, 'ceramic', 'ceramic', 'metal')
  radius *= rng.uniform(0.9, 1.1)
  height *= rng.uniform(0.9, 1.1)
  model.add(clay, hollow(kind, radius, height, 0.06 * radius + 0.002))
  at_r, at_y = np.transpose(_VESSELS[kind])
  ends = [
    float(radius * np.interp(y, at_y, at_r)) - 0.03 * radius
    for y in (0.85, 0.4)
  ]
  ear = paths.bent(
    [
      (ends[0], 0.85 * height, 0),
      (1.6 * radius, 0.85 * height, 0),
      (1.6 * radius, 0.4 * height, 0),
      (ends[1], 0.4 * height, 0),
    ],
    0.5 * radius,
    5,
  )
  for i in range(handles):
    handle = surfaces.tube(ear, 0.1 * radius + 0.002, 8)
    model.add(clay, handle if i == 0 else shapes.reflected(handle))
  if saucer:
    model.add(
      clay,
      surfaces.lathe(
        [
          (0.9 * radius, -0.02),
          (1.3 * radius, -0.014),
          (1.75 * radius, 0.004),
          (1.75 * radius, 0.008),
          (1.2 * radius, -0.006),
          (0, -0.006),
        ],
        28,
      ),
    )
  return model


def teapot(rng: np.random.Generator) -> assembly.Assembly:
  """Body, lid, spout to the right and handle to the left."""
  model = assembly.Assembly()
  clay = materials.pick(rng, 'ceramic')
  r = rng.uniform(0.08, 0.1)
  model.add(
    clay,
    surfaces.lathe(
      paths.curve(
        [
          (r * a, r * b)
          for a, b in (
            (0.55, 0),
            (0.6, 0.05),
            (0.95, 0.5),
            (1, 0.85),
            (0.8, 1.3),
            (0.45, 1.5),
            (0.5, 1.52),
            (0.3, 1.66),
            (0.1, 1.7),
            (0.16, 1.78),
            (0.16, 1.9),
            (0, 1.96),
          )
        ],
        30,
      ),
      28,
    ),
  )
  spout = paths.curve(
    [(0.8 * r, 0.5 * r, 0), (1.4 * r, 0.8 * r, 0), (1.75 * r, 1.5 * r, 0)], 8
  )
  model.add(clay, surfaces.tube(spout, 0.26 * r, 10, np.linspace(1, 0.42, 8)))
  ear = paths.bent(
    [
      (-0.8 * r, 1.2 * r, 0),
      (-1.7 * r, 1.25 * r, 0),
      (-1.6 * r, 0.35 * r, 0),
      (-0.85 * r, 0.4 * r, 0),
    ],
    0.5 * r,
    4,
  )
  model.add(clay, surfaces.tube(ear, 0.1 * r))
  return model


def basket(rng: np.random.Generator, handle: bool) -> assembly.Assembly:
  """A woven basket of stacked rings."""
  model = assembly.Assembly()
  cane = materials.pick(rng, 'wood')
  r, rows = rng.uniform(0.16, 0.22), 9
  for i in range(rows):
    grow = r * (0.8 + 0.25 * np.sin(0.4 + 1.6 * i / rows))
    loop = paths.arc(grow, 0, 345, 24, (0, 0.016 + 0.026 * i, 0), 'xz')
    model.add(cane, surfaces.tube(loop, 0.015, 6, closed=True))
  model.add(cane, surfaces.lathe([(0.84 * r, 0), (0.84 * r, 0.012)], 24))
  if handle:
    arch = paths.arc(1, 0, 180, 15) * (0.98 * r, 0.3, 1) + (0, 0.22, 0)
    model.add(cane, surfaces.tube(arch, 0.012))
  return model


def candlestick(rng: np.random.Generator, arms: int) -> assembly.Assembly:
  """A candelabrum with an odd number of candles in a row."""
  model = assembly.Assembly()
  metal, wax = materials.pick(rng, 'metal'), materials.named('linen', 'white')
  high = rng.uniform(0.26, 0.34)
  model.add(
    metal,
    surfaces.lathe(
      [
        (high * a, high * b)
        for a, b in (
          (0.28, 0),
          (0.26, 0.04),
          (0.07, 0.1),
          (0.05, 0.4),
          (0.09, 0.5),
          (0.05, 0.6),
          (0.05, 0.9),
          (0.11, 0.97),
          (0.1, 1),
        )
      ],
      20,
    ),
  )
  for i in range(-(arms // 2), arms // 2 + 1):
    x = 0.42 * high * i
    if i:
      path = paths.curve(
        [
          (0, 0.55 * high, 0),
          (0.7 * x, 0.58 * high, 0),
          (x, 0.8 * high, 0),
          (x, 0.95 * high, 0),
        ],
        12,
      )
      model.add(
        metal,
        surfaces.tube(path, 0.025 * high + 0.002),
        surfaces.lathe(
          [
            (0.03 * high, 0.93 * high),
            (0.1 * high, 0.97 * high),
            (0.1 * high, high),
          ],
          14,
          (x, 0, 0),
        ),
      )
    model.add(
      wax,
      surfaces.lathe(
        [(0.05 * high, high), (0.045 * high, 1.5 * high), (0, 1.52 * high)],
        12,
        (x, 0, 0),
      ),
    )
  return model
