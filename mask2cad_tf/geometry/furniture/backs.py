"""Chair backs, raked and attached behind a seat."""

from typing import Callable
from typing import Dict
from typing import List
from typing import Tuple

import numpy as np

from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import paths
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import surfaces

# A back is drawn upright at z = 0 between v = 0 (seat) and v = height, then
# raked. It comes as wooden shapes and upholstered shapes.
_Parts = Tuple[List[shapes.Shape], List[shapes.Shape]]


def _posts(w: float, h: float, t: float = 0.03) -> shapes.Shape:
  post = surfaces.bar(
    (w / 2 - t / 2, -0.04, 0), (w / 2 - t / 2, h, 0), t, taper=0.8
  )
  return shapes.mirrored(post)


def _rail(
  w: float, v: float, tall: float, dip: float = 0.03, crown: float = 0.0
) -> shapes.Shape:
  """A crosspiece bowed backwards by `dip`, its top raised by `crown`."""
  x = paths.line([-w / 2], [w / 2], 9)[:, 0]
  bow = -dip * (1 - (2 * x / w) ** 2)
  rise = crown * np.cos(np.pi * x / w)
  low = np.stack([x, np.full(9, v - tall / 2), bow], 1)
  high = np.stack([x, v + tall / 2 + rise, bow], 1)
  return surfaces.panel(low, high, 0.018)


def _ladder(w, h, rng) -> _Parts:
  count = int(rng.integers(3, 5))
  rails = [
    _rail(w - 0.03, v, 0.35 * h / count, crown=0.015)
    for v in np.linspace(0.25 * h, 0.92 * h, count)
  ]
  return [_posts(w, h), *rails], []


def _slats(w, h, rng) -> _Parts:
  count = int(rng.integers(3, 6))
  xs = np.linspace(-1, 1, count) * (w / 2 - 0.09)
  slats = [
    blocks.box((0.45 * w / count, 0.78 * h, 0.012), (x, 0.47 * h, -0.012))
    for x in xs
  ]
  rails = [
    _rail(w - 0.02, 0.93 * h, 0.1, 0.02, 0.02),
    _rail(w - 0.04, 0.1 * h, 0.04, 0.02),
  ]
  return [_posts(w, h), *slats, *rails], []


def _spindles(w, h, rng) -> _Parts:
  count = int(rng.integers(5, 9))
  rods = [
    surfaces.tube(
      [(0.8 * x, 0, 0), (x, 0.9 * h, -0.02 + 0.05 * (x / w) ** 2)], 0.008, 6
    )
    for x in np.linspace(-1, 1, count) * (w / 2 - 0.03)
  ]
  return [*rods, _rail(w + 0.04, 0.93 * h, 0.09, 0.025, 0.02)], []


def _hoop(w, h, rng) -> _Parts:
  half = w / 2 - 0.012
  loop = np.concatenate(
    [
      [(-0.85 * half, -0.02, 0)],
      paths.arc(1, 180, 0, 13) * (half, 0.55 * h, 0) + (0, 0.44 * h, 0),
      [(0.85 * half, -0.02, 0)],
    ]
  )
  count = int(rng.integers(4, 8))
  rods = [
    surfaces.tube(
      [
        (0.8 * x, 0, 0),
        (x, 0.44 * h + 0.55 * h * np.sqrt(1 - (x / half) ** 2), 0),
      ],
      0.007,
      6,
    )
    for x in np.linspace(-0.72, 0.72, count) * half
  ]
  return [surfaces.tube(loop, 0.013), *rods], []


def _round_hoops(w, h, rng) -> _Parts:
  """Bentwood cafe chair: an arch inside an arch."""
  parts = []
  for share in (1.0, 0.66):
    half = share * (w / 2 - 0.012)
    arch = np.concatenate(
      [
        [(-0.9 * half, -0.02, 0)],
        paths.arc(1, 180, 0, 11) * (half, 0.45 * h * share, 0)
        + (0, 0.54 * h * share, 0),
        [(0.9 * half, -0.02, 0)],
      ]
    )
    parts.append(surfaces.tube(arch, 0.013 * (0.7 + 0.3 * share)))
  return parts, []


def _splat(w, h, rng) -> _Parts:
  v = np.linspace(0, 1, 13)
  outline = (
    np.interp(
      v,
      [0, 0.1, 0.25, 0.45, 0.65, 0.8, 1],
      [0.12, 0.09, 0.15, 0.22, 0.1, 0.08, 0.2],
    )
    * w
  )
  low = np.stack([-outline, v * 0.9 * h, np.full(13, -0.01)], 1)
  high = np.stack([outline, v * 0.9 * h, np.full(13, -0.01)], 1)
  crest = _rail(w + 0.05, 0.94 * h, 0.07, 0.02, 0.035)
  return [_posts(w, 0.95 * h), surfaces.panel(high, low, 0.014), crest], []


def _cross(w, h, rng) -> _Parts:
  x = w / 2 - 0.03
  bars = [
    surfaces.bar(
      (-s * x, 0.12 * h, 0), (s * x, 0.84 * h, 0), 0.012, 0.032, side=(0, 0, 1)
    )
    for s in (-1, 1)
  ]
  return [
    _posts(w, h),
    *bars,
    _rail(w, 0.92 * h, 0.08, 0.01, 0.02),
    _rail(w - 0.03, 0.1 * h, 0.04, 0.01),
  ], []


def _panel(w, h, rng) -> _Parts:
  """Moulded plywood, curved around the sitter."""
  return [
    _wrap(w, 0.45 * h, h, 0.05, 0.012),
    shapes.mirrored(
      surfaces.bar(
        (0.28 * w, -0.04, -0.035), (0.28 * w, 0.75 * h, -0.045), 0.025
      )
    ),
  ], []


def _wrap(
  w: float, low: float, high: float, hug: float, thickness: float
) -> shapes.Shape:
  x = np.linspace(-1, 1, 11)
  v = np.linspace(0, 1, 5)
  corner = 1 - 0.12 * np.abs(x) ** 4
  grid = np.stack(
    np.broadcast_arrays(
      (w / 2) * x[:, None] * (1 - 0.06 * (2 * v - 1) ** 4),
      (low + high) / 2 + (high - low) / 2 * corner[:, None] * (2 * v - 1),
      hug * (x**2 - 1)[:, None],
    ),
    -1,
  )
  return surfaces.sheet(grid, thickness)


def _upholstered(w, h, rng) -> _Parts:
  pad = blocks.cushion(
    (w, 1.02 * h, 0.07), (0, 0.5 * h, 0), 0.035, (0, 0.01, 0.015)
  )
  return [], [pad]


def _padded(w, h, rng) -> _Parts:
  pad = blocks.cushion(
    (w - 0.07, 0.55 * h, 0.045), (0, 0.62 * h, 0.004), 0.02, (0, 0, 0.012)
  )
  frame = [
    _posts(w, h),
    _rail(w, 0.95 * h, 0.05, 0.0, 0.02),
    _rail(w - 0.03, 0.3 * h, 0.04, 0.0),
  ]
  return frame, [pad]


def _medallion(w, h, rng) -> _Parts:
  """Oval cushion in an oval frame, on two short posts."""
  oval = (0.46 * w, 0.36 * h, 1)
  loop = paths.arc(1, 0, 345, 24) * oval + (0, 0.62 * h, 0)
  pad = blocks.cushion(
    (0.84 * w, 0.66 * h, 0.05), (0, 0.62 * h, 0), 0.5, (0, 0, 0.012)
  )
  posts = shapes.mirrored(
    surfaces.bar((0.3 * w, -0.04, 0), (0.26 * w, 0.36 * h, 0), 0.026)
  )
  return [surfaces.tube(loop, 0.016, closed=True), posts], [pad]


def _channel(w, h, rng) -> _Parts:
  """Vertical upholstered channels under a rounded top."""
  count = int(rng.integers(5, 8))
  pads = []
  for x in (np.arange(count) - (count - 1) / 2) * w / count:
    tall = h * (0.86 + 0.16 * np.cos(np.pi * x / w))
    pads.append(
      blocks.cushion(
        (w / count, tall, 0.08), (x, tall / 2, 0.25 * x**2 / w), 0.03
      )
    )
  return [], pads


_BUILDERS: Dict[str, Callable[..., _Parts]] = {
  'ladder': _ladder,
  'slats': _slats,
  'spindles': _spindles,
  'hoop': _hoop,
  'bentwood': _round_hoops,
  'splat': _splat,
  'cross': _cross,
  'panel': _panel,
  'upholstered': _upholstered,
  'padded': _padded,
  'medallion': _medallion,
  'channel': _channel,
}


def back(
  kind: str,
  width: float,
  height: float,
  seat_height: float,
  z: float,
  rake: float,
  rng: np.random.Generator,
) -> _Parts:
  """A chair back.

  Args:
    kind: structure of the back.
    width: over its posts.
    height: above the seat.
    seat_height: of the seat's top.
    z: of the back's foot (negative: behind the seat's middle).
    rake: degrees that it leans backwards.
    rng: chooses counts of slats and the like.

  Returns:
    (wooden shapes, upholstered shapes).
  """

  def place(shape: shapes.Shape) -> shapes.Shape:
    return shapes.moved(shapes.rotated(shape, 'x', -rake), (0, seat_height, z))

  wood, soft = _BUILDERS[kind](width, height, rng)
  return [place(s) for s in wood], [place(s) for s in soft]
