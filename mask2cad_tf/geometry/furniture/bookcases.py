"""Bookcases and sideboards."""

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import fronts
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import supports
from mask2cad_tf.geometry.furniture import surfaces


def bookcase(
  rng: np.random.Generator,
  shelves: int,
  bays: int = 1,
  back: bool = True,
  lower: str = 'none',
  crown: str = 'none',
  feet: str = 'plinth',
  books: bool = False,
  aspect: float = 1.0,
) -> assembly.Assembly:
  """An upright case with shelves.

  Args:
    rng: proportions and colours.
    shelves: compartments in height.
    bays: compartments in width.
    back: closed by a panel.
    lower: 'none', a door style or 'drawers' in the lowest compartments.
    crown: 'none', 'cornice', 'arch' or 'gable' on top.
    feet: a kind of support.
    books: some shelves are filled.
    aspect: multiplies the width.

  Returns:
    The bookcase.
  """
  model = assembly.Assembly()
  wood = materials.pick(rng, 'wood', 'wood', 'paint')
  metal = materials.pick(rng, 'metal', 'iron')
  width = aspect * bays * rng.uniform(0.55, 0.75) * (1 if bays < 3 else 0.75)
  depth, low = rng.uniform(0.28, 0.36), {'plinth': 0.06}.get(feet, 0.14)
  high = low + shelves * rng.uniform(0.3, 0.38)
  model.add(
    metal if feet in supports.METAL else wood,
    supports.support(feet, width - 0.01, depth - 0.02, low, 0.02),
  )
  fronts.carcass(model, wood, width, depth, low, high, back)
  step = (high - low) / shelves
  _add_divisions(model, wood, shelves, bays, (width, depth, low, high))
  tiers = 0
  if lower != 'none':
    tiers = 2 if shelves > 4 else 1
    _add_lower(model, wood, metal, lower, bays, width, low, tiers, step, depth)
  if books:
    _add_books(
      model, rng, range(tiers, shelves), bays, (width, depth, low, step)
    )
  _add_crown(model, wood, crown, width, depth, high)
  return model


def _add_divisions(model, wood, shelves, bays, sizes):
  """Shelves and upright partitions."""
  width, depth, low, high = sizes
  step, bay = (high - low) / shelves, width / bays
  for i in range(1, shelves):
    model.add(
      wood,
      blocks.box(
        (width - 0.03, 0.02, depth - 0.02), (0, low + i * step, 0.005)
      ),
    )
  for j in range(1, bays):
    model.add(
      wood,
      blocks.box(
        (0.02, high - low, depth - 0.01),
        (j * bay - width / 2, (low + high) / 2, 0),
      ),
    )


def _add_books(model, rng, tiers, bays, sizes):
  """Books on some of the shelves."""
  width, depth, low, step = sizes
  bay = width / bays
  for i in tiers:
    for j in range(bays):
      if rng.random() < 0.62:
        left = j * bay - width / 2 + 0.02
        fronts.books(
          model,
          rng,
          left,
          left + bay - 0.04,
          low + i * step + 0.01,
          step - 0.02,
          depth,
        )


def _add_lower(model, wood, metal, lower, bays, width, low, tiers, step, depth):
  """Doors or drawers in front of the lowest compartments."""
  bay = width / bays
  for j in range(bays):
    left = j * bay - width / 2
    rect = (left, low, left + bay, low + tiers * step)
    if lower == 'drawers':
      count = 2 * tiers
      for i in range(count):
        tall = tiers * step / count
        fronts.drawer(
          model,
          wood,
          metal,
          (left, low + i * tall, left + bay, low + (i + 1) * tall),
          depth / 2,
          'cup',
        )
    elif bays == 1:
      fronts.door(
        model, wood, metal, (left, *rect[1:2], 0, rect[3]), depth / 2, lower, 1
      )
      fronts.door(model, wood, metal, (0, *rect[1:]), depth / 2, lower, -1)
    else:
      fronts.door(
        model, wood, metal, rect, depth / 2, lower, 1 if j < bays / 2 else -1
      )


def _add_crown(model, wood, crown, width, depth, high):
  """Ornaments above the case."""
  if crown == 'cornice':
    for i, out in enumerate((0.02, 0.05, 0.08)):
      model.add(
        wood,
        blocks.box(
          (width + out, 0.025, depth + out), (0, high + 0.0125 + 0.025 * i, 0)
        ),
      )
  elif crown in ('arch', 'gable'):
    x = np.linspace(-1, 1, 17)
    rise = 0.2 * (1 - x**2) if crown == 'arch' else 0.18 * (1 - np.abs(x))
    front = np.stack([x * width / 2, 0 * x + high, 0 * x + depth / 2 - 0.02], 1)
    model.add(
      wood,
      surfaces.panel(
        front, front + np.stack([0 * x, 0.02 + rise, 0 * x], 1), 0.03
      ),
    )


def low_unit(
  rng: np.random.Generator, layout: str, feet: str, door: str = 'flat'
) -> assembly.Assembly:
  """A sideboard: layout of 'o' open, 'd' door, 'w' drawers, left to right."""
  model = assembly.Assembly()
  wood = materials.pick(rng, 'wood', 'paint')
  metal = materials.pick(rng, 'metal', 'iron')
  bay, depth = rng.uniform(0.42, 0.52), rng.uniform(0.36, 0.44)
  width, low = bay * len(layout), rng.uniform(0.12, 0.2)
  high = low + rng.uniform(0.5, 0.62)
  model.add(
    metal if feet in supports.METAL else wood,
    supports.support(feet, width - 0.06, depth - 0.04, low, 0.022),
  )
  fronts.carcass(model, wood, width, depth, low, high)
  for j, mark in enumerate(layout):
    left = j * bay - width / 2
    if j:
      model.add(
        wood,
        blocks.box(
          (0.02, high - low, depth - 0.01), (left, (low + high) / 2, 0)
        ),
      )
    if mark == 'd':
      fronts.door(
        model,
        wood,
        metal,
        (left, low, left + bay, high),
        depth / 2,
        door,
        1 if j < len(layout) / 2 else -1,
      )
    elif mark == 'w':
      levels = np.linspace(low, high, 4)
      for a, b in zip(levels[:-1], levels[1:]):
        fronts.drawer(
          model, wood, metal, (left, a, left + bay, b), depth / 2, 'bar'
        )
    else:
      model.add(
        wood,
        blocks.box(
          (bay - 0.02, 0.02, depth - 0.03),
          (left + bay / 2, (low + high) / 2, 0),
        ),
      )
  return model
