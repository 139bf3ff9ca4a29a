"""Bottles, cups, bowls, vases, plants, candles and lamps.

As `small_things` describes its makers.
"""

from typing import List

import numpy as np

from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import surfaces
from tfrecords_tools.synthesis import colors
from tfrecords_tools.synthesis import materials
from tfrecords_tools.synthesis import soft_good
from tfrecords_tools.synthesis import solids

Pieces = List[soft_good.SoftGood]


def bottle(rng, bank) -> Pieces:
  """A bottle with a cap and a label."""
  del bank
  r, h = rng.uniform(0.025, 0.045), rng.uniform(0.16, 0.34)
  neck = rng.uniform(0.3, 0.5)
  glass = solids.glazed(rng)
  profile = [
    (0.9 * r, 0),
    (r, 0.03 * h),
    (r, 0.55 * h),
    (0.8 * r, 0.66 * h),
    (neck * r, 0.75 * h),
    (neck * r, h),
  ]
  cap = neck * r * 1.1
  label = (1.01 * r, 0.15 * h), (1.01 * r, 0.45 * h)
  return [
    solids.turned(glass, *profile),
    solids.turned(solids.glazed(rng), (cap, 0.94 * h), (cap, 1.01 * h)),
    solids.turned(materials.plain(rng, colors.draw(rng), 0.8, 0.1), *label),
  ]


def cup(rng, bank) -> Pieces:
  """A mug, a glass, a bowl: hollow and turned."""
  del bank
  r, h = rng.uniform(0.032, 0.05), rng.uniform(0.07, 0.13)
  if rng.random() < 0.25:
    r, h = rng.uniform(0.07, 0.16), rng.uniform(0.05, 0.1)
  foot = rng.uniform(0.5, 0.95)
  glaze = solids.glazed(rng)
  pieces = [
    solids.turned(
      glaze,
      (foot * r, 0),
      (0.5 * (1 + foot) * r, 0.3 * h),
      (r, h),
      (0.92 * r, h),
      (0.45 * (1 + foot) * r, 0.3 * h),
      (0, 0.12 * h),
      segments=14,
    )
  ]
  if r < 0.06 and rng.random() < 0.5:
    ear = [
      (0.95 * r, 0.8 * h, 0),
      (1.6 * r, 0.75 * h, 0),
      (1.6 * r, 0.4 * h, 0),
      (0.85 * r, 0.25 * h, 0),
    ]
    pieces.append(
      soft_good.make(*surfaces.tube(ear, 0.1 * r + 0.002, 6), glaze)
    )
  return pieces


def fruit_bowl(rng, bank) -> Pieces:
  """A bowl with fruit."""
  del bank
  r = rng.uniform(0.11, 0.17)
  pieces = [
    solids.turned(
      solids.glazed(rng),
      (0.4 * r, 0),
      (0.8 * r, 0.25 * r),
      (r, 0.55 * r),
      (0.95 * r, 0.55 * r),
      (0.7 * r, 0.25 * r),
      (0, 0.1 * r),
      segments=12,
    )
  ]
  fruit = materials.plain(rng, colors.draw(rng, 'saturated'), 0.5, 0.3)
  angle = rng.uniform(0, 6.3)
  for _ in range(4):
    angle += 1.6
    place = (0.45 * r * np.cos(angle), 0.5 * r, 0.45 * r * np.sin(angle))
    size = rng.uniform(0.25, 0.33) * r
    ball = surfaces.lathe(
      [
        (0, -size),
        (0.8 * size, -0.6 * size),
        (size, 0),
        (0.8 * size, 0.6 * size),
        (0, size),
      ],
      7,
    )
    pieces.append(soft_good.make(*shapes.moved(ball, place), fruit))
  return pieces


def vase(rng, bank) -> Pieces:
  """A vase, empty or with twigs."""
  del bank
  r, h = rng.uniform(0.04, 0.09), rng.uniform(0.12, 0.35)
  pieces = [solids.turned(solids.glazed(rng), *solids.outline(rng, r, h))]
  if rng.random() < 0.5:
    pieces += solids.leaves(rng, h, rng.uniform(0.15, 0.35), 14, 0.3)
  return pieces


def plant(rng, bank) -> Pieces:
  """A pot with leaves."""
  r = rng.uniform(0.05, 0.13)
  h = r * rng.uniform(1.1, 1.9)
  pot = (
    materials.draw(rng, bank, 'paint')
    if rng.random() < 0.7
    else solids.glazed(rng)
  )
  pieces = [
    solids.turned(
      pot, (0.7 * r, 0), (r, h), (0.9 * r, h), (0.9 * r, 0.9 * h), (0, 0.9 * h)
    )
  ]
  tall = r * rng.uniform(1.5, 3.5)
  return pieces + solids.leaves(
    rng, 0.9 * h, tall, int(rng.integers(16, 30)), 0.8
  )


def candle(rng, bank) -> Pieces:
  """A candle on a holder."""
  r, h = rng.uniform(0.012, 0.04), rng.uniform(0.06, 0.25)
  wax = materials.plain(
    rng,
    colors.draw(rng, colors.pick(rng, {'white': 4, 'saturated': 1})),
    0.6,
    0.2,
  )
  holder = materials.draw(rng, bank, 'metal')
  return [
    solids.turned(holder, (2 * r, 0), (2 * r, 0.008), (1.2 * r, 0.02)),
    solids.turned(wax, (r, 0.008), (r, h), (0.1 * r, h + 0.001)),
  ]


def table_lamp(rng, bank) -> Pieces:
  """A foot, a stem and a shade that may be lit."""
  r, h = rng.uniform(0.09, 0.18), rng.uniform(0.3, 0.55)
  shade = rng.uniform(0.35, 0.5) * h
  top = rng.uniform(0.5, 1.0) * r
  foot = materials.draw(
    rng, bank, colors.pick(rng, {'metal': 2, 'wood': 1, 'paint': 1})
  )
  cloth = materials.plain(
    rng,
    colors.draw(rng, 'white'),
    0.95,
    0.0,
    rng.uniform(0.8, 2.5) if rng.random() < 0.4 else 0.0,
  )
  if rng.random() < 0.5:
    body = solids.outline(rng, 0.6 * r, h - 0.8 * shade)
  else:
    body = [
      (0.6 * r, 0),
      (0.6 * r, 0.015),
      (0.012, 0.02),
      (0.012, h - 0.5 * shade),
    ]
  return [
    solids.turned(foot, *body),
    solids.turned(cloth, (r, h - shade), (top, h), segments=16),
  ]
