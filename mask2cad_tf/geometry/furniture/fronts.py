"""Drawers, doors and shelves: the fronts of storage furniture."""

from typing import Tuple

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import surfaces

Rect = Tuple[float, float, float, float]  # left, bottom, right, top


def handle(kind: str, upright: bool = False) -> shapes.Shape:
  """A handle on the plane z = 0, at the origin."""
  if kind == 'knob':
    knob = surfaces.lathe(
      [
        (0.008, 0),
        (0.008, 0.012),
        (0.017, 0.018),
        (0.017, 0.026),
        (0.008, 0.032),
      ],
      10,
    )
    return shapes.rotated(knob, 'x', 90)
  if kind == 'cup':
    return blocks.cushion((0.09, 0.03, 0.03), (0, 0, 0.014), 0.014, corner=1)
  bar = shapes.joined(
    blocks.box((0.14, 0.012, 0.012), (0, 0, 0.03)),
    blocks.box((0.012, 0.012, 0.03), (-0.055, 0, 0.015)),
    blocks.box((0.012, 0.012, 0.03), (0.055, 0, 0.015)),
  )
  return shapes.rotated(bar, 'z', 90) if upright else bar


def drawer(
  model: assembly.Assembly,
  wood: materials.Material,
  metal: materials.Material,
  rect: Rect,
  z: float,
  kind: str = 'knob',
) -> None:
  """A drawer front on the plane z; wide ones get two handles."""
  left, low, right, high = rect
  x, y, w, h = (left + right) / 2, (low + high) / 2, right - left, high - low
  model.add(wood, blocks.box((w - 0.008, h - 0.008, 0.018), (x, y, z + 0.009)))
  shifts = (-0.27 * w, 0.27 * w) if w > 0.62 else (0,)
  for shift in shifts:
    model.add(metal, shapes.moved(handle(kind), (x + shift, y, z + 0.018)))


def door(
  model: assembly.Assembly,
  wood: materials.Material,
  metal: materials.Material,
  rect: Rect,
  z: float,
  style: str = 'flat',
  handle_side: int = 1,
  kind: str = 'knob',
) -> None:
  """A door on the plane z.

  Args:
    model: that it is added to.
    wood: of the leaf.
    metal: of the handle.
    rect: left, bottom, right, top.
    z: of the cupboard's front.
    style: 'flat', 'shaker' (frame and field), 'double' (two fields),
      'louver', 'plank', 'mirror', 'glass' or 'arched'.
    handle_side: -1 left, 1 right, 0 no handle.
    kind: of the handle.
  """
  left, low, right, high = rect
  x, y, w, h = (left + right) / 2, (low + high) / 2, right - left, high - low
  t, rail = 0.02, min(0.07, 0.2 * w)
  inner = (left + rail, low + rail, right - rail, high - rail)
  if style in ('flat', 'plank'):
    count = 1 if style == 'flat' else 4
    for i in range(count):
      model.add(
        wood,
        blocks.box(
          (w / count - 0.006, h - 0.006, t),
          (left + (i + 0.5) * w / count, y, z + t / 2),
        ),
      )
  else:
    _door_frame(model, wood, rect, rail, z, t)
    _door_field(model, wood, inner, z, style)
  if handle_side:
    at = (x + handle_side * (w / 2 - 0.035), y, z + t)
    model.add(metal, shapes.moved(handle(kind, upright=True), at))


def _door_frame(model, wood, rect, rail, z, t):
  left, low, right, high = rect
  x, y, w, h = (left + right) / 2, (low + high) / 2, right - left, high - low
  for s in (-1, 1):
    model.add(
      wood,
      blocks.box(
        (rail, h - 0.006, t), (x + s * (w / 2 - rail / 2 - 0.003), y, z + t / 2)
      ),
    )
    model.add(
      wood,
      blocks.box(
        (w - 2 * rail, rail, t),
        (x, y + s * (h / 2 - rail / 2 - 0.003), z + t / 2),
      ),
    )


def _door_field(model, wood, inner, z, style):
  """What fills the frame of a door."""
  left, low, right, high = inner
  x, y, w, h = (left + right) / 2, (low + high) / 2, right - left, high - low
  if style == 'mirror':
    model.add(
      materials.named('mirror', 'silver'),
      blocks.box((w, h, 0.008), (x, y, z + 0.008)),
    )
  elif style == 'glass':
    model.add(
      materials.named('glass', 'clear'),
      blocks.box((w, h, 0.006), (x, y, z + 0.006)),
    )
    for v in np.linspace(low, high, 4)[1:-1]:
      model.add(wood, blocks.box((w, 0.02, 0.014), (x, v, z + 0.01)))
    model.add(wood, blocks.box((0.02, h, 0.014), (x, y, z + 0.01)))
  elif style == 'louver':
    count = int(np.clip(round(h / 0.07), 6, 22))
    for v in low + h * (np.arange(count) + 0.5) / count:
      slat = blocks.box((w, 0.055, 0.008), (x, v, z + 0.008))
      model.add(wood, shapes.rotated(slat, 'x', 30, (x, v, z + 0.008)))
  elif style == 'double':
    model.add(wood, blocks.box((w, h, 0.008), (x, y, z + 0.004)))
    model.add(wood, blocks.box((w, 0.06, 0.02), (x, y - 0.1 * h, z + 0.01)))
    for a, b in ((low, y - 0.1 * h - 0.03), (y - 0.1 * h + 0.03, high)):
      model.add(
        wood,
        blocks.box(
          (w - 0.05, b - a - 0.05, 0.014), (x, (a + b) / 2, z + 0.009), 0.01
        ),
      )
  elif style == 'arched':
    model.add(wood, blocks.box((w, h, 0.008), (x, y, z + 0.004)))
    u = np.linspace(-1, 1, 11)
    bottom = high - 0.25 * w * (1 - np.sqrt(np.maximum(1 - 0.9 * u**2, 0)))
    model.add(
      wood,
      surfaces.panel(
        np.stack([x + u * w / 2, bottom - 0.04, 0 * u + z + 0.01], 1),
        np.stack([x + u * w / 2, 0 * u + high + 0.01, 0 * u + z + 0.01], 1),
        0.02,
      ),
    )
  else:
    model.add(wood, blocks.box((w, h, 0.008), (x, y, z + 0.004)))


def carcass(
  model: assembly.Assembly,
  wood: materials.Material,
  width: float,
  depth: float,
  low: float,
  high: float,
  back: bool = True,
) -> None:
  """Bottom, top, two sides and maybe a back, open in front."""
  t = 0.02
  for y in (low + t / 2, high - t / 2):
    model.add(wood, blocks.box((width, t, depth), (0, y, 0)))
  for s in (-1, 1):
    model.add(
      wood,
      blocks.box(
        (t, high - low, depth), (s * (width / 2 - t / 2), (low + high) / 2, 0)
      ),
    )
  if back:
    model.add(
      wood,
      blocks.box(
        (width - 0.01, high - low - 0.01, 0.01),
        (0, (low + high) / 2, 0.008 - depth / 2),
      ),
    )


def books(
  model: assembly.Assembly,
  rng: np.random.Generator,
  left: float,
  right: float,
  y: float,
  room: float,
  depth: float,
  z: float = 0.0,
) -> None:
  """Some books standing on a shelf at height y, centred at z."""
  palette = [materials.pick(rng, 'paper') for _ in range(4)]
  x, end = left, left + (right - left) * rng.uniform(0.45, 0.9)
  while True:
    thick = rng.uniform(0.03, 0.06)
    if x + thick > end:
      return
    tall = room * rng.uniform(0.6, 0.86)
    deep = depth * rng.uniform(0.6, 0.75)
    model.add(
      palette[rng.integers(4)],
      blocks.box(
        (thick - 0.002, tall, deep), (x + thick / 2, y + tall / 2, z), 0.002
      ),
    )
    x += thick
