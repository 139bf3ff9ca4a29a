"""Chests of drawers."""

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import fronts
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import supports
from mask2cad_tf.geometry.furniture import surfaces


def chest(
  rng: np.random.Generator,
  rows: int,
  columns: int,
  feet: str,
  handle: str = 'knob',
  bow: bool = False,
  door: bool = False,
) -> assembly.Assembly:
  """A chest of drawers; 'bow' bends its front, 'door' adds a cupboard."""
  model = assembly.Assembly()
  wood = materials.pick(rng, 'wood', 'paint')
  metal = materials.pick(rng, 'metal', 'iron')
  width = columns * rng.uniform(0.5, 0.6) + (0.25 if columns == 1 else 0)
  depth, low = (
    rng.uniform(0.42, 0.5),
    0.06 if feet == 'plinth' else rng.uniform(0.12, 0.2),
  )
  high = low + rows * rng.uniform(0.19, 0.23)
  model.add(
    metal if feet in supports.METAL else wood,
    supports.support(feet, width - 0.02, depth - 0.03, low, 0.026),
  )
  model.add(
    wood, blocks.box((width, high - low, depth), (0, (low + high) / 2, 0))
  )
  model.add(
    wood,
    blocks.box(
      (width + 0.04, 0.025, depth + 0.03), (0, high + 0.012, 0.01), 0.008
    ),
  )
  if bow:
    _add_bow_front(model, wood, metal, handle, (width, depth, low, high), rows)
    return model
  for i in range(columns):
    left = (i / columns - 0.5) * width
    right = left + width / columns
    if door and i == columns - 1:
      fronts.door(
        model,
        wood,
        metal,
        (left, low, right, high),
        depth / 2,
        'shaker',
        -1,
        handle,
      )
      continue
    levels = low + (high - low) * np.linspace(0, 1, rows + 1)
    for a, b in zip(levels[:-1], levels[1:]):
      fronts.drawer(
        model, wood, metal, (left + 0.01, a, right - 0.01, b), depth / 2, handle
      )
  return model


def _add_bow_front(model, wood, metal, handle, sizes, rows):
  """Drawers whose fronts swell in the middle."""
  width, depth, low, high = sizes
  x = np.linspace(-1, 1, 13)
  tall = (high - low) / rows
  for i in range(rows):
    y = low + i * tall
    line = np.stack(
      [
        x * (width / 2 - 0.02),
        0 * x + y + 0.006,
        depth / 2 + 0.07 * (1 - x**2),
      ],
      1,
    )
    model.add(wood, surfaces.panel(line, line + (0, tall - 0.012, 0), 0.02))
    knob = shapes.moved(
      fronts.handle(handle), (0.27 * width, y + tall / 2, depth / 2 + 0.06)
    )
    model.add(metal, shapes.mirrored(knob))
