"""Bureaus: desks with a lid."""

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import fronts
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import paths
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import supports
from mask2cad_tf.geometry.furniture import surfaces


def secretary(
  rng: np.random.Generator, roll_top: bool, legs: str
) -> assembly.Assembly:
  """A bureau: sloping or rolling lid over drawers."""
  model = assembly.Assembly()
  wood, metal = materials.pick(rng, 'wood'), materials.pick(rng, 'metal')
  width, depth = rng.uniform(0.85, 1.2), rng.uniform(0.5, 0.62)
  low, desk_y, top = rng.uniform(0.1, 0.16), 0.74, rng.uniform(1.05, 1.18)
  model.add(
    wood, supports.support(legs, width - 0.02, depth - 0.02, low, 0.028)
  )
  model.add(
    wood,
    blocks.box(
      (width, desk_y - low, depth - 0.02), (0, (low + desk_y) / 2, -0.01)
    ),
  )
  levels = np.linspace(low, desk_y, 4)
  for a, b in zip(levels[:-1], levels[1:]):
    fronts.drawer(
      model, wood, metal, (-width / 2, a, width / 2, b), depth / 2 - 0.02, 'cup'
    )
  if roll_top:
    lid = paths.arc(1, 0, 90, 11, plane='zy') * (0, top - desk_y, depth * 0.72)
  else:
    lid = paths.line([0, 0, 0.94 * depth], [0, top - desk_y, 0.36 * depth], 11)
  lid = lid + (0, desk_y, -depth / 2)
  wall = np.full((11, 1), -depth / 2)
  for s in (-1, 1):
    edge = np.concatenate(
      [np.full((11, 1), s * (width / 2 - 0.01)), lid[:, 1:]], 1
    )
    model.add(
      wood, surfaces.panel(np.concatenate([edge[:, :2], wall], 1), edge, 0.02)
    )
  x = np.array([-1, 0, 1])[:, None] * (width / 2 - 0.02)
  model.add(
    wood,
    surfaces.sheet(
      np.stack(np.broadcast_arrays(x, lid[:, 1], lid[:, 2]), -1), 0.014
    ),
  )
  deep = lid[-1, 2] + depth / 2 + 0.02
  model.add(
    wood, blocks.box((width + 0.02, 0.02, deep), (0, top, deep / 2 - depth / 2))
  )
  model.add(
    metal,
    shapes.moved(
      fronts.handle('knob'),
      (0, desk_y + 0.09, depth * (0.25 if roll_top else 0.36)),
    ),
  )
  return model
