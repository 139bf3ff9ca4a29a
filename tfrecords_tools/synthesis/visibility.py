"""How much of each object a camera sees: a coarse look before drawing."""

from typing import NamedTuple
from typing import Sequence

import numpy as np

from tfrecords_tools.synthesis import placement
from tfrecords_tools.synthesis import scene as scene_lib

_SIDE = 40  # rays along the picture's longer side


class Glance(NamedTuple):
  """What n objects show."""

  amodal: np.ndarray  # float [n], share of the picture that each would cover
  visible: np.ndarray  # float [n], share of the picture that each does cover


def glance(
  placed: Sequence[placement.Placed], camera: scene_lib.Camera
) -> Glance:
  """Casts a few hundred rays at the CADs; linen and clutter do not count.

  Args:
    placed: the objects.
    camera: the camera.

  Returns:
    The shares.
  """
  step = max(camera.width, camera.height) / _SIDE
  columns = np.arange(0.5 * step, camera.width, step)
  rows = np.arange(0.5 * step, camera.height, step)
  u, v = (grid.reshape(-1) for grid in np.meshgrid(columns, rows))
  fx, fy, cx, cy = camera.intrinsics
  rays = np.stack([(cx - u) / fx, (cy - v) / fy, np.ones_like(u)], axis=-1)
  rays = rays @ camera.rotation
  origins = np.broadcast_to(camera.position, rays.shape)
  depth = np.stack([item.distance(origins, rays) for item in placed])
  hit = np.isfinite(depth)
  nearest = depth.argmin(axis=0)
  first = hit & (nearest == np.arange(len(placed))[:, np.newaxis])
  return Glance(hit.mean(axis=1), first.mean(axis=1))
