"""Tables that are laid: plates, cutlery and glasses along the rim."""

from typing import List
from typing import Optional
from typing import Tuple

import numpy as np

from mask2cad_tf.geometry import ray_caster
from mask2cad_tf.geometry.furniture import surfaces
from tfrecords_tools.synthesis import colors
from tfrecords_tools.synthesis import materials
from tfrecords_tools.synthesis import soft_good
from tfrecords_tools.synthesis import textures
from tfrecords_tools.synthesis import wall_things

Pieces = List[soft_good.SoftGood]

_HEIGHTS = (0.6, 0.85)  # metres, of tables that people eat at
_SEAT = 0.55  # metres of rim a person, at least
_GRID = 24  # rays a side that look for the table top


def place_settings(
  rng: np.random.Generator, caster: ray_caster.RayCaster, vertices: np.ndarray
) -> List[Tuple[np.ndarray, float]]:
  """Where plates go: (middle of the plate [3], turn about y) pairs.

  Args:
    rng: the source of randomness.
    caster: of the table.
    vertices: its vertices [n, 3], metres, upright on y = 0.

  Returns:
    A place for each person, as seen from the rim; none if this is no table.
  """
  found = _top(caster, vertices)
  if found is None:
    return []
  (x0, x1), level, (z0, z1) = found
  inset = rng.uniform(0.16, 0.2)
  if min(x1 - x0, z1 - z0) < 2 * inset + 0.1:
    return []
  places = []
  for low, high, ends, turn in (
    (x0, x1, (z0 + inset, z1 - inset), 0.0),
    (z0, z1, (x0 + inset, x1 - inset), 0.5 * np.pi),
  ):
    count = int((high - low - 0.1) / _SEAT)
    if turn and (high - low < 0.6 or rng.random() < 0.4):
      continue
    if turn:
      count = min(count, 1)
    for k in range(count):
      along = low + (high - low) * (k + 0.5) / count
      for side, end in enumerate(ends):
        x, z = (end, along) if turn else (along, end)
        places.append((np.array([x, level, z]), turn + np.pi * side))
  return places


class Service:
  """The crockery of one meal: all places get the same."""

  def __init__(self, rng: np.random.Generator, bank: textures.TextureBank):
    """Chooses it."""
    family = colors.pick(rng, {'white': 5, 'muted': 2, 'dark': 1})
    self._plate = materials.plain(rng, colors.draw(rng, family), 0.15, 0.5)
    self._steel = materials.draw(rng, bank, 'metal')
    self._glass = materials.plain(rng, colors.draw(rng), 0.1, 0.7)
    self._mat = (
      materials.draw(rng, bank, 'fabric') if rng.random() < 0.4 else None
    )
    self._radius = rng.uniform(0.1, 0.14)

  def make(self, rng: np.random.Generator) -> Pieces:
    """Plate, fork, knife and glass; the person sits at -z."""
    r = self._radius
    plate = surfaces.lathe(
      [(0.6 * r, 0), (r, 0.02), (0.97 * r, 0.024), (0.6 * r, 0.008)], 16
    )
    pieces = [soft_good.make(*plate, self._plate)]
    for side in (-1, 1):
      x = side * (r + 0.03)
      bar = wall_things.box((x - 0.007, 0, -0.09), (x + 0.007, 0.004, 0.09))
      pieces.append(soft_good.make(*bar, self._steel, smooth=False))
    w, h = rng.uniform(0.028, 0.036), rng.uniform(0.09, 0.12)
    glass = surfaces.lathe(
      [(0.8 * w, 0), (w, h), (0.92 * w, h), (0.75 * w, 0.02)], 12
    )
    offset = np.array([-(r + 0.01), 0, r + 0.005])
    pieces.append(
      soft_good.make(glass.vertices + offset, glass.faces, self._glass)
    )
    if self._mat is not None:
      half = r + 0.06
      mat = wall_things.box((-half, 0, -r - 0.02), (half, 0.003, r + 0.02))
      pieces.append(soft_good.make(*mat, self._mat, smooth=False))
    return pieces


def _top(caster, vertices) -> Optional[tuple]:
  """The rectangle of an open table top: x range, height, z range."""
  low, high = np.min(vertices, axis=0), np.max(vertices, axis=0)
  if not _HEIGHTS[0] < high[1] < _HEIGHTS[1] + 0.05:
    return None
  steps = (np.arange(_GRID) + 0.5) / _GRID
  x = low[0] + (high[0] - low[0]) * steps
  z = low[2] + (high[2] - low[2]) * steps
  xx, zz = np.meshgrid(x, z, indexing='ij')
  origins = np.stack(
    [xx.ravel(), np.full(xx.size, high[1] + 0.1), zz.ravel()], 1
  )
  down = caster.distance(origins, np.tile([0.0, -1.0, 0.0], (xx.size, 1)))
  level = high[1] + 0.1 - float(np.median(down))
  flat = np.abs(high[1] + 0.1 - down - level) < 0.01
  if not _HEIGHTS[0] < level < _HEIGHTS[1] or flat.mean() < 0.5:
    return None
  return (low[0], high[0]), level, (low[2], high[2])
