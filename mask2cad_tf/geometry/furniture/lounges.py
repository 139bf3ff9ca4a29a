"""Curved sofas, sofas in open frames, chaises and benches."""

from typing import List

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import paths
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import sofas
from mask2cad_tf.geometry.furniture import supports
from mask2cad_tf.geometry.furniture import surfaces


def curved_sofa(
  rng: np.random.Generator, bend: float, channels: bool
) -> assembly.Assembly:
  """A sofa bent around its front, by `bend` degrees."""
  model = assembly.Assembly()
  cloth = materials.pick(rng, 'fabric')
  radius, seat, top = rng.uniform(1.25, 1.5), 0.43, rng.uniform(0.7, 0.78)

  def rind(inner, outer, low, high, puff):
    turn = np.radians(np.linspace(-bend / 2, bend / 2, 19))
    path = np.stack(
      [-radius * np.sin(turn), np.zeros(19), -radius * np.cos(turn)], 1
    )
    section = surfaces.superellipse(outer - inner, high - low, puff, 16)
    section = section + ((inner + outer) / 2, (low + high) / 2)
    return surfaces.sweep(path, section, side=(0, 0, 1))

  def outward(shape):
    return shape

  model.add(
    cloth,
    outward(rind(-0.1, 0.72, 0.1, 0.3, 8)),
    outward(rind(-0.02, 0.74, 0.26, seat, 5)),
  )
  if channels:
    count = int(bend / 5)
    pad = blocks.cushion(
      (0.13, top - 0.25, 0.15), (0, (top + 0.25) / 2, -radius), 0.06, corner=1
    )
    model.add(
      cloth,
      *[
        shapes.rotated(pad, 'y', a)
        for a in np.linspace(-bend / 2 + 2, bend / 2 - 2, count)
      ],
    )
  else:
    model.add(cloth, outward(rind(-0.16, 0.06, 0.1, top, 4)))
  foot = surfaces.lathe([(0.02, 0), (0.03, 0.12)], 10, (0, 0, -radius + 0.3))
  model.add(
    materials.pick(rng, 'wood', 'metal'),
    *[
      shapes.rotated(foot, 'y', a)
      for a in np.linspace(-0.4 * bend, 0.4 * bend, 4)
    ],
  )
  return model


def frame_sofa(
  rng: np.random.Generator, seats: int, sides: str
) -> assembly.Assembly:
  """Loose cushions in an open wooden or metal frame."""
  model = assembly.Assembly()
  metal = sides == 'tube'
  frame = materials.pick(rng, 'metal' if metal else 'wood')
  cloth = materials.pick(rng, 'fabric', 'leather')
  pad, depth, seat = rng.uniform(0.56, 0.64), rng.uniform(0.74, 0.84), 0.43
  width = seats * pad + 0.1
  x, z = width / 2 - 0.025, depth / 2
  top = rng.uniform(0.72, 0.8)
  model.add(frame, shapes.mirrored(_frame_side(sides, x, z)))
  for y, s in (
    (0.3, z - 0.05),
    (0.3, -z + 0.05),
    (top - 0.03, -z - 0.07),
    (0.5, -z - 0.01),
  ):
    model.add(frame, surfaces.bar((-x, y, s), (x, y, s), 0.03, 0.05))
  for s in np.linspace(-x, x, 3 * seats + 1)[1:-1]:
    model.add(
      frame,
      surfaces.bar(
        (s, 0.28, -z + 0.05), (s, top - 0.03, -z - 0.07), 0.03, 0.014
      ),
    )
  for i in range(seats):
    at = (i - (seats - 1) / 2) * pad
    model.add(
      cloth,
      blocks.cushion(
        (pad - 0.01, 0.14, depth - 0.08),
        (at, seat - 0.05, 0.03),
        0.045,
        (0, 0.02, 0),
      ),
    )
  model.add(
    cloth,
    *sofas.back_cushions(
      'loose', -seats * pad / 2, seats * pad / 2, seats, seat, top, -z - 0.02
    ),
  )
  return model


def _frame_side(kind: str, x: float, z: float) -> shapes.Shape:
  """The right side of an open frame: legs and arm rest."""
  if kind == 'tube':
    loop = paths.bent(
      [(x, 0.02, z), (x, 0.6, z), (x, 0.6, -z), (x, 0.02, -z)],
      0.08,
      closed=True,
    )
    return surfaces.tube(loop, 0.016, closed=True)
  if kind == 'panel':
    return blocks.box((0.035, 0.6, 2 * z), (x, 0.3, 0))
  parts = [
    surfaces.bar((x, 0.6, z - 0.06), (x, 0, z), 0.04, taper=0.7),
    surfaces.bar((x, 0.66, 0.02 - z), (x, 0, -z - 0.02), 0.04, taper=0.7),
    blocks.cushion((0.06, 0.03, 2 * z + 0.03), (x, 0.61, -0.01), 0.012),
  ]
  if kind == 'slatted':
    parts += [
      surfaces.bar((x, 0.3, s), (x, 0.6, s), 0.014, 0.03)
      for s in np.linspace(-0.6, 0.6, 5) * z
    ]
  return shapes.joined(*parts)


def chaise(rng: np.random.Generator, style: str) -> assembly.Assembly:
  """A long seat for one: 'recamier', 'wave' or 'daybed'."""
  model = assembly.Assembly()
  cloth = materials.pick(rng, 'fabric', 'leather')
  wood = materials.pick(rng, 'wood', 'metal')
  length, depth = rng.uniform(1.55, 1.75), rng.uniform(0.62, 0.72)
  if style == 'wave':
    line = paths.curve(
      [
        (0, 0.42, 0.8),
        (0, 0.36, 0.45),
        (0, 0.45, 0.05),
        (0, 0.33, -0.35),
        (0, 0.6, -0.65),
        (0, 0.84, -0.8),
      ],
      22,
    )
    model.add(
      cloth, surfaces.sweep(line, surfaces.superellipse(depth, 0.1, 6, 16))
    )
    model.add(wood, supports.support('sled', depth - 0.1, 1.0, 0.36, 0.03))
    return model
  legs = 'cabriole' if style == 'recamier' else 'cone'
  model.add(
    wood, supports.support(legs, length - 0.1, depth - 0.08, 0.16, 0.024)
  )
  model.add(
    cloth,
    blocks.box((length, 0.1, depth), (0, 0.21, 0), 0.02),
    blocks.cushion(
      (length - 0.04, 0.16, depth - 0.02), (0, 0.34, 0), 0.06, (0, 0.02, 0)
    ),
  )
  if style == 'recamier':
    model.add(cloth, *_scroll(length / 2, depth))
  else:
    bolster = surfaces.lathe(
      [
        (0.02, -0.3),
        (0.09, -0.3),
        (0.1, -0.28),
        (0.1, 0.28),
        (0.09, 0.3),
        (0.02, 0.3),
      ],
      18,
    )
    model.add(
      cloth,
      shapes.mirrored(
        shapes.moved(
          shapes.rotated(bolster, 'x', 90), (length / 2 - 0.14, 0.5, 0)
        )
      ),
    )
  return model


def _scroll(half: float, depth: float) -> List[shapes.Shape]:
  """A rolled right end and a back that falls away from it."""
  line = paths.curve(
    [
      (half - 0.06, 0.2, 0),
      (half - 0.02, 0.5, 0),
      (half + 0.1, 0.74, 0),
      (half + 0.2, 0.72, 0),
    ],
    12,
  )
  end = surfaces.sweep(
    line, surfaces.superellipse(depth, 0.1, 8, 16), side=(0, 0, 1)
  )
  x = np.linspace(-0.1, 1, 12) * half
  z = np.full(12, 0.05 - depth / 2)
  back = surfaces.panel(
    np.stack([x, 0 * x + 0.2, z], 1),
    np.stack([x, np.interp(x, [0, half], [0.45, 0.72]), z], 1),
    0.1,
  )
  return [end, back]


def bench(
  rng: np.random.Generator, legs: str, tufted: bool
) -> assembly.Assembly:
  """A backless upholstered bench or ottoman."""
  model = assembly.Assembly()
  cloth = materials.pick(rng, 'fabric', 'leather')
  width, depth = rng.uniform(1.1, 1.5), rng.uniform(0.42, 0.6)
  frame = materials.pick(rng, 'metal' if legs in supports.METAL else 'wood')
  model.add(
    frame, supports.support(legs, width - 0.06, depth - 0.05, 0.32, 0.022)
  )
  if tufted:
    columns, rows = 6, 3
    for i in range(columns):
      for j in range(rows):
        model.add(
          cloth,
          blocks.cushion(
            (width / columns, 0.11, depth / rows),
            (
              (i + 0.5) * width / columns - width / 2,
              0.4,
              (j + 0.5) * depth / rows - depth / 2,
            ),
            0.04,
            (0, 0.02, 0),
            corner=1,
          ),
        )
  else:
    model.add(
      cloth,
      blocks.cushion((width, 0.14, depth), (0, 0.38, 0), 0.05, (0, 0.02, 0)),
    )
  return model
