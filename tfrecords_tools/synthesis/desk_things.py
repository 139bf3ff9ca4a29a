"""Books, boxes, screens, papers and photos.

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


def book_pile(rng, bank) -> Pieces:
  """Books that lie on each other."""
  del bank
  pieces, y = [], 0.0
  wide, deep = rng.uniform(0.12, 0.24), rng.uniform(0.17, 0.3)
  for _ in range(int(rng.integers(1, 6))):
    thick = rng.uniform(0.008, 0.045)
    shape = solids.block((wide, thick, deep))
    shape = shapes.rotated(shape, 'y', rng.normal(0, 8))
    cover = materials.plain(rng, colors.draw(rng), 0.6, 0.2)
    pieces.append(solids.flat(shapes.moved(shape, (0, y, 0)), cover))
    y += thick
    wide, deep = wide * rng.uniform(0.8, 1), deep * rng.uniform(0.8, 1)
  return pieces


def book_row(rng, bank) -> Pieces:
  """Books that stand side by side, backs towards -z."""
  del bank
  looks = [materials.plain(rng, colors.draw(rng), 0.6, 0.2) for _ in range(4)]
  rows = [[] for _ in looks]
  tall, deep = rng.uniform(0.17, 0.26), rng.uniform(0.13, 0.2)
  length, x = rng.uniform(0.08, 0.4), 0.0
  for _ in range(24):
    if x > length:
      break
    size = rng.uniform([0.012, 0.75, 0.85], [0.045, 1.1, 1.0])
    book = solids.block((size[0], size[1] * tall, size[2] * deep))
    place = (x + size[0] / 2 - length / 2, 0, 0.5 * deep * (size[2] - 1))
    rows[int(rng.integers(len(rows)))].append(shapes.moved(book, place))
    x += size[0] + 0.001
  return [
    solids.flat(shapes.joined(*row), look)
    for row, look in zip(rows, looks)
    if row
  ]


def carton(rng, bank) -> Pieces:
  """A box, a tin, a tissue box."""
  size = np.exp(rng.uniform(np.log(0.06), np.log(0.3), 3)) * [1, 0.7, 0.8]
  kind = colors.pick(rng, {'paint': 3, 'wood': 2, 'fabric': 1, 'plastic': 2})
  pieces = [solids.flat(solids.block(size), materials.draw(rng, bank, kind))]
  if rng.random() < 0.5:
    lid = solids.block(
      (1.03 * size[0], 0.2 * size[1], 1.03 * size[2]), (0, 0.82 * size[1], 0)
    )
    pieces.append(solids.flat(lid, materials.draw(rng, bank, kind)))
  return pieces


def monitor(rng, bank) -> Pieces:
  """A screen on a foot."""
  w = rng.uniform(0.4, 0.68)
  h, y, deep = w * rng.uniform(0.55, 0.65), rng.uniform(0.08, 0.16), 0.04
  case = materials.plain(
    rng,
    colors.draw(rng, colors.pick(rng, {'dark': 4, 'grey': 1, 'white': 1})),
    0.4,
    0.3,
  )
  body = shapes.joined(
    solids.block((w, h, deep), (0, y, 0)),
    solids.block((0.05, y + 0.1, 0.02), (0, 0.0, 0.03)),
    solids.block((0.4 * w, 0.012, 0.18), (0, 0, 0.02)),
  )
  rim = rng.uniform(0.006, 0.02)
  low = (-w / 2 + rim, y + rim, -deep / 2 - 0.001)
  return [
    solids.flat(body, case),
    solids.screen(rng, bank, low, (w / 2 - rim, y + h - rim)),
  ]


def laptop(rng, bank) -> Pieces:
  """An open laptop."""
  w, d = rng.uniform(0.3, 0.38), rng.uniform(0.2, 0.26)
  case = materials.plain(
    rng, colors.draw(rng, colors.pick(rng, {'grey': 3, 'dark': 2})), 0.35, 0.4
  )
  keys = materials.plain(rng, colors.draw(rng, 'dark'), 0.7, 0.1)
  lid = [
    solids.flat(solids.block((w, d, 0.007)), case),
    solids.screen(
      rng, bank, (-w / 2 + 0.01, 0.01, -0.0045), (w / 2 - 0.01, d - 0.01)
    ),
  ]
  open_by = rng.uniform(5, 35)
  pieces = [
    solids.flat(solids.block((w, 0.016, d)), case),
    solids.flat(
      solids.block((0.88 * w, 0.018, 0.45 * d), (0, 0, 0.15 * d)), keys
    ),
  ]
  for piece in lid:
    turned = shapes.rotated(
      shapes.Shape(piece.vertices, piece.faces), 'x', open_by
    )
    moved = shapes.moved(turned, (0, 0.014, d / 2 - 0.006))
    pieces.append(soft_good.make(*moved, piece.material, False, piece.uv))
  return pieces


def keyboard(rng, bank) -> Pieces:
  """A keyboard and a mouse."""
  del bank
  look = materials.plain(
    rng,
    colors.draw(rng, colors.pick(rng, {'dark': 3, 'white': 2, 'grey': 1})),
    0.5,
    0.2,
  )
  w, d = rng.uniform(0.3, 0.45), rng.uniform(0.11, 0.16)
  keys = [
    solids.block((0.9 * w, 0.006, 0.15 * d), (0, 0.014, d * (0.2 * i - 0.4)))
    for i in range(5)
  ]
  mouse = surfaces.lathe(
    [(0.03, 0), (0.032, 0.012), (0.018, 0.03), (0, 0.034)], 10
  )
  mouse = shapes.scaled(mouse, (0.9, 1, 1.6))
  parts = shapes.joined(solids.block((w, 0.014, d)), *keys)
  return [
    solids.flat(shapes.moved(parts, (0.04, 0, 0)), look),
    soft_good.make(*shapes.moved(mouse, (-w / 2 - 0.02, 0, 0)), look),
  ]


def photo_frame(rng, bank) -> Pieces:
  """A framed photo that leans back."""
  w = rng.uniform(0.1, 0.28)
  h, rim = w * rng.uniform(0.7, 1.4), 0.08 * w
  picture = materials.plain(
    rng, np.full(3, 0.85), 0.3, 0.3, texture=bank.draw(rng, 'picture')
  )
  corners = np.array([[1, 0], [0, 0], [0, 1], [1, 1]], float)
  at = np.insert(
    (corners - [0.5, 0]) * [w - 2 * rim, h - 2 * rim] + [0, rim],
    2,
    -0.0085,
    axis=1,
  )
  uv = corners * [-1, 1] + [1, 0]
  front = shapes.Shape(at, np.array([[0, 1, 2], [0, 2, 3]]))
  kind = colors.pick(rng, {'wood': 2, 'paint': 2, 'metal': 1})
  leg = solids.block((0.2 * w, 0.6 * h, 0.004), (0, 0, 0.02))
  back = shapes.joined(
    solids.block((w, h, 0.016)), shapes.rotated(leg, 'x', -14)
  )
  lean = [shapes.rotated(s, 'x', 10) for s in (back, front)]
  # It stands on its lowest corner.
  down = (0, -lean[0].vertices[:, 1].min(), 0)
  back, front = (shapes.moved(s, down) for s in lean)
  return [
    solids.flat(back, materials.draw(rng, bank, kind)),
    soft_good.make(*front, picture, False, uv),
  ]


def papers(rng, bank) -> Pieces:
  """Sheets of paper or a magazine."""
  pieces, y = [], 0.0
  for _ in range(int(rng.integers(1, 4))):
    sheet = shapes.rotated(
      solids.block((0.21, 0.002, 0.297)), 'y', rng.normal(0, 15)
    )
    look = materials.plain(rng, colors.draw(rng, 'white'), 0.8, 0.1)
    if rng.random() < 0.3:
      look = materials.plain(
        rng, np.full(3, 0.85), 0.5, 0.2, texture=bank.draw(rng, 'picture')
      )
    pieces.append(solids.flat(shapes.moved(sheet, (0, y, 0)), look))
    y += 0.002
  return pieces


def speaker(rng, bank) -> Pieces:
  """A loudspeaker, a radio, a clock: a box with a round front."""
  size = rng.uniform([0.1, 0.12, 0.08], [0.25, 0.35, 0.22])
  kind = colors.pick(rng, {'wood': 2, 'plastic': 3, 'paint': 1})
  dark = materials.plain(rng, colors.draw(rng, 'dark'), 0.8, 0.1)
  r = 0.4 * min(size[0], size[1])
  disc = shapes.rotated(surfaces.lathe([(r, 0), (r, 0.006)], 16), 'x', -90)
  place = (0, rng.uniform(0.45, 0.55) * size[1], -size[2] / 2)
  return [
    solids.flat(solids.block(size), materials.draw(rng, bank, kind)),
    solids.flat(shapes.moved(disc, place), dark),
  ]
