"""Supports around one central axis: columns, drums, tripods, stars.

As in `supports`: w and d are the spans, h the height, r half a leg, metres.
"""

import numpy as np

from mask2cad_tf.geometry.furniture import paths
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import surfaces


def column(w: float, d: float, h: float, r: float) -> shapes.Shape:
  """A round foot under a straight post."""
  base = 0.32 * min(w, d)
  return surfaces.lathe(
    [
      (base, 0),
      (base, 0.015),
      (0.9 * base, 0.03),
      (1.4 * r, 0.05),
      (r, 0.1 * h),
      (r, 0.9 * h),
      (3 * r, h),
    ],
    20,
  )


def tulip(w: float, d: float, h: float, r: float) -> shapes.Shape:
  """One flaring stem."""
  base = 0.33 * min(w, d)
  outline = [
    (1, 0),
    (0.97, 0.02),
    (0.6, 0.06),
    (0.25, 0.17),
    (0.12, 0.4),
    (0.12, 0.6),
    (0.22, 0.85),
    (0.45, 1),
  ]
  return surfaces.lathe([(base * a, h * b) for a, b in outline], 20)


def claw(w: float, d: float, h: float, r: float) -> shapes.Shape:
  """A turned post on four bent feet."""
  post = surfaces.lathe(
    [
      (r * a, h * (0.2 + 0.8 * b))
      for a, b in (
        (1.4, 0),
        (1.7, 0.1),
        (1, 0.2),
        (0.9, 0.4),
        (1.7, 0.6),
        (1.9, 0.7),
        (1, 0.8),
        (1.6, 0.9),
        (3, 1),
      )
    ],
    14,
  )
  reach = 0.4 * min(w, d)
  path = paths.curve(
    [
      (0, 0.32 * h, r),
      (0, 0.25 * h, 0.5 * reach),
      (0, 0.04 * h, 0.85 * reach),
      (0, 0.5 * r, reach),
    ],
    9,
  )
  foot = surfaces.tube(path, r, scales=np.linspace(1.1, 0.6, 9))
  return shapes.joined(post, shapes.ring(foot, 4, 45))


def drum(w: float, d: float, h: float, r: float) -> shapes.Shape:
  """A cylinder, a little wider at the top."""
  half = 0.28 * min(w, d)
  return surfaces.lathe([(half, 0), (half, 0.95 * h), (1.3 * half, h)], 28)


def hourglass(w: float, d: float, h: float, r: float) -> shapes.Shape:
  """Crossing wires between two rings."""
  half = 0.34 * min(w, d)
  rods = []
  for i in range(12):
    turn = 2 * np.pi * (i + 0.5) / 12
    ends = [
      (half * np.sin(turn + s), y, half * np.cos(turn + s))
      for s, y in ((0, 0.012), (1.9, h - 0.012))
    ]
    other = [(-x, y, z) for x, y, z in ends]
    rods += [surfaces.tube(ends, 0.006, 6), surfaces.tube(other, 0.006, 6)]
  rings = [
    surfaces.tube(
      paths.arc(half, 0, 337.5, 16, (0, y, 0), 'xz'), 0.01, 6, closed=True
    )
    for y in (0.01, h - 0.01)
  ]
  return shapes.joined(*rods, *rings)


def double(w: float, d: float, h: float, r: float) -> shapes.Shape:
  """Two claw pedestals side by side."""
  post = claw(0.9 * d, 0.9 * d, h, r)
  return shapes.mirrored(shapes.moved(post, (0.26 * w, 0, 0)))


def tripod(w: float, d: float, h: float, r: float) -> shapes.Shape:
  """Slanted wooden tripod, one leg in front."""
  leg = surfaces.tube(
    [(0, h, 0.05 * d), (0, 0, 0.42 * min(w, d))], r, scales=(1, 0.6)
  )
  return shapes.ring(leg, 3)


def star(
  radius: float, height: float, casters: bool = True, prongs: int = 5
) -> shapes.Shape:
  """A swivel base: prongs, the first one in front, and a gas column."""
  low = 0.06 if casters else 0.02
  prong = surfaces.bar(
    (0, low + 0.05, 0.02), (0, low + 0.012, radius), 0.05, 0.035, 0.6
  )
  parts = [prong]
  if casters:
    wheel = shapes.rotated(
      surfaces.lathe(
        [(0.02, -0.022), (0.027, -0.016), (0.027, 0.016), (0.02, 0.022)], 10
      ),
      'z',
      90,
    )
    parts.append(shapes.moved(wheel, (0, 0.027, radius - 0.02)))
    parts.append(
      surfaces.tube(
        [(0, 0.03, radius - 0.02), (0, low + 0.02, radius - 0.02)], 0.008, 6
      )
    )
  column = surfaces.lathe(
    [
      (0.045, low + 0.01),
      (0.045, low + 0.07),
      (0.03, low + 0.1),
      (0.03, 0.6 * height),
      (0.018, 0.6 * height),
      (0.018, height),
    ],
    12,
  )
  return shapes.joined(shapes.ring(shapes.joined(*parts), prongs), column)
