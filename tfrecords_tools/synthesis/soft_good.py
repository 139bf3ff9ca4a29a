"""What lies on furniture: one mesh of one material."""

import dataclasses
from typing import Optional

import numpy as np

from tfrecords_tools.synthesis import scene


@dataclasses.dataclass(frozen=True, eq=False)
class SoftGood:
  """A pillow, a throw, a cup or a part of a lamp; metres, +y up."""

  vertices: np.ndarray  # float32 [n, 3]
  faces: np.ndarray  # int32 [m, 3], outward faces wind counter-clockwise
  material: scene.Material
  smooth: bool  # shade with vertex normals
  uv: Optional[np.ndarray] = None  # float32 [n, 2], tiles, v up


def make(
  vertices: np.ndarray,
  faces: np.ndarray,
  material: scene.Material,
  smooth: bool = True,
  uv: Optional[np.ndarray] = None,
) -> SoftGood:
  """The same with the right types."""
  return SoftGood(
    np.ascontiguousarray(vertices, np.float32),
    np.ascontiguousarray(faces, np.int32),
    material,
    smooth,
    None if uv is None else np.ascontiguousarray(uv, np.float32),
  )
