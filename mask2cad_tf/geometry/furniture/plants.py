"""Potted plants."""

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import paths
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import surfaces
from mask2cad_tf.geometry.furniture import vessels


def plant(rng: np.random.Generator, pot: str, leaves: str) -> assembly.Assembly:
  """A potted plant: 'blades', 'broad', 'cactus', 'ball' or 'palm'."""
  model = assembly.Assembly()
  r, tall = rng.uniform(0.11, 0.15), rng.uniform(0.2, 0.28)
  green = materials.pick(rng, 'plant')
  model.add(
    materials.pick(rng, 'ceramic'), vessels.hollow(pot, r, tall, 0.012, 24)
  )
  model.add(
    materials.named('soil', 'soil'),
    surfaces.lathe(
      [(0.6 * r, 0.7 * tall), (0.78 * r, 0.88 * tall), (0, 0.9 * tall)], 20
    ),
  )
  if leaves == 'cactus':
    ribs = [
      (0.25 * r, 0.8 * tall),
      (0.5 * r, tall),
      (0.55 * r, 1.9 * tall),
      (0.4 * r, 2.3 * tall),
      (0, 2.4 * tall),
    ]
    model.add(green, surfaces.lathe(ribs, 14))
    arm = paths.bent(
      [(0, 1.5 * tall, 0), (1.1 * r, 1.5 * tall, 0), (1.1 * r, 2.1 * tall, 0)],
      0.05,
      4,
    )
    model.add(green, shapes.mirrored(surfaces.tube(arm, 0.3 * r)))
    return model
  if leaves == 'ball':
    model.add(
      materials.pick(rng, 'wood'),
      surfaces.tube([(0, 0.8 * tall, 0), (0, 2.2 * tall, 0)], 0.016),
    )
    for size, y in ((1.3, 2.5), (0.9, 4.0)):
      model.add(
        green,
        blocks.cushion(
          (2 * size * r, 2 * size * r, 2 * size * r), (0, y * tall, 0), 9
        ),
      )
    return model
  count, length, wide, rise = {
    'blades': (14, 0.62, 0.05, 75),
    'broad': (11, 0.42, 0.2, 55),
    'palm': (12, 0.75, 0.12, 60),
  }[leaves]
  if leaves == 'palm':
    model.add(
      materials.pick(rng, 'wood'),
      surfaces.lathe([(0.035, 0.8 * tall), (0.025, 0.7), (0.02, 0.9)], 10),
    )
  foot = 0.85 if leaves == 'palm' else 0.85 * tall
  for i in range(count // 2):
    lift = rise + rng.uniform(-14, 10)
    leaf = _leaf(length * rng.uniform(0.75, 1), wide, lift)
    turn = 180 * (i + 0.5) / (count // 2)
    model.add(
      green,
      shapes.mirrored(
        shapes.moved(shapes.rotated(leaf, 'y', turn), (0, foot, 0))
      ),
    )
  return model


def _leaf(length: float, width: float, rise: float) -> shapes.Shape:
  """A pointed leaf from the origin towards +z, drooping at its tip."""
  s = np.linspace(0, 1, 8)
  angle = np.radians(rise) - 1.5 * s**1.5
  z = np.concatenate([[0], np.cumsum(np.cos(angle))[:-1]]) * length / 8
  y = np.concatenate([[0], np.cumsum(np.sin(angle))[:-1]]) * length / 8
  half = width / 2 * np.sin(np.pi * (0.08 + 0.9 * s)) ** 0.8
  u = np.array([-1, 0, 1])[:, None]
  grid = np.stack(
    np.broadcast_arrays(u * half, y + 0.2 * half * np.abs(u), z), -1
  )
  return surfaces.sheet(grid[::-1], 0.004)
