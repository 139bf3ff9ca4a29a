"""Beds: single to king, day-beds, four-posters and cots."""

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import fronts
from mask2cad_tf.geometry.furniture import headboards
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import supports
from mask2cad_tf.geometry.furniture import surfaces

_WIDTHS = {'single': (0.9, 1.0), 'double': (1.38, 1.55), 'king': (1.75, 1.95)}


def _bedding(model, rng, width, length, y, style):
  """Mattress, pillows and cover; the head is at -z, the top of the base y."""
  sheet, cover = materials.pick(rng, 'linen'), materials.pick(rng, 'fabric')
  thick = rng.uniform(0.18, 0.26)
  model.add(
    sheet,
    blocks.cushion(
      (width, thick, length), (0, y + thick / 2, 0), 0.05, (0, 0.01, 0)
    ),
  )
  top = y + thick
  count = 1 if width < 1.2 else 2
  tall = 0.42
  for i in range(count if style != 'bare' else 0):
    x = (i - (count - 1) / 2) * 0.48 * width
    pillow = blocks.cushion(
      (min(0.66, 0.46 * width if count == 2 else 0.62), 0.13, tall),
      (x, top + 0.05, -length / 2 + 0.27),
      0.06,
      (-0.02, 0.03, 0),
    )
    model.add(
      sheet, shapes.rotated(pillow, 'x', 10, (x, top, -length / 2 + 0.27))
    )
  if style == 'duvet':
    long = 0.68 * length
    model.add(
      cover,
      blocks.cushion(
        (width + 0.06, thick + 0.04, long),
        (0, y + 0.55 * thick, length / 2 - long / 2 + 0.02),
        0.07,
        (0, 0.02, 0),
      ),
    )
  elif style == 'fold':
    long = 0.56 * length
    model.add(
      cover,
      blocks.cushion(
        (width + 0.05, thick + 0.03, long),
        (0, y + 0.55 * thick, length / 2 - long / 2 + 0.02),
        0.06,
      ),
    )
    model.add(
      sheet,
      blocks.cushion(
        (width + 0.06, 0.06, 0.26),
        (0, top + 0.02, length / 2 - long - 0.04),
        0.03,
      ),
    )
  elif style == 'throw':
    model.add(
      cover,
      blocks.cushion(
        (width + 0.03, thick + 0.02, 0.5),
        (0, y + 0.52 * thick, 0.25 * length),
        0.05,
      ),
    )
  return top


def bed(
  rng: np.random.Generator,
  size: str,
  head: str,
  foot: str = 'none',
  base: str = 'rails',
  bedding: str = 'duvet',
) -> assembly.Assembly:
  """A bed.

  Args:
    rng: proportions and colours.
    size: 'single', 'double' or 'king'.
    head: kind of headboard or 'none'.
    foot: kind of footboard or 'none'.
    base: 'rails', 'box', 'platform', 'drawers' or a kind of leg.
    bedding: 'duvet', 'fold', 'throw', 'plain' or 'bare'.

  Returns:
    The bed.
  """
  model = assembly.Assembly()
  metal = head in headboards.METAL
  wood = (
    materials.pick(rng, 'iron', 'metal')
    if metal
    else materials.pick(rng, 'wood', 'wood', 'paint')
  )
  cloth = materials.pick(rng, 'fabric', 'leather')
  width, length = rng.uniform(*_WIDTHS[size]), rng.uniform(1.92, 2.08)
  y = rng.uniform(0.28, 0.36)
  _add_base(model, rng, base, wood, cloth, width, length, y)
  top = _bedding(model, rng, width - 0.04, length - 0.02, y, bedding)
  wide = width + 0.06
  if head != 'none':
    hard, soft = headboards.board(
      head, wide, y + 0.04, rng.uniform(top + 0.4, top + 0.65)
    )
    model.add(
      wood, *[shapes.moved(s, (0, 0, -length / 2 - 0.04)) for s in hard]
    )
    model.add(
      cloth, *[shapes.moved(s, (0, 0, -length / 2 - 0.04)) for s in soft]
    )
  if foot != 'none':
    hard, soft = headboards.board(
      foot, wide, y - 0.06, top + rng.uniform(0.04, 0.16)
    )
    for part, material in [(s, wood) for s in hard] + [
      (s, cloth) for s in soft
    ]:
      model.add(
        material,
        shapes.moved(shapes.reflected(part, 'z'), (0, 0, length / 2 + 0.05)),
      )
  return model


def _add_base(model, rng, base, wood, cloth, width, length, y):
  """What carries the mattress, up to height y."""
  if base == 'box':
    model.add(
      cloth,
      blocks.cushion((width, y - 0.08, length), (0, y / 2 + 0.04, 0), 0.03),
    )
    model.add(
      wood, supports.support('square', width - 0.1, length - 0.1, 0.08, 0.03)
    )
    return
  if base == 'platform':
    model.add(
      wood,
      blocks.box(
        (width + 0.24, 0.07, length + 0.12), (0, y - 0.035, 0.04), 0.01
      ),
    )
    model.add(
      wood,
      supports.support('plinth', width - 0.25, length - 0.3, y - 0.07, 0.01),
    )
    return
  if base == 'drawers':
    model.add(wood, blocks.box((width, y - 0.02, length), (0, y / 2 + 0.01, 0)))
    knob = materials.pick(rng, 'metal', 'iron')
    turned = assembly.Assembly()
    for i in range(2):
      fronts.drawer(
        turned,
        wood,
        knob,
        ((i - 1) * length / 2 + 0.03, 0.04, i * length / 2 - 0.03, y - 0.04),
        width / 2,
        'bar',
      )
    turned.turn('y', 90)
    front = turned.parts_in_place()
    for material, part in front:
      model.add(material, shapes.mirrored(part))
    return
  for s in (-1, 1):
    model.add(
      wood, blocks.box((0.03, 0.16, length), (s * (width / 2), y - 0.06, 0))
    )
    model.add(
      wood, blocks.box((width, 0.16, 0.03), (0, y - 0.06, s * length / 2))
    )
  model.add(wood, blocks.box((width, 0.02, length), (0, y - 0.03, 0)))
  kind = 'square' if base == 'rails' else base
  model.add(wood, supports.support(kind, width + 0.02, length, y - 0.1, 0.03))


def daybed(
  rng: np.random.Generator, sides: str, back: bool, trundle: bool
) -> assembly.Assembly:
  """A single bed along a wall: equal boards at both ends, maybe a back."""
  model = assembly.Assembly()
  metal = sides in headboards.METAL
  wood = materials.pick(rng, 'iron' if metal else 'wood', 'paint')
  cloth = materials.pick(rng, 'fabric')
  length, depth, y = rng.uniform(1.95, 2.05), rng.uniform(0.88, 0.96), 0.34
  high = rng.uniform(0.76, 0.88)
  hard, soft = headboards.board(sides, depth, y, high)
  for part, material in [(s, wood) for s in hard] + [(s, cloth) for s in soft]:
    end = shapes.moved(
      shapes.rotated(part, 'y', -90), (length / 2 + 0.03, 0, 0)
    )
    model.add(material, shapes.mirrored(end))
  if back:
    hard, soft = headboards.board(sides, length, y, high + 0.08)
    model.add(wood, *[shapes.moved(s, (0, 0, -depth / 2)) for s in hard])
    model.add(cloth, *[shapes.moved(s, (0, 0, -depth / 2)) for s in soft])
  for s in (-1, 1):
    model.add(
      wood,
      blocks.box((length, 0.14, 0.03), (0, y - 0.06, s * (depth / 2 - 0.03))),
    )
  model.add(
    materials.pick(rng, 'linen'),
    blocks.cushion((length, 0.2, depth - 0.08), (0, y + 0.1, 0), 0.05),
  )
  for x in (-0.3, 0, 0.3):
    pillow = blocks.cushion(
      (0.48, 0.46, 0.15),
      (x * length, y + 0.42, -0.3 * depth),
      0.07,
      (-0.02, -0.02, 0.03),
    )
    model.add(
      cloth, shapes.rotated(pillow, 'x', -15, (0, y + 0.2, -0.3 * depth))
    )
  if trundle:
    model.add(
      wood, blocks.box((length - 0.12, 0.2, depth - 0.1), (0, 0.13, 0.04))
    )
    fronts.drawer(
      model,
      wood,
      materials.pick(rng, 'metal'),
      (-length / 2 + 0.08, 0.03, length / 2 - 0.08, 0.24),
      depth / 2 - 0.01,
      'knob',
    )
  return model


def canopy(
  rng: np.random.Generator, size: str, posts: str, head: str
) -> assembly.Assembly:
  """A four-poster: 'square', 'turned' or 'metal' posts joined above."""
  model = bed(rng, size, head, 'none', 'rails', 'fold')
  spread = model.to_mesh().bounding_box.extents
  rail = materials.pick(rng, 'iron' if posts == 'metal' else 'wood')
  other = assembly.Assembly()
  for material, part in model.parts():
    other.add(material, shapes.moved(part, (0, spread[1] / 2, 0)))
  x, z, high = spread[0] / 2 + 0.01, spread[2] / 2, rng.uniform(1.95, 2.15)
  if posts == 'turned':
    post = shapes.moved(supports.turned(high, 0.055), (x, 0, z))
  elif posts == 'metal':
    post = surfaces.tube([(x, 0, z), (x, high, z)], 0.018)
  else:
    post = blocks.box((0.07, high, 0.07), (x, high / 2, z))
  other.add(rail, shapes.mirrored(shapes.mirrored(post), 'z'))
  t = 0.03 if posts == 'metal' else 0.05
  for s in (-1, 1):
    other.add(
      rail, surfaces.bar((-x, high - t, s * z), (x, high - t, s * z), t)
    )
    other.add(
      rail, surfaces.bar((s * x, high - t, -z), (s * x, high - t, z), t)
    )
  return other


def cot(rng: np.random.Generator, bars: str) -> assembly.Assembly:
  """A child's bed with barred sides ('round' or 'flat' bars)."""
  model = assembly.Assembly()
  wood = materials.pick(rng, 'wood', 'paint')
  length, depth, high = rng.uniform(1.25, 1.4), rng.uniform(0.66, 0.75), 0.95
  x, z = length / 2, depth / 2
  post = blocks.box((0.05, high, 0.05), (x, high / 2, z))
  model.add(wood, shapes.mirrored(shapes.mirrored(post), 'z'))
  for y in (0.3, high - 0.06):
    for s in (-1, 1):
      model.add(wood, blocks.box((length, 0.05, 0.03), (0, y, s * z)))
      model.add(wood, blocks.box((0.03, 0.05, depth), (s * x, y, 0)))
  if bars == 'flat':
    model.add(
      wood,
      *[
        blocks.box((0.02, high - 0.3, depth), (s * x, high / 2 + 0.13, 0))
        for s in (-1, 1)
      ],
    )
  for u in np.linspace(-0.9, 0.9, 11):
    for s in (-1, 1):
      size = (0.035, 0.012) if bars == 'flat' else (0.014, 0.014)
      model.add(
        wood,
        surfaces.bar((u * x, 0.3, s * z), (u * x, high - 0.06, s * z), *size),
      )
  if bars == 'round':
    for u in np.linspace(-0.8, 0.8, 6):
      for s in (-1, 1):
        model.add(
          wood,
          surfaces.bar((s * x, 0.3, u * z), (s * x, high - 0.06, u * z), 0.014),
        )
  model.add(
    materials.pick(rng, 'linen'),
    blocks.cushion((length - 0.06, 0.12, depth - 0.06), (0, 0.4, 0), 0.03),
  )
  return model
