"""Chairs whose seat and back are one moulded surface."""

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import paths
from mask2cad_tf.geometry.furniture import pedestals
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import supports
from mask2cad_tf.geometry.furniture import surfaces


def _shell(
  width: float, depth: float, back_height: float, wrap: float
) -> shapes.Shape:
  """A moulded seat-and-back surface; `wrap` raises the sides to arms."""
  profile = paths.curve(
    [
      (0.5 * depth, -0.035),
      (0.42 * depth, 0.005),
      (0.1 * depth, -0.012),
      (-0.28 * depth, 0),
      (-0.43 * depth, 0.06),
      (-0.5 * depth, 0.22),
      (-0.62 * depth, back_height),
    ],
    16,
  )
  s = np.linspace(0, 1, 16)
  half = (
    width
    / 2
    * np.interp(
      s, [0, 0.1, 0.4, 0.6, 0.85, 1], [0.82, 0.96, 1, 0.98, 0.86, 0.6]
    )
  )
  u = np.linspace(-1, 1, 15)
  lift = np.interp(s, [0, 0.12, 0.5, 0.8, 1], [0, 0.4, 1, 0.5, 0.1]) * wrap
  hug = np.interp(s, [0, 0.45, 0.7, 1], [0, 0.05, 0.12, 0.06])
  x = half[:, None] * np.sin(u * np.pi / 2 * (0.65 + 0.35 * (wrap > 0.1)))
  y = profile[:, 1, None] + lift[:, None] * np.abs(u) ** 4
  y = y - (0.045 * np.interp(s, [0.8, 1], [0, 1]))[:, None] * u**2
  z = profile[:, 0, None] + hug[:, None] * u**2
  return surfaces.sheet(np.stack([x, y, z], -1)[::-1], 0.01)


def shell_chair(
  rng: np.random.Generator, legs: str, arms: bool
) -> assembly.Assembly:
  """A moulded plastic shell on wooden legs, wire, star base or sled."""
  model = assembly.Assembly()
  seat = rng.uniform(0.42, 0.46)
  width, depth = rng.uniform(0.46, 0.52), rng.uniform(0.42, 0.47)
  shell = _shell(
    width * (1.2 if arms else 1),
    depth,
    rng.uniform(0.36, 0.46),
    rng.uniform(0.2, 0.26) if arms else 0.03,
  )
  model.add(
    materials.pick(rng, 'plastic', 'wood'), shapes.moved(shell, (0, seat, 0))
  )
  steel = materials.pick(rng, 'metal', 'iron')
  if legs == 'star':
    model.add(
      steel, pedestals.star(0.3, seat - 0.035, casters=rng.random() < 0.5)
    )
  elif legs == 'wire':
    rods = [
      surfaces.tube([(0.06, seat - 0.02, a), (0.2, 0, b)], 0.006, 6)
      for a, b in ((0.1, 0.2), (0.02, 0.2), (-0.02, -0.2), (-0.1, -0.2))
    ]
    rods += [
      surfaces.tube(
        [(0.06, seat - 0.02, 0.1), (0.12, 0.5 * seat, -0.02), (0.2, 0, -0.2)],
        0.005,
        6,
      ),
      surfaces.tube(
        [(0, 0.35 * seat, 0.17), (0.16, 0.35 * seat, 0.17)], 0.005, 6
      ),
    ]
    model.add(steel, shapes.mirrored(shapes.joined(*rods)))
  elif legs == 'tulip':
    model.add(
      materials.pick(rng, 'paint', 'plastic'),
      supports.support('tulip', 0.72, 0.72, seat - 0.02),
    )
  else:
    frame = steel if legs in supports.METAL else materials.pick(rng, 'wood')
    model.add(
      frame, supports.support(legs, width - 0.04, depth, seat - 0.012, 0.016)
    )
  return model
