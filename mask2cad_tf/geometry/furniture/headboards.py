"""Headboards and footboards: upright boards across a bed."""

from typing import Callable
from typing import Dict
from typing import List
from typing import Tuple

import numpy as np

from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import paths
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import supports
from mask2cad_tf.geometry.furniture import surfaces

# A board stands at z = 0, from the floor to `h`, as wide as the bed; its
# visible field begins at `low`. It comes as hard and soft shapes.
_Parts = Tuple[List[shapes.Shape], List[shapes.Shape]]


def _posts(w: float, h: float, t: float = 0.06, knob: bool = False):
  post = blocks.box((t, h, t), (w / 2 - t / 2, h / 2, 0), 0.006)
  if knob:
    ball = surfaces.lathe(
      [
        (0.3 * t, 0),
        (0.75 * t, 0.6 * t),
        (0.75 * t, 1.1 * t),
        (0.3 * t, 1.7 * t),
        (0, 1.8 * t),
      ],
      12,
    )
    post = shapes.joined(post, shapes.moved(ball, (w / 2 - t / 2, h, 0)))
  return shapes.mirrored(post)


def _rails(w: float, *levels: float):
  return [blocks.box((w - 0.08, 0.07, 0.035), (0, y, 0)) for y in levels]


def _crest(w: float, low: float, height: Callable, thickness: float = 0.045):
  x = np.linspace(-1, 1, 25)
  return surfaces.panel(
    np.stack([x * w / 2, 0 * x + low, 0 * x], 1),
    np.stack([x * w / 2, height(x), 0 * x], 1),
    thickness,
  )


def _panel(w, low, h) -> _Parts:
  field = blocks.box((w - 0.1, h - low - 0.08, 0.025), (0, (low + h) / 2, 0))
  return [_posts(w, h), field, *_rails(w, low, h - 0.05)], []


def _slats(w, low, h) -> _Parts:
  count = int(w / 0.13)
  bars = [
    blocks.box((0.05, h - low, 0.016), (x, (low + h) / 2, 0))
    for x in np.linspace(-1, 1, count) * (w / 2 - 0.1)
  ]
  return [_posts(w, h + 0.03), *bars, *_rails(w, low, h - 0.03)], []


def _spindles(w, low, h) -> _Parts:
  count = int(w / 0.16)
  rods = [
    shapes.moved(
      surfaces.lathe(
        [
          (0.012, low),
          (0.02, low + 0.3 * (h - low)),
          (0.012, (low + h) / 2),
          (0.02, low + 0.7 * (h - low)),
          (0.012, h),
        ],
        8,
      ),
      (x, 0, 0),
    )
    for x in np.linspace(-1, 1, count) * (w / 2 - 0.13)
  ]
  return [_posts(w, h + 0.05, knob=True), *rods, *_rails(w, low, h - 0.02)], []


def _hoops(w, low, h) -> _Parts:
  """Bent metal tube with thin vertical bars."""
  x, t = w / 2 - 0.02, 0.018
  loop = paths.bent(
    [
      (-x, 0, 0),
      (-x, 0.82 * h, 0),
      (-0.5 * x, h, 0),
      (0.5 * x, h, 0),
      (x, 0.82 * h, 0),
      (x, 0, 0),
    ],
    0.22,
    5,
  )
  u = np.linspace(-1, 1, int(w / 0.17)) * 0.82
  tops = h * np.where(np.abs(u) > 0.5, 1 - 0.36 * (np.abs(u) - 0.5), 1) - 0.01
  bars = [
    surfaces.tube([(a * x, low, 0), (a * x, b, 0)], 0.008, 6)
    for a, b in zip(u, tops)
  ]
  return [
    surfaces.tube(loop, t),
    surfaces.tube([(-x, low, 0), (x, low, 0)], 0.014),
    *bars,
  ], []


def _arched(w, low, h) -> _Parts:
  board = _crest(w - 0.1, 0.6 * low, lambda x: h - 0.22 * h * x**2)
  return [_posts(w, 0.74 * h, knob=True), board], []


def _scalloped(w, low, h) -> _Parts:
  board = _crest(
    w,
    0.4 * low,
    lambda x: (
      h * (0.86 + 0.1 * np.cos(np.pi * x) + 0.05 * np.cos(3 * np.pi * x))
    ),
    0.06,
  )
  return [], [board]


def _padded(w, low, h) -> _Parts:
  pad = blocks.cushion(
    (w, h - 0.6 * low, 0.1),
    (0, (h + 0.6 * low) / 2, 0),
    0.045,
    (0, 0.02, 0.015),
  )
  return [
    shapes.mirrored(blocks.box((0.06, h / 2, 0.03), (0.3 * w, h / 4, -0.03)))
  ], [pad]


def _tufted(w, low, h) -> _Parts:
  columns, rows = max(3, int(w / 0.3)), 3
  size = (w / columns, (h - low) / rows)
  pads = [
    blocks.cushion(
      (*size, 0.08),
      ((i + 0.5) * size[0] - w / 2, low + (j + 0.5) * size[1], 0.02),
      0.04,
      (0, 0, 0.02),
      corner=1,
    )
    for i in range(columns)
    for j in range(rows)
  ]
  return [blocks.box((w, h - 0.1, 0.04), (0, h / 2 + 0.02, -0.03))], pads


def _channels(w, low, h) -> _Parts:
  columns = max(6, int(w / 0.15))
  step = w / columns
  pads = [
    blocks.cushion(
      (step, h - 0.7 * low, 0.09),
      ((i + 0.5) * step - w / 2, (h + 0.7 * low) / 2, 0),
      0.04,
      corner=1,
    )
    for i in range(columns)
  ]
  return [blocks.box((w - 0.1, h / 2, 0.03), (0, h / 4 + 0.02, -0.02))], pads


def _winged(w, low, h) -> _Parts:
  pads = _padded(w, low, h)
  wing = blocks.cushion(
    (0.07, h - 0.6 * low, 0.26), (w / 2 + 0.02, (h + 0.6 * low) / 2, 0.09), 0.03
  )
  return pads[0], [*pads[1], shapes.mirrored(wing)]


def _planks(w, low, h) -> _Parts:
  count = 5
  step = (h - low) / count
  boards = [
    blocks.box((w, step - 0.012, 0.035), (0, low + (i + 0.5) * step, 0))
    for i in range(count)
  ]
  posts = shapes.mirrored(
    blocks.box((0.09, h - 0.02, 0.03), (0.36 * w, h / 2, -0.03))
  )
  return [*boards, posts], []


def _sleigh(w, low, h) -> _Parts:
  """A board that rolls outwards at the top (towards -z)."""
  v = np.linspace(0, 1, 14)
  y = 0.3 * low + (h - 0.3 * low) * np.interp(
    v, [0, 0.7, 0.9, 1], [0, 0.9, 1, 0.93]
  )
  z = -np.interp(v, [0, 0.3, 0.7, 0.9, 1], [0, 0.02, 0.1, 0.2, 0.27])
  x = np.linspace(-1, 1, 3)[:, None] * w / 2
  grid = np.stack(np.broadcast_arrays(x, y, z), -1)
  roll = surfaces.tube(
    [(-w / 2, y[-1], z[-1]), (w / 2, y[-1], z[-1])], 0.045, 12
  )
  return [
    surfaces.sheet(grid, 0.05),
    roll,
    shapes.mirrored(
      blocks.box((0.07, 0.5 * h, 0.07), (w / 2 - 0.03, 0.25 * h, -0.01))
    ),
  ], []


def _cubes(w, low, h) -> _Parts:
  """A bookcase behind the pillows."""
  parts = [
    blocks.box((w, 0.022, 0.24), (0, y, -0.1))
    for y in (0.02, low, (low + h) / 2 + 0.06, h)
  ]
  parts += [
    blocks.box((0.022, h, 0.24), (x * (w / 2 - 0.011), h / 2, -0.1))
    for x in (-1, -0.33, 0.33, 1)
  ]
  return [*parts, blocks.box((w, h, 0.01), (0, h / 2, -0.215))], []


def _rattan(w, low, h) -> _Parts:
  """Three framed fields of crossing canes."""
  parts = [_posts(w, h, 0.05), *_rails(w, low, h - 0.035)]
  step = (w - 0.1) / 3
  for i in range(3):
    middle = (i - 1) * step
    parts.append(
      blocks.box((0.04, h - low, 0.03), (middle + step / 2, (low + h) / 2, 0))
    )
    for s in (-1, 1):
      for k in np.linspace(-0.7, 0.7, 4):
        a = middle + k * step / 2
        reach = min(0.5 * step * (1 - abs(k)), 0.5 * (h - low - 0.1))
        parts.append(
          surfaces.bar(
            (a - reach, (low + h) / 2 - s * reach, 0.003 * s),
            (a + reach, (low + h) / 2 + s * reach, 0.003 * s),
            0.008,
            side=(0, 0, 1),
          )
        )
  return parts, []


def _medallion(w, low, h) -> _Parts:
  """A carved frame around an upholstered oval, on turned posts."""
  oval = paths.arc(1, 0, 348, 30) * (0.46 * w, 0.5 * (h - low), 1) + (
    0,
    (low + h) / 2,
    0,
  )
  pad = blocks.cushion(
    (0.88 * w, 0.94 * (h - low), 0.06), (0, (low + h) / 2, 0), 2, (0, 0, 0.015)
  )
  post = shapes.mirrored(
    shapes.moved(supports.turned(0.62 * h, 0.04), (w / 2 - 0.04, 0, 0))
  )
  return [surfaces.tube(oval, 0.03, closed=True), post], [pad]


_BUILDERS: Dict[str, Callable[..., _Parts]] = {
  'panel': _panel,
  'slats': _slats,
  'spindles': _spindles,
  'hoops': _hoops,
  'arched': _arched,
  'scalloped': _scalloped,
  'padded': _padded,
  'tufted': _tufted,
  'channels': _channels,
  'winged': _winged,
  'planks': _planks,
  'sleigh': _sleigh,
  'cubes': _cubes,
  'rattan': _rattan,
  'medallion': _medallion,
}
METAL = frozenset({'hoops'})


def board(kind: str, width: float, low: float, height: float) -> _Parts:
  """A head- or footboard at z = 0.

  Args:
    kind: its structure.
    width: of the bed.
    low: where its field begins above the floor.
    height: of its top.

  Returns:
    (hard shapes, soft shapes).
  """
  return _BUILDERS[kind](width, low, height)
