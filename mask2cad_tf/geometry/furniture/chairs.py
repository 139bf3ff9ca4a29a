"""Chairs for dining, rocking and folding, and stools."""

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import backs
from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import paths
from mask2cad_tf.geometry.furniture import pedestals
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import supports
from mask2cad_tf.geometry.furniture import surfaces


def _seat_outline(width: float, depth: float) -> np.ndarray:
  """A rounded trapezium, wider in front."""
  outline = surfaces.superellipse(width, depth, 5, 28)
  return outline * np.stack(
    [1 + 0.12 * outline[:, 1] / depth, np.ones(len(outline))], 1
  )


def wooden_arms(
  width: float, seat: float, depth: float, rise: float, scroll: bool
) -> list:
  """Arm rests on posts, both sides."""
  x, y = width / 2 + 0.012, seat + rise
  if scroll:
    rest = surfaces.sweep(
      paths.curve(
        [
          (x, y + 0.03, -depth / 2),
          (x + 0.02, y, 0),
          (x + 0.01, y + 0.005, 0.36 * depth),
          (x, y - 0.035, 0.42 * depth),
        ],
        9,
      ),
      surfaces.superellipse(0.045, 0.028, 3, 10),
    )
  else:
    rest = blocks.box(
      (0.045, 0.022, 0.92 * depth), (x, y, -0.05 * depth), 0.008
    )
  post = surfaces.bar(
    (x, seat - 0.06, 0.3 * depth), (x + 0.01, y, 0.26 * depth), 0.028
  )
  return [shapes.mirrored(rest), shapes.mirrored(post)]


def dining_chair(
  rng: np.random.Generator, back: str, legs: str, arms: str = 'none'
) -> assembly.Assembly:
  """A chair on four legs (or a frame): seat, back and maybe arms."""
  model = assembly.Assembly()
  metal = legs in supports.METAL
  wood = materials.pick(rng, 'wood', 'wood', 'paint')
  frame = materials.pick(rng, 'metal', 'iron') if metal else wood
  cloth = materials.pick(rng, 'fabric', 'leather')
  width, depth = rng.uniform(0.42, 0.5), rng.uniform(0.41, 0.48)
  seat = rng.uniform(0.44, 0.47)
  height, rake = rng.uniform(0.4, 0.56), rng.uniform(7, 13)
  hard, soft = backs.back(
    back, 0.92 * width, height, seat, 0.025 - depth / 2, rake, rng
  )
  if soft or rng.random() < 0.3:
    model.add(
      cloth,
      blocks.cushion(
        (width, 0.07, depth), (0, seat - 0.02, 0), 0.03, (0, 0.015, 0)
      ),
    )
  else:
    model.add(
      wood,
      surfaces.slab(
        _seat_outline(width, depth), 0.028, (0, seat - 0.014, 0), 0.01
      ),
    )
  if not metal and legs not in ('splayed', 'hairpin'):
    for size, at in (
      ((width - 0.05, 0.05, 0.02), (0, seat - 0.05, depth / 2 - 0.03)),
      ((width - 0.05, 0.05, 0.02), (0, seat - 0.05, 0.03 - depth / 2)),
      ((0.02, 0.05, depth - 0.05), (width / 2 - 0.03, seat - 0.05, 0)),
      ((0.02, 0.05, depth - 0.05), (0.03 - width / 2, seat - 0.05, 0)),
    ):
      model.add(wood, blocks.box(size, at))
  model.add(
    frame,
    supports.support(
      legs, width - 0.01, depth - 0.01, seat - 0.028, rng.uniform(0.017, 0.024)
    ),
  )
  model.add(wood, *hard)
  model.add(cloth, *soft)
  if arms != 'none':
    model.add(
      wood,
      *wooden_arms(
        width, seat, depth, rng.uniform(0.18, 0.24), arms == 'scroll'
      ),
    )
  return model


def cantilever_chair(
  rng: np.random.Generator, back: str, arms: bool
) -> assembly.Assembly:
  """Bent tube carrying seat and back ('split' or 'full'), no rear legs."""
  model = assembly.Assembly()
  steel = materials.pick(rng, 'metal')
  cover = materials.pick(rng, 'leather', 'fabric', 'plastic')
  width, depth = rng.uniform(0.46, 0.52), rng.uniform(0.46, 0.52)
  seat, top = rng.uniform(0.43, 0.46), rng.uniform(0.8, 0.92)
  x, z, t = width / 2, depth / 2, 0.0125
  lines = [
    paths.bent(
      [
        (0, t, -z),
        (x, t, -z),
        (x, t, z),
        (x, seat - 0.03, z),
        (x, seat - 0.03, 0.02 - z),
        (x, top, -z - 0.08),
      ],
      0.09,
      4,
    )
  ]
  if arms:
    lines.append(
      paths.bent(
        [
          (x, seat - 0.03, 0.8 * z),
          (x + 0.03, seat + 0.2, 0.8 * z),
          (x + 0.03, seat + 0.2, -z - 0.02),
        ],
        0.06,
      )
    )
  model.add(steel, *[shapes.mirrored(surfaces.tube(p, t)) for p in lines])
  model.add(
    cover,
    blocks.cushion(
      (width - 0.03, 0.05, depth - 0.04), (0, seat, 0.01), 0.025, (0, 0.01, 0)
    ),
  )
  if back == 'split':
    pad, at = (
      blocks.cushion((width - 0.03, 0.2, 0.04), radius=0.02, puff=(0, 0, 0.01)),
      (0, top - 0.12, -z - 0.055),
    )
  else:
    pad = blocks.cushion((width - 0.03, top - seat - 0.04, 0.035), radius=0.017)
    at = (0, (top + seat) / 2 + 0.02, -z - 0.02)
  model.add(cover, shapes.moved(shapes.rotated(pad, 'x', -10), at))
  return model


def rocking_chair(rng: np.random.Generator, back: str) -> assembly.Assembly:
  """A dining chair with arms on two rockers."""
  model = dining_chair(rng, back, 'tapered', 'scroll')
  wood = materials.pick(rng, 'wood')
  bow = paths.arc(1.1, -113, -67, 13, plane='zy')
  path = [(0.21, y + 1.1 + 0.005, z - 0.03) for _, y, z in bow]
  model.add(
    wood,
    shapes.mirrored(
      surfaces.sweep(path, surfaces.superellipse(0.03, 0.04, 4, 8))
    ),
  )
  return model


def folding_chair(rng: np.random.Generator, slatted: bool) -> assembly.Assembly:
  """Two crossing frames, a hinged seat and a back rest."""
  model = assembly.Assembly()
  wood = materials.pick(rng, 'wood', 'paint')
  w, seat, top = rng.uniform(0.4, 0.46), 0.45, rng.uniform(0.8, 0.88)
  x = w / 2
  model.add(
    wood,
    shapes.mirrored(
      shapes.joined(
        surfaces.bar((x, 0, 0.24), (x, top, -0.28), 0.02, 0.034),
        surfaces.bar(
          (x - 0.025, 0, -0.26), (x - 0.025, seat, 0.16), 0.02, 0.034
        ),
      )
    ),
  )
  zs = np.linspace(-0.16, 0.2, 6 if slatted else 1)
  size = 0.05 if slatted else 0.4
  for z in zs if slatted else (0.02,):
    model.add(wood, blocks.box((w - 0.03, 0.02, size), (0, seat, z)))
  for v in (top - 0.05, top - 0.16) if slatted else (top - 0.1,):
    z = 0.24 - 0.52 * v / top
    plate = blocks.box((w - 0.01, 0.07 if slatted else 0.2, 0.015), (0, v, z))
    model.add(wood, shapes.rotated(plate, 'x', -30, (0, v, z)))
  model.add(
    wood,
    *[
      surfaces.bar((-x, v, z), (x, v, z), 0.022)
      for v, z in ((0.14, 0.155), (0.12, -0.15))
    ],
  )
  return model


def stool(
  rng: np.random.Generator, seat: str, legs: str, height: float
) -> assembly.Assembly:
  """A seat without a back (bar height: with a foot rail)."""
  model = assembly.Assembly()
  w = rng.uniform(0.34, 0.42)
  wood = materials.pick(rng, 'wood', 'paint')
  frame = (
    materials.pick(rng, 'metal', 'iron')
    if (legs in supports.METAL | {'star'})
    else wood
  )
  y = height - 0.02
  if seat == 'round':
    model.add(
      wood,
      surfaces.lathe(
        [
          (0.47 * w, -0.02),
          (0.5 * w, -0.012),
          (0.5 * w, 0.012),
          (0.46 * w, 0.02),
          (0.3 * w, 0.012),
          (0, 0.01),
        ],
        24,
        (0, y, 0),
      ),
    )
  elif seat == 'saddle':
    x = np.linspace(-1, 1, 11)[:, None]
    z = np.linspace(-0.16, 0.16, 5)[None]
    grid = np.stack(
      np.broadcast_arrays(0.6 * w * x, y - 0.03 + 0.045 * x**2, z), -1
    )
    model.add(wood, surfaces.sheet(grid[:, ::-1], 0.03))
  elif seat == 'pad':
    model.add(
      materials.pick(rng, 'leather', 'fabric'),
      blocks.cushion((w, 0.09, w), (0, y - 0.025, 0), 0.045, (0, 0.015, 0)),
    )
  else:
    model.add(wood, blocks.box((w, 0.035, w - 0.04), (0, y - 0.01, 0), 0.01))
  if legs == 'star':
    model.add(frame, pedestals.star(0.26, y, casters=height < 0.6))
  else:
    model.add(frame, supports.support(legs, w, w - 0.04, y - 0.02, 0.02))
  if height > 0.6:
    r = 0.36 * w if legs in ('column', 'star', 'tulip') else 0.44 * w
    model.add(
      frame,
      surfaces.tube(
        paths.arc(r, 0, 345, 24, (0, 0.3 * height, 0), 'xz'),
        0.008,
        6,
        closed=True,
      ),
    )
  return model


def bar_chair(
  rng: np.random.Generator, back: str, legs: str
) -> assembly.Assembly:
  """A high chair with a low back and a foot rail."""
  model = assembly.Assembly()
  wood = materials.pick(rng, 'wood', 'paint')
  frame = (
    materials.pick(rng, 'metal', 'iron') if legs in supports.METAL else wood
  )
  cloth = materials.pick(rng, 'leather', 'fabric')
  w, d, seat = (
    rng.uniform(0.38, 0.44),
    rng.uniform(0.36, 0.42),
    rng.uniform(0.66, 0.76),
  )
  hard, soft = backs.back(
    back, 0.92 * w, rng.uniform(0.24, 0.34), seat, 0.03 - d / 2, 8, rng
  )
  model.add(wood, *hard)
  model.add(cloth, *soft)
  model.add(
    cloth if soft else wood,
    blocks.cushion((w, 0.06, d), (0, seat - 0.02, 0), 0.025),
  )
  model.add(frame, supports.support(legs, w, d, seat - 0.03, 0.018))
  for z in (0.42 * d, -0.42 * d):
    model.add(
      frame,
      surfaces.bar(
        (-0.44 * w, 0.3 * seat, z), (0.44 * w, 0.3 * seat, z), 0.022
      ),
    )
  return model
