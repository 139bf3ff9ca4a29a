"""Checks of annotated values that need no rendering.

Each returns what is wrong as (kind, detail, severity) triples, without raising.
"""

from typing import List
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np

from mask2cad_tf import close_names
from tfrecords_tools.diagnosis import mask_overlap
from tfrecords_tools.diagnosis import problem
from tfrecords_tools.diagnosis import sample as sample_lib

Finding = Tuple[str, str, str]  # kind, detail, severity

_TOLERANCE = 1e-3  # of a rotation's orthogonality and determinant
_BOX_BROKEN, _BOX_WARNING = 0.75, 0.93  # IoU of box and mask's extent
_BOX_PIXELS = 2.0  # an edge may be off by this whatever the IoU
_OUTSIDE = 0.02  # share of the visible mask that may lie outside the amodal
_SHARE_OFF = 0.03  # of the amodal mask, that the occluded share may be off


def rotation(matrix: np.ndarray) -> List[Finding]:
  """Is the matrix [3, 3] a rotation?"""
  if matrix.shape != (3, 3) or not np.isfinite(matrix).all():
    return [
      (
        'not_a_rotation',
        f'The rotation is {matrix.tolist()}; expected a finite 3x3 matrix.',
        problem.BROKEN,
      )
    ]
  determinant = np.linalg.det(matrix)
  skew = np.abs(matrix @ matrix.T - np.eye(3)).max()
  if skew <= _TOLERANCE and abs(determinant - 1.0) <= _TOLERANCE:
    return []
  if skew <= _TOLERANCE:
    detail = (
      'The rotation has determinant -1: it mirrors. Take the mirroring out, '
      'for example by turning two axes instead of one.'
    )
  else:
    detail = (
      f'The rotation is not orthonormal: R R^T is off the identity by '
      f'{skew:.3g}, its determinant is {determinant:.4g}. Take scale out of '
      'the matrix, or normalise the quaternion.'
    )
  return [('not_a_rotation', detail, problem.BROKEN)]


def intrinsics(values: np.ndarray, height: int, width: int) -> List[Finding]:
  """Are fx, fy, cx, cy those of a picture of this size?"""
  fx, fy, cx, cy = values
  if not np.isfinite(values).all() or min(fx, fy) <= 0:
    return [
      (
        'intrinsics',
        f'The intrinsics are {_list(values)}; focal lengths must be positive '
        'pixels.',
        problem.BROKEN,
      )
    ]
  found = []
  if not (0 <= cx <= width and 0 <= cy <= height):
    found.append(
      (
        'intrinsics',
        f'The principal point ({cx:.5g}, {cy:.5g}) lies outside the photo of '
        f'{width} x {height} pixels: it is of another image size, or in other '
        'units.',
        problem.BROKEN,
      )
    )
  if max(fx, fy) > 1.5 * min(fx, fy):
    found.append(
      (
        'intrinsics',
        f'fx = {fx:.5g} and fy = {fy:.5g} differ by more than half: few '
        'cameras have such pixels.',
        problem.WARNING,
      )
    )
  return found


def place(translation: np.ndarray) -> List[Finding]:
  """Does the CAD's origin lie before the camera?"""
  if np.isfinite(translation).all() and translation[2] > 0:
    return []
  return [
    (
      'behind_camera',
      f'The translation is {_list(translation)}: z must be positive, +z is '
      "forward. OpenGL's camera looks along -z: negate x and z.",
      problem.BROKEN,
    )
  ]


def label(
  item: sample_lib.SampleObject, class_names: Sequence[str]
) -> List[Finding]:
  """Is the class one of the known, and its number its name's?"""
  if item.label_name not in class_names:
    return [
      (
        'unknown_class',
        f'The class {item.label_name!r} is not among {", ".join(class_names)}.'
        f'{close_names.hint(item.label_name, class_names)} Correct it, or give '
        '--class_names.',
        problem.BROKEN,
      )
    ]
  if item.label not in (None, 1 + class_names.index(item.label_name)):
    return [
      (
        'unknown_class',
        f'The label {item.label} goes with the name {item.label_name!r}, which '
        f'is class {1 + class_names.index(item.label_name)} of '
        f'{", ".join(class_names)}.',
        problem.BROKEN,
      )
    ]
  return []


def box(
  item: sample_lib.SampleObject, mask: np.ndarray, amodal: Optional[np.ndarray]
) -> List[Finding]:
  """Is the box that of the visible or the amodal mask?"""
  ymin, xmin, ymax, xmax = item.box
  if not np.isfinite(item.box).all() or ymax <= ymin or xmax <= xmin:
    return [
      (
        'box_mask_mismatch',
        f'The box (ymin, xmin, ymax, xmax) = {_list(item.box)} is empty.',
        problem.BROKEN,
      )
    ]
  extents = [
    extent
    for extent in (mask_overlap.box(x) for x in (mask, amodal) if x is not None)
    if extent is not None
  ]
  if not extents:
    return [('box_mask_mismatch', 'The mask is empty.', problem.BROKEN)]
  scores = [mask_overlap.box_iou(item.box, extent) for extent in extents]
  best = int(np.argmax(scores))
  off = np.abs(item.box - extents[best]).max()
  if scores[best] >= _BOX_WARNING or off <= _BOX_PIXELS:
    return []
  return [
    (
      'box_mask_mismatch',
      f'The box (ymin, xmin, ymax, xmax) = {_list(item.box)} is not around '
      f'the mask, whose pixels span {_list(extents[best])}: IoU '
      f'{scores[best]:.2f}.',
      problem.BROKEN if scores[best] < _BOX_BROKEN else problem.WARNING,
    )
  ]


def occlusion(
  item: sample_lib.SampleObject, mask: np.ndarray, amodal: np.ndarray
) -> List[Finding]:
  """Do visible mask, amodal mask and occluded share fit together?"""
  visible, whole = np.count_nonzero(mask), np.count_nonzero(amodal)
  outside = np.count_nonzero(mask & ~amodal) / max(visible, 1)
  if outside > _OUTSIDE:
    return [
      (
        'occlusion',
        f'{outside:.0%} of the visible mask lies outside the amodal mask, '
        'which should hold all of it.',
        problem.BROKEN,
      )
    ]
  hidden = 1.0 - visible / max(whole, 1)
  if item.occluded_share is not None and (
    abs(item.occluded_share - hidden) > _SHARE_OFF
  ):
    return [
      (
        'occlusion',
        f'The occluded share is {item.occluded_share:.2f}, the masks say '
        f'{hidden:.2f}.',
        problem.BROKEN,
      )
    ]
  return []


def _list(values: np.ndarray) -> str:
  return f'({", ".join(f"{value:.5g}" for value in values)})'
