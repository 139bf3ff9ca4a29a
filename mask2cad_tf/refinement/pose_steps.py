"""Small moves of a posed CAD, as the silhouette sees them."""

from typing import NamedTuple
from typing import Optional

import numpy as np
from scipy.spatial import transform


class Pose(NamedTuple):
  """Where a CAD stands: X = R v + t."""

  rotation: np.ndarray  # [3, 3], CAD to camera
  translation: np.ndarray  # [3], CAD units


class Frame(NamedTuple):
  """What a move is measured by."""

  pivot: np.ndarray  # [3], CAD frame: the CAD turns about it
  shift: np.ndarray  # [2], (x, y), change of X / Z and Y / Z of a shift of 1
  depth: Optional[float]  # Z of the CAD's origin, held; None: free


def move(
  pose: Pose, moves: np.ndarray, frame: Frame
) -> tuple[np.ndarray, np.ndarray]:
  """Poses near a pose.

  The pivot keeps its place in the image unless it is shifted, so turning,
  shifting and scaling are nearly independent of each other.

  Args:
    pose: to start from.
    moves: [k, 6]: rotation vector (radians, camera frame), shift (x, y) in
      the frame's unit, logarithm of the pivot's depth ratio. The last one is
      ignored where the frame holds the depth.
    frame: what the moves are measured by.

  Returns:
    rotations [k, 3, 3] and translations [k, 3].
  """
  turns = transform.Rotation.from_rotvec(moves[:, :3]).as_matrix()
  rotations = turns @ pose.rotation
  center = pose.rotation @ frame.pivot + pose.translation
  arms = rotations @ frame.pivot  # [k, 3], from the CAD's origin
  if frame.depth is None:
    depth = center[2] * np.exp(moves[:, 5])
  else:
    depth = frame.depth + arms[:, 2]
  slopes = center[:2] / center[2] + moves[:, 3:5] * frame.shift
  centers = np.concatenate([slopes, np.ones((len(moves), 1))], axis=1)
  return rotations, centers * depth[:, np.newaxis] - arms
