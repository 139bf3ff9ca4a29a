"""Guitars, clocks, globes and coat stands."""

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import paths
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import supports
from mask2cad_tf.geometry.furniture import surfaces


def guitar(rng: np.random.Generator, electric: bool) -> assembly.Assembly:
  """An upright guitar facing +z."""
  model = assembly.Assembly()
  wood = materials.named('wood', ('beech', 'cherry', 'pine')[rng.integers(3)])
  dark = materials.named('wood', 'ebony')
  metal = materials.pick(rng, 'metal')
  v = np.linspace(0, 1, 25)
  half = 0.19 * np.interp(
    v, [0, 0.06, 0.3, 0.58, 0.8, 0.95, 1], [0.35, 0.75, 1, 0.64, 0.78, 0.6, 0.3]
  )
  body = np.stack([half, 0.48 * v], 1)
  outline = np.concatenate([body, (body * (-1, 1))[::-1]])
  thick = 0.045 if electric else 0.1
  plate = surfaces.slab(outline * (1, -1), thick, bevel=0.01)
  model.add(
    materials.pick(rng, 'plastic') if electric else wood,
    shapes.rotated(plate, 'x', 90),
  )
  front = thick / 2
  model.add(
    dark,
    surfaces.bar(
      (0, 0.36, front + 0.005), (0, 0.9, front + 0.005), 0.055, 0.018, 0.8
    ),
  )
  model.add(
    wood, blocks.box((0.075, 0.16, 0.016), (0, 0.96, front - 0.004), 0.006)
  )
  model.add(dark, blocks.box((0.14, 0.022, 0.012), (0, 0.13, front + 0.005)))
  if electric:
    model.add(
      metal,
      *[
        blocks.box((0.08, 0.03, 0.012), (0, y, front + 0.004))
        for y in (0.2, 0.3)
      ],
    )
    model.add(
      metal,
      shapes.mirrored(
        surfaces.panel(
          [(0.05, 0.4, 0), (0.1, 0.4, 0), (0.15, 0.4, 0)],
          [(0.09, 0.5, 0), (0.11, 0.54, 0), (0.13, 0.5, 0)],
          thick,
        )
      ),
    )
  else:
    hole = shapes.rotated(
      surfaces.lathe([(0.05, 0), (0.05, 0.002)], 24), 'x', 90
    )
    model.add(dark, shapes.moved(hole, (0, 0.31, front)))
  for y in (0.92, 0.96, 1.0):
    model.add(
      metal,
      shapes.mirrored(
        surfaces.bar((0.03, y, front - 0.004), (0.06, y, front - 0.004), 0.014)
      ),
    )
  for x in np.linspace(-0.02, 0.02, 6):
    model.add(
      metal,
      surfaces.bar((x, 0.13, front + 0.017), (x, 0.93, front + 0.017), 0.002),
    )
  return model


def clock(rng: np.random.Generator) -> assembly.Assembly:
  """A long-case clock."""
  model = assembly.Assembly()
  wood, metal = materials.pick(rng, 'wood'), materials.named('metal', 'brass')
  for (w, h, d), y in (
    ((0.5, 0.1, 0.3), 0.05),
    ((0.44, 0.42, 0.26), 0.31),
    ((0.34, 0.9, 0.22), 0.97),
    ((0.46, 0.45, 0.27), 1.64),
    ((0.52, 0.05, 0.31), 1.89),
  ):
    model.add(wood, blocks.box((w, h, d), (0, y, 0), 0.01))
  model.add(
    materials.named('glass', 'clear'),
    blocks.box((0.2, 0.7, 0.01), (0, 0.97, 0.112)),
  )
  face = shapes.rotated(surfaces.lathe([(0.17, 0), (0.17, 0.01)], 28), 'x', 90)
  model.add(
    materials.named('ceramic', 'white'), shapes.moved(face, (0, 1.64, 0.135))
  )
  rim = paths.arc(0.175, 0, 345, 24, (0, 1.64, 0.14))
  model.add(
    metal,
    surfaces.tube(rim, 0.01, 6, closed=True),
    surfaces.bar((0, 1.64, 0.15), (0, 1.77, 0.15), 0.01),
    surfaces.bar((0, 1.64, 0.15), (0.07, 1.69, 0.15), 0.012, side=(0, 0, 1)),
    surfaces.tube([(0, 0.75, 0.122), (0, 1.2, 0.122)], 0.006, 6),
  )
  bob = shapes.rotated(surfaces.lathe([(0.05, 0), (0.05, 0.008)], 16), 'x', 90)
  model.add(metal, shapes.moved(bob, (0, 0.75, 0.12)))
  x = np.linspace(-1, 1, 17)
  line = np.stack([0.25 * x, 0 * x + 1.91, 0 * x + 0.12], 1)
  model.add(
    wood,
    surfaces.panel(
      line,
      line
      + np.stack([0 * x, 0.02 + 0.13 * np.cos(np.pi * x / 2) ** 2, 0 * x], 1),
      0.04,
    ),
  )
  return model


def globe(rng: np.random.Generator) -> assembly.Assembly:
  """A globe in its meridian ring on a turned stand."""
  model = assembly.Assembly()
  wood, metal = materials.pick(rng, 'wood'), materials.pick(rng, 'metal')
  r = rng.uniform(0.14, 0.18)
  model.add(
    materials.pick(rng, 'paper'),
    blocks.cushion((2 * r, 2 * r, 2 * r), (0, 2.2 * r, 0), 9, corner=4),
  )
  ring = paths.arc(1.12 * r, 0, 345, 24, (0, 2.2 * r, 0))
  model.add(metal, surfaces.tube(ring, 0.008, 6, closed=True))
  model.add(
    wood,
    surfaces.lathe(
      [
        (r * a, r * b)
        for a, b in (
          (0.8, 0),
          (0.75, 0.1),
          (0.2, 0.25),
          (0.3, 0.45),
          (0.12, 0.6),
          (0.18, 1.08),
        )
      ],
      20,
    ),
  )
  return model


def coat_stand(rng: np.random.Generator, hooks: int) -> assembly.Assembly:
  """A post with bent hooks above and splayed feet."""
  model = assembly.Assembly()
  wood = materials.pick(rng, 'wood', 'iron')
  high = rng.uniform(1.6, 1.8)
  model.add(wood, supports.turned(high, 0.03, 'baluster'))
  hook = paths.curve(
    [(0, high - 0.22, 0), (0, high - 0.2, 0.13), (0, high - 0.06, 0.2)], 7
  )
  model.add(wood, shapes.ring(surfaces.tube(hook, 0.012), hooks))
  foot = paths.curve([(0, 0.22, 0), (0, 0.12, 0.14), (0, 0.015, 0.26)], 7)
  model.add(wood, shapes.ring(surfaces.tube(foot, 0.018), 4, 45))
  return model
