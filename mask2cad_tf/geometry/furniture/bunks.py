"""Bunk and loft beds."""

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import surfaces


def _ladder(x: float, z: float, high: float, lean: float) -> shapes.Shape:
  """A ladder in the plane x, facing +x."""
  sides = [
    surfaces.bar((x + lean, 0, z + s * 0.19), (x, high, z + s * 0.19), 0.035)
    for s in (-1, 1)
  ]
  rungs = []
  for v in np.linspace(0.14, 0.92, 5):
    at = x + lean * (1 - v)
    rungs.append(
      surfaces.bar((at, v * high, z - 0.19), (at, v * high, z + 0.19), 0.03)
    )
  return shapes.joined(*sides, *rungs)


def bunk(
  rng: np.random.Generator, ladder: str, lower: str, boards: str
) -> assembly.Assembly:
  """A bunk or loft bed.

  Args:
    rng: proportions and colours.
    ladder: 'left', 'right', 'end' or 'stairs'.
    lower: 'bed', 'wide', 'desk', 'sofa' or 'open'.
    boards: 'slats' or 'panel' at the ends.

  Returns:
    The bed; its long side is the front.
  """
  model = assembly.Assembly()
  wood = materials.pick(rng, 'wood', 'paint')
  linen = materials.pick(rng, 'linen')
  length, depth = rng.uniform(1.95, 2.05), rng.uniform(0.92, 1.0)
  upper, high = rng.uniform(1.3, 1.45), rng.uniform(1.72, 1.85)
  levels = [upper] + ([0.32] if lower in ('bed', 'wide') else [])
  post = blocks.box((0.06, high, 0.06), (length / 2, high / 2, depth / 2))
  model.add(wood, shapes.mirrored(shapes.mirrored(post), 'z'))
  for y in levels:
    deep = depth + (0.4 if lower == 'wide' and y < 1 else 0)
    z0 = (deep - depth) / 2
    for s in (-1, 1):
      model.add(
        wood, blocks.box((length, 0.13, 0.03), (0, y, z0 + s * deep / 2))
      )
      model.add(wood, blocks.box((0.03, 0.13, deep), (s * length / 2, y, z0)))
    model.add(
      linen,
      blocks.cushion(
        (length - 0.04, 0.16, deep - 0.05), (0, y + 0.1, z0), 0.04
      ),
    )
    model.add(
      linen,
      blocks.cushion(
        (0.36, 0.11, 0.6), (0.22 - length / 2, y + 0.22, 0), 0.05, (0, 0.02, 0)
      ),
    )
    top = min(high - 0.05, y + 0.42)
    for s in (-1, 1):
      if boards == 'panel':
        model.add(
          wood,
          blocks.box(
            (0.02, top - y, depth), (s * length / 2, (top + y) / 2, 0)
          ),
        )
      else:
        model.add(
          wood,
          *[
            blocks.box((0.02, 0.06, depth), (s * length / 2, v, 0))
            for v in np.linspace(y + 0.16, top, 3)
          ],
        )
  gap = 0.3 if ladder in ('left', 'right') else 0
  sign = -1 if ladder == 'left' else 1
  for v in (upper + 0.2, upper + 0.36):
    model.add(wood, blocks.box((length, 0.07, 0.02), (0, v, -depth / 2)))
    span = length - 2 * gap
    model.add(wood, blocks.box((span, 0.07, 0.02), (-sign * gap, v, depth / 2)))
  _add_climb(model, wood, ladder, length, depth, upper)
  _add_below(model, rng, wood, lower, length, depth)
  return model


def _add_climb(model, wood, ladder, length, depth, upper):
  if ladder == 'stairs':
    for i in range(5):
      tall = upper * (i + 1) / 6
      model.add(
        wood,
        blocks.box(
          (0.2, tall, 0.45),
          (length / 2 + 0.15 + 0.2 * (4 - i), tall / 2, depth / 2 - 0.22),
        ),
      )
    return
  climb = _ladder(0, 0, upper + 0.3, 0.16)
  if ladder == 'end':
    model.add(wood, shapes.moved(climb, (length / 2 + 0.03, 0, 0)))
    return
  sign = -1 if ladder == 'left' else 1
  model.add(
    wood,
    shapes.moved(
      shapes.rotated(climb, 'y', -90),
      (sign * (length / 2 - 0.3), 0, depth / 2 + 0.03),
    ),
  )


def _add_below(model, rng, wood, lower, length, depth):
  """What stands under a loft bed."""
  if lower == 'desk':
    model.add(
      wood, blocks.box((length - 0.1, 0.03, 0.55), (0, 0.74, 0.28 - depth / 2))
    )
    model.add(
      wood, blocks.box((length - 0.1, 0.02, 0.22), (0, 1.06, 0.12 - depth / 2))
    )
    for x in (-0.3, 0, 0.3):
      model.add(
        wood, blocks.box((0.02, 0.3, 0.22), (x * length, 0.9, 0.12 - depth / 2))
      )
  elif lower == 'sofa':
    cloth = materials.pick(rng, 'fabric')
    for s in (-1, 1):
      model.add(
        cloth,
        blocks.cushion(
          (length / 2 - 0.06, 0.2, depth - 0.2),
          (s * (length / 4 - 0.02), 0.36, 0.06),
          0.05,
          (0, 0.02, 0),
        ),
      )
      model.add(
        cloth,
        blocks.cushion(
          (length / 2 - 0.06, 0.45, 0.16),
          (s * (length / 4 - 0.02), 0.62, 0.12 - depth / 2),
          0.06,
          (0, 0, 0.02),
        ),
      )
    model.add(
      wood, blocks.box((length - 0.06, 0.14, depth - 0.06), (0, 0.19, 0))
    )
