"""Sheets that fall over furniture: duvets, throws, tablecloths."""

from typing import NamedTuple
from typing import Tuple

import numpy as np
from scipy import ndimage

from mask2cad_tf.geometry.furniture import shapes
from tfrecords_tools.synthesis import height_field
from tfrecords_tools.synthesis import pillows

_SUBSTEPS = 3  # of a walk between two vertices of the cloth
_OUTWARDS = 0.06  # metres that hanging cloth moves outwards a metre it falls
_OFF = 0.014  # metres between the side of furniture and what hangs there
_FINE = 6  # steps a vertex, where the edge is looked for
_FALL = 0.03  # metres, steps deeper than this are edges
_GAP = 0.004  # metres between cloth and what carries it


class _Path(NamedTuple):
  """Cloth laid along n lines, k vertices each."""

  position: np.ndarray  # [n, k], along the line, metres
  height: np.ndarray  # [n, k]
  carrier: np.ndarray  # [n, k], position of the edge that a vertex hangs from,
  # or its own
  drop: np.ndarray  # [n, k], metres that it hangs below that edge


def sheet(
  rng: np.random.Generator,
  field: height_field.HeightField,
  origin: Tuple[float, float],
  across: Tuple[float, float],
  along: Tuple[float, float],
  thick: float,
  counts: Tuple[int, int],
  turn: float = 0.0,
  crease: float = 0.0,
) -> shapes.Shape:
  """A padded sheet laid over whatever is there; beyond edges it hangs down.

  Args:
    rng: the source of randomness, of folds.
    field: the furniture and what already lies on it.
    origin: x and z of a point under the sheet, on the furniture; metres.
    across: where the sheet begins and ends along x, from the origin, measured
      in the cloth; metres, the first negative, the second positive.
    along: the same along z.
    thick: of the padding, metres.
    counts: vertices across and along.
    turn: of the sheet about y at the origin, radians.
    crease: height of its folds, metres.

  Returns:
    The sheet; 2 (counts[0] - 1) (counts[1] - 1) triangles that face up.
  """
  c, s = np.cos(turn), np.sin(turn)

  def place(p, q):
    return origin[0] + c * p + s * q, origin[1] - s * p + c * q

  def support(p, q):
    return field.at(*place(p, q))

  u = _snapped(lambda p: support(p, 0 * p), np.linspace(*across, counts[0]))
  v = _snapped(lambda q: support(0 * q, q), np.linspace(*along, counts[1]))
  spine = _walk(lambda q: support(0 * q, q), v, 1)
  edge = spine.carrier[0][:, None]
  rows = _walk(lambda p: support(p, edge), u, counts[1])
  p = rows.position.T  # [across, along]
  q = np.broadcast_to(spine.position, p.shape)
  folds = pillows.wrinkles(rng, *p.shape)
  drop = rows.drop.T + spine.drop
  # At a corner cloth falls both ways; it hangs there in one fold.
  both = np.minimum(rows.drop.T, spine.drop)
  padding = _padding(u, v, thick) * (0.75 + 0.5 * folds)
  padding += _padding(u, v, crease) * pillows.creases(rng, *p.shape)
  y = rows.height.T - spine.drop + 0.8 * both
  y = np.maximum(y, support(p, q)) + _GAP
  hanging = np.clip(drop / 0.08, 0, 1)
  y = y + padding * (1 - hanging)
  # What hangs is as thick, but outwards, and sways.
  sway = hanging * (0.6 * padding + 0.02 * (1 + folds) * np.minimum(drop, 1))
  p = p + np.sign(u)[:, None] * (sway + _OFF) * _near(rows.drop.T > 0, 0)
  q = q + np.sign(v)[None] * (sway + _OFF) * _near(spine.drop > 0, 1)
  x, z = place(p, q)
  vertices = np.stack([x, np.maximum(y, 0.012), z], -1).reshape(-1, 3)
  return shapes.Shape(vertices, shapes.grid_faces(*counts)[:, ::-1])


def _snapped(support, steps: np.ndarray) -> np.ndarray:
  """The steps [k], of which one is at the edge of what carries, each side.

  As far as the edge, cloth on level ground is as long as the way.
  """
  fine = np.linspace(steps[0], steps[-1], _FINE * len(steps))
  heights = support(fine)
  steps = steps.copy()
  for sign in (-1, 1):
    way = fine[fine * sign >= 0][::sign]
    level = heights[fine * sign >= 0][::sign]
    falls = np.flatnonzero(level[1:] < level[:-1] - _FALL)
    if len(falls):
      nearest = np.argmin(np.abs(steps - way[falls[0]]))
      if 0 < nearest < len(steps) - 1:
        steps[nearest] = way[falls[0]]
  return np.sort(steps)


def _near(hanging: np.ndarray, axis: int) -> np.ndarray:
  """Which vertices hang, or are at the edge that their neighbour hangs from."""
  axis = min(axis, hanging.ndim - 1)
  return ndimage.maximum_filter1d(hanging.astype(float), 3, axis=axis)


def _padding(u: np.ndarray, v: np.ndarray, thick: float) -> np.ndarray:
  """Thickness at each vertex: the rim is thin and rounded."""
  rim = np.minimum(
    np.minimum(u - u[0], u[-1] - u)[:, None],
    np.minimum(v - v[0], v[-1] - v)[None],
  )
  return thick * np.sqrt(np.clip(rim / max(1.5 * thick, 1e-6), 0, 1))


def _walk(support, steps: np.ndarray, count: int) -> _Path:
  """Lays `count` lines of cloth over the heights that `support` gives.

  Args:
    support: positions [count] or [count, 1] to heights of the same shape.
    steps: [k], ascending places in the cloth, from below to over 0.
    count: n.
  """
  middle = int(np.argmin(np.abs(steps)))
  shape = (count, len(steps))
  path = _Path(*(np.zeros(shape) for _ in _Path._fields))
  start = np.full((count, 1), steps[middle])
  for sign in (-1, 1):
    position, height = start.copy(), support(start)
    carrier, top = position.copy(), height.copy()
    last = -1 if sign < 0 else len(steps)
    for k in range(middle, last, sign):
      if k != middle:
        length = abs(steps[k] - steps[k - sign]) / _SUBSTEPS
        for _ in range(_SUBSTEPS):
          _advance(support, sign, length, position, height, carrier, top)
      path.position[:, k] = position[:, 0]
      path.height[:, k] = height[:, 0]
      path.carrier[:, k] = carrier[:, 0]
      path.drop[:, k] = (top - height)[:, 0]
  return path


def _advance(support, sign, length, position, height, carrier, top) -> None:
  """One small step of cloth, in place: level, down or up."""
  ahead = support(position + sign * length)
  falls = ahead < height - 1.5 * length
  climbs = ahead > height + 1.5 * length
  rises = np.where(falls, -length, np.where(climbs, length, ahead - height))
  run = np.sqrt(np.maximum(length**2 - rises**2, 0))
  run = np.where(falls, _OUTWARDS * length, np.where(climbs, 0, run))
  position += sign * run
  height[:] = np.where(
    falls, np.maximum(height - length, ahead), height + rises
  )
  hangs = falls & (height > ahead + 0.01)
  carrier[:] = np.where(hangs, carrier, position)
  top[:] = np.where(hangs, top, height)
