"""Desks: writing tables with drawers, panels and returns."""

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import fronts
from mask2cad_tf.geometry.furniture import hutches
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import supports
from mask2cad_tf.geometry.furniture import surfaces


def _pedestal(model, wood, metal, x, sizes, front, kind):
  """A cabinet under the top; `front` is 'door' or a number of drawers."""
  width, depth, top = sizes
  low = 0.05
  model.add(
    wood,
    blocks.box((width, top - low, depth - 0.02), (x, (low + top) / 2, -0.01)),
  )
  model.add(
    wood, blocks.box((width - 0.04, low, depth - 0.08), (x, low / 2, 0))
  )
  left, right, z = x - width / 2, x + width / 2, depth / 2 - 0.02
  if front == 'door':
    fronts.door(
      model,
      wood,
      metal,
      (left, low, right, top),
      z,
      'shaker',
      -1 if x > 0 else 1,
      kind,
    )
    return
  levels = np.linspace(low, top, front + 1)
  for a, b in zip(levels[:-1], levels[1:]):
    fronts.drawer(model, wood, metal, (left, a, right, b), z, kind)


def desk(
  rng: np.random.Generator,
  left: str,
  right: str,
  hutch: str = 'none',
  handle: str = 'bar',
  drawers: int = 3,
  modesty: bool = False,
) -> assembly.Assembly:
  """A desk by what carries its two ends.

  Args:
    rng: proportions and colours.
    left: 'drawers', 'door', 'panel' or a kind of leg.
    right: likewise.
    hutch: 'none', 'shelf', 'pigeonholes', 'rails' or 'tower'.
    handle: kind of the handles.
    drawers: in a pedestal.
    modesty: a panel closes the back.

  Returns:
    The desk.
  """
  model = assembly.Assembly()
  wood = materials.pick(rng, 'wood', 'wood', 'paint')
  metal = materials.pick(rng, 'metal', 'iron')
  width, depth = rng.uniform(1.15, 1.6), rng.uniform(0.55, 0.75)
  height, t = rng.uniform(0.72, 0.77), 0.032
  model.add(wood, blocks.box((width, t, depth), (0, height - t / 2, 0), 0.006))
  under, w = height - t, rng.uniform(0.36, 0.42)
  for side, kind in ((-1, left), (1, right)):
    front = {'drawers': drawers, 'door': 'door'}.get(kind)
    if front:
      x = side * (width / 2 - w / 2 - 0.015)
      sizes = (w, depth - 0.03, under)
      _pedestal(model, wood, metal, x, sizes, front, handle)
    elif kind == 'panel':
      model.add(
        wood,
        blocks.box(
          (0.03, under, depth - 0.03), (side * (width / 2 - 0.03), under / 2, 0)
        ),
      )
    else:
      _half_support(
        model,
        metal if kind in supports.METAL else wood,
        kind,
        side,
        width - 0.04,
        depth - 0.05,
        under,
      )
  if modesty:
    model.add(
      wood,
      blocks.box(
        (width - 0.08, 0.4 * height, 0.018),
        (0, 0.75 * height, 0.06 - depth / 2),
      ),
    )
  hutches.add_hutch(model, rng, hutch, wood, width, depth, height)
  return model


def _half_support(model, material, kind, side, width, depth, height):
  """The legs of one end only."""
  whole = supports.support(kind, width, depth, height, 0.022)
  centers = whole.vertices[whole.faces].mean(1)
  faces = whole.faces[centers[:, 0] * side > 0]
  used, inverse = np.unique(faces, return_inverse=True)
  model.add(
    material, shapes.Shape(whole.vertices[used], inverse.reshape(-1, 3))
  )


def writing_desk(
  rng: np.random.Generator,
  legs: str,
  drawers: int,
  hutch: str = 'none',
  handle: str = 'knob',
) -> assembly.Assembly:
  """A top on four legs with drawers in its apron."""
  model = assembly.Assembly()
  wood = materials.pick(rng, 'wood', 'paint')
  metal = materials.pick(rng, 'metal', 'iron')
  width, depth = rng.uniform(1.0, 1.4), rng.uniform(0.5, 0.62)
  height, tall = rng.uniform(0.73, 0.78), rng.uniform(0.1, 0.14)
  model.add(
    wood, blocks.box((width, 0.025, depth), (0, height - 0.0125, 0), 0.006)
  )
  model.add(
    wood,
    blocks.box(
      (width - 0.05, tall, depth - 0.05), (0, height - 0.025 - tall / 2, 0)
    ),
  )
  frame = metal if legs in supports.METAL else wood
  model.add(
    frame,
    supports.support(
      legs,
      width - 0.03,
      depth - 0.03,
      height
      - 0.025
      - (tall if legs in ('vee', 'hairpin', 'splayed', 'cone') else 0),
      0.022,
    ),
  )
  for i in range(drawers):
    w = (width - 0.13) / drawers
    left = (i - drawers / 2) * w
    fronts.drawer(
      model,
      wood,
      metal,
      (left, height - 0.025 - tall, left + w, height - 0.025),
      depth / 2 - 0.025,
      handle,
    )
  hutches.add_hutch(model, rng, hutch, wood, width, depth, height)
  return model


def corner_desk(
  rng: np.random.Generator, side: str, legs: str, drawers: bool
) -> assembly.Assembly:
  """An L-shaped desk; `side` is where the return runs to the front."""
  model = assembly.Assembly()
  wood = materials.pick(rng, 'wood', 'paint')
  metal = materials.pick(rng, 'metal', 'iron')
  width, long, depth = rng.uniform(1.4, 1.7), rng.uniform(1.2, 1.5), 0.6
  height, sign = 0.74, 1 if side == 'right' else -1
  model.add(wood, blocks.box((width, 0.03, depth), (0, height - 0.015, 0)))
  x, z = sign * (width / 2 - 0.26), long / 2 - depth / 2
  model.add(
    wood,
    blocks.box((0.52, 0.03, long - depth), (x, height - 0.015, z + depth / 2)),
  )
  frame = metal if legs in supports.METAL else wood
  under = height - 0.03
  model.add(
    frame, supports.support(legs, width - 0.04, depth - 0.04, under, 0.022)
  )
  _half_front = supports.support(legs, 0.5, 0.5, under, 0.022)
  model.add(frame, shapes.moved(_half_front, (x, 0, long - depth / 2 - 0.28)))
  if drawers:
    pedestal_x = -sign * (width / 2 - 0.26)
    sizes = (0.4, depth - 0.05, under)
    _pedestal(model, wood, metal, pedestal_x, sizes, 3, 'bar')
  return model


def standing_desk(
  rng: np.random.Generator, crossbar: bool, shelf: bool
) -> assembly.Assembly:
  """A height-adjustable top on two telescopic T-legs."""
  model = assembly.Assembly()
  metal, wood = (
    materials.pick(rng, 'metal', 'iron'),
    materials.pick(rng, 'wood'),
  )
  width, depth = rng.uniform(1.3, 1.7), rng.uniform(0.65, 0.8)
  height = rng.uniform(0.74, 1.1)
  model.add(
    wood,
    surfaces.slab(
      surfaces.superellipse(width, depth, 9, 40),
      0.028,
      (0, height - 0.014, 0),
      0.006,
    ),
  )
  x = 0.36 * width
  model.add(
    metal,
    shapes.mirrored(
      shapes.joined(
        surfaces.bar(
          (x, 0.015, -0.46 * depth), (x, 0.015, 0.46 * depth), 0.07, 0.03
        ),
        blocks.box(
          (0.08, 0.58 * height, 0.06), (x, 0.29 * height + 0.02, -0.03)
        ),
        blocks.box(
          (0.06, 0.5 * height, 0.045), (x, 0.75 * height - 0.03, -0.03)
        ),
        blocks.box((0.06, 0.03, 0.8 * depth), (x, height - 0.043, 0)),
      )
    ),
  )
  if crossbar:
    model.add(metal, blocks.box((2 * x, 0.06, 0.03), (0, height - 0.07, -0.03)))
  if shelf:
    model.add(
      wood,
      blocks.box(
        (0.6 * width, 0.02, 0.22), (0, height + 0.12, 0.14 - depth / 2)
      ),
    )
    model.add(
      metal,
      shapes.mirrored(
        blocks.box(
          (0.02, 0.12, 0.18), (0.27 * width, height + 0.06, 0.14 - depth / 2)
        )
      ),
    )
  return model


def ladder_desk(rng: np.random.Generator, shelves: int) -> assembly.Assembly:
  """A narrow desk hung in a leaning ladder shelf."""
  model = assembly.Assembly()
  wood = materials.pick(rng, 'wood', 'paint')
  frame = materials.pick(rng, 'iron', 'wood')
  width, tall = rng.uniform(0.75, 1.0), rng.uniform(1.6, 1.85)
  x = width / 2
  model.add(
    frame,
    shapes.mirrored(
      shapes.joined(
        surfaces.bar((x, 0, 0.22), (x, tall, -0.22), 0.03, 0.045),
        surfaces.bar((x, 0, -0.22), (x, tall, -0.24), 0.03, 0.03),
      )
    ),
  )
  model.add(wood, blocks.box((width, 0.03, 0.52), (0, 0.74, 0.04)))
  model.add(wood, blocks.box((width, 0.09, 0.46), (0, 0.68, 0.03)))
  for i in range(shelves):
    y = 1.08 + i * (tall - 1.12) / max(1, shelves - 1)
    deep = 0.2 + 0.5 * (tall - y) * 0.44 / tall
    model.add(wood, blocks.box((width, 0.02, deep), (0, y, deep / 2 - 0.24)))
  return model
