"""What is on the walls of a room: windows, doors, pictures, curtains.

Walls are built in their own frame: x to the right as seen from the room, y up,
z into the room; the wall's surface is z = 0 and nothing goes beyond `DEPTH`.
"""

from typing import Callable
from typing import Dict
from typing import List
from typing import NamedTuple
from typing import Optional

import numpy as np

from mask2cad_tf.geometry.furniture import shapes
from tfrecords_tools.synthesis import colors
from tfrecords_tools.synthesis import materials
from tfrecords_tools.synthesis import scene

DEPTH = 0.07  # metres
_BOX = np.array(
  [[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float
)
_BOX_FACES = np.array(
  [
    [0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
    [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3],
  ]
)  # fmt: skip


class Piece(NamedTuple):
  """A mesh of one material in the wall's frame."""

  shape: shapes.Shape
  material: scene.Material
  uv: Optional[np.ndarray] = None
  smooth: bool = False


class Space(NamedTuple):
  """A free stretch of a wall, metres."""

  left: float
  right: float
  height: float  # of the room

  @property
  def width(self) -> float:
    """Metres."""
    return self.right - self.left


def box(low: shapes.Point, high: shapes.Point) -> shapes.Shape:
  """A box between two corners: 12 triangles."""
  low, high = np.asarray(low, float), np.asarray(high, float)
  return shapes.Shape(low + _BOX * (high - low), _BOX_FACES)


def pane(
  low: shapes.Point, high: shapes.Point, material: scene.Material
) -> Piece:
  """A rectangle that faces the room and shows a texture once.

  Args:
    low: x, y, z of the lower left corner.
    high: x and y of the upper right one; metres.
    material: its texture fills the pane.
  """
  (x0, y0, z), (x1, y1) = low, high[:2]
  vertices = np.array([[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]])
  uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
  return Piece(
    shapes.Shape(vertices, np.array([[0, 1, 2], [0, 2, 3]])), material, uv
  )


def frame(
  low: shapes.Point, high: shapes.Point, wide: float, deep: float
) -> shapes.Shape:
  """Four bars around the rectangle from `low` to `high` [2], outside of it."""
  (x0, y0), (x1, y1) = low, high
  return shapes.joined(
    box((x0 - wide, y0 - wide, 0), (x0, y1 + wide, deep)),
    box((x1, y0 - wide, 0), (x1 + wide, y1 + wide, deep)),
    box((x0, y0 - wide, 0), (x1, y0, deep)),
    box((x0, y1, 0), (x1, y1 + wide, deep)),
  )


def window(rng, bank, space: Space) -> List[Piece]:
  """A bright pane with bars, sometimes with curtains beside it."""
  wide = min(rng.uniform(0.7, 2.2), space.width - 0.3)
  low = rng.choice(
    [rng.uniform(0.75, 1.0), rng.uniform(0.05, 0.4)], p=[0.75, 0.25]
  )
  high = min(low + rng.uniform(1.1, 1.7), space.height - 0.15)
  left = space.left + 0.15 + rng.random() * (space.width - 0.3 - wide)
  right = left + wide
  bright = rng.uniform(0.9, 1.8)
  view = materials.plain(
    rng, np.full(3, 0.9), 0.1, 0.0, bright,
    bank.draw(rng, 'outside') if rng.random() < 0.7 else None,
  )  # fmt: skip
  paint = materials.plain(
    rng, colors.draw(rng, colors.pick(rng, {'white': 5, 'wood': 2, 'dark': 1}))
  )
  bars = [frame((left, low), (right, high), rng.uniform(0.04, 0.09), 0.035)]
  count = int(rng.integers(1, 4))
  for i in range(1, count):
    x = left + wide * i / count
    bars.append(box((x - 0.02, low, 0), (x + 0.02, high, 0.03)))
  if rng.random() < 0.3:
    y = low + rng.uniform(0.5, 0.75) * (high - low)
    bars.append(box((left, y - 0.015, 0), (right, y + 0.015, 0.028)))
  curtained = rng.random() < 0.45
  if low > 0.6:
    deep = 0.02 if curtained else DEPTH
    bars.append(
      box((left - 0.1, low - 0.09, 0), (right + 0.1, low - 0.05, deep))
    )
  pieces = [
    pane((left, low, 0.012), (right, high), view),
    Piece(shapes.joined(*bars), paint),
  ]
  if curtained:
    pieces += _curtains(rng, bank, left, right, low, high, space)
  return pieces


def _curtains(rng, bank, left, right, low, high, space) -> List[Piece]:
  """Two lengths of wavy cloth on a rod."""
  cloth = materials.draw(rng, bank, 'fabric')
  wide = rng.uniform(0.25, 0.5) * min(1.0, right - left)
  top = min(high + rng.uniform(0.08, 0.2), space.height - 0.02)
  bottom = 0.02 if rng.random() < 0.6 else max(low - 0.15, 0.02)
  rod = box((left - 0.3, top - 0.01, 0.03), (right + 0.3, top + 0.01, 0.05))
  pieces = [Piece(rod, materials.draw(rng, bank, 'metal'))]
  outside = 0.25 * wide
  for start in (left - outside, right + outside - wide):
    start = np.clip(start, space.left, max(space.right - wide, space.left))
    s, t = np.meshgrid(
      np.linspace(0, 1, 25), np.linspace(0, 1, 5), indexing='ij'
    )
    waves = np.sin(2 * np.pi * (rng.integers(3, 6) * s + rng.random()))
    z = 0.045 + 0.02 * waves * (0.5 + 0.5 * (1 - t))
    vertices = np.stack([start + wide * s, bottom + (top - bottom) * t, z], -1)
    faces = shapes.grid_faces(25, 5)
    pieces.append(
      Piece(shapes.Shape(vertices.reshape(-1, 3), faces), cloth, smooth=True)
    )
  return pieces


def door(rng, bank, space: Space) -> List[Piece]:
  """A leaf with panels, a frame and a handle."""
  wide = min(rng.uniform(0.75, 1.0), space.width - 0.25)
  high = min(rng.uniform(1.95, 2.1), space.height - 0.12)
  left = space.left + 0.12 + rng.random() * (space.width - 0.25 - wide)
  right = left + wide
  kind = 'wood' if rng.random() < 0.4 else 'paint'
  leaf = materials.draw(rng, bank, kind)
  trim = leaf if rng.random() < 0.5 else materials.draw(rng, bank, 'paint')
  panels = [box((left, 0, 0), (right, high, 0.015))]
  count = int(rng.integers(0, 4))
  for i in range(count):
    low = 0.12 + (high - 0.2) * i / count
    top = 0.12 + (high - 0.2) * (i + 1) / count - 0.08
    panels.append(
      frame((left + 0.14, low + 0.02), (right - 0.14, top), 0.02, 0.025)
    )
  side = right - 0.07 if rng.random() < 0.5 else left + 0.07
  lever = 0.11 if side < left + 0.1 else -0.11
  handle = box(
    (min(side, side + lever), 1.02, 0.045),
    (max(side, side + lever), 1.04, 0.062),
  )
  knob = box((side - 0.02, 0.95, 0.015), (side + 0.02, 1.1, 0.05))
  casing = shapes.joined(
    box((left - 0.08, 0, 0), (left, high + 0.08, 0.03)),
    box((right, 0, 0), (right + 0.08, high + 0.08, 0.03)),
    box((left, high, 0), (right, high + 0.08, 0.03)),
  )
  return [
    Piece(shapes.joined(*panels), leaf),
    Piece(casing, trim),
    Piece(shapes.joined(handle, knob), materials.draw(rng, bank, 'metal')),
  ]


def picture(rng, bank, space: Space) -> List[Piece]:
  """One framed picture, a poster, or a mirror."""
  wide = min(np.exp(rng.uniform(np.log(0.2), np.log(1.2))), space.width - 0.1)
  high = min(wide * rng.uniform(0.65, 1.5), 1.1, 0.45 * space.height)
  middle = rng.uniform(0.55, 0.66) * space.height
  left = space.left + 0.05 + rng.random() * (space.width - 0.1 - wide)
  low, top = middle - 0.5 * high, middle + 0.5 * high
  deep = rng.uniform(0.008, 0.03)
  if rng.random() < 0.12:
    art = scene.Material(np.full(3, 0.8, np.float32), None, 1, 0.05, 0.9, 1.0)
  else:
    art = materials.plain(
      rng, np.full(3, 0.88), 0.5, rng.choice([0.0, 0.3]),
      texture=bank.draw(rng, 'picture'),
    )  # fmt: skip
  rim = min(rng.uniform(0.012, 0.06), 0.15 * wide, 0.15 * high)
  inner = (left + rim, low + rim), (left + wide - rim, top - rim)
  kind = colors.pick(rng, {'wood': 2, 'paint': 3, 'metal': 1})
  edge = materials.draw(rng, bank, kind)
  pieces = [Piece(frame(*inner, rim, deep), edge)]
  if rng.random() < 0.4 and art.texture is not None:  # a mat around the art
    paper = materials.plain(rng, colors.draw(rng, 'white'), 0.9, 0.0)
    pieces.append(pane((*inner[0], 0.003), inner[1], paper))
    margin = rng.uniform(0.1, 0.25) * min(wide, high)
    inner = (
      tuple(np.array(inner[0]) + margin),
      tuple(np.array(inner[1]) - margin),
    )
  pieces.append(pane((*inner[0], 0.005), inner[1], art))
  return pieces


def pictures(rng, bank, space: Space) -> List[Piece]:
  """Several small pictures side by side."""
  count = int(rng.integers(2, 5))
  step = min(space.width / count, 0.8)
  left = space.left + 0.5 * (space.width - count * step)
  pieces = []
  for i in range(count):
    part = Space(left + i * step, left + (i + 1) * step, space.height)
    pieces += picture(rng, bank, part)
  return pieces


MAKERS: Dict[str, Callable] = {
  'window': window,
  'door': door,
  'picture': picture,
  'pictures': pictures,
}
