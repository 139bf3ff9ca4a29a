"""Shelves that stand on the back of a desk."""

from typing import List

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import fronts
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import surfaces

_DEEP = 0.24  # metres


def add_hutch(
  model: assembly.Assembly,
  rng: np.random.Generator,
  kind: str,
  wood: materials.Material,
  width: float,
  depth: float,
  height: float,
) -> None:
  """Adds a hutch to a desk.

  Args:
    model: the desk, its back edge at z = -depth / 2.
    rng: proportions.
    kind: 'none', 'shelf', 'pigeonholes', 'rails' or 'tower'.
    wood: of the hutch.
    width: of the desk.
    depth: of the desk.
    height: of the desk's top.
  """
  if kind == 'none':
    return
  build = {
    'shelf': _shelf,
    'pigeonholes': _pigeonholes,
    'rails': _rails,
    'tower': _tower,
  }[kind]
  tall = rng.uniform(0.85, 1) if kind == 'tower' else rng.uniform(0.28, 0.4)
  model.add(
    wood,
    *[
      shapes.moved(part, (0, height, -depth / 2))
      for part in build(width, depth, tall)
    ],
  )
  if kind == 'tower':
    fronts.books(
      model,
      rng,
      -0.4 * width,
      0.4 * width,
      height + 0.46 * tall,
      0.2 * tall,
      0.2,
      _DEEP / 2 - depth / 2,
    )


def _shelf(width, depth, tall) -> List[shapes.Shape]:
  return [blocks.box((width, 0.02, _DEEP), (0, tall, _DEEP / 2))] + [
    blocks.box(
      (0.02, tall, _DEEP), (x * (width / 2 - 0.01), tall / 2, _DEEP / 2)
    )
    for x in (-1, -0.33, 0.33, 1)
  ]


def _pigeonholes(width, depth, tall) -> List[shapes.Shape]:
  plates = [
    blocks.box((width - 0.04, 0.015, _DEEP), (0, y, _DEEP / 2))
    for y in np.linspace(0.01, tall, 3)
  ]
  walls = [
    blocks.box((0.014, tall, _DEEP), (x, tall / 2, _DEEP / 2))
    for x in np.linspace(-1, 1, 7) * (width / 2 - 0.03)
  ]
  back = blocks.box((width - 0.04, tall, 0.01), (0, tall / 2, 0.006))
  return [*plates, *walls, back]


def _rails(width, depth, tall) -> List[shapes.Shape]:
  x = np.linspace(-1, 1, 13)
  crest = 0.3 * tall + 0.2 * tall * np.cos(np.pi * x / 2) ** 2
  foot = np.stack([x * width / 2, 0 * x, 0 * x + 0.01], 1)
  back = surfaces.panel(foot, foot + np.stack([0 * x, crest, 0 * x], 1), 0.018)
  side = blocks.box(
    (0.018, 0.1, 0.7 * depth), (width / 2 - 0.01, 0.05, 0.36 * depth)
  )
  return [back, shapes.mirrored(side)]


def _tower(width, depth, tall) -> List[shapes.Shape]:
  side = blocks.box(
    (0.02, tall, _DEEP), (width / 2 - 0.01, tall / 2, _DEEP / 2)
  )
  back = blocks.box((width, tall, 0.01), (0, tall / 2, 0.006))
  return [shapes.mirrored(side), back] + [
    blocks.box((width - 0.03, 0.02, _DEEP), (0, y * tall, _DEEP / 2))
    for y in (0.45, 0.7, 1)
  ]
