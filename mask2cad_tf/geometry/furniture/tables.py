"""Tables: dining, coffee, side, console, bar and trestle."""

from typing import Tuple

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import paths
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import supports
from mask2cad_tf.geometry.furniture import surfaces

# Use -> ranges of height, longer side and shorter side over longer.
_SIZES = {
  'dining': ((0.72, 0.76), (1.3, 2.1), (0.46, 0.58)),
  'coffee': ((0.36, 0.46), (0.9, 1.3), (0.48, 0.65)),
  'side': ((0.48, 0.62), (0.45, 0.6), (0.8, 1.0)),
  'console': ((0.76, 0.86), (1.0, 1.4), (0.26, 0.34)),
  'bar': ((0.98, 1.08), (0.62, 1.2), (0.5, 0.7)),
}

_ALIASES = {'glass': 'rect', 'glass_round': 'round', 'glass_oval': 'oval'}
_CENTRAL = frozenset(
  {'column', 'tulip', 'claw', 'drum', 'hourglass', 'double', 'tripod'}
)  # supports that may be as wide as the top
# How far legs may reach out under a top without corners.
_SHARES = {
  'round': 0.68,
  'oval': 0.68,
  'octagon': 0.68,
  'kidney': 0.68,
  'halfmoon': 0.68,
  'boat': 0.88,
  'squircle': 0.88,
}


def _top(
  shape: str, width: float, depth: float, thickness: float
) -> shapes.Shape:
  """A table top centred at the origin."""
  if shape == 'rect':
    return blocks.box((width, thickness, depth), bevel=0.006)
  if shape == 'plank':
    count = 5
    return shapes.joined(
      *[
        blocks.box(
          (width, thickness, depth / count - 0.006),
          (0, 0, (i + 0.5) * depth / count - depth / 2),
        )
        for i in range(count)
      ]
    )
  if shape in ('moulded', 'square'):
    rim = blocks.box((width, 0.5 * thickness, depth), (0, 0.25 * thickness, 0))
    return shapes.joined(
      rim,
      blocks.box(
        (width - 0.03, 0.5 * thickness, depth - 0.03), (0, -0.25 * thickness, 0)
      ),
    )
  outline = {
    'round': lambda: surfaces.superellipse(width, width, 2, 36),
    'oval': lambda: surfaces.superellipse(width, depth, 2, 36),
    'squircle': lambda: surfaces.superellipse(width, depth, 4.5, 36),
    'boat': lambda: _boat(width, depth),
    'octagon': lambda: surfaces.superellipse(width, width, 2, 8),
    'kidney': lambda: _kidney(width, depth),
    'halfmoon': lambda: _halfmoon(width, depth),
  }[shape]()
  return surfaces.slab(outline, thickness, bevel=0.008)


def _boat(width: float, depth: float) -> np.ndarray:
  """Straight ends, bowed long sides."""
  x = np.linspace(-1, 1, 13)
  z = depth / 2 * (1 - 0.22 * x**2)
  side = np.stack([x * width / 2, z], 1)
  return np.concatenate([side, -side])


def _kidney(width: float, depth: float) -> np.ndarray:
  """A pebble, dented in front."""
  turn = 2 * np.pi * (np.arange(40) + 0.5) / 40
  reach = 1 - 0.3 * np.exp(-((turn - np.pi / 2) ** 2) / 0.18)
  return np.stack(
    [width / 2 * np.cos(turn) * reach**0.3, depth / 2 * np.sin(turn) * reach], 1
  )


def _halfmoon(width: float, depth: float) -> np.ndarray:
  """A half ellipse with its straight side at the wall."""
  turn = np.linspace(0, np.pi, 25)
  return np.stack([width / 2 * np.cos(turn), depth * (np.sin(turn) - 0.5)], 1)


def table(
  rng: np.random.Generator,
  top: str,
  base: str,
  use: str = 'dining',
  extra: str = 'none',
) -> assembly.Assembly:
  """A top on a base.

  Args:
    rng: proportions and colours.
    top: outline, see `_top`; 'glass' tops are rectangles of glass.
    base: a kind of support.
    use: a key of `_SIZES`.
    extra: 'none', 'apron', 'shelf', 'drawer', 'tray' or 'leaves'.

  Returns:
    The table.
  """
  model = assembly.Assembly()
  glass = top.startswith('glass')
  outline = _ALIASES.get(top, top)
  width, depth, height = _size(rng, use, outline)
  thickness = 0.012 if glass else rng.uniform(0.025, 0.045)
  wood = materials.pick(rng, 'wood', 'wood', 'paint')
  plate = wood
  if glass or base in ('tulip', 'drum', 'hourglass'):
    plate = materials.pick(rng, 'glass' if glass else 'stone')
  frame = (
    materials.pick(rng, 'metal', 'iron') if base in supports.METAL else wood
  )
  model.add(
    plate,
    shapes.moved(
      _top(outline, width, depth, thickness), (0, height - thickness / 2, 0)
    ),
  )
  share = 1 if base in _CENTRAL else _SHARES.get(outline, 0.95)
  span, across = share * width, share * depth
  radius = rng.uniform(0.026, 0.036) * (1 if use == 'dining' else 0.7)
  model.add(
    frame, supports.support(base, span, across, height - thickness, radius)
  )
  _add_extra(model, extra, wood, (span, across, height, thickness, radius), rng)
  if extra == 'leaves':
    drop = 0.45 * depth
    model.add(
      wood,
      shapes.mirrored(
        blocks.box(
          (0.02, drop, 0.98 * depth), (width / 2 + 0.012, height - drop / 2, 0)
        )
      ),
    )
  return model


def _size(
  rng: np.random.Generator, use: str, outline: str
) -> Tuple[float, float, float]:
  """Width, depth and height."""
  heights, lengths, ratios = _SIZES[use]
  height, width = rng.uniform(*heights), rng.uniform(*lengths)
  if outline in ('round', 'octagon', 'square'):
    width = rng.uniform(0.95, 1.25) if use == 'dining' else min(width, 0.9)
    return width, width, height
  return width, width * rng.uniform(*ratios), height


def _add_extra(model, extra, wood, sizes, rng):
  """Aprons, shelves, drawers and tray rims."""
  span, across, height, thickness, radius = sizes
  y = height - thickness
  if extra in ('apron', 'drawer'):
    tall = 0.09 if height > 0.6 else 0.07
    for sign in (-1, 1):
      model.add(
        wood,
        blocks.box(
          (span - 3 * radius, tall, 0.02),
          (0, y - tall / 2, sign * (across / 2 - radius)),
        ),
      )
      model.add(
        wood,
        blocks.box(
          (0.02, tall, across - 3 * radius),
          (sign * (span / 2 - radius), y - tall / 2, 0),
        ),
      )
    if extra == 'drawer':
      count = 1 if span < 0.7 else 2
      knob = materials.pick(rng, 'metal', 'iron')
      for i in range(count):
        w = (span - 5 * radius) / count
        x = (i - (count - 1) / 2) * w
        model.add(
          wood,
          blocks.box(
            (w - 0.03, tall - 0.02, 0.016),
            (x, y - tall / 2, across / 2 - radius + 0.016),
          ),
        )
        model.add(
          knob,
          blocks.cushion(
            (0.03, 0.03, 0.03),
            (x, y - tall / 2, across / 2 - radius + 0.036),
            0.015,
            corner=1,
          ),
        )
  elif extra == 'shelf':
    model.add(
      wood,
      blocks.box(
        (span - 2 * radius, 0.02, across - 2 * radius), (0, 0.28 * height, 0)
      ),
    )
  elif extra == 'tray':
    rim = [
      blocks.box((span + 0.02, 0.05, 0.015), (0, height + 0.02, s * across / 2))
      for s in (-1, 1)
    ]
    rim += [
      blocks.box((0.015, 0.05, across), (s * span / 2, height + 0.02, 0))
      for s in (-1, 1)
    ]
    model.add(wood, *rim)


def waterfall(rng: np.random.Generator, shelf: bool) -> assembly.Assembly:
  """One bent plate: top and sides in a single curve."""
  model = assembly.Assembly()
  width, depth = rng.uniform(0.8, 1.2), rng.uniform(0.45, 0.6)
  height, t = rng.uniform(0.38, 0.5), 0.03
  x, y = width / 2, height - t / 2
  path = paths.bent([(-x, 0, 0), (-x, y, 0), (x, y, 0), (x, 0, 0)], 0.14, 5)
  material = materials.pick(rng, 'wood', 'glass', 'plastic')
  section = surfaces.superellipse(depth, t, 8, 12)
  model.add(material, surfaces.sweep(path, section, side=(0, 0, 1)))
  if shelf:
    model.add(
      material,
      blocks.box((width - t, 0.02, depth - 0.06), (0, 0.4 * height, 0)),
    )
  return model


def nest(rng: np.random.Generator, count: int, legs: str) -> assembly.Assembly:
  """Side tables of falling size, pulled out towards the front."""
  model = assembly.Assembly()
  wood = materials.pick(rng, 'wood', 'paint')
  frame = materials.pick(rng, 'metal') if legs in supports.METAL else wood
  width, height = rng.uniform(0.55, 0.65), rng.uniform(0.5, 0.56)
  for i in range(count):
    w, h, z = width - 0.1 * i, height - 0.06 * i, 0.16 * i
    model.add(wood, blocks.box((w, 0.022, 0.38), (0, h - 0.011, z)))
    model.add(
      frame,
      shapes.moved(
        supports.support(legs, w - 0.02, 0.36, h - 0.022, 0.014), (0, 0, z)
      ),
    )
  return model


def picnic(rng: np.random.Generator) -> assembly.Assembly:
  """A garden table with two benches on A-frames."""
  model = assembly.Assembly()
  wood = materials.pick(rng, 'wood')
  width, height = rng.uniform(1.5, 1.9), 0.74
  for z in np.linspace(-0.3, 0.3, 5):
    model.add(wood, blocks.box((width, 0.035, 0.135), (0, height, z)))
  for z in (-0.72, -0.58, 0.58, 0.72):
    model.add(wood, blocks.box((width, 0.035, 0.13), (0, 0.45, z)))
  x = 0.34 * width
  model.add(
    wood,
    shapes.mirrored(
      shapes.joined(
        surfaces.bar((x, 0, 0.6), (x, height, 0.2), 0.04, 0.09),
        surfaces.bar((x, 0, -0.6), (x, height, -0.2), 0.04, 0.09),
        blocks.box((0.04, 0.08, 1.5), (x + 0.04, 0.4, 0)),
        blocks.box((0.04, 0.08, 0.66), (x + 0.04, 0.69, 0)),
      )
    ),
  )
  return model


def tiered(rng: np.random.Generator, top: str, tiers: int) -> assembly.Assembly:
  """Equal plates one above another on thin posts."""
  model = assembly.Assembly()
  wood, metal = (
    materials.pick(rng, 'wood', 'glass'),
    materials.pick(rng, 'metal'),
  )
  width, depth = rng.uniform(0.45, 0.7), rng.uniform(0.36, 0.45)
  height = rng.uniform(0.5, 0.75)
  if top == 'round':
    depth = width
  for i in range(tiers):
    y = height - 0.02 - i * (height - 0.12) / max(1, tiers - 1)
    model.add(wood, shapes.moved(_top(top, width, depth, 0.022), (0, y, 0)))
  share = 0.66 if top in ('round', 'oval') else 0.9
  x, z = share * width / 2, share * depth / 2
  post = surfaces.tube([(x, 0, z), (x, height + 0.02, z)], 0.012)
  model.add(metal, shapes.mirrored(shapes.mirrored(post), 'z'))
  return model
