"""Upholstered easy chairs."""

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import chairs
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import supports
from mask2cad_tf.geometry.furniture import surfaces


def armchair(
  rng: np.random.Generator, style: str, legs: str = 'cone'
) -> assembly.Assembly:
  """An upholstered easy chair: 'club', 'wing', 'barrel' or 'lounge'."""
  model = assembly.Assembly()
  cloth = materials.pick(rng, 'fabric', 'leather')
  wood = materials.pick(rng, 'wood')
  w, d = rng.uniform(0.72, 0.84), rng.uniform(0.74, 0.84)
  low, seat = rng.uniform(0.12, 0.18), rng.uniform(0.4, 0.44)
  top = {'club': 0.78, 'wing': 1.08, 'barrel': 0.74, 'lounge': 0.86}[style]
  span = 0.72 if style == 'barrel' else 1
  model.add(
    wood, supports.support(legs, span * w - 0.08, span * d - 0.08, low, 0.022)
  )
  if style == 'barrel':
    _add_barrel(model, cloth, w, d, low, seat, top)
  else:
    _add_upholstery(model, cloth, wood, style, (w, d, low, seat, top))
  return model


def _add_barrel(model, cloth, w, d, low, seat, top):
  """A back that wraps around a round seat."""
  turn = np.radians(np.linspace(-125, 125, 21))
  v = np.linspace(0, 1, 4)
  tall = 0.6 * top + 0.4 * top * np.cos(turn / 2) ** 2 - low
  grid = np.stack(
    np.broadcast_arrays(
      (w / 2 - 0.05) * np.sin(turn)[:, None],
      low + tall[:, None] * v,
      -(d / 2 - 0.05) * np.cos(turn)[:, None],
    ),
    -1,
  )
  model.add(cloth, surfaces.sheet(grid[::-1], 0.1))
  model.add(
    cloth,
    shapes.moved(
      surfaces.slab(
        surfaces.superellipse(w - 0.12, d - 0.12, 2.2), seat - low - 0.1
      ),
      (0, (low + seat - 0.1) / 2, 0),
    ),
  )
  model.add(
    cloth,
    blocks.cushion(
      (w - 0.2, 0.14, d - 0.16), (0, seat - 0.05, 0.04), 0.2, (0, 0.03, 0)
    ),
  )


def _add_upholstery(model, cloth, wood, style, sizes):
  """Seat, back and what is at the sides."""
  w, d, low, seat, top = sizes
  arm = 0.15
  model.add(
    cloth,
    blocks.box(
      (w - 0.04, seat - low - 0.1, d - 0.06),
      (0, (low + seat - 0.1) / 2, 0),
      0.015,
    ),
  )
  model.add(
    cloth,
    blocks.cushion(
      (w - 2 * arm, 0.15, d - 0.16), (0, seat - 0.06, 0.05), 0.05, (0, 0.03, 0)
    ),
  )
  back = blocks.cushion(
    (w - (0 if style == 'wing' else 2 * arm - 0.02), top - low - 0.05, 0.16),
    (0, (top - low) / 2, 0),
    0.07,
    (0, 0.03, 0.03),
  )
  model.add(
    cloth,
    shapes.moved(shapes.rotated(back, 'x', -9), (0, low + 0.05, -d / 2 + 0.12)),
  )
  if style == 'lounge':
    model.add(wood, *chairs.wooden_arms(w - 0.04, seat, d, 0.16, True))
    model.add(
      wood,
      shapes.mirrored(
        blocks.box((0.03, 0.05, d - 0.1), (w / 2 - 0.02, seat - 0.08, 0))
      ),
    )
    return
  side = blocks.cushion(
    (arm, 0.6 - low, d - 0.04),
    (w / 2 - arm / 2, (low + 0.6) / 2, 0),
    0.06,
    (0.01, 0.02, 0),
  )
  model.add(cloth, shapes.mirrored(side))
  if style == 'wing':
    wing = surfaces.panel(
      [(0, 0.5, -0.3), (0, 0.5, -0.15), (0, 0.52, 0.02)],
      [(0, top, -0.38), (0, top - 0.02, -0.27), (0, 0.86, -0.14)],
      0.07,
    )
    model.add(
      cloth,
      shapes.mirrored(
        shapes.moved(shapes.rotated(wing, 'y', -8), (w / 2 - 0.05, 0, 0))
      ),
    )
