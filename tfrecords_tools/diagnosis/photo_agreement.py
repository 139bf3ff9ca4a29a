"""Does the photo itself have edges where the posed CAD has its contour?

Some datasets' masks are rendered from the pose: they cannot tell a wrong pose
from a right one. The photo can. The CAD's outline is laid over the photo, cut
out so that the object is always equally large; a pixel of the outline is
supported where the photo has an edge across it within a small distance. How
far that beats the outline's displaced copies is the agreement.
"""

from typing import NamedTuple
from typing import Optional

import numpy as np
from PIL import Image
from scipy import ndimage

from mask2cad_tf.geometry import renderer
from tfrecords_tools.diagnosis import mask_overlap
from tfrecords_tools.diagnosis import projections

_SIZE = 256  # pixels, of the object's longer side in the cut-out
_MARGIN = 48  # pixels around it
_SIGMA = 1.2  # of the photo's smoothing, pixels
_REACH = 3  # pixels along the normal in which an edge counts
_STRONG = 0.70  # quantile of the cut-out's gradients that makes an edge
_FAINT = 3.0  # grey levels a pixel below which nothing is an edge
_COSINE = 0.85  # of the angle between the edge's normal and the outline's
# Displaced copies: this far, in eight directions.
_SHIFTS = (14, 24)


class Agreement(NamedTuple):
  """Shares of the outline's pixels."""

  supported: float  # that have an edge of the photo
  by_chance: float  # of the displaced copies, that have one
  score: float  # (supported - by_chance) / (1 - by_chance), at most 1


def measure(
  photo: Image.Image,
  drawer: renderer.Renderer,
  pose: projections.Pose,
  view: projections.View,
) -> Optional[Agreement]:
  """Compares a posed CAD with its photo.

  Args:
    photo: RGB, the size of view.
    drawer: of the CAD.
    pose: of the CAD.
    view: camera of the photo.

  Returns:
    The agreement; None where too little of the outline lies in the photo.
  """
  cut = _cut_out(photo, drawer, pose, view)
  if cut is None:
    return None
  image, window = cut
  mask = ndimage.gaussian_filter(
    projections.silhouette(drawer, pose, window).astype(np.float32), 1.5
  )
  inside = _inside(photo, view, window)
  normals = np.stack(np.gradient(mask))  # [2, h, w]
  length = np.hypot(*normals)
  outline = (np.abs(mask - 0.5) < 0.5 * length) & (length > 0.05) & inside
  if np.count_nonzero(outline) < 60:
    return None
  edges = _edges(image)
  rows, columns = np.nonzero(outline)
  directions = normals[:, rows, columns] / length[rows, columns]
  supported = _support(edges, inside, rows, columns, directions)
  chance = [
    _support(edges, inside, rows + dy, columns + dx, directions)
    for dy, dx in _displacements()
  ]
  chance = float(np.nanmean(chance))
  score = (supported - chance) / max(1.0 - chance, 1e-6)
  return Agreement(float(supported), chance, float(score))


def _cut_out(photo, drawer, pose, view):
  """The photo around the object [h, w, 3] and the camera that sees only it."""
  coarse = view.shrunk(320)
  found = mask_overlap.box(projections.silhouette(drawer, pose, coarse))
  if found is None:
    return None
  found = found * np.tile(
    [view.height / coarse.height, view.width / coarse.width], 2
  )
  side = (found[2:] - found[:2]).max()
  scale = _SIZE / side  # cut-out pixels per pixel
  margin = _MARGIN / scale
  top, left = found[:2] - margin
  height, width = np.round(
    (found[2:] - found[:2]) * scale + 2 * _MARGIN
  ).astype(int)
  image = (
    photo.transform(
      (int(width), int(height)),
      Image.Transform.EXTENT,
      (left, top, left + width / scale, top + height / scale),
      Image.Resampling.BICUBIC,
    )
    if scale > 0.75
    else _reduced(photo, left, top, width, height, scale)
  )
  fx, fy, cx, cy = view.intrinsics
  window = projections.View(
    np.array([fx, fy, cx - left, cy - top]) * scale, int(height), int(width)
  )
  return np.asarray(image, np.float32), window


def _reduced(photo, left, top, width, height, scale):
  """The cut-out of a large photo, averaged rather than sampled."""
  small = photo.resize(
    (max(1, round(photo.width * scale)), max(1, round(photo.height * scale))),
    Image.Resampling.BOX,
  )
  x, y = left * small.width / photo.width, top * small.height / photo.height
  return small.transform(
    (int(width), int(height)),
    Image.Transform.EXTENT,
    (x, y, x + width, y + height),
    Image.Resampling.BICUBIC,
  )


def _inside(photo, view, window):
  """Pixels of the cut-out that lie well inside the photo."""
  scale = window.intrinsics[0] / view.intrinsics[0]
  left = view.intrinsics[2] - window.intrinsics[2] / scale
  top = view.intrinsics[3] - window.intrinsics[3] / scale
  x = left + (np.arange(window.width) + 0.5) / scale
  y = top + (np.arange(window.height) + 0.5) / scale
  edge = 5.0 / scale
  return ((y > edge) & (y < photo.height - edge))[:, np.newaxis] & (
    (x > edge) & (x < photo.width - edge)
  )


def _edges(image):
  """Gradient [2, h, w] of the strongest channel, 0 where no edge is."""
  smooth = ndimage.gaussian_filter(image, (_SIGMA, _SIGMA, 0))
  gradients = np.stack(np.gradient(smooth, axis=(0, 1)))  # [2, h, w, 3]
  strength = np.hypot(*gradients)
  channel = strength.argmax(axis=-1)[np.newaxis, ..., np.newaxis]
  gradient = np.take_along_axis(gradients, channel, axis=-1)[..., 0]
  strength = np.hypot(*gradient)
  bar = max(np.quantile(strength, _STRONG), _FAINT)
  peak = _is_ridge(strength, gradient)
  gradient[:, (strength < bar) | ~peak] = 0.0
  return gradient / np.maximum(np.hypot(*gradient), 1e-6)


def _is_ridge(strength, gradient):
  """Non-maximum suppression along the gradient."""
  unit = gradient / np.maximum(strength, 1e-6)
  rows, columns = np.indices(strength.shape)
  ahead, behind = (
    ndimage.map_coordinates(
      strength,
      [rows + sign * unit[0], columns + sign * unit[1]],
      order=1,
      mode='nearest',
    )
    for sign in (1.0, -1.0)
  )
  return (strength >= ahead) & (strength >= behind)


def _support(edges, inside, rows, columns, directions):
  """Share of the pixels with an edge across them; nan where none is inside."""
  height, width = inside.shape
  kept = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
  kept[kept] = inside[rows[kept], columns[kept]]
  if np.count_nonzero(kept) < 0.3 * len(rows):
    return np.nan
  rows, columns, directions = rows[kept], columns[kept], directions[:, kept]
  best = np.zeros(len(rows))
  for step in range(-_REACH, _REACH + 1):
    y = np.round(rows + step * directions[0])
    x = np.round(columns + step * directions[1])
    y = np.clip(y, 0, height - 1).astype(int)
    x = np.clip(x, 0, width - 1).astype(int)
    best = np.maximum(best, np.abs(np.sum(edges[:, y, x] * directions, axis=0)))
  return np.mean(best > _COSINE)


def _displacements():
  for distance in _SHIFTS:
    for turn in range(8):
      angle = np.pi / 4 * turn
      yield (
        int(round(distance * np.sin(angle))),
        int(round(distance * np.cos(angle))),
      )
