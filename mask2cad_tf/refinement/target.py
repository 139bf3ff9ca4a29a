"""What a photo says of one object, and which CADs it might be."""

import dataclasses
from typing import Optional

import numpy as np

from mask2cad_tf.geometry import box_overlap


@dataclasses.dataclass(frozen=True, eq=False)
class Target:
  """One detected object.

  Attributes:
    image: uint8 [H, W, 3], the original photo.
    intrinsics: [4], (fx, fy, cx, cy), pixels.
    box: [4], (ymin, xmin, ymax, xmax), pixels, the detector's.
    mask: float32 [H, W], probability that the pixel shows the object.
    countable: bool [H, W], False where another object in front hides what is
      behind: no evidence. Outside the photo nothing counts.
    depth: Z of the CAD's origin, CAD units; None: fitted.
    exact_box: the box was given, not detected: CADs are fitted to its edges,
      too, and it counts in full when they are ranked.
  """

  image: np.ndarray
  intrinsics: np.ndarray
  box: np.ndarray
  mask: np.ndarray
  countable: np.ndarray
  depth: Optional[float] = None
  exact_box: bool = False

  def extent(self) -> np.ndarray:
    """The box [4] to work with: the detector's, else the mask's, else all."""
    box = np.asarray(self.box, np.float64)
    if np.isfinite(box).all() and (box[2:] - box[:2] >= 1.0).all():
      return box
    seen = self.mask >= 0.5
    if seen.any():
      return box_overlap.mask_extent(seen)
    return np.array([0, 0, *self.mask.shape], np.float64)


@dataclasses.dataclass(frozen=True, eq=False)
class Candidate:
  """One CAD proposed by retrieval.

  Attributes:
    cad_id: '<class>/<shape>'.
    similarity: cosine of its best view.
    rotations: [n, 3, 3], CAD to camera, best first.
    symmetry: order about +y (conventions.SYMMETRY_ORDERS); 0 = any angle.
    stands: upright on a floor, as furniture does.
  """

  cad_id: str
  similarity: float
  rotations: np.ndarray
  symmetry: int = 1
  stands: bool = False
