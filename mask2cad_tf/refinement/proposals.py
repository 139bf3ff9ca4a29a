"""Poses to start from: which rotations, placed where."""

from typing import NamedTuple
from typing import Optional
from typing import Sequence

import numpy as np

from mask2cad_tf.geometry import rotations as rotations_lib
from mask2cad_tf.refinement import placement
from mask2cad_tf.refinement import pose_steps
from mask2cad_tf.refinement import shape as shape_lib
from mask2cad_tf.refinement import silhouettes as silhouettes_lib
from mask2cad_tf.refinement import target as target_lib

_APART = np.radians(15.0)  # rotations closer than this lead to one pose
_REPEATS = np.radians(5.0)  # an own choice this close to a given one is none
# Shares of the extent that may be cut off where no axis is seen whole.
_HIDDEN = (0.0, 0.2, 0.4)


class Limits(NamedTuple):
  """Rotations tried of one CAD."""

  given: int  # of those that come with the candidate
  chosen: int  # by silhouette, among the views of its class


class Proposer:
  """Places the candidates of one target."""

  def __init__(
    self,
    target: target_lib.Target,
    edges: placement.BoxEdges,
    silhouettes: silhouettes_lib.Silhouettes,
    limits: Limits,
  ):
    """Keeps the parts.

    Args:
      target: the object.
      edges: its box.
      silhouettes: coarse; by which poses are chosen.
      limits: how many rotations.
    """
    self._target, self._silhouettes = target, silhouettes
    self._edges, self._limits = edges, limits
    middle = 0.5 * (edges.low + edges.high)
    self._ray = rotations_lib.ray_rotation(middle, target.intrinsics)

  def propose(
    self,
    candidate: target_lib.Candidate,
    shape: shape_lib.Shape,
    views: Optional[np.ndarray] = None,
  ) -> list[pose_steps.Pose]:
    """Poses of one CAD.

    Args:
      candidate: the CAD with its own rotations.
      shape: its mesh.
      views: [V, 3, 3], allocentric rotations to choose from.

    Returns:
      At least one; those of the given rotations first.
    """
    given = np.reshape(candidate.rotations, (-1, 3, 3)).astype(np.float64)
    if not len(given) and (views is None or not len(views)):
      given = self._ray[np.newaxis]
    kept = spread(given, (), self._limits.given, candidate.symmetry)
    found = self._placed(shape, given[kept])[0] if kept else []
    if views is None or not len(views):
      return found
    turned = self._ray @ np.asarray(views, np.float64)
    poses, overlaps = self._placed(shape, turned)
    order = np.argsort(-overlaps, kind='stable')
    best = spread(
      turned[order], given[kept], self._limits.chosen, candidate.symmetry
    )
    return found + [poses[order[index]] for index in best]

  def _placed(self, shape: shape_lib.Shape, rotations: np.ndarray):
    """Poses of rotations [k, 3, 3] and their overlap with the mask [k]."""
    depth = self._target.depth
    unsure = depth is None and not self._edges.whole.any()
    trials = []
    for hidden in _HIDDEN if unsure else _HIDDEN[:1]:
      translations = placement.place(
        shape, rotations, self._edges, self._target.intrinsics, depth, hidden
      )
      overlaps = self._silhouettes.iou(shape, rotations, translations)
      trials.append((translations, overlaps))
    overlaps = np.stack([overlap for _, overlap in trials])
    best = overlaps.argmax(axis=0)
    poses = [
      pose_steps.Pose(rotation, trials[trial][0][index])
      for index, (rotation, trial) in enumerate(zip(rotations, best))
    ]
    return poses, overlaps.max(axis=0)


def spread(
  rotations: np.ndarray, taken: Sequence[np.ndarray], count: int, symmetry: int
) -> list[int]:
  """Indices of the first rotations that differ from each other.

  Args:
    rotations: [n, 3, 3], best first.
    taken: rotations [3, 3] not to be repeated.
    count: at most so many.
    symmetry: order about +y.

  Returns:
    At most `count` indices, ascending.
  """
  kept: list[int] = []
  for index, rotation in enumerate(rotations):
    if len(kept) >= count:
      break
    own = angles(rotation, rotations[kept], symmetry)
    others = angles(rotation, np.reshape(taken, (-1, 3, 3)), symmetry)
    if (own > _APART).all() and (others > _REPEATS).all():
      kept.append(index)
  return kept


def angles(
  rotation: np.ndarray, others: np.ndarray, symmetry: int = 1
) -> np.ndarray:
  """Angles to other rotations, as far as one can see them.

  Args:
    rotation: [3, 3].
    others: [n, 3, 3].
    symmetry: order about +y of the CAD that is turned; 0 = any angle.

  Returns:
    Radians [n].
  """
  relative = rotation.T @ np.reshape(others, (-1, 3, 3))
  if symmetry == 0:
    return np.arccos(np.clip(relative[:, 1, 1], -1.0, 1.0))
  # Trace of relative @ turn about +y, at its largest over the turns.
  turns = 2.0 * np.pi * np.arange(symmetry) / symmetry
  even = relative[:, 0, 0] + relative[:, 2, 2]
  odd = relative[:, 0, 2] - relative[:, 2, 0]
  trace = relative[:, 1, 1] + np.max(
    np.outer(np.cos(turns), even) + np.outer(np.sin(turns), odd), axis=0
  )
  return np.arccos(np.clip(0.5 * (trace - 1.0), -1.0, 1.0))
