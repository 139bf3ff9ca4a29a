"""Screwdrivers, saws, trowels, brushes and garden tools."""

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import paths
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import surfaces
from mask2cad_tf.geometry.furniture import tool_parts

_SHAFTS = {'flat': 1.0, 'cross': 0.7, 'awl': 0.55, 'stubby': 0.4}


def screwdriver(rng: np.random.Generator, tip: str) -> assembly.Assembly:
  """A ribbed grip, a shaft and a 'flat', 'cross', 'stubby' or awl tip."""
  model = assembly.Assembly()
  grip, steel = (
    materials.pick(rng, 'plastic', 'wood'),
    materials.pick(rng, 'tool_steel'),
  )
  long = rng.uniform(0.13, 0.16) * _SHAFTS[tip]
  radius = 0.017 * (1.25 if tip == 'stubby' else 1)
  model.add(
    grip,
    surfaces.lathe(
      [
        (radius * r, -0.1 * y)
        for r, y in (
          (0.55, 1),
          (0.9, 0.96),
          (1, 0.75),
          (0.78, 0.45),
          (1, 0.28),
          (1, 0.12),
          (0.6, 0),
        )
      ],
      12,
    ),
  )
  ribs = [
    blocks.box(
      (0.004, 0.055, 0.004),
      (radius * np.sin(a), -0.06, radius * np.cos(a)),
      0.001,
    )
    for a in 2 * np.pi * (np.arange(6) + 0.5) / 6
  ]
  model.add(grip, *ribs)
  model.add(steel, surfaces.tube([(0, -0.005, 0), (0, long, 0)], 0.0042, 10))
  if tip == 'cross':
    model.add(steel, surfaces.lathe([(0.0045, long), (0.001, long + 0.01)], 4))
  elif tip == 'awl':
    model.add(steel, surfaces.lathe([(0.004, long), (0, long + 0.05)], 10))
  else:
    model.add(
      steel,
      tool_parts.plate(
        [(-0.004, long - 0.012), (0, long - 0.012), (0.004, long - 0.012)],
        [(-0.0065, long + 0.012), (0, long + 0.012), (0.0065, long + 0.012)],
        0.0025,
      ),
    )
  return model


def saw(rng: np.random.Generator, style: str) -> assembly.Assembly:
  """'hand', 'back' (stiffened), 'hack' (framed) or 'bow' saw, pointing up."""
  model = assembly.Assembly()
  wood = materials.pick(rng, 'wood', 'plastic')
  steel = materials.pick(rng, 'tool_steel')
  long = rng.uniform(0.36, 0.4) * {'hand': 1.3, 'back': 0.8}.get(style, 1)
  y = np.linspace(0, long, 61)
  bite = 0.006 * (np.arange(61) % 2)  # thirty teeth
  low, high = {'hand': (0.0, 0.11), 'back': (0.0, 0.085)}.get(
    style, (-0.008, 0.012)
  )
  taper = 0.055 * y / long if style == 'hand' else 0 * y
  model.add(
    steel,
    tool_parts.plate(
      np.stack([0 * y + low, y], 1),
      np.stack([high - taper - bite, y], 1),
      0.003,
    ),
  )
  if style == 'back':
    model.add(steel, blocks.box((0.012, long, 0.018), (0, long / 2, 0)))
  if style in ('hand', 'back'):
    loop = paths.bent(
      [
        (0, 0.02, 0),
        (0, 0.01, 0.1),
        (0, -0.09, 0.12),
        (0, -0.13, 0.08),
        (0, -0.1, -0.01),
      ],
      0.03,
      closed=True,
    )
    model.add(wood, surfaces.tube(loop, 0.013, closed=True))
    return model
  deep, bend, at = (0.1, 0.05, 0.02) if style == 'hack' else (0.2, 0.14, 0.1)
  frame = paths.bent(
    [
      (0, -0.02, 0),
      (0, -0.02, -deep),
      (0, long + 0.01, -deep),
      (0, long + 0.01, 0.012),
    ],
    bend,
    4,
  )
  model.add(materials.pick(rng, 'plastic', 'iron'), surfaces.tube(frame, 0.008))
  model.add(wood, shapes.moved(tool_parts.grip(0.12, 0.016), (0, -0.14, -at)))
  return model


def garden(rng: np.random.Generator, head: str) -> assembly.Assembly:
  """A long-handled 'shovel', 'spade', 'rake', 'fork', 'hoe' or 'broom'."""
  model = assembly.Assembly()
  wood, steel = (
    materials.pick(rng, 'wood'),
    materials.pick(rng, 'tool_steel', 'iron'),
  )
  long = rng.uniform(0.6, 0.7) * (1 if head in ('spade', 'fork') else 1.7)
  model.add(wood, surfaces.tube([(0, 0.25, 0), (0, 0.25 + long, 0)], 0.016, 10))
  if head == 'fork':
    model.add(wood, _d_grip(0.25 + long))
  if head in ('shovel', 'spade'):
    v = np.linspace(0, 1, 9)
    half = np.interp(
      v,
      [0, 0.25, 0.6, 1],
      [0.02, 0.08, 0.115, 0.11]
      if head == 'shovel'
      else [0.085, 0.095, 0.1, 0.1],
    )
    u = np.linspace(-1, 1, 7)[:, None]
    grid = np.stack(
      np.broadcast_arrays(
        u * half, 0.02 + 0.28 * v, -0.03 * (1 - u**2) * (0.4 + v)
      ),
      -1,
    )
    model.add(steel, surfaces.sheet(grid, 0.005))
    if head == 'spade':
      model.add(wood, _d_grip(0.25 + long))
  elif head == 'broom':
    model.add(wood, blocks.box((0.32, 0.05, 0.06), (0, 0.25, 0), 0.012))
    straw = materials.named('wood', 'pine')
    model.add(
      straw,
      *[
        surfaces.bar((x, 0.24, z), (1.15 * x, 0, 1.6 * z), 0.018)
        for x in np.linspace(-0.14, 0.14, 9)
        for z in (-0.02, 0, 0.02)
      ],
    )
  else:
    wide, count, drop = {
      'rake': (0.2, 12, 0.07),
      'fork': (0.09, 4, 0.27),
      'hoe': (0.09, 0, 0),
    }[head]
    model.add(steel, surfaces.bar((-wide, 0.26, 0), (wide, 0.26, 0), 0.016))
    for x in np.linspace(-wide, wide, count) if count else ():
      end = (x, 0.19, 0.05) if head == 'rake' else (x, 0.26 - drop, 0.03)
      model.add(steel, surfaces.bar((x, 0.26, 0), end, 0.012, taper=0.5))
    if head == 'hoe':
      model.add(
        steel,
        shapes.rotated(
          blocks.box((2 * wide, 0.13, 0.005), (0, 0.2, 0.02)),
          'x',
          -35,
          (0, 0.26, 0),
        ),
      )
  return model


def _d_grip(y: float) -> shapes.Shape:
  """The D-shaped end of a shaft that reaches up to y."""
  loop = paths.bent(
    [(-0.01, y, 0), (-0.06, y + 0.1, 0), (0.06, y + 0.1, 0), (0.01, y, 0)],
    0.02,
    closed=True,
  )
  return surfaces.tube(loop, 0.012, closed=True)


def trowel(rng: np.random.Generator, blade: str) -> assembly.Assembly:
  """A grip, a bent neck and a 'pointed', 'square' or 'scraper' blade."""
  model = assembly.Assembly()
  wood, steel = (
    materials.pick(rng, 'wood', 'plastic'),
    materials.pick(rng, 'tool_steel'),
  )
  model.add(wood, tool_parts.grip(0.13, 0.017))
  v = np.linspace(0, 1, 9)
  half = {
    'pointed': 0.055 * np.interp(v, [0, 0.25, 1], [0.5, 1, 0.02]),
    'square': 0.05 * np.ones(9),
    'scraper': 0.05 * np.interp(v, [0, 1], [0.25, 1]),
  }[blade]
  long, out = {'pointed': 0.17, 'square': 0.22, 'scraper': 0.09}[blade], 0.0
  out = 0 if blade == 'scraper' else 0.035
  flat = np.stack([half, 0.17 + long * v, 0 * v + out], 1)
  model.add(steel, surfaces.panel(flat, flat * (-1, 1, 1), 0.004))
  neck = [(0, 0.12, 0), (0, 0.15, 0), (0, 0.17, out)]
  neck += [(0, 0.21, out)] if out else [(0, 0.19, 0)]
  model.add(steel, surfaces.tube(paths.bent(neck, 0.015, 3), 0.006))
  return model


def brush(rng: np.random.Generator, roller: bool) -> assembly.Assembly:
  """A flat paint brush or a paint roller."""
  model = assembly.Assembly()
  grip, steel = (
    materials.pick(rng, 'plastic', 'wood'),
    materials.pick(rng, 'tool_steel'),
  )
  model.add(grip, tool_parts.grip(0.13, 0.015))
  if roller:
    path = paths.bent(
      [
        (0, 0.12, 0),
        (0, 0.2, 0),
        (0.14, 0.2, 0),
        (0.14, 0.28, 0),
        (0.1, 0.28, 0),
      ],
      0.02,
    )
    model.add(steel, surfaces.tube(path, 0.004))
    roll = shapes.rotated(
      surfaces.lathe(
        [(0.02, -0.11), (0.024, -0.105), (0.024, 0.105), (0.02, 0.11)], 18
      ),
      'z',
      90,
    )
    model.add(materials.pick(rng, 'linen'), shapes.moved(roll, (0.01, 0.28, 0)))
    return model
  model.add(steel, blocks.box((0.07, 0.05, 0.024), (0, 0.15, 0)))
  model.add(
    materials.named('wood', 'pine'),
    surfaces.sheet(
      np.stack(
        np.broadcast_arrays(
          np.linspace(-0.034, 0.034, 7)[:, None],
          np.linspace(0.17, 0.25, 4),
          0.0,
        ),
        -1,
      ),
      0.018,
    ),
  )
  return model
