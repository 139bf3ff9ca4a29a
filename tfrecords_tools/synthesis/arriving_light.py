"""How much of each lamp's and of the ambient light arrives at surfaces.

Cast with one ray a lamp at every other pixel, smoothed along surfaces, and
read in between; thin things that lie between those pixels cast their own.
"""

from typing import Tuple

import numpy as np
from scipy import ndimage

from tfrecords_tools.synthesis import scene as scene_lib
from tfrecords_tools.synthesis import scene_geometry
from tfrecords_tools.synthesis import surfaces as surfaces_lib

_STRIDE = 2  # pixels between the places that look for light
_REACH = 0.6  # metres, at which a neighbour takes 1/e of the ambient light
_OPEN_BLUR = 0.3  # metres over which the ambient light is smoothed
_LIFT = 2e-3  # metres off the surface, where rays start
_STEPS = (1, 2, 4)  # of the smoothing, places
_SAME_PLANE = 0.03  # metres
_ALIKE = 0.8  # cosine between normals
_TILE = 4  # places a side, that together look everywhere
# Fractions of 1 that fill the cube evenly (powers of the plastic number's
# three-dimensional sister).
_SPREAD = np.array([0.8191725, 0.6710436, 0.5497005])


class ArrivingLight:
  """The light that arrives at what a picture shows."""

  def __init__(
    self,
    scene: scene_lib.Scene,
    geometry: scene_geometry.SceneGeometry,
    centers: surfaces_lib.Surfaces,
    rng: np.random.Generator,
  ):
    """Casts and smooths.

    Args:
      scene: its lamps and its camera's size.
      geometry: of the scene.
      centers: what the pixels' centres show, row by row.
      rng: spreads the rays.
    """
    self._lights = scene.lighting.lights
    self._geometry = geometry
    self._rng = rng
    shape = scene.camera.height, scene.camera.width
    places = np.arange(shape[0] * shape[1]).reshape(shape)
    places = places[_STRIDE // 2 :: _STRIDE, _STRIDE // 2 :: _STRIDE]
    self._points = centers.points[places]
    self._normals = centers.flat_normals[places]
    values = np.ones(places.shape + (len(self._lights) + 1,), np.float32)
    blurs = np.zeros_like(values)
    lit = centers.kinds[places] != surfaces_lib.NOTHING
    if lit.any():
      values[lit], blurs[lit] = self._cast(
        self._points[lit], self._normals[lit], _spread(places.shape, rng)[lit]
      )
    self._rimmed_values = np.pad(
      self._smooth(values, blurs), ((1, 1), (1, 1), (0, 0)), mode='edge'
    )
    self._rimmed_kinds = np.pad(centers.kinds[places], 1, mode='edge')

  def at(
    self, columns: np.ndarray, rows: np.ndarray, surfaces: surfaces_lib.Surfaces
  ) -> np.ndarray:
    """Shares of the light at places of the picture.

    Args:
      columns: [n], pixels from the left edge.
      rows: [n], pixels from the upper edge.
      surfaces: what is seen there.

    Returns:
      Float32 [n, lamps + 1], the ambient light last; 1 where nothing is seen.
    """
    # Places have a rim of one, so x and y count from it.
    start = np.float32(_STRIDE // 2 + 0.5 - _STRIDE)
    x, y = (columns - start) / _STRIDE, (rows - start) / _STRIDE
    left, upper = x.astype(np.int32), y.astype(np.int32)
    x, y = x - left, y - upper
    width = self._rimmed_kinds.shape[1]
    values = self._rimmed_values.reshape(-1, len(self._lights) + 1)
    kinds = self._rimmed_kinds.reshape(-1)
    first = upper * width + left
    total = np.zeros((len(x), values.shape[1]), np.float32)
    weight = np.zeros(len(x), np.float32)
    for down, below in ((1 - y, 0), (y, width)):
      for right, beside in ((1 - x, 0), (x, 1)):
        place = first + (below + beside)
        share = down * right + np.float32(1e-3)
        share *= kinds[place] == surfaces.kinds
        total += share[:, np.newaxis] * values[place]
        weight += share
    light = total / np.maximum(weight, 1e-6)[:, np.newaxis]
    light[surfaces.kinds == surfaces_lib.NOTHING] = 1.0
    alone = np.flatnonzero(
      (weight == 0.0) & (surfaces.kinds != surfaces_lib.NOTHING)
    )
    if len(alone):
      light[alone], _ = self._cast(
        surfaces.points[alone],
        surfaces.flat_normals[alone],
        self._rng.random((len(alone), 3), np.float32),
      )
    return light

  def _cast(self, points, normals, spread) -> Tuple[np.ndarray, np.ndarray]:
    """One ray to each lamp and one into the open.

    Returns:
      What arrives, and how far in metres it changes from light to shadow
      (0: sharply, or nothing is in the way), both [n, lamps + 1].
    """
    starts = points + np.float32(_LIFT) * normals
    shell, radius = _balls(spread)
    values = np.ones((len(points), len(self._lights) + 1), np.float32)
    blurs = np.zeros_like(values)
    for index, lamp in enumerate(self._lights):
      to_lamp = np.asarray(lamp.position, np.float32) - starts
      to_lamp += np.float32(lamp.radius) * radius[:, np.newaxis] * shell
      facing = np.flatnonzero(surfaces_lib.dot(to_lamp, normals) > 0)
      way = self._geometry.way_to(starts[facing], to_lamp[facing])
      values[facing, index] = way >= 1.0
      # By similar triangles, from the lamp past the obstacle.
      spreads = 2.0 * lamp.radius * way / np.maximum(1.0 - way, 1e-3)
      blurs[facing, index] = np.where(way < 1.0, spreads, 0.0)
    around = normals + np.float32(0.99) * shell
    around /= np.sqrt(surfaces_lib.dot(around, around))[:, np.newaxis]
    reach = self._geometry.reach(starts, around)
    values[:, -1] = 1.0 - np.exp(-np.minimum(reach, 10.0) / _REACH)
    blurs[:, -1] = _OPEN_BLUR
    return values, blurs

  def _smooth(self, values: np.ndarray, blurs: np.ndarray) -> np.ndarray:
    """Averages [h, w, c] over neighbours on the same plane (a-trous).

    Only as far as the shadows' own edges reach: small lamps cast sharp ones.
    """
    size = 1 + 2 * sum(_STEPS)
    square = ndimage.maximum_filter(blurs, (size, size, 1)) ** 2
    for step in _STEPS:
      total, weight = values.copy(), np.ones_like(values)
      for down, right in ((0, step), (step, 0), (step, step), (step, -step)):
        here, there = _overlap(values.shape, down, right)
        near, same = self._neighbours(here, there)
        share = same & (near < np.maximum(square[here], square[there]))
        share = share * np.float32(0.7 if down and right else 1.0)
        total[here] += share * values[there]
        total[there] += share * values[here]
        weight[here] += share
        weight[there] += share
      values = total / weight
    return values

  def _neighbours(self, here, there) -> Tuple[np.ndarray, np.ndarray]:
    """Squared distances; do they lie on one plane? Both [h, w, 1]."""
    apart = self._points[there] - self._points[here]
    offset = surfaces_lib.dot(apart, self._normals[here])
    alike = surfaces_lib.dot(self._normals[here], self._normals[there])
    same = (np.abs(offset) < _SAME_PLANE) & (alike > _ALIKE)
    return surfaces_lib.dot(apart, apart)[..., np.newaxis], same[
      ..., np.newaxis
    ]


def _spread(shape: Tuple[int, int], rng: np.random.Generator) -> np.ndarray:
  """Numbers [h, w, 3] in 0..1: those of a tile of places fill the cube."""
  tile = np.arange(_TILE**2).reshape(_TILE, _TILE)
  repeats = [-(-size // _TILE) for size in shape]
  order = np.tile(tile, repeats)[: shape[0], : shape[1], np.newaxis]
  jitter = rng.random(shape + (3,), np.float32) / _TILE
  shift = rng.random(3, np.float32)
  return ((order * _SPREAD + shift + jitter) % 1.0).astype(np.float32)


def _balls(spread: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
  """Directions [n, 3], even on the sphere, and radii [n], even in the ball."""
  height = 2.0 * spread[:, 0] - 1.0
  angle = np.float32(2.0 * np.pi) * spread[:, 1]
  across = np.sqrt(np.maximum(1.0 - height**2, 0.0))
  shell = np.stack(
    [across * np.cos(angle), height, across * np.sin(angle)], axis=-1
  )
  return shell, np.cbrt(spread[:, 2])


def _overlap(shape, down, right):
  """Slices (here, there) with there = here moved by (down, right)."""
  height, width = shape[:2]

  def pair(size, shift):
    low, high = max(0, -shift), min(size, size - shift)
    return slice(low, high), slice(low + shift, high + shift)

  rows, columns = pair(height, down), pair(width, right)
  return (rows[0], columns[0]), (rows[1], columns[1])
