"""Straight sofas, and the arms and cushions of all sofas."""

from typing import List

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import supports
from mask2cad_tf.geometry.furniture import surfaces

ARM_WIDTHS = {
  'square': 0.2,
  'rolled': 0.24,
  'slim': 0.09,
  'pillow': 0.24,
  'slope': 0.14,
  'flared': 0.16,
  'none': 0.0,
}


def side_arm(style: str, depth: float, low: float, high: float) -> shapes.Shape:
  """The right arm with its outer face at x = 0 (it extends to -x)."""
  w, tall = ARM_WIDTHS[style], high - low
  if style == 'rolled':
    body = blocks.box(
      (0.7 * w, 0.8 * tall, depth - 0.02), (-0.6 * w, low + 0.4 * tall, 0), 0.02
    )
    roll = shapes.rotated(
      surfaces.lathe(
        [
          (0.1 * w, -depth / 2),
          (0.45 * w, -depth / 2 + 0.01),
          (0.52 * w, 0.03 - depth / 2),
          (0.52 * w, depth / 2 - 0.03),
          (0.45 * w, depth / 2 - 0.01),
          (0.1 * w, depth / 2),
        ],
        18,
      ),
      'x',
      90,
    )
    return shapes.joined(
      body, shapes.moved(roll, (-0.52 * w, high - 0.3 * w, 0))
    )
  if style == 'pillow':
    return blocks.cushion(
      (w, tall, depth), (-w / 2, (low + high) / 2, 0), 0.1, (0.02, 0.03, 0.01)
    )
  if style == 'slope':
    half = depth / 2
    plate = surfaces.panel(
      [(0, low, -half), (0, low, 0), (0, low, half)],
      [(0, high + 0.12, -half), (0, high, 0.1 * half), (0, high - 0.14, half)],
      w,
    )
    return shapes.moved(plate, (-w / 2, 0, 0))
  radius = 0.012 if style == 'slim' else 0.035
  arm = blocks.cushion((w, tall, depth), (-w / 2, (low + high) / 2, 0), radius)
  if style == 'flared':
    return shapes.moved(
      shapes.rotated(arm, 'z', -9, (0, low, 0)), (-0.07, 0, 0)
    )
  return arm


def back_cushions(
  style: str,
  left: float,
  right: float,
  seats: int,
  seat: float,
  top: float,
  z: float,
) -> List[shapes.Shape]:
  """Cushions leaning on a back whose front face is at z."""
  width = (right - left) / seats
  xs = left + width * (np.arange(seats) + 0.5)
  tall = top - seat + 0.03
  if style == 'scatter':
    sizes = [(x + s * 0.22 * width, 1) for x in xs for s in (-1, 1)]
    pads = [
      shapes.rotated(
        blocks.cushion(
          (0.42, 0.42, 0.16), (0, 0, 0), 0.07, (-0.02, -0.02, 0.03), corner=1
        ),
        'z',
        8 * (-1) ** i,
      )
      for i, _ in enumerate(sizes)
    ]
    return [
      shapes.moved(shapes.rotated(p, 'x', -18), (x, seat + 0.2, z + 0.1))
      for p, (x, _) in zip(pads, sizes)
    ]
  pads = []
  for x in xs:
    pad = blocks.cushion(
      (width - 0.012, tall, 0.2), (0, tall / 2, 0), 0.07, (0, 0.035, 0.04)
    )
    pads.append(shapes.moved(shapes.rotated(pad, 'x', -11), (x, seat, z + 0.1)))
  return pads


def _tufts(
  left: float, right: float, low: float, high: float, z: float
) -> List[shapes.Shape]:
  """A quilt of small bulging squares, as buttoned backs have."""
  columns = max(3, int(round((right - left) / 0.3)))
  step, rows = (right - left) / columns, 2
  tall = (high - low) / rows
  return [
    blocks.cushion(
      (step, tall, 0.09),
      (left + step * (i + 0.5), low + tall * (j + 0.5), z),
      0.045,
      (0, 0, 0.02),
      corner=1,
    )
    for i in range(columns)
    for j in range(rows)
  ]


def sofa(
  rng: np.random.Generator, seats: int, arms: str, back: str, legs: str
) -> assembly.Assembly:
  """A straight sofa.

  Args:
    rng: proportions and colours.
    seats: 1 to 4.
    arms: see `ARM_WIDTHS`.
    back: 'loose', 'tight', 'scatter', 'tufted', 'camel' or 'low'.
    legs: a support, or 'skirt' for upholstery down to the floor.

  Returns:
    The sofa.
  """
  model = assembly.Assembly()
  cloth = materials.pick(rng, 'fabric', 'leather')
  other = materials.pick(rng, 'fabric') if back == 'scatter' else cloth
  arm = ARM_WIDTHS[arms]
  inner = seats * rng.uniform(0.58, 0.7)
  width, depth = inner + 2 * arm, rng.uniform(0.82, 0.98)
  low = 0.02 if legs == 'skirt' else rng.uniform(0.1, 0.17)
  seat, top = rng.uniform(0.41, 0.46), rng.uniform(0.74, 0.88)
  top -= 0.12 if back == 'low' else 0
  if legs != 'skirt':
    frame = materials.pick(rng, 'metal' if legs in supports.METAL else 'wood')
    model.add(
      frame, supports.support(legs, width - 0.1, depth - 0.1, low, 0.026)
    )
  base = seat - 0.14
  model.add(
    cloth,
    blocks.box(
      (width - 0.02, base - low, depth - 0.04), (0, (low + base) / 2, 0), 0.015
    ),
  )
  for i in range(seats):
    pad = inner / seats
    model.add(
      cloth,
      blocks.cushion(
        (pad - 0.006, 0.17, depth - 0.2),
        ((i - (seats - 1) / 2) * pad, seat - 0.07, 0.09),
        0.05,
        (0, 0.025, 0.01),
      ),
    )
  z = 0.1 - depth / 2
  _add_back(model, cloth, other, back, inner, seats, (low, seat, top), z, width)
  if arm:
    high = {'low': top - 0.02}.get(back, rng.uniform(0.58, 0.66))
    high = top if back == 'tufted' else high
    side = shapes.moved(side_arm(arms, depth, low, high), (width / 2, 0, 0))
    model.add(cloth, shapes.mirrored(side))
  return model


def _add_back(model, cloth, other, back, inner, seats, levels, z, width):
  """The fixed back and what leans on it."""
  low, seat, top = levels
  if back == 'camel':
    x = np.linspace(-1, 1, 17)
    crest = top - 0.08 + 0.16 * np.cos(np.pi * x / 2) ** 2
    model.add(
      cloth,
      surfaces.panel(
        np.stack([x * width / 2, np.full(17, low), np.full(17, z - 0.02)], 1),
        np.stack([x * width / 2, crest, np.full(17, z - 0.02)], 1),
        0.15,
      ),
    )
    return
  full = width if back in ('tight', 'low', 'tufted') else inner + 0.04
  fixed = top - (0.1 if back in ('loose', 'scatter') else 0)
  model.add(
    cloth,
    blocks.cushion(
      (full, fixed - low, 0.17),
      (0, (low + fixed) / 2, z - 0.012),
      0.05,
      (0, 0, 0.02 if back == 'tight' else 0),
      2 if back == 'tight' else 1,
    ),
  )
  if back in ('loose', 'scatter'):
    model.add(
      other,
      *back_cushions(back, -inner / 2, inner / 2, seats, seat, top, z + 0.06),
    )
  elif back == 'tufted':
    model.add(cloth, *_tufts(-inner / 2, inner / 2, seat, top, z + 0.08))
