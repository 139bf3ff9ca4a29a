"""What evaluation gives to a model: depth z, and Scan2CAD's scale (Sec. 4)."""

from typing import Sequence

import numpy as np

from mask2cad_tf.evaluation import photo as photo_lib
from mask2cad_tf.evaluation import surface_comparison
from mask2cad_tf.geometry import box_overlap
from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import posed_cad

# 'origin': z of the true CAD's origin (trans_mat). 'mid_range': the predicted
# CAD's depth range is centred where the truth's is, as Mesh R-CNN's evaluator.
# 'box_fit': no depth is given; the projected extent must fit the box.
MODES = ('origin', 'mid_range', 'box_fit')
_NO_TRUTH_DEPTH = 1.0  # such a prediction matches nothing at any depth


class GivenDepth:
  """Reads the depth of a prediction off the true object that it shows."""

  def __init__(
    self, comparison: surface_comparison.SurfaceComparison, mode: str
  ):
    """Keeps the mode, one of `MODES`, and what knows the CADs' extents.

    Raises:
      ValueError: the mode is none of them.
    """
    if mode not in MODES:
      raise ValueError(f'A depth mode is one of {MODES}, not {mode!r}.')
    self._comparison = comparison
    self._mode = mode

  @property
  def is_given(self) -> bool:
    """Whether the depth is the true object's, not fitted."""
    return self._mode != 'box_fit'

  def __call__(
    self,
    box: np.ndarray,
    rotation: np.ndarray,
    mesh: str,
    photo: photo_lib.Photo,
    center: np.ndarray,
  ) -> float:
    """Camera z of the predicted CAD's origin.

    Args:
      box: [4], yxyx, original pixels, predicted.
      rotation: [3, 3], CAD to camera, predicted.
      mesh: of the predicted CAD, '' if it has none.
      photo: its true objects, camera and size.
      center: [2], (u, v), pixels, predicted image of the CAD's origin.

    Returns:
      CAD units; 1 in an image without true objects.
    """
    truths = photo.objects
    if self._mode == 'box_fit' and mesh and _has_area(box):
      return cameras.box_fit_depth(
        self._comparison.hull(mesh, given_scale(box, truths)),
        rotation,
        center,
        box,
        photo.intrinsics,
        photo.size,
      )
    if not truths:
      return _NO_TRUTH_DEPTH
    truth = nearest_truth(box, truths)
    if self._mode != 'mid_range' or not mesh or not truth.mesh:
      return float(truth.translation[2] if truth.depth is None else truth.depth)
    middle = np.mean(
      self._comparison.depth_range(mesh, rotation, False, truth.scale)
    )
    true_middle = np.mean(
      self._comparison.depth_range(
        truth.mesh, truth.rotation, True, truth.scale
      )
    )
    return float(truth.translation[2] + true_middle - middle)


def _has_area(box: np.ndarray) -> bool:
  return bool((box[2:] - box[:2] > 0.0).all())


def given_scale(
  box: np.ndarray, truths: Sequence[posed_cad.PosedCad]
) -> np.ndarray:
  """`PosedCad.scale` of a prediction: the scale [3] of the object it shows.

  Args:
    box: [4], yxyx, original pixels, predicted.
    truths: the image's true objects.

  Returns:
    Ones in an image without true objects.
  """
  return nearest_truth(box, truths).scale if truths else np.ones(3)


def nearest_truth(
  box: np.ndarray, truths: Sequence[posed_cad.PosedCad]
) -> posed_cad.PosedCad:
  """The true object that a predicted box most likely shows.

  Args:
    box: [4], yxyx, original pixels.
    truths: the image's true objects, one or more.

  Returns:
    The one of largest box IoU; the one of nearest box centre if all are 0.
  """
  boxes = np.array([truth.box for truth in truths])
  overlap = box_overlap.box_iou(box, boxes)[0]
  offsets = (boxes[:, :2] + boxes[:, 2:] - box[:2] - box[2:]) / 2.0
  # IoU first; the distance only orders the boxes of equal IoU.
  return truths[np.lexsort((np.linalg.norm(offsets, axis=-1), -overlap))[0]]
