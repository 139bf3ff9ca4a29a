"""Depth that was measured: a map of the photo -> depths of the objects."""

import os
from typing import List
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np

from mask2cad_tf.foreign import array_files
from mask2cad_tf.foreign import pictures
from mask2cad_tf.geometry import cameras
from mask2cad_tf.scene import assemble
from mask2cad_tf.scene import cad_meshes
from mask2cad_tf.scene import photo as photo_lib

_PNG_UNITS = 1e-3  # a 16-bit PNG counts millimetres
_MIN_PIXELS = 16  # known ones on an object; with fewer its depth is not known
_STEPS = 2  # the surface's distance to the origin depends a little on depth


def load(path: str, size: Tuple[int, int]) -> np.ndarray:
  """Reads a depth map and brings it to the photo's size.

  Args:
    path: NPY (float, Z in the units of the CADs) or 16-bit PNG (thousandths of
      a unit: millimetres where CADs are in metres). 0, NaN and infinity:
      unknown.
    size: height and width of the upright photo; the map may be smaller or
      larger, not of another shape.

  Returns:
    float32 [H, W], Z along the optical axis, CAD units; NaN: unknown.

  Raises:
    FileNotFoundError: there is no such file.
    ValueError: not a depth map, or not of this photo.
  """
  if not os.path.isfile(path):
    raise FileNotFoundError(f'No depth map at {path!r}. Check --depth_map.')
  try:
    if path.lower().endswith('.npy'):
      values = _real(array_files.read_npy(path))
    else:
      with pictures.opened(path) as file:
        if not file.mode.startswith('I'):
          raise ValueError(f'a picture of mode {file.mode}, not of 16 bits')
        values = np.asarray(file).astype(np.float32) * _PNG_UNITS
  except (OSError, ValueError) as error:
    raise ValueError(
      f'{path!r} is no depth map ({error}). Give a 16-bit PNG or an NPY file.'
    ) from error
  if values.ndim != 2 or 0 in values.shape:
    raise ValueError(
      f'{path!r}: expected a depth map [height, width], found the shape '
      f'{list(values.shape)}.'
    )
  height, width = size
  if abs(values.shape[1] * height / (values.shape[0] * width) - 1.0) > 0.02:
    raise ValueError(
      f'{path!r} has {values.shape[1]} x {values.shape[0]} pixels, the upright '
      f'photo {width} x {height}: not the same view.'
    )
  values[~(np.isfinite(values) & (values > 0))] = np.nan
  rows = (np.arange(height) + 0.5) * values.shape[0] / height
  columns = (np.arange(width) + 0.5) * values.shape[1] / width
  return values[rows.astype(int)[:, np.newaxis], columns.astype(int)]


def _real(values: np.ndarray) -> np.ndarray:
  if values.dtype.kind not in 'iuf':
    raise ValueError(f'values of type {values.dtype}')
  with np.errstate(over='ignore'):  # infinite: unknown, as what is too far
    return values.astype(np.float32)


def origin_depths(
  depths: np.ndarray,
  objects: Sequence[assemble.SceneObject],
  num_detections: int,
  cads: cad_meshes.CadMeshes,
  camera: photo_lib.Camera,
) -> List[Optional[float]]:
  """Z of the CADs' origins, so that their surfaces lie where the map says.

  The map shows an object's surface; how far behind it the origin lies, the
  posed CAD says. Medians over the mask.

  Args:
    depths: float [H, W], as `load` gives them.
    objects: posed, their depths not yet known.
    num_detections: that the objects' rows count.
    cads: their meshes.
    camera: of the photo.

  Returns:
    Of each detection; None: no object, or too few pixels known.
  """
  found: List[Optional[float]] = [None] * num_detections
  for thing in objects:
    cad = thing.cad
    known = cad.mask & ~np.isnan(depths)
    if known.sum() < _MIN_PIXELS:
      continue
    surface = float(np.median(depths[known]))
    # To begin with, the CAD's nearest point at the surface.
    z = surface - float((cads.hull(cad.cad_id) @ cad.rotation[2]).min())
    for _ in range(_STEPS):
      translation = cameras.unproject(cad.center, z, camera.intrinsics)
      rendered = (
        cads.renderer(cad.cad_id)
        .render(
          cad.rotation,
          translation,
          camera.intrinsics,
          camera.height,
          camera.width,
          antialias=1,
        )
        .depth
      )
      seen = np.isfinite(rendered)
      both = seen & cad.mask
      seen = both if both.any() else seen
      if not seen.any():
        break
      z = surface + z - float(np.median(rendered[seen]))
    found[thing.row] = z
  return found
