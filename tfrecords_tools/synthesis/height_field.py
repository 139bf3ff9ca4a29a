"""What a piece of furniture looks like from above: heights on a grid."""

import copy
from typing import NamedTuple
from typing import Optional

import numpy as np
from scipy import ndimage

from mask2cad_tf.geometry import ray_caster

_ABOVE = 0.1  # metres over the top, where rays start
_DOWN = np.array([0.0, -1.0, 0.0])


class Region(NamedTuple):
  """A level rectangle of a height field."""

  level: float  # metres, its height
  x: tuple  # first and last, metres
  z: tuple


class HeightField:
  """Heights of upright furniture that stands on y = 0.

  `caster` meets the furniture itself; `height` also holds what was laid on it
  since.
  """

  def __init__(
    self,
    vertices: np.ndarray,
    faces: np.ndarray,
    cell: float = 0.025,
    bridged: float = 0.0,
  ):
    """Looks at the furniture from above.

    Args:
      vertices: [n, 3], metres, +y up, y = 0 the floor.
      faces: int [m, 3].
      cell: size of a cell, metres; larger where there would be over 96.
      bridged: width of gaps that count as closed, as those between slats;
        metres.
    """
    vertices = np.asarray(vertices, np.float64)
    self.caster = ray_caster.RayCaster(vertices[faces])
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    self.top = float(high[1])
    counts = np.clip(np.ceil((high - low) / cell), 4, 96).astype(int)
    self.x = low[0] + (high[0] - low[0]) * _middles(counts[0])
    self.z = low[2] + (high[2] - low[2]) * _middles(counts[2])
    x, z = np.meshgrid(self.x, self.z, indexing='ij')
    self.furniture = self.heights(x, z)
    self.open = np.zeros(self.furniture.shape, bool)  # cells that were bridged
    if bridged:
      wide = [int(bridged / step[1]) | 1 for step in self._steps()]
      closed = ndimage.grey_closing(self.furniture, wide, mode='nearest')
      self.open = closed > self.furniture + 0.02
      self.furniture = closed
    self.height = self.furniture.copy()

  def heights(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The furniture's exact heights at x, z, the same shape; 0: the floor."""
    start = np.full(np.size(x), self.top + _ABOVE)
    origins = np.stack([np.ravel(x), start, np.ravel(z)], axis=1)
    distance = self.caster.distance(origins, np.tile(_DOWN, (len(start), 1)))
    found = np.where(np.isfinite(distance), start - distance, 0)
    return np.maximum(found, 0).reshape(np.shape(x))

  def at(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The grid's heights at x, z, the same shape; 0 beyond its rim."""
    i, j = self._cell(x, z)
    inside = (i >= 0) & (i < len(self.x)) & (j >= 0) & (j < len(self.z))
    i = np.clip(i, 0, len(self.x) - 1)
    j = np.clip(j, 0, len(self.z) - 1)
    return np.where(inside, self.height[i, j], 0)

  def raise_by(self, vertices: np.ndarray, faces: np.ndarray) -> None:
    """Takes in a mesh that was laid down; metres."""
    mesh = ray_caster.RayCaster(np.asarray(vertices)[faces])
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    i = np.flatnonzero((self.x >= low[0]) & (self.x <= high[0]))
    j = np.flatnonzero((self.z >= low[2]) & (self.z <= high[2]))
    if not len(i) or not len(j):
      return
    x, z = np.meshgrid(self.x[i], self.z[j], indexing='ij')
    start = np.full(x.size, high[1] + _ABOVE)
    distance = mesh.distance(
      np.stack([x.ravel(), start, z.ravel()], axis=1),
      np.tile(_DOWN, (x.size, 1)),
    )
    found = np.where(np.isfinite(distance), start - distance, 0)
    cells = np.ix_(i, j)
    self.height[cells] = np.maximum(self.height[cells], found.reshape(x.shape))

  def rest(self, vertices: np.ndarray, sunk: float = 0.0) -> np.ndarray:
    """The vertices [n, 3] moved up or down onto what is under them."""
    gap = vertices[:, 1] - self.at(vertices[:, 0], vertices[:, 2])
    return vertices - [0, gap.min() + sunk, 0]

  def without_above(self, height: float, level: float) -> 'HeightField':
    """A copy in which furniture over `height` is as high as `level`."""
    lower = copy.copy(self)
    lower.height = np.where(self.furniture > height, level, self.height)
    return lower

  def turns_of_highest_rim(self) -> int:
    """Quarter turns, +x to +z, that bring the highest of the sides to +z.

    There the head of a bed is, or the back of a sofa. 0 where no side is
    clearly higher than the one at +z.
    """
    heights = self.furniture
    deep = max(2, int(0.08 * min(heights.shape)))
    # In the order of the turns needed: what is at +z, +x, -z, -x.
    rims = np.array(
      [
        heights[:, -deep:].max(axis=1).mean(),
        heights[-deep:].max(axis=0).mean(),
        heights[:, :deep].max(axis=1).mean(),
        heights[:deep].max(axis=0).mean(),
      ]
    )
    return int(rims.argmax()) if rims.max() > rims[0] + 0.02 else 0

  def level_region(
    self,
    lowest: float,
    highest: float,
    smallest: float = 0.25,
    share: float = 0.12,
  ) -> Optional[Region]:
    """The rectangle at the height that most of the furniture has.

    Args:
      lowest: metres; lower levels do not count.
      highest: metres.
      smallest: length of both sides at least, metres.
      share: of the whole seen from above, at least.

    Returns:
      The region, or None: there is no flat surface.
    """
    inside = self.furniture[
      (self.furniture > lowest) & (self.furniture < highest)
    ]
    if len(inside) < 16:
      return None
    counts, edges = np.histogram(
      inside, bins=max(4, int((highest - lowest) / 0.05))
    )
    best = counts.argmax()
    mode = inside[(inside >= edges[best]) & (inside <= edges[best + 1])]
    level = float(np.median(mode))
    near = np.abs(self.furniture - level) < 0.05
    near = _largest(near)
    if near.sum() < share * near.size:
      return None
    columns = np.flatnonzero(near.mean(axis=1) > 0.5 * near.mean(axis=1).max())
    rows = np.flatnonzero(near.mean(axis=0) > 0.5 * near.mean(axis=0).max())
    x = (self.x[columns[0]], self.x[columns[-1]])
    z = (self.z[rows[0]], self.z[rows[-1]])
    inside = near[columns[0] : columns[-1] + 1, rows[0] : rows[-1] + 1]
    if min(x[1] - x[0], z[1] - z[0]) < smallest or inside.mean() < 0.6:
      return None
    return Region(level, x, z)

  def _cell(self, x: np.ndarray, z: np.ndarray):
    return tuple(
      np.floor((np.asarray(at) - first) / step + 0.5).astype(int)
      for at, (first, step) in zip((x, z), self._steps())
    )

  def _steps(self):
    """First middle and size of the cells, along x and z."""
    return [(c[0], c[1] - c[0]) for c in (self.x, self.z)]


def slide(
  caster: ray_caster.RayCaster,
  vertices: np.ndarray,
  direction: np.ndarray,
  furthest: float,
  sunk: float = 0.0,
) -> Optional[np.ndarray]:
  """Moves something until it touches.

  Args:
    caster: of what it shall touch.
    vertices: [n, 3].
    direction: unit [3].
    furthest: metres that it may go.
    sunk: metres that it goes on after the first contact, as soft things do.

  Returns:
    The moved vertices, or None: there is nothing in reach.
  """
  distance = caster.distance(
    vertices, np.tile(np.asarray(direction, float), (len(vertices), 1))
  ).min()
  if not distance <= furthest:
    return None
  return vertices + (float(distance) + sunk) * np.asarray(direction, float)


def _middles(count: int) -> np.ndarray:
  return (np.arange(count) + 0.5) / count


def _largest(mask: np.ndarray) -> np.ndarray:
  """The largest connected part of a mask."""
  labels, count = ndimage.label(mask)
  if count < 2:
    return mask
  return labels == 1 + np.argmax(
    ndimage.sum_labels(mask, labels, range(1, count + 1))
  )
