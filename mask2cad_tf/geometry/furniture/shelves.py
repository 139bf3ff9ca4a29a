"""Open shelves: plates on posts, ladders, cubes and zigzags."""

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import fronts
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import paths
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import supports
from mask2cad_tf.geometry.furniture import surfaces


def etagere(
  rng: np.random.Generator, tiers: int, posts: str, top: str = 'rect'
) -> assembly.Assembly:
  """Open plates between posts: 'metal', 'turned', 'cross' or 'hoop'."""
  model = assembly.Assembly()
  wood = materials.pick(rng, 'wood', 'glass')
  frame = (
    materials.pick(rng, 'wood')
    if posts == 'turned'
    else (materials.pick(rng, 'metal', 'iron'))
  )
  width, depth = rng.uniform(0.65, 1.0), rng.uniform(0.3, 0.38)
  high = tiers * rng.uniform(0.32, 0.4)
  x, z = width / 2 - 0.015, depth / 2 - 0.015
  for i in range(tiers):
    y = 0.08 + i * (high - 0.1) / (tiers - 1)
    outline = surfaces.superellipse(
      width, depth, 2.6 if top == 'oval' else 20, 28
    )
    model.add(wood, surfaces.slab(outline, 0.022, (0, y, 0)))
  if top == 'oval':
    x, z = 0.4 * width, 0.38 * depth
  if posts == 'turned':
    post = shapes.moved(supports.turned(high, 0.022, 'bobbin'), (x, 0, z))
  elif posts == 'hoop':
    loop = paths.bent(
      [(x, 0, z), (x, high + 0.12, z), (x, high + 0.12, -z), (x, 0, -z)],
      0.12,
      4,
    )
    post = surfaces.tube(loop, 0.011)
  else:
    post = blocks.box((0.025, high, 0.025), (x, high / 2, z))
  model.add(
    frame,
    shapes.mirrored(shapes.mirrored(post), 'z')
    if posts != 'hoop'
    else shapes.mirrored(post),
  )
  if posts == 'cross':
    for s in (-1, 1):
      model.add(
        frame,
        surfaces.bar(
          (-s * x, 0.08, -z - 0.004 * s),
          (s * x, high - 0.03, -z - 0.004 * s),
          0.016,
        ),
      )
  return model


def ladder_shelf(
  rng: np.random.Generator, tiers: int, a_frame: bool
) -> assembly.Assembly:
  """Shelves that deepen downwards on leaning rails."""
  model = assembly.Assembly()
  wood = materials.pick(rng, 'wood', 'paint')
  frame = materials.pick(rng, 'iron', 'wood')
  width, high, deep = rng.uniform(0.6, 0.85), rng.uniform(1.5, 1.9), 0.46
  x, back = width / 2, -deep / 2
  rails = [surfaces.bar((x, 0, deep / 2), (x, high, back + 0.04), 0.025, 0.04)]
  if a_frame:
    rails.append(surfaces.bar((x, 0, back), (x, high, back), 0.025, 0.03))
  model.add(frame, shapes.mirrored(shapes.joined(*rails)))
  for i in range(tiers):
    y = 0.12 + i * (high - 0.2) / (tiers - 1)
    room = deep * (1 - y / high) + 0.05
    model.add(
      wood,
      blocks.box(
        (width, 0.022, room + 0.12),
        (0, y, back + room / 2 - 0.06 * (1 - a_frame)),
      ),
    )
    if not a_frame:
      model.add(
        wood, blocks.box((width, 0.05, 0.014), (0, y + 0.03, back - 0.1))
      )
  return model


def cubes(
  rng: np.random.Generator, pattern: str, insert: str = 'none'
) -> assembly.Assembly:
  """Square compartments stacked in a pattern of rows.

  Args:
    rng: proportions and colours.
    pattern: rows of '#' (cube) and '.' (air), top first, joined by '/'.
    insert: 'none', 'baskets' or 'doors' in every third cube.

  Returns:
    The shelf, standing on its lowest row.
  """
  model = assembly.Assembly()
  wood = materials.pick(rng, 'wood', 'paint')
  metal, cloth = materials.pick(rng, 'metal'), materials.pick(rng, 'fabric')
  rows = pattern.split('/')[::-1]
  side, depth, t = rng.uniform(0.33, 0.4), rng.uniform(0.32, 0.38), 0.024
  middle = len(rows[0]) / 2
  for j, row in enumerate(rows):
    for i, mark in enumerate(row):
      if mark == '.':
        continue
      x, y = (i + 0.5 - middle) * side, (j + 0.5) * side
      for s in (-1, 1):
        model.add(wood, blocks.box((side, t, depth), (x, y + s * side / 2, 0)))
        model.add(wood, blocks.box((t, side, depth), (x + s * side / 2, y, 0)))
      if insert != 'none' and (i + 2 * j) % 3 == 0:
        rect = (
          x - side / 2 + t,
          y - side / 2 + t,
          x + side / 2 - t,
          y + side / 2 - t,
        )
        if insert == 'doors':
          fronts.door(model, wood, metal, rect, depth / 2 - 0.02, 'flat', 0)
        else:
          model.add(
            cloth,
            blocks.cushion(
              (side - 2 * t, side - 2.5 * t, depth - 0.02),
              (x, y - 0.01, 0.01),
              0.03,
              corner=1,
            ),
          )
  return model


def zigzag(
  rng: np.random.Generator, tiers: int, style: str
) -> assembly.Assembly:
  """Sculptural shelves: 'tree', 'snake', 'wave' or 'steps'."""
  model = assembly.Assembly()
  wood = materials.pick(rng, 'wood', 'paint')
  width, depth, step = rng.uniform(0.7, 0.95), rng.uniform(0.26, 0.32), 0.32
  high = tiers * step
  for i in range(tiers + 1):
    x = width / 2
    if style == 'steps':
      x *= 1 - i / (tiers + 1)
    if style == 'tree' and i:
      sign = 1 if i % 2 else -1
      branch = blocks.box((0.62 * width, 0.024, depth), (0, 0, 0))
      model.add(
        wood,
        shapes.moved(
          shapes.rotated(branch, 'z', 24 * sign),
          (sign * 0.25 * width, i * step, 0),
        ),
      )
      continue
    model.add(wood, blocks.box((2 * x, 0.024, depth), (0, i * step + 0.012, 0)))
    if i < tiers and style != 'tree':
      _add_risers(model, wood, style, i, x, step, depth, tiers)
  if style == 'tree':
    model.add(
      wood,
      blocks.box((0.09, high + 0.15, depth - 0.1), (0, high / 2 + 0.07, 0)),
    )
  return model


def _add_risers(model, wood, style, i, x, step, depth, tiers):
  """What holds one plate above the other."""
  y = i * step + step / 2
  if style == 'snake':
    sign = 1 if i % 2 else -1
    model.add(
      wood, blocks.box((0.024, step, depth), (sign * (x - 0.012), y, 0))
    )
    model.add(wood, blocks.box((0.024, step, depth), (-sign * 0.35 * x, y, 0)))
  elif style == 'wave':
    sway = paths.curve(
      [(0.8 * x, 0), (0.35 * x, 0.5 * step), (0.8 * x, step)], 9
    )
    grid = np.stack(
      np.broadcast_arrays(
        sway[:, 0, None],
        y - step / 2 + sway[:, 1, None],
        np.array([-0.5, 0.5]) * depth,
      ),
      -1,
    )
    model.add(wood, shapes.mirrored(surfaces.sheet(grid, 0.022)))
  else:
    inner = x * (1 - 1 / (tiers + 1 - i))
    model.add(
      wood,
      shapes.mirrored(
        blocks.box((0.024, step, depth), (max(inner, 0.06), y, 0))
      ),
    )
