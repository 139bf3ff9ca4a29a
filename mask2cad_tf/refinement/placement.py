"""Where a CAD of known rotation must stand to fill its box."""

from typing import NamedTuple
from typing import Optional

import numpy as np

from mask2cad_tf.refinement import shape as shape_lib
from mask2cad_tf.refinement import target as target_lib

_STRIP = 0.03  # of the box's side, looked at beyond each edge
_COUNTED = 0.6  # share of the strip that must count
_ROUNDS = 6
_NEAREST = 0.05  # Z of anything, in radii: nothing is behind the camera


class BoxEdges(NamedTuple):
  """A box and which of its edges are the object's own."""

  low: np.ndarray  # [2], (x, y), pixels
  high: np.ndarray  # [2]
  low_free: np.ndarray  # bool [2], False: cut by photo border or occluder
  high_free: np.ndarray  # bool [2]

  @property
  def whole(self) -> np.ndarray:
    """Bool [2]: along which axes is the object seen from end to end?"""
    return self.low_free & self.high_free


def box_edges(target: target_lib.Target) -> BoxEdges:
  """Finds the edges of the target's box that another thing cuts.

  An edge is free when most of a narrow strip beyond it is photo that counts.
  """
  box = target.extent()
  ymin, xmin, ymax, xmax = np.round(box).astype(int)
  tall, wide = np.maximum(2, np.ceil(_STRIP * (box[2:] - box[:2]))).astype(int)

  def is_free(top: int, left: int, bottom: int, right: int) -> bool:
    area = max(bottom - top, 1) * max(right - left, 1)
    strip = target.countable[
      max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)
    ]
    return bool(strip.sum() >= _COUNTED * area)

  return BoxEdges(
    low=box[[1, 0]],
    high=box[[3, 2]],
    low_free=np.array(
      [
        is_free(ymin, xmin - wide, ymax, xmin),
        is_free(ymin - tall, xmin, ymin, xmax),
      ]
    ),
    high_free=np.array(
      [
        is_free(ymin, xmax, ymax, xmax + wide),
        is_free(ymax, xmin, ymax + tall, xmax),
      ]
    ),
  )


def place(
  shape: shape_lib.Shape,
  rotations: np.ndarray,
  edges: BoxEdges,
  intrinsics: np.ndarray,
  depth: Optional[float] = None,
  hidden: float = 0.0,
) -> np.ndarray:
  """Translations at which the projected extent agrees with the box.

  Along each axis the free edges agree: the middle when both or none are free.
  The size agrees along the axes seen from end to end.

  Args:
    shape: the CAD.
    rotations: [k, 3, 3], CAD to camera.
    edges: the box.
    intrinsics: (fx, fy, cx, cy), pixels.
    depth: Z of the CAD's origin, CAD units; None: from the size.
    hidden: where no axis is seen from end to end, the share of the extent
      taken to be cut off.

  Returns:
    [k, 3], CAD units; with the depth free the pivot is before the camera.
  """
  focal, principal = np.split(np.asarray(intrinsics, np.float64), 2)
  rotations = np.asarray(rotations, np.float64)
  points = (shape.outline - shape.pivot) @ rotations.transpose(0, 2, 1)
  arms = rotations @ shape.pivot
  wanted, sized = _size(edges, hidden)
  if depth is None:
    size = np.exp(np.log(wanted[sized]).mean())
    start = 1.2 * shape.radius * np.sqrt(np.prod(focal)) / size
    depths = np.full(len(rotations), start + shape.radius)
  else:
    depths = np.maximum(depth + arms[:, 2], _NEAREST * shape.radius)
  middle = 0.5 * (edges.low + edges.high)
  centers = np.tile(middle, (len(rotations), 1))
  for round_ in range(_ROUNDS):
    pivots = _lift(centers, depths, focal, principal)
    low, high = _extent(
      points + pivots[:, np.newaxis], focal, principal, shape.radius
    )
    centers = centers + _shift(low, high, edges)
    if depth is None and round_ < _ROUNDS - 1:
      ratio = np.log((high - low) / wanted)[:, sized].mean(axis=1)
      ratio = np.exp(np.clip(ratio, -1.0, 1.0))
      # What leads from the extent's middle to the pivot shrinks with it.
      centers = middle + (centers - middle) / ratio[:, np.newaxis]
      depths = np.maximum(depths * ratio, _NEAREST * shape.radius)
  return _lift(centers, depths, focal, principal) - arms


def extent(
  shape: shape_lib.Shape,
  rotations: np.ndarray,
  translations: np.ndarray,
  intrinsics: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
  """The box around a CAD's projection.

  Args:
    shape: the CAD.
    rotations: [k, 3, 3], CAD to camera.
    translations: [k, 3], CAD units.
    intrinsics: (fx, fy, cx, cy), pixels.

  Returns:
    Lowest and highest (x, y), [k, 2] each, pixels.
  """
  focal, principal = np.split(np.asarray(intrinsics, np.float64), 2)
  points = shape.outline @ np.asarray(rotations, np.float64).transpose(0, 2, 1)
  points = points + np.asarray(translations)[:, np.newaxis]
  return _extent(points, focal, principal, shape.radius)


def box_iou(low: np.ndarray, high: np.ndarray, edges: BoxEdges) -> np.ndarray:
  """Overlap of extents with a box.

  Args:
    low: [k, 2], (x, y), pixels.
    high: [k, 2].
    edges: the box.

  Returns:
    [k], IoU; all 0 where another thing cuts the box: what is hidden may have
    reached beyond any of its edges.
  """
  common = np.minimum(high, edges.high) - np.maximum(low, edges.low)
  common = np.maximum(common, 0.0).prod(axis=-1)
  total = (high - low).prod(axis=-1) + (edges.high - edges.low).prod() - common
  return edges.whole.all() * common / np.maximum(total, 1e-6)


def _size(edges: BoxEdges, hidden: float) -> tuple[np.ndarray, np.ndarray]:
  """Wanted extent [2], pixels, and the axes bool [2] that it binds."""
  wanted = np.maximum(edges.high - edges.low, 1.0)
  if edges.whole.any():
    return wanted, edges.whole
  return wanted / (1.0 - hidden), np.ones(2, bool)


def _lift(centers, depths, focal, principal) -> np.ndarray:
  """Points [k, 3] at a depth [k] that project to centers [k, 2]."""
  slopes = (principal - centers) / focal
  rays = np.concatenate([slopes, np.ones((len(slopes), 1))], axis=1)
  return rays * depths[:, np.newaxis]


def _extent(points, focal, principal, radius):
  """Lowest and highest image point [k, 2] of points [k, n, 3]."""
  depth = np.maximum(points[..., 2:], _NEAREST * radius)
  image = principal - focal * points[..., :2] / depth
  low, high = image.min(axis=1), image.max(axis=1)
  return low, np.maximum(high, low + 1e-3)


def _shift(low, high, edges: BoxEdges) -> np.ndarray:
  """How far [k, 2], pixels, the extent must move to agree with the box."""
  by_low, by_high = edges.low - low, edges.high - high
  shift = 0.5 * (by_low + by_high)
  shift = np.where(edges.low_free & ~edges.high_free, by_low, shift)
  return np.where(edges.high_free & ~edges.low_free, by_high, shift)
