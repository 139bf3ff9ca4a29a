"""Which posed CAD explains the photo best?"""

import dataclasses
from typing import NamedTuple
from typing import Optional
from typing import Sequence

import numpy as np

from mask2cad_tf.refinement import fine_features
from mask2cad_tf.refinement import pose_steps
from mask2cad_tf.refinement import proposals
from mask2cad_tf.refinement import shape as shape_lib
from mask2cad_tf.refinement import target as target_lib

_SAME = np.radians(5.0)  # fits that end this close are one
_LEANING = np.radians(15.0)  # who leans more costs no more
_LOOKING_UP = np.radians(5.0)  # as far as cameras that see furniture do
_FAR = np.radians(60.0)  # a farther turn costs no more


class Weights(NamedTuple):
  """What counts beside the silhouette's IoU, whose weight is 1."""

  features: float  # cosine of fine features
  similarity: float  # cosine of retrieval
  box: float  # IoU of the projection's extent and the box
  turn: float  # what a turn from the candidate's first rotation costs
  lean: float  # what leaning costs what stands


@dataclasses.dataclass(eq=False)
class Draft:
  """A hypothesis being worked on.

  Attributes:
    candidate: the CAD.
    shape: its mesh.
    pose: where it stands now.
    iou: of its silhouette there.
    box_iou: of its extent there.
    features: [16, 16, c] of its rendering there; None: not looked at.
  """

  candidate: target_lib.Candidate
  shape: shape_lib.Shape
  pose: pose_steps.Pose
  iou: float
  box_iou: float
  features: Optional[np.ndarray] = None

  def promise(self, weights: Weights) -> float:
    """What is known before features are: overlaps, retrieval, rotation."""
    return (
      self.iou
      + weights.box * self.box_iou
      + weights.similarity * self.candidate.similarity
      - weights.turn * self._turn()
      - weights.lean * self._lean()
    )

  def _lean(self) -> float:
    """Of what stands, in _LEANING, at most 1."""
    if not self.candidate.stands:
      return 0.0
    return min(lean(self.pose.rotation) / _LEANING, 1.0)

  def _turn(self) -> float:
    """From the candidate's first rotation, in _FAR, at most 1."""
    first = self.candidate.rotations[:1]
    if not len(first):
      return 0.0
    angle = proposals.angles(
      self.pose.rotation, first, self.candidate.symmetry
    )[0]
    return float(min(angle / _FAR, 1.0))


def lean(rotation: np.ndarray) -> float:
  """How far a CAD is from upright, as a camera sees it that is held level.

  Of Pix3D's annotated furniture the median is 1 to 3 degrees.

  Args:
    rotation: [3, 3], CAD to camera.

  Returns:
    Radians: its up axis out of the camera's vertical plane, and out of what
    a camera sees that looks up by at most _LOOKING_UP. Down it may look.
  """
  left, up, away = rotation[:, 1]
  sideways = np.arctan2(left, np.hypot(up, away))
  from_below = np.arctan2(away, np.hypot(left, up)) - _LOOKING_UP
  return float(np.hypot(sideways, max(from_below, 0.0)))


def feature_cosines(
  drafts: Sequence[Draft],
  photo: Optional[np.ndarray],
  mean: Optional[np.ndarray],
) -> np.ndarray:
  """Cosines [n] with the photo's features; NaN where there are none."""
  found = np.full(len(drafts), np.nan)
  seen = [i for i, draft in enumerate(drafts) if draft.features is not None]
  if photo is not None and seen:
    found[seen] = fine_features.cosines(
      [drafts[i].features for i in seen], photo, mean
    )
  return found


def scores(
  drafts: Sequence[Draft], cosines: np.ndarray, weights: Weights
) -> np.ndarray:
  """Overlaps + features + similarity, weighted, [n].

  A draft without features is ranked as if it had the worst seen.
  """
  worst = np.nanmin(cosines) if np.isfinite(cosines).any() else 0.0
  filled = np.where(np.isnan(cosines), worst, cosines)
  promise = np.array([draft.promise(weights) for draft in drafts])
  return promise + weights.features * filled


def distinct(drafts: Sequence[Draft]) -> list[Draft]:
  """Drops what ended beside a better fit of the same CAD; best IoU first."""
  kept: list[Draft] = []
  for draft in sorted(drafts, key=lambda each: -each.iou):
    others = [
      each.pose.rotation
      for each in kept
      if each.candidate.cad_id == draft.candidate.cad_id
    ]
    near = proposals.angles(
      draft.pose.rotation, np.array(others), draft.candidate.symmetry
    )
    if (near > _SAME).all():
      kept.append(draft)
  return kept


def first_of_each(order: Sequence[int], drafts: Sequence[Draft], count: int):
  """Of indices, best first, those of each CAD's first `count`."""
  seen: dict[str, int] = {}
  kept = []
  for index in order:
    cad_id = drafts[index].candidate.cad_id
    seen[cad_id] = seen.get(cad_id, 0) + 1
    if seen[cad_id] <= count:
      kept.append(index)
  return kept
