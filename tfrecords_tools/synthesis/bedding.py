"""Bed linen: sheets, duvets, pillows and blankets. The head is at +z."""

from typing import List
from typing import Tuple

import numpy as np

from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import shapes
from tfrecords_tools.synthesis import colors
from tfrecords_tools.synthesis import draping
from tfrecords_tools.synthesis import height_field
from tfrecords_tools.synthesis import materials
from tfrecords_tools.synthesis import pillows
from tfrecords_tools.synthesis import soft_good
from tfrecords_tools.synthesis import textures

_LEVELS = (0.12, 1.9)  # metres, where mattresses are; the upper one of a bunk
_RAIL = 0.04  # metres over the mattress: linen stays inside
_FLAT = 0.4  # radians, from which on pillows lean
_UNMADE = 0.35  # how often the cover lies as it was thrown
_NUM_PILLOWS = {0: 0.1, 1: 0.2, 2: 0.4, 3: 0.12, 4: 0.18}


def lay(
  rng: np.random.Generator,
  bank: textures.TextureBank,
  field: height_field.HeightField,
) -> List[soft_good.SoftGood]:
  """Makes a bed.

  Args:
    rng: the source of randomness.
    bank: of textures.
    field: the bed, its head at +z; takes in what is laid on it.

  Returns:
    A duvet, pillows, a blanket, each perhaps; none if there is no mattress.
  """
  region = field.level_region(*_LEVELS, smallest=0.4, share=0.3)
  if region is None:
    return []
  main = materials.draw(rng, bank, 'linen')
  own_pillows = _has_pillows(field, region)
  goods = []
  if _is_slatted(field, region):
    goods.append(_mattress(rng, field, region))
    region = region._replace(level=float(goods[0].vertices[:, 1].max()))
  if rng.random() < 0.88:
    if rng.random() < _UNMADE:
      goods.append(_thrown_cover(rng, field, region, main))
    else:
      goods += _duvet(rng, bank, field, region, main)
  if not own_pillows:
    goods += _pillows(rng, bank, field, region, main)
  if rng.random() < 0.25:
    goods.append(_blanket(rng, bank, field, region))
  return goods


def _is_slatted(
  field: height_field.HeightField, region: height_field.Region
) -> bool:
  """Does the CAD end with slats, where real beds have a mattress?"""
  x = (field.x >= region.x[0]) & (field.x <= region.x[1])
  z = (field.z >= region.z[0]) & (field.z <= region.z[1])
  return bool(field.open[np.ix_(x, z)].mean() > 0.15)


def _mattress(rng, field, region) -> soft_good.SoftGood:
  """A mattress on the slats."""
  thick = rng.uniform(0.12, 0.22)
  size = np.ptp(region.x) - 0.01, thick, np.ptp(region.z) - 0.01
  middle = np.mean(region.x), region.level + 0.5 * thick, np.mean(region.z)
  shape = blocks.cushion(size, middle, radius=0.3 * thick)
  field.raise_by(*shape)
  look = materials.plain(rng, colors.draw(rng, 'white'), 0.95, 0.0)
  return soft_good.make(*shape, look)


def _sides(
  field: height_field.HeightField, region: height_field.Region
) -> Tuple[bool, bool, bool]:
  """Are the left (-x), the right and the foot (-z) side without a rail?"""
  x, z = np.array(region.x), np.array(region.z)
  out = np.linspace(0.02, 0.12, 5)
  between = np.linspace(0.2, 0.8, 9)
  ys = z[0] + between * (z[1] - z[0])
  xs = x[0] + between * (x[1] - x[0])
  rims = (
    field.at(*np.meshgrid(x[0] - out, ys)),
    field.at(*np.meshgrid(x[1] + out, ys)),
    field.at(*np.meshgrid(xs, z[0] - out)),
  )
  return tuple(
    bool(np.median(rim.max(axis=-1 if i < 2 else 0)) < region.level + _RAIL)
    for i, rim in enumerate(rims)
  )


def _duvet(rng, bank, field, region, material) -> List[soft_good.SoftGood]:
  """A duvet, sometimes folded back at the head."""
  middle = (np.mean(region.x), np.mean(region.z))
  half = 0.5 * np.ptp(region.x), 0.5 * np.ptp(region.z)
  thick = rng.uniform(0.015, 0.06)
  over = _overhang(rng, region.level)
  reach = [
    over if free else -0.015 - 0.5 * thick for free in _sides(field, region)
  ]
  head = half[1] - 2 * half[1] * rng.uniform(0.0, 0.4)
  turn = rng.normal(0, 0.06) if rng.random() < 0.4 and over < 0 else 0.0
  across = (-half[0] - reach[0], half[0] + reach[1])
  shape = draping.sheet(
    rng, field, middle, across, (-half[1] - reach[2], head), thick, (34, 36),
    turn,
    crease=rng.uniform(0.0, 0.035),
  )  # fmt: skip
  goods = [soft_good.make(*shape, material)]
  field.raise_by(*shape)
  if rng.random() < 0.4:
    lining = material
    if rng.random() < 0.6:
      lining = materials.draw(rng, bank, 'linen')
    deep = rng.uniform(0.15, 0.45)
    fold = draping.sheet(
      rng, field, (middle[0], middle[1] + head - 0.5 * deep), across,
      (-0.5 * deep, 0.5 * deep + 0.01), 0.7 * thick, (30, 9), turn
    )  # fmt: skip
    goods.append(soft_good.make(*fold, lining))
    field.raise_by(*fold)
  return goods


def _thrown_cover(rng, field, region, material) -> soft_good.SoftGood:
  """A thin cover full of creases, askew, down to the floor on a side."""
  half = 0.5 * np.ptp(region.x), 0.5 * np.ptp(region.z)
  thick = rng.uniform(0.005, 0.03)
  sides = _sides(field, region)
  reach = [
    rng.uniform(-0.25, max(region.level, 0.1)) if free else -0.05
    for free in sides
  ]
  head = half[1] - 2 * half[1] * rng.uniform(0.05, 0.5)
  turn = rng.normal(0, 0.15) if all(sides) else 0.0
  shape = draping.sheet(
    rng, field, (np.mean(region.x), np.mean(region.z)),
    (-half[0] - reach[0], half[0] + reach[1]), (-half[1] - reach[2], head),
    thick, (48, 52), turn,
    crease=rng.uniform(0.03, 0.08),
  )  # fmt: skip
  field.raise_by(*shape)
  return soft_good.make(*shape, material)


def _overhang(rng: np.random.Generator, level: float) -> float:
  """Metres of duvet beyond the mattress; negative: it ends before."""
  if rng.random() < 0.3:
    return -rng.uniform(0.0, 0.1)
  return min(rng.uniform(0.04, 0.4), max(level - 0.04, 0.02))


def _blanket(rng, bank, field, region) -> soft_good.SoftGood:
  """A folded blanket across the foot end."""
  half = 0.5 * np.ptp(region.x)
  deep = rng.uniform(0.3, 0.7)
  along = region.z[0] + rng.uniform(0.1, 0.3) * np.ptp(region.z) + 0.5 * deep
  sides = _sides(field, region)
  over = rng.uniform(0.02, 0.35)
  reach = [over if free else -0.04 for free in sides[:2]]
  shape = draping.sheet(
    rng, field, (np.mean(region.x), along), (-half - reach[0], half + reach[1]),
    (-0.5 * deep, 0.5 * deep), rng.uniform(0.008, 0.02), (36, 14),
    rng.normal(0, 0.05),
  )  # fmt: skip
  return soft_good.make(*shape, materials.draw(rng, bank, 'fabric'))


def _pillows(rng, bank, field, region, material) -> List[soft_good.SoftGood]:
  """Pillows at the head, flat or leaning, side by side and in two rows."""
  count = int(colors.pick(rng, _NUM_PILLOWS))
  wide, deep = np.ptp(region.x), np.ptp(region.z)
  columns = 1 if wide < 1.15 else 2
  count = min(count, 2 * columns)
  looks = [material, materials.draw(rng, bank, 'linen')]
  if rng.random() < 0.4:
    looks[0] = materials.draw(rng, bank, 'linen')
  size = np.array(
    [
      min(rng.uniform(0.55, 0.8), 0.92 * wide / columns),
      min(rng.uniform(0.38, 0.6), 0.45 * deep),
      rng.uniform(0.1, 0.18),
    ]
  )
  tilt = rng.uniform(0, 0.15)
  if _has_headboard(field, region):
    tilt = rng.uniform(0, 1.15)
  below = field.without_above(region.level + 0.12, region.level)
  goods = []
  for row, look in enumerate(looks):
    here = min(columns, count - columns * row)
    if here < 1:
      break
    used = 0.0
    if row and tilt < _FLAT:
      if rng.random() < 0.5:  # half on the first row; else on top of it
        used, tilt = 0.5 * size[1], rng.uniform(0.25, 0.4)
    elif row:
      used = min(size[2] + 0.4 * size[1] * np.cos(tilt), 0.35)
      size = size * [rng.uniform(0.65, 0.95), rng.uniform(0.65, 0.95), 1]
    shapes_of_row = []
    for column in range(here):
      x = region.x[0] + wide * (column + 0.5) / here + rng.normal(0, 0.02)
      lean = tilt + rng.normal(0, 0.06)
      shape = pillows.pillow(rng, *size)
      shapes_of_row.append(
        _put(rng, shape, field, below, region, x, lean, used)
      )
    if tilt < _FLAT:
      for shape in shapes_of_row:
        below.raise_by(*shape)
    goods += [soft_good.make(*shape, look) for shape in shapes_of_row]
  return goods


def _has_pillows(
  field: height_field.HeightField, region: height_field.Region
) -> bool:
  """Does the CAD bring pillows: low bumps at an end of the free mattress?"""
  x = (field.x > region.x[0]) & (field.x < region.x[1])
  rise = field.furniture[x] - region.level
  bumpy = ((rise > 0.03) & (rise < 0.35)).mean(axis=0) > 0.4
  ends = field.z > region.z[1] + 0.01, field.z < region.z[0] - 0.01
  cells = max(np.sum(bumpy & end) for end in ends)
  return bool(cells * (field.z[1] - field.z[0]) > 0.2)


def _has_headboard(field, region) -> bool:
  """Does something stand up behind the mattress's head?"""
  x = np.linspace(*region.x, 9)[1:-1]
  z = np.linspace(region.z[1] - 0.1, region.z[1] + 0.3, 12)
  rim = field.at(*np.meshgrid(x, z)).max(axis=0)
  return bool(np.median(rim) > region.level + 0.2)


def _put(rng, shape, field, below, region, x, tilt, used) -> shapes.Shape:
  """A pillow at x, pushed to the head but for `used` metres, and laid down."""
  turned = shapes.rotated(shape, 'x', -np.degrees(max(tilt, 0)))
  turned = shapes.rotated(turned, 'y', np.degrees(rng.normal(0, 0.08)))
  vertices = turned.vertices + [x, 0, np.mean(region.z)]
  vertices[:, 1] += region.level + 0.03 - vertices[:, 1].min()
  limit = region.z[1] + 0.05 - vertices[:, 2].max()
  pushed = height_field.slide(
    field.caster, vertices, (0, 0, 1), max(limit, 0.01), sunk=0.0
  )
  vertices = vertices + [0, 0, limit - 0.03] if pushed is None else pushed
  vertices = vertices - [0, 0, used]
  return shapes.Shape(below.rest(vertices, sunk=0.012), shape.faces)
