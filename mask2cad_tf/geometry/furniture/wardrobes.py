"""Wardrobes, armoires and clothes racks."""

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import fronts
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import supports
from mask2cad_tf.geometry.furniture import surfaces


def wardrobe(
  rng: np.random.Generator,
  doors: int,
  style: str = 'flat',
  drawers: int = 0,
  crown: str = 'none',
  feet: str = 'plinth',
  handle: str = 'bar',
  mirror: bool = False,
) -> assembly.Assembly:
  """A wardrobe with hinged doors.

  Args:
    rng: proportions and colours.
    doors: leaves, 1 to 4.
    style: of the doors.
    drawers: rows of drawers below them.
    crown: 'none', 'cornice', 'arch', 'gable' or 'round'.
    feet: a kind of support.
    handle: kind of the handles.
    mirror: the middle leaf, or the middle two, are mirrors.

  Returns:
    The wardrobe.
  """
  model = assembly.Assembly()
  wood = materials.pick(rng, 'wood', 'wood', 'paint')
  metal = materials.pick(rng, 'metal', 'iron')
  width, depth = doors * rng.uniform(0.42, 0.52), rng.uniform(0.52, 0.64)
  width += 0.15 if doors == 1 else 0
  low = 0.07 if feet == 'plinth' else rng.uniform(0.12, 0.18)
  high = rng.uniform(1.8, 2.15)
  model.add(
    metal if feet in supports.METAL else wood,
    supports.support(feet, width - 0.02, depth - 0.03, low, 0.03),
  )
  model.add(
    wood, blocks.box((width, high - low, depth), (0, (low + high) / 2, 0))
  )
  z, split = depth / 2, low + drawers * 0.22
  columns = 1 if doors < 3 else 2
  for j in range(drawers):
    for i in range(columns):
      left = (i / columns - 0.5) * width
      rect = (
        left + 0.01,
        low + j * 0.22,
        left + width / columns - 0.01,
        low + (j + 1) * 0.22,
      )
      fronts.drawer(model, wood, metal, rect, z, handle)
  styles = [style] * doors
  if mirror:  # the middle leaf or the middle two
    for i in {(doors - 1) // 2, doors // 2}:
      styles[i] = 'mirror'
  leaf = (width - 0.02) / doors
  for i, one in enumerate(styles):
    left = i * leaf - width / 2 + 0.01
    fronts.door(
      model,
      wood,
      metal,
      (left, split, left + leaf, high - 0.01),
      z,
      one,
      1 if i < doors / 2 else -1,
      handle,
    )
  _add_crown(model, wood, crown, width, depth, high)
  return model


def _add_crown(model, wood, crown, width, depth, high):
  """Ornaments above the doors."""
  if crown == 'cornice':
    for i, out in enumerate((0.03, 0.07, 0.11)):
      model.add(
        wood,
        blocks.box(
          (width + out, 0.03, depth + out),
          (0, high + 0.015 + 0.03 * i, 0),
          0.008,
        ),
      )
  elif crown in ('arch', 'gable', 'round'):
    x = np.linspace(-1, 1, 21)
    rise = {
      'arch': 0.22 * np.cos(np.pi * x / 2) ** 2 + 0.04,
      'gable': 0.24 * (1 - np.abs(x)) + 0.03,
      'round': 0.3 * np.sqrt(1 - 0.98 * x**2),
    }[crown]
    deep = depth if crown == 'round' else 0.05
    front = np.stack(
      [x * width / 2, 0 * x + high - 0.01, 0 * x + (depth - deep) / 2], 1
    )
    model.add(
      wood,
      surfaces.panel(front, front + np.stack([0 * x, rise, 0 * x], 1), deep),
    )


def sliding(
  rng: np.random.Generator, doors: int, style: str, bands: int
) -> assembly.Assembly:
  """Overlapping sliding doors, some of glass or mirror."""
  model = assembly.Assembly()
  wood, other = (
    materials.pick(rng, 'wood', 'paint'),
    materials.pick(rng, 'wood'),
  )
  metal = materials.pick(rng, 'metal')
  width, depth = doors * rng.uniform(0.7, 0.9), rng.uniform(0.58, 0.66)
  high, leaf = rng.uniform(1.95, 2.2), 0.0
  fronts.carcass(model, wood, width, depth, 0.05, high)
  model.add(wood, blocks.box((width - 0.04, 0.05, depth - 0.06), (0, 0.025, 0)))
  leaf = (width - 0.04) / doors
  for i in range(doors):
    x, z = (i + 0.5 - doors / 2) * leaf, depth / 2 - 0.02 - 0.03 * (i % 2)
    rect = (x - leaf / 2 - 0.02, 0.07, x + leaf / 2 + 0.02, high - 0.02)
    if style == 'mirror' and i % 2 == 0:
      fronts.door(model, metal, metal, rect, z - 0.02, 'mirror', 0)
    else:
      levels = np.linspace(rect[1], rect[3], bands + 1)
      for k, (a, b) in enumerate(zip(levels[:-1], levels[1:])):
        model.add(
          other if k % 2 else wood,
          blocks.box(
            (leaf + 0.04, b - a - 0.008, 0.02), (x, (a + b) / 2, z - 0.01)
          ),
        )
    model.add(
      metal,
      blocks.box(
        (0.02, 0.9, 0.014),
        (x + (leaf / 2 - 0.03) * (1 if i else -1), high / 2, z + 0.006),
      ),
    )
  return model


def open_wardrobe(
  rng: np.random.Generator, side: str, door: bool
) -> assembly.Assembly:
  """Half shelves and drawers, half hanging rail; `side` has the shelves."""
  model = assembly.Assembly()
  wood, metal = (
    materials.pick(rng, 'wood', 'paint'),
    materials.pick(rng, 'metal'),
  )
  width, depth = rng.uniform(1.2, 1.7), rng.uniform(0.5, 0.6)
  high, sign = rng.uniform(1.85, 2.1), 1 if side == 'right' else -1
  fronts.carcass(model, wood, width, depth, 0.06, high)
  model.add(wood, supports.support('plinth', width, depth, 0.06, 0.02))
  model.add(
    wood,
    blocks.box(
      (0.02, high - 0.06, depth - 0.01),
      (sign * 0.05 * width, high / 2 + 0.03, 0),
    ),
  )
  left = sorted((sign * 0.05 * width, sign * (width / 2 - 0.02)))
  for y in np.linspace(0.75, high, 5)[:-1]:
    model.add(
      wood,
      blocks.box(
        (left[1] - left[0], 0.02, depth - 0.02), (sum(left) / 2, y, 0)
      ),
    )
  for a in (0.06, 0.29, 0.52):
    fronts.drawer(
      model, wood, metal, (left[0], a, left[1], a + 0.23), depth / 2, 'bar'
    )
  ends = (-sign * (width / 2 - 0.02), sign * 0.05 * width)
  model.add(
    metal,
    surfaces.tube(
      [(ends[0], high - 0.12, 0), (ends[1], high - 0.12, 0)], 0.014
    ),
  )
  if door:
    rect = (min(ends), 0.06, max(ends), high)
    fronts.door(model, wood, metal, rect, depth / 2, 'shaker', sign, 'bar')
  else:
    _hang_clothes(model, rng, min(ends), max(ends), high - 0.12)
  return model


def _hang_clothes(model, rng, left, right, y):
  """A few coats on a rail."""
  for x in np.linspace(left, right, 7)[1:-1]:
    tall = rng.uniform(0.7, 1.05)
    model.add(
      materials.pick(rng, 'fabric'),
      blocks.cushion(
        (0.06, tall, 0.38),
        (x, y - 0.06 - tall / 2, 0),
        0.04,
        (0.01, 0, 0.02),
        corner=1,
      ),
    )


def rack(
  rng: np.random.Generator, shelves: int, frame: str
) -> assembly.Assembly:
  """A clothes rail on an A-frame or a square frame, with coats."""
  model = assembly.Assembly()
  wood, metal = (
    materials.pick(rng, 'wood'),
    materials.pick(rng, 'metal', 'iron'),
  )
  width, high = rng.uniform(1.0, 1.4), rng.uniform(1.5, 1.75)
  x = width / 2
  if frame == 'square':
    model.add(metal, supports.support('frame', width, 0.42, high, 0.014))
  else:
    model.add(
      wood,
      shapes.mirrored(
        shapes.joined(
          surfaces.bar((x, 0, 0.24), (x, high, -0.02), 0.03, 0.035),
          surfaces.bar(
            (x - 0.03, 0, -0.24), (x - 0.03, high, 0.02), 0.03, 0.035
          ),
        )
      ),
    )
  model.add(
    metal, surfaces.tube([(-x, high - 0.05, 0), (x, high - 0.05, 0)], 0.015)
  )
  for i in range(shelves):
    model.add(
      wood,
      blocks.box((width - 0.04, 0.02, 0.36 - 0.1 * i), (0, 0.15 + 0.2 * i, 0)),
    )
  _hang_clothes(model, rng, -x, x, high - 0.05)
  return model
