"""Cushions and throws on sofas, pads on chairs. The back is at +z."""

from typing import List
from typing import Optional

import numpy as np

from mask2cad_tf.geometry.furniture import shapes
from tfrecords_tools.synthesis import colors
from tfrecords_tools.synthesis import draping
from tfrecords_tools.synthesis import height_field
from tfrecords_tools.synthesis import materials
from tfrecords_tools.synthesis import pillows
from tfrecords_tools.synthesis import soft_good
from tfrecords_tools.synthesis import textures

_SEATS = (0.2, 0.62)  # metres, how high seats are
_NUM_CUSHIONS = {0: 0.15, 1: 0.2, 2: 0.3, 3: 0.15, 4: 0.12, 5: 0.08}
_THROWS = 0.25  # how often a sofa has one
_PADS = 0.15  # how often a chair has one


def lay_on_sofa(
  rng: np.random.Generator,
  bank: textures.TextureBank,
  field: height_field.HeightField,
) -> List[soft_good.SoftGood]:
  """Cushions that lean on the back, and perhaps a throw.

  Args:
    rng: the source of randomness.
    bank: of textures.
    field: the sofa, its back at +z; takes in the throw.

  Returns:
    The goods; none if there is no seat.
  """
  region = field.level_region(*_SEATS, smallest=0.3)
  if region is None:
    return []
  goods = []
  if rng.random() < _THROWS:
    goods.append(_throw(rng, bank, field, region))
  count = int(colors.pick(rng, _NUM_CUSHIONS))
  looks = [materials.draw(rng, bank, 'fabric') for _ in range(2)]
  side = rng.uniform(0.36, 0.52)
  for x in _places(rng, region, side, count):
    shape = _cushion(rng, field, region, x, side * rng.uniform(0.9, 1.05))
    if shape is not None:
      goods.append(soft_good.make(*shape, looks[int(rng.integers(2))]))
  return goods


def lay_on_chair(
  rng: np.random.Generator,
  bank: textures.TextureBank,
  field: height_field.HeightField,
) -> List[soft_good.SoftGood]:
  """Sometimes a thin pad on the seat."""
  if rng.random() > _PADS:
    return []
  region = field.level_region(0.3, 0.6, smallest=0.28)
  if region is None:
    return []
  size = np.minimum([np.ptp(region.x), np.ptp(region.z)], 0.5)
  if size[0] > 2 * size[1]:
    return []
  share = rng.uniform(0.88, 1.0)
  shape = pillows.pillow(rng, *(share * size), rng.uniform(0.025, 0.05))
  place = [np.mean(region.x), region.level + 0.2, np.mean(region.z)]
  vertices = field.without_above(region.level + 0.06, region.level).rest(
    shape.vertices + place, sunk=0.008
  )
  material = materials.draw(rng, bank, 'fabric')
  return [soft_good.make(vertices, shape.faces, material)]


def _places(rng, region, side, count) -> np.ndarray:
  """Where cushions stand along the sofa; the ends are taken first."""
  low, high = region.x[0] + 0.5 * side, region.x[1] - 0.5 * side
  if high < low:
    return np.array([np.mean(region.x)])[: min(count, 1)]
  slots = np.linspace(low, high, max(int((high - low) / (0.85 * side)) + 1, 1))
  if len(slots) == 1:
    slots = slots - slots + np.mean(region.x)
  ends = np.abs(slots - np.mean(region.x)) + rng.uniform(
    0, 0.4 * side, len(slots)
  )
  if rng.random() < 0.3:
    ends = rng.random(len(slots))
  chosen = slots[np.argsort(-ends, kind='stable')][:count]
  return np.clip(chosen + rng.normal(0, 0.03, len(chosen)), low, high)


def _cushion(rng, field, region, x, side) -> Optional[shapes.Shape]:
  """One cushion, leaning on the back or lying where there is none."""
  below = field.without_above(region.level + 0.12, region.level)
  shape = pillows.pillow(
    rng, side, side * rng.uniform(0.75, 1.0), rng.uniform(0.1, 0.19)
  )
  standing = shape
  if rng.random() < 0.15:
    standing = shapes.rotated(shape, 'y', 45)  # on its corner
  standing = shapes.rotated(standing, 'x', -rng.uniform(58, 80))
  standing = shapes.rotated(standing, 'y', np.degrees(rng.normal(0, 0.2)))
  low = standing.vertices.min(axis=0)
  start = region.z[0] + 0.1 * np.ptp(region.z) - low[2]
  vertices = standing.vertices + [x, region.level + 0.02 - low[1], start]
  pushed = height_field.slide(
    field.caster, vertices, (0, 0, 1), np.ptp(region.z) + 0.25, sunk=0.02
  )
  if pushed is None:
    flat = shapes.rotated(shape, 'y', np.degrees(rng.uniform(0, 6.3)))
    pushed = flat.vertices + [x, region.level + 0.3, np.mean(region.z)]
  middle = pushed.mean(axis=0)
  carried = field.at(middle[:1], middle[2:])[0]
  if abs(carried - region.level) > 0.12:
    return None  # not over the seat: the corner of an L, a gap
  return shapes.Shape(below.rest(pushed, sunk=0.015), shape.faces)


def _throw(rng, bank, field, region) -> soft_good.SoftGood:
  """A blanket over the seat, the back or an arm."""
  wide, thick = rng.uniform(0.4, 0.9), rng.uniform(0.006, 0.015)
  over = rng.choice(['seat', 'back', 'arm'])
  turn = rng.normal(0, 0.12)
  z = np.mean(region.z)
  if over == 'arm':
    side = int(rng.integers(2))
    x = _ridge(field, region, side)
    across = np.array([-rng.uniform(0.2, 0.45), rng.uniform(0.25, 0.6)])
    across = across if side == 0 else -across[::-1]
    along = (-0.4 * wide, 0.4 * wide)
  else:
    wide = min(wide, 0.9 * np.ptp(region.x))
    spare = 0.5 * (np.ptp(region.x) - wide)
    x = np.mean(region.x) + rng.uniform(-1, 1) * max(spare, 0)
    across = (-0.5 * wide, 0.5 * wide)
    front = 0.5 * np.ptp(region.z) + rng.uniform(0.03, 0.35)
    along = (-front, rng.uniform(0.3, 0.9))
    if over == 'back':
      z = _back(field, region, x)
      along = (-rng.uniform(0.5, 1.3), rng.uniform(0.1, 0.4))
  shape = draping.sheet(
    rng,
    field,
    (x, z),
    across,
    along,
    thick,
    (30, 34),
    turn,
    crease=rng.uniform(0.0, 0.03),
  )
  field.raise_by(*shape)
  return soft_good.make(*shape, materials.draw(rng, bank, 'fabric'))


def _ridge(field, region, side: int) -> float:
  """X of the highest place beside the seat: the arm, on that side."""
  out = np.linspace(-0.02, 0.3, 24)
  x = region.x[0] - out if side == 0 else region.x[1] + out
  z = np.linspace(*region.z, 7)[1:-1]
  return float(x[field.at(*np.meshgrid(x, z)).mean(axis=0).argmax()])


def _back(field, region, x: float) -> float:
  """Z of the highest place behind the seat at x: the top of the back."""
  z = np.linspace(region.z[1] - 0.05, field.z[-1], 24)
  return float(z[field.at(np.full(24, x), z).argmax()])
