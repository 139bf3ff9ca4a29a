"""One object of a photo: a CAD, its pose and its place in the image."""

import dataclasses
from typing import Optional

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class PosedCad:
  """A true or predicted object; camera frame and orders of `conventions`."""

  label: int  # class id, 1..C-1
  cad_id: str  # '<class>/<shape>'
  mesh: str  # mesh path in the library
  rotation: np.ndarray  # [3, 3], CAD to camera
  translation: np.ndarray  # [3], CAD units; metres where there is a scale
  box: np.ndarray  # (ymin, xmin, ymax, xmax), pixels
  score: float = 1.0  # 1 for a true object
  mask: Optional[np.ndarray] = None  # bool [height, width]
  center: Optional[np.ndarray] = None  # (u, v) of the CAD's origin, pixels
  depth: Optional[float] = None  # Z of the CAD's origin, CAD units
  # (x, y, z) factors on the CAD's vertices: X = R (scale v) + t (Scan2CAD).
  scale: np.ndarray = dataclasses.field(default_factory=lambda: np.ones(3))
  symmetry: Optional[int] = None  # annotated order about +y, 0 = any angle
