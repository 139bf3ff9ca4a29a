"""Wrenches and pliers."""

from typing import List

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import paths
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import surfaces
from mask2cad_tf.geometry.furniture import tool_parts

_THICK = 0.012  # metres


def wrench(rng: np.random.Generator, head: str) -> assembly.Assembly:
  """'open' (two jaws), 'ring', 'combination', 'adjustable' or 'pipe'."""
  model = assembly.Assembly()
  steel = materials.pick(rng, 'tool_steel')
  long = rng.uniform(0.2, 0.28)
  wide = long * {'open': 0.12, 'ring': 0.085}.get(head, 0.1)
  model.add(
    steel,
    surfaces.sweep(
      [(0, 0.1 * long, 0), (0, 0.5 * long, 0), (0, 0.9 * long, 0)],
      surfaces.superellipse(0.7 * _THICK, wide, 3, 10),
      (1, 0.8, 1),
    ),
  )
  ends = {
    'open': [_jaw(wide, long, 1), _jaw(0.8 * wide, 0, -1)],
    'ring': [_ring(wide, long), _ring(wide, 0)],
    'combination': [_jaw(wide, long, 1), _ring(wide, 0)],
    'adjustable': _adjustable(wide, 0.93 * long),
    'pipe': _pipe_jaws(wide, 0.88 * long),
  }[head]
  model.add(steel, *ends)
  if head == 'pipe':
    model.add(
      materials.named('plastic', 'red'),
      surfaces.bar((0, 0.02, 0), (0, 0.88 * long, 0), 1.2 * _THICK, 1.2 * wide),
    )
  return model


def _ring(wide, y) -> shapes.Shape:
  loop = paths.arc(0.85 * wide, 0, 345, 24, (0, y, 0), 'zy')
  return surfaces.tube(loop, 0.32 * wide, 8, closed=True)


def _jaw(wide, y, sign) -> shapes.Shape:
  """An open end, tilted by 15 degrees as usual."""
  turn = np.radians(np.linspace(-235, 55, 19) + 15)
  circle = np.stack([np.cos(turn), sign * np.sin(turn)], 1)
  return tool_parts.plate(
    0.55 * wide * circle + (0, y), 1.15 * wide * circle + (0, y), _THICK
  )


def _adjustable(w, y) -> List[shapes.Shape]:
  """A fixed jaw, a sliding jaw and the worm between them."""
  fixed = tool_parts.plate(
    [(-0.9 * w, y - w), (-1.1 * w, y), (-0.8 * w, y + 1.3 * w)],
    [(0.9 * w, y - w), (0.3 * w, y), (-0.1 * w, y + 1.3 * w)],
    1.3 * _THICK,
  )
  sliding = tool_parts.plate(
    [(0.35 * w, y - 0.2 * w), (0.4 * w, y + 0.3 * w), (0.4 * w, y + 0.9 * w)],
    [(1.2 * w, y - 0.2 * w), (1.1 * w, y + 0.4 * w), (0.7 * w, y + 0.9 * w)],
    1.2 * _THICK,
  )
  worm = surfaces.lathe(
    [(0.2 * w, -0.3 * w), (0.26 * w, 0), (0.2 * w, 0.3 * w)],
    12,
    (0, y - 0.45 * w, 0.7 * w),
  )
  return [fixed, sliding, worm]


def _pipe_jaws(w, y) -> List[shapes.Shape]:
  """The hook, its stem and the heel jaw."""
  hook = tool_parts.plate(
    [(-0.6 * w, y + 1.1 * w), (0, y + 1.1 * w), (1.6 * w, y + 0.9 * w)],
    [(-0.6 * w, y + 1.8 * w), (0, y + 1.9 * w), (1.5 * w, y + 1.4 * w)],
    1.2 * _THICK,
  )
  stem = surfaces.bar(
    (0, y - 0.2 * w, -0.3 * w), (0, y + 1.3 * w, -0.3 * w), _THICK
  )
  heel = surfaces.bar(
    (0, y + 0.1 * w, -0.3 * w), (0, y + 0.1 * w, 1.4 * w), 1.2 * _THICK, 0.7 * w
  )
  return [hook, stem, heel]


def pliers(rng: np.random.Generator, jaw: str) -> assembly.Assembly:
  """Crossing levers with 'long', 'flat' or 'round' jaws."""
  model = assembly.Assembly()
  steel, grip = (
    materials.pick(rng, 'tool_steel'),
    materials.pick(rng, 'plastic'),
  )
  reach = {'long': 0.11, 'flat': 0.05, 'round': 0.055}[jaw]
  lever = paths.curve(
    [(0, 0.1, 0.006), (0, 0.05, 0.022), (0, -0.05, 0.03), (0, -0.09, 0.034)], 10
  )
  for sign in (-1, 1):
    path = lever * (1, 1, sign)
    model.add(
      grip, surfaces.sweep(path, surfaces.superellipse(0.014, 0.016, 3, 10))
    )
    if jaw == 'round':
      tip = paths.arc(0.026, -100, 80, 10, (0, 0.15, 0), 'zy') * (1, 1, sign)
      model.add(
        steel, surfaces.sweep(tip, surfaces.superellipse(0.012, 0.014, 3, 8))
      )
  if jaw != 'round':
    half = tool_parts.plate(
      [(0.002, 0.11), (0.001, 0.13), (0.001, 0.12 + reach)],
      [(0.02, 0.11), (0.017, 0.13), (0.006, 0.12 + reach)],
      0.012,
    )
    model.add(steel, shapes.mirrored(half, 'z'))
  pivot = shapes.rotated(
    surfaces.lathe(
      [(0.016, -0.01), (0.018, -0.007), (0.018, 0.007), (0.016, 0.01)], 16
    ),
    'z',
    90,
  )
  model.add(steel, shapes.moved(pivot, (0, 0.107, 0)))
  return model
