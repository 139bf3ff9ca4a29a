"""Boxes, turned bodies, screens and leaves: what small things are made of.

Metres, standing on y = 0 unless said otherwise, the front towards -z.
"""

from typing import List
from typing import Tuple

import numpy as np

from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import surfaces
from tfrecords_tools.synthesis import colors
from tfrecords_tools.synthesis import materials
from tfrecords_tools.synthesis import scene
from tfrecords_tools.synthesis import soft_good
from tfrecords_tools.synthesis import textures
from tfrecords_tools.synthesis import wall_things

Pieces = List[soft_good.SoftGood]


def block(size: shapes.Point, at: shapes.Point = (0, 0, 0)) -> shapes.Shape:
  """A box that stands on `at`."""
  w, h, d = size
  x, y, z = at
  return wall_things.box(
    (x - w / 2, y, z - d / 2), (x + w / 2, y + h, z + d / 2)
  )


def flat(shape: shapes.Shape, material: scene.Material) -> soft_good.SoftGood:
  """A thing with edges."""
  return soft_good.make(*shape, material, smooth=False)


def turned(
  material, *profile: Tuple[float, float], segments: int = 12
) -> soft_good.SoftGood:
  """A turned thing; its profile is (radius, y) from bottom to top."""
  return soft_good.make(*surfaces.lathe(profile, segments), material)


def glazed(rng: np.random.Generator):
  """Ceramic, glass or enamel."""
  return materials.plain(
    rng, colors.draw(rng), rng.uniform(0.1, 0.4), rng.uniform(0.2, 0.6)
  )


def screen(
  rng: np.random.Generator, bank: textures.TextureBank, low, high
) -> soft_good.SoftGood:
  """A lit or dark rectangle at z = low[2] that faces -z."""
  lit = rng.random() < 0.6
  material = materials.plain(
    rng,
    np.full(3, 0.8 if lit else 0.01),
    0.15,
    0.5,
    rng.uniform(0.4, 1.3) if lit else 0.0,
    bank.draw(rng, 'screen') if lit else None,
  )
  (x0, y0, z), (x1, y1) = low, high
  # Seen from -z, +x is to the left.
  corners = np.array([[x1, y0, z], [x0, y0, z], [x0, y1, z], [x1, y1, z]])
  uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
  return soft_good.make(
    corners, np.array([[0, 1, 2], [0, 2, 3]]), material, False, uv
  )


def leaves(rng, y: float, length: float, count: int, spread: float) -> Pieces:
  """Bent blades that grow from (0, y, 0): 8 triangles each."""
  green = materials.plain(rng, colors.draw(rng, 'green'), 0.6, 0.2)
  t = np.array([0.0, 0.35, 0.7, 1.0])
  blades = []
  wide = rng.uniform(0.05, 0.16) * length
  for turn in (
    2
    * np.pi
    * (np.arange(count) + rng.uniform(-0.4, 0.4, count))
    / (count * 0.382)
  ):
    lean = rng.uniform(0.2, 1.3) * spread
    size = length * rng.uniform(0.6, 1.0)
    out = size * (np.sin(lean) * t + 0.25 * spread * t**2)
    up = size * (np.cos(lean) * t - 0.3 * spread * t**2)
    half = wide * np.array([0.2, 1.0, 0.8, 0.05])
    rims = [np.stack([out, y + up, side * half], 1) for side in (-1, 1)]
    blade = shapes.Shape(np.concatenate(rims), shapes.grid_faces(2, 4))
    blades.append(shapes.rotated(blade, 'y', np.degrees(turn)))
  return [soft_good.make(*shapes.joined(*blades), green)]


def outline(rng: np.random.Generator, r: float, h: float):
  """A vase's profile."""
  y = np.array([0, 0.05, 0.3, 0.6, 0.8, 1.0]) * h
  swell = rng.uniform(
    [0.4, 0.5, 0.7, 0.5, 0.3, 0.3], [0.8, 0.9, 1, 1, 0.8, 0.9]
  )
  return list(zip(swell * r, y))
