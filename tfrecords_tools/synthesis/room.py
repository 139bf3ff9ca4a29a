"""Rooms: a floor, walls and what is on them.

The room is the box -x/2 .. x/2, 0 .. height, -z/2 .. z/2. But for rugs, all of
it lies outside of this box: furniture may stand anywhere inside.
"""

from typing import List
from typing import Tuple

import numpy as np

from mask2cad_tf.geometry.furniture import shapes
from tfrecords_tools.synthesis import colors
from tfrecords_tools.synthesis import materials
from tfrecords_tools.synthesis import scene
from tfrecords_tools.synthesis import textures
from tfrecords_tools.synthesis import wall_things

_THICK = 0.1  # metres, of walls, floor and ceiling
_THINGS = {'': 3, 'window': 4, 'door': 2, 'picture': 3, 'pictures': 1}
_SPACE = (1.2, 2.6)  # metres of wall a thing, at least and at most
_WALLS = 4


def build(
  rng: np.random.Generator,
  bank: textures.TextureBank,
  size: Tuple[float, float],
  height: float,
  ceiling: bool = False,
) -> List[scene.Part]:
  """A furnished shell of a room.

  Args:
    rng: the source of randomness.
    bank: of textures.
    size: x and z, metres.
    height: metres.
    ceiling: is there one? Without it light comes in from above; a camera
      that looks up sees the background over the walls.

  Returns:
    Parts of owner `scene.ROOM`.
  """
  x, z = size
  parts = _floor(rng, bank, x, z)
  paint = materials.draw(rng, bank, 'wall')
  accent = materials.draw(rng, bank, 'wall') if rng.random() < 0.3 else paint
  accented = int(rng.integers(_WALLS))
  board = _skirting_board(rng, bank)
  panel = materials.draw(rng, bank, 'paint') if rng.random() < 0.12 else None
  for wall in range(_WALLS):
    pieces = _wall(
      rng, bank, (x if wall % 2 == 0 else z), height,
      accent if wall == accented else paint, board, panel,
    )  # fmt: skip
    parts += [_in_room(piece, wall, x, z) for piece in pieces]
  if ceiling:
    out = wall_things.DEPTH
    slab = wall_things.box(
      (-x / 2 - out, height, -z / 2 - out),
      (x / 2 + out, height + _THICK, z / 2 + out),
    )
    white = materials.plain(rng, np.full(3, rng.uniform(0.7, 0.9)), 0.95, 0.0)
    parts.append(_part(wall_things.Piece(slab, white)))
  return parts


def _floor(rng, bank, x: float, z: float) -> List[scene.Part]:
  """The floor, and rugs on it."""
  out = wall_things.DEPTH + _THICK
  slab = wall_things.box(
    (-x / 2 - out, -_THICK, -z / 2 - out), (x / 2 + out, 0, z / 2 + out)
  )
  parts = [_part(wall_things.Piece(slab, materials.draw(rng, bank, 'floor')))]
  for _ in range(int(rng.choice([0, 1, 2], p=[0.5, 0.4, 0.1]))):
    parts.append(_part(_rug(rng, bank, x, z)))
  return parts


def _rug(rng, bank, x: float, z: float) -> wall_things.Piece:
  """A thin slab somewhere on the floor, round or with four corners."""
  half = np.minimum(rng.uniform(0.5, 1.5, 2), 0.45 * np.array([x, z]))
  turn = rng.normal(0, 0.1) if rng.random() < 0.5 else 0.0
  count = 4
  if rng.random() < 0.2:
    half[:] = half.min()
    count = 32
  angles = 2 * np.pi * (np.arange(count) + 0.5) / count
  rim = np.stack([np.cos(angles), np.sin(angles)], axis=1)
  rim *= np.sqrt(2) if count == 4 else 1
  c, s = np.cos(turn), np.sin(turn)
  flat = (rim * half) @ np.array([[c, -s], [s, c]])
  room = np.maximum(0.5 * np.array([x, z]) - np.abs(flat).max(axis=0), 0)
  flat = flat + rng.uniform(-0.6, 0.6, 2) * room
  top, thick = (
    np.insert(flat, 1, rng.uniform(0.004, 0.011), axis=1),
    np.arange(count),
  )
  around = np.roll(thick, -1)
  faces = [np.stack([thick * 0, np.roll(thick, -1), thick], 1)[1:-1]]
  faces += [np.stack([thick, around, thick + count], 1)]
  faces += [np.stack([around, around + count, thick + count], 1)]
  material = materials.plain(
    rng, np.full(3, 0.85), 1.0, 0.0, texture=bank.draw(rng, 'rug')
  )
  return wall_things.Piece(
    shapes.Shape(np.concatenate([top, top * [1, 0, 1]]), np.concatenate(faces)),
    material,
    np.tile(0.5 + 0.5 * rim, (2, 1)),
  )


def _skirting_board(rng, bank):
  """Height, depth and material; height 0: none."""
  if rng.random() < 0.2:
    return 0.0, 0.0, None
  kind = 'wood' if rng.random() < 0.3 else ''
  material = (
    materials.draw(rng, bank, 'wood')
    if kind
    else materials.plain(rng, colors.draw(rng, 'white'), 0.5, 0.2)
  )
  return rng.uniform(0.05, 0.14), rng.uniform(0.008, 0.018), material


def _wall(
  rng, bank, length, height, paint, board, panel
) -> List[wall_things.Piece]:
  """One wall in its own frame, with all that is on it."""
  half, out = 0.5 * length, wall_things.DEPTH + _THICK
  slab = wall_things.box(
    (-half - out, -_THICK, -_THICK), (half + out, height, 0)
  )
  pieces = [wall_things.Piece(slab, paint)]
  free = half + wall_things.DEPTH
  doors = []
  left = -half + rng.uniform(0, 0.3)
  while left + _SPACE[0] < half:
    right = min(left + rng.uniform(*_SPACE), half)
    kind = colors.pick(rng, _THINGS)
    space = wall_things.Space(left, right, height)
    if kind and right - left > 1.0:
      made = wall_things.MAKERS[kind](rng, bank, space)
      pieces += made
      if kind == 'door':
        x = made[1].shape.vertices[:, 0]
        doors.append((x.min(), x.max()))
    left = right
  tall, deep, material = board
  bars = [(tall, deep, material)] if tall else []
  if panel is not None:
    bars.append((0.95, 0.006, panel))
  for high, thick, look in bars:
    edges = [-free, *np.ravel(doors), free]
    strips = [
      wall_things.box((a, 0, 0), (b, high, thick))
      for a, b in zip(edges[::2], edges[1::2])
      if b > a
    ]
    pieces.append(wall_things.Piece(shapes.joined(*strips), look))
  return pieces


def _in_room(piece: wall_things.Piece, wall: int, x: float, z: float):
  """A wall's piece in the world; walls 0 .. 3 stand at -z, -x, +z, +x."""
  turned = shapes.rotated(piece.shape, 'y', 90 * wall)
  out = wall_things.DEPTH
  offset = [
    (0, -z / 2 - out),
    (-x / 2 - out, 0),
    (0, z / 2 + out),
    (x / 2 + out, 0),
  ][wall]
  return _part(
    piece._replace(shape=shapes.moved(turned, (offset[0], 0, offset[1])))
  )


def _part(piece: wall_things.Piece) -> scene.Part:
  return scene.Part(
    np.asarray(piece.shape.vertices, np.float32),
    np.asarray(piece.shape.faces, np.int32),
    piece.material,
    scene.ROOM,
    uv=None if piece.uv is None else np.asarray(piece.uv, np.float32),
    smooth=piece.smooth,
  )
