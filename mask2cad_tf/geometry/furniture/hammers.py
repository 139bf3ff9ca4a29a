"""Hammers, picks and axes."""

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import paths
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import surfaces
from mask2cad_tf.geometry.furniture import tool_parts

# Turned heads: (radius, z) from the back to the front, metres.
_HEADS = {
  'ball': [
    (0, -0.06),
    (0.012, -0.056),
    (0.017, -0.044),
    (0.012, -0.03),
    (0.01, -0.02),
    (0.017, -0.01),
    (0.017, 0.02),
    (0.012, 0.03),
    (0.018, 0.045),
    (0.018, 0.06),
    (0.015, 0.064),
  ],
  'sledge': [(0.03, -0.1), (0.036, -0.09), (0.036, 0.09), (0.03, 0.1)],
  'mallet': [
    (0.036, -0.07),
    (0.042, -0.06),
    (0.046, 0),
    (0.042, 0.06),
    (0.036, 0.07),
  ],
  'claw': [(0.014, 0.05), (0.016, 0.056), (0.016, 0.075), (0.013, 0.08)],
}


def hammer(rng: np.random.Generator, head: str) -> assembly.Assembly:
  """A 'claw', 'ball', 'sledge', 'mallet' or 'pick' head on a shaft."""
  model = assembly.Assembly()
  wood, steel = materials.pick(rng, 'wood'), materials.pick(rng, 'tool_steel')
  long = rng.uniform(0.28, 0.34) * {'sledge': 2.4, 'pick': 2.6}.get(head, 1)
  bulk = 1.4 if head in ('sledge', 'pick') else 1
  model.add(wood, tool_parts.shaft(long, 0.022 * bulk, 0.034 * bulk))
  if head in _HEADS:
    turned = surfaces.lathe(_HEADS[head], 8 if head == 'sledge' else 16)
    turned = shapes.rotated(turned, 'x', 90)
    metal = materials.pick(rng, 'wood') if head == 'mallet' else steel
    drop = 0.03 if head in ('sledge', 'mallet') else 0.015
    model.add(metal, shapes.moved(turned, (0, long - drop, 0)))
  if head == 'claw':
    model.add(steel, shapes.moved(_claw(), (0, long - 0.015, 0)))
  elif head == 'pick':
    u = np.linspace(-1, 1, 17)
    middle, thick = long - 0.02 - 0.11 * u**2, 0.03 - 0.022 * np.abs(u)
    model.add(
      steel,
      tool_parts.plate(
        np.stack([0.3 * u, middle - thick], 1),
        np.stack([0.3 * u, middle + thick], 1),
        0.035,
      ),
    )
  return model


def _claw() -> shapes.Shape:
  """The neck and the two prongs behind it."""
  neck = surfaces.bar((0, 0, -0.02), (0, 0, 0.06), 0.024, 0.03)
  prong = surfaces.sweep(
    paths.curve(
      [(0.006, 0.003, -0.015), (0.008, 0.003, -0.05), (0.012, -0.025, -0.095)],
      8,
    ),
    surfaces.superellipse(0.01, 0.022, 4, 8),
    np.linspace(1, 0.4, 8),
  )
  return shapes.joined(neck, shapes.mirrored(prong))


def axe(
  rng: np.random.Generator, double: bool, long: float
) -> assembly.Assembly:
  """A shaft with one or two flaring blades."""
  model = assembly.Assembly()
  wood, steel = materials.pick(rng, 'wood'), materials.pick(rng, 'tool_steel')
  long *= rng.uniform(0.92, 1.08)
  size = 0.1 * (long / 0.4) ** 0.5
  model.add(wood, tool_parts.shaft(long, 0.024, 0.04))
  s = np.linspace(0, 1, 9)
  flare = np.interp(s, [0, 0.4, 0.8, 1], [0.25, 0.28, 0.6, 0.78]) * size
  drop = np.interp(s, [0, 1], [0, 0.2 if not double else 0]) * size
  y = long - 0.3 * size
  blade = [
    tool_parts.plate(
      np.stack([s * 1.25 * size, y - flare - drop], 1),
      np.stack([s * 1.25 * size, y + 0.8 * flare], 1),
      0.016,
    )
  ]
  edge = paths.arc(1, -60, 60, 9)
  blade.append(
    tool_parts.plate(
      np.stack(
        [
          np.full(9, 1.25 * size),
          y - drop[-1] * 0.5 + flare[-1] * 0.9 * np.linspace(-1, 1, 9),
        ],
        1,
      ),
      np.stack(
        [
          1.25 * size + 0.16 * size * (edge[:, 0] * 2 - 1),
          y - drop[-1] * 0.5 + flare[-1] * np.linspace(-1, 1, 9),
        ],
        1,
      ),
      0.008,
    )
  )
  model.add(steel, *blade)
  if double:
    model.add(steel, *[shapes.reflected(b, 'z') for b in blade])
  else:
    model.add(
      steel,
      blocks.box((0.036, 0.5 * size, 0.4 * size), (0, y, -0.12 * size), 0.006),
    )
  return model
