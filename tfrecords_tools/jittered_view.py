"""The view of a CAD near the pose that a photo shows it in (Sec. 3.2)."""

from typing import Sequence

import numpy as np

from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import renderer
from mask2cad_tf.geometry import rotations
from mask2cad_tf.geometry import views


def render(
  drawer: renderer.Renderer,
  rotation: np.ndarray,
  translation: np.ndarray,
  intrinsics: Sequence[float],
  degrees: float,
  rng: np.random.Generator,
  where: str,
) -> bytes:
  """The CAD as the photo sees it, turned a little.

  Args:
    drawer: of the object's mesh.
    rotation: [3, 3], CAD to camera.
    translation: [3].
    intrinsics: fx, fy, cx, cy, pixels.
    degrees: standard deviation of the random rotation's angle.
    rng: source of randomness.
    where: the photo, for error messages.

  Returns:
    PNG, 128 x 128, grey, at the disturbed allocentric rotation.

  Raises:
    ValueError: if the rotation is none or the object not before the camera.
  """
  rotations.check_rotation(rotation, where)
  if translation[2] <= 0:
    raise ValueError(
      f'{where}: the object lies behind the camera, its translation is '
      f'{list(translation)}; z must be positive. Correct the annotation, or '
      'leave it out with --skip_broken.'
    )
  intrinsics = np.asarray(intrinsics, np.float64)
  center = cameras.project(np.asarray(translation, np.float64), intrinsics)
  seen = rotations.allocentric_from_camera(rotation, center, intrinsics)
  view = views.render_view(drawer, views.jitter_rotation(seen, degrees, rng))
  return views.encode_png(view)
