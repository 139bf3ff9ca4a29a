"""What furniture stands on: legs and frames by name.

A support fills the space from the floor, y = 0, to `height`; `width` and
`depth` span the outer faces of its feet or of the top it carries.
"""

from typing import Callable
from typing import Dict
from typing import FrozenSet

import numpy as np

from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import paths
from mask2cad_tf.geometry.furniture import pedestals
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import surfaces

_SEGMENTS = 10  # of turned legs


def turned(
  height: float, radius: float, style: str = 'baluster'
) -> shapes.Shape:
  """One leg from the lathe, standing at the origin.

  Args:
    height: of the leg.
    radius: at its thickest.
    style: 'baluster' (vase and rings), 'bobbin' (beads) or 'cone'.

  Returns:
    The leg.
  """
  if style == 'baluster':
    outline = [
      (0.55, 0),
      (0.7, 0.04),
      (0.5, 0.09),
      (0.45, 0.14),
      (0.75, 0.3),
      (1, 0.52),
      (0.85, 0.64),
      (0.5, 0.7),
      (0.95, 0.73),
      (0.95, 0.76),
      (0.6, 0.79),
      (1, 0.82),
      (1, 1),
    ]
  elif style == 'bobbin':
    outline = [(0.6, 0.0)]
    for i in range(5):
      low = 0.02 + 0.16 * i
      outline += [
        (0.5, low),
        (1, low + 0.05),
        (1, low + 0.11),
        (0.5, low + 0.16),
      ]
    outline += [(1, 0.84), (1, 1)]
  else:
    outline = [(0.5, 0), (0.55, 0.02), (1, 1)]
  return surfaces.lathe(
    [(radius * r, height * y) for r, y in outline], _SEGMENTS
  )


def _corners(
  leg: shapes.Shape, width: float, depth: float, inset: float
) -> shapes.Shape:
  """The leg in four corners, mirrored."""
  leg = shapes.moved(leg, (width / 2 - inset, 0, depth / 2 - inset))
  return shapes.mirrored(shapes.mirrored(leg), 'z')


def _square(w, d, h, r):
  return _corners(blocks.box((2 * r, h, 2 * r), (0, h / 2, 0)), w, d, r)


def _tapered(w, d, h, r):
  return _corners(
    surfaces.bar((0, h, 0), (0, 0, 0), 2 * r, taper=0.55), w, d, r
  )


def _splayed(w, d, h, r):
  leg = surfaces.tube(
    [(-0.18 * h, h, -0.12 * h), (0, 0, 0)], r, scales=(1, 0.55)
  )
  return _corners(leg, w, d, r)


def _baluster(w, d, h, r):
  return _corners(turned(h, 1.15 * r), w, d, 1.15 * r)


def _bobbin(w, d, h, r):
  return _corners(turned(h, r, 'bobbin'), w, d, r)


def _cone(w, d, h, r):
  return _corners(turned(h, r, 'cone'), w, d, r)


def _cabriole(w, d, h, r):
  out = np.array(
    [(0, 1), (0.5, 0.82), (0.2, 0.5), (-0.35, 0.2), (-0.1, 0.05), (0.4, 0)]
  )
  path = paths.curve([(1.6 * r * x, h * y, 1.6 * r * x) for x, y in out], 10)
  scales = np.interp(
    path[::-1, 1] / h, [0, 0.06, 0.3, 0.8, 1], [0.9, 0.7, 0.6, 1.2, 1.3]
  )[::-1]
  return _corners(surfaces.tube(path, r, scales=scales), w, d, 1.7 * r)


def _hairpin(w, d, h, r):
  thin = 0.35 * r
  leg = surfaces.tube(
    paths.bent([(-3 * r, h, r), (0, 0, 0), (r, h, -3 * r)], 0.03), thin, 6
  )
  return _corners(leg, w, d, thin + r)


def _sled(w, d, h, r):
  t = 0.5 * r
  x, z = w / 2 - t, d / 2 - t
  loop = paths.bent([(x, h, z), (x, t, z), (x, t, -z), (x, h, -z)], 0.06)
  return shapes.mirrored(surfaces.tube(loop, t))


def _frame(w, d, h, r):
  t = 1.3 * r
  x, z = w / 2 - t / 2, d / 2 - t / 2
  bars = [blocks.box((t, h, t), (x, h / 2, s * z)) for s in (-1, 1)]
  bars += [blocks.box((t, t, d), (x, y, 0)) for y in (t / 2, h - t / 2)]
  return shapes.mirrored(shapes.joined(*bars))


def _cross(w, d, h, r):
  x, z = w / 2 - r, d / 2 - r
  bars = [
    surfaces.bar(
      (x - 0.012 * s, 0, s * z), (x - 0.012 * s, h, -s * z), 1.3 * r, 2 * r
    )
    for s in (-1, 1)
  ]
  rail = surfaces.tube([(0, h / 2, 0), (x, h / 2, 0)], 0.5 * r)
  return shapes.mirrored(shapes.joined(*bars, rail))


def _stretcher(w, d, h, r):
  y = 0.25 * h
  side = blocks.box((r, 1.4 * r, d - 2 * r), (w / 2 - r, y, 0))
  middle = blocks.box((w - 2 * r, 1.4 * r, r), (0, y, 0))
  return shapes.joined(_square(w, d, h, r), shapes.mirrored(side), middle)


def _plinth(w, d, h, r):
  return blocks.box((w - 2 * r, h, d - 2 * r), (0, h / 2, 0))


def _bun(w, d, h, r):
  profile = [(0.6, 0), (1.1, 0.2), (1.35, 0.5), (1.1, 0.8), (0.7, 1)]
  leg = surfaces.lathe([(1.2 * r * a, h * b) for a, b in profile], 12)
  return _corners(leg, w, d, 1.6 * r)


def _trestle(w, d, h, r):
  x, foot = 0.36 * w, 1.6 * r
  end = [
    blocks.box((2 * r, foot, 0.85 * d), (x, foot / 2, 0), 0.012),
    blocks.box((2 * r, foot, 0.7 * d), (x, h - foot / 2, 0), 0.012),
    blocks.box((1.6 * r, h, 5 * r), (x, h / 2, 0)),
  ]
  rail = blocks.box((2 * x + 6 * r, 4 * r, 1.2 * r), (0, 0.4 * h, 0))
  return shapes.joined(shapes.mirrored(shapes.joined(*end)), rail)


def _panels(w, d, h, r):
  return shapes.mirrored(
    blocks.box((1.4 * r, h, d), (w / 2 - 0.7 * r, h / 2, 0))
  )


def _vee(w, d, h, r):
  legs = [
    surfaces.bar(
      (0.36 * w, h, 0), (0.36 * w, 0, s * (d / 2 - r)), 2 * r, 1.6 * r, 0.7
    )
    for s in (-1, 1)
  ]
  rail = surfaces.bar((0, 0.9 * h, 0), (0.36 * w, 0.9 * h, 0), r, 2 * r)
  return shapes.mirrored(shapes.joined(*legs, rail))


_BUILDERS: Dict[str, Callable[..., shapes.Shape]] = {
  'square': _square,
  'tapered': _tapered,
  'splayed': _splayed,
  'baluster': _baluster,
  'bobbin': _bobbin,
  'cone': _cone,
  'cabriole': _cabriole,
  'hairpin': _hairpin,
  'sled': _sled,
  'frame': _frame,
  'cross': _cross,
  'stretcher': _stretcher,
  'plinth': _plinth,
  'bun': _bun,
  'trestle': _trestle,
  'column': pedestals.column,
  'tulip': pedestals.tulip,
  'claw': pedestals.claw,
  'drum': pedestals.drum,
  'hourglass': pedestals.hourglass,
  'double': pedestals.double,
  'panels': _panels,
  'vee': _vee,
  'tripod': pedestals.tripod,
}


METAL = frozenset({'hairpin', 'sled', 'frame', 'hourglass', 'column'})


def support(
  kind: str, width: float, depth: float, height: float, radius: float = 0.022
) -> shapes.Shape:
  """A support of the given kind; `radius` is half a leg's thickness."""
  return _BUILDERS[kind](width, depth, height, radius)


def kinds() -> FrozenSet[str]:
  """The names that `support` knows."""
  return frozenset(_BUILDERS)
