"""Rotation errors, plain and with the CAD's symmetry taken into account."""

import math
from typing import Any
from typing import Dict
from typing import List
from typing import Sequence
from typing import Tuple

import numpy as np

ACCURACY_ANGLE = math.pi / 6.0


def rotation_error(predicted: np.ndarray, true: np.ndarray) -> float:
  """Angle in radians, [0, pi], between two rotation matrices [3, 3]."""
  relative = true.T @ predicted
  # atan2 of sine and cosine keeps its precision near 0 and near pi.
  sine = 0.5 * np.linalg.norm(
    [
      relative[2, 1] - relative[1, 2],
      relative[0, 2] - relative[2, 0],
      relative[1, 0] - relative[0, 1],
    ]
  )
  return float(np.arctan2(sine, 0.5 * (np.trace(relative) - 1.0)))


def symmetric_rotation_error(
  predicted: np.ndarray, true: np.ndarray, order: int
) -> float:
  """Smallest angle to a rotation under which the true CAD looks the same.

  Args:
    predicted: [3, 3], CAD to camera.
    true: [3, 3], likewise.
    order: of the CAD's symmetry about its +y; 0 is any angle.

  Returns:
    Radians, [0, pi].

  Raises:
    ValueError: the order is negative.
  """
  if order < 0:
    raise ValueError(
      f'A symmetry order is 0 (any angle), 1, 2 or 4; found {order}.'
    )
  if order == 0:
    # Turning the true CAD about its y axis reaches all but the tilt of it.
    axis, true_axis = predicted[:, 1], true[:, 1]
    return float(
      np.arctan2(np.linalg.norm(np.cross(axis, true_axis)), axis @ true_axis)
    )
  turns = [2.0 * math.pi * i / order for i in range(order)]
  return min(rotation_error(predicted, true @ _about_y(t)) for t in turns)


def _about_y(angle: float) -> np.ndarray:
  cos, sin = math.cos(angle), math.sin(angle)
  return np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])


class PoseEvaluator:
  """Median rotation error and the share within pi / 6, by class."""

  def __init__(self, class_names: Sequence[str]):
    """Keeps the names of labels 1, 2, ..."""
    self._class_names = tuple(class_names)
    self.reset()

  def reset(self) -> None:
    """Forgets all objects."""
    self._errors: Dict[int, List[Tuple[float, float]]] = {}

  def update_state(
    self,
    label: int,
    predicted_rotation: np.ndarray,
    true_rotation: np.ndarray,
    symmetry_order: int = 1,
  ) -> None:
    """Adds an object: label from 1, rotations [3, 3], order about +y."""
    self._errors.setdefault(label, []).append(
      (
        rotation_error(predicted_rotation, true_rotation),
        symmetric_rotation_error(
          predicted_rotation, true_rotation, symmetry_order
        ),
      )
    )

  def result(self) -> Dict[str, Any]:
    """Medians in degrees, shares in [0, 1].

    Returns:
      'median_degrees', 'accuracy', 'symmetric_median_degrees',
      'symmetric_accuracy' and 'num_objects' over all objects, and 'per_class':
      class name -> the same for the classes seen.
    """
    per_class = {
      self._class_names[label - 1]: _summary(errors)
      for label, errors in sorted(self._errors.items())
    }
    every = [error for errors in self._errors.values() for error in errors]
    return {**_summary(every), 'per_class': per_class}

  def symmetric_degrees(self) -> np.ndarray:
    """Symmetry-aware errors of all objects, degrees [n]."""
    every = [error for errors in self._errors.values() for _, error in errors]
    return np.degrees(np.array(every, float))


def _summary(errors: Sequence[Tuple[float, float]]) -> Dict[str, float]:
  table = np.array(errors, float).reshape(-1, 2)
  summary: Dict[str, float] = {}
  for column, prefix in enumerate(('', 'symmetric_')):
    angles = table[:, column]
    empty = not len(angles)
    summary[f'{prefix}median_degrees'] = (
      float('nan') if empty else float(np.degrees(np.median(angles)))
    )
    summary[f'{prefix}accuracy'] = (
      float('nan') if empty else float(np.mean(angles <= ACCURACY_ANGLE))
    )
  summary['num_objects'] = len(table)
  return summary
