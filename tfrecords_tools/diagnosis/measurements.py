"""What was measured of a photo and its objects: small and picklable."""

import dataclasses
from typing import Optional
from typing import Tuple

import numpy as np

from tfrecords_tools.diagnosis import explanations
from tfrecords_tools.diagnosis import photo_hash
from tfrecords_tools.diagnosis import problem


@dataclasses.dataclass(frozen=True, eq=False)
class ObjectFacts:
  """What was measured of one object.

  Attributes:
    where: '<photo>#<number>'.
    sample, number: of its photo and in its photo.
    label_name, cad_id, mesh: as annotated.
    iou: of the mask and the CAD's silhouette; None where neither was drawn.
    box_iou: of the annotated box and the silhouette's, cut at the border.
    agreement: of the silhouette's outline with the photo's edges.
    occluded_share: annotated; None where it is not.
    truncated: does the CAD reach out of the picture?
    quaternion: rotation (w, x, y, z) in the frame that was asked for; None
      without a good pose.
    is_partial: the mask shows only a part that nobody can predict.
    explanation: of a low IoU.
    mask_signature, silhouette_signature: where the IoU is low.
  """

  where: str
  sample: int
  number: int
  label_name: str
  cad_id: str
  mesh: str
  iou: Optional[float] = None
  box_iou: Optional[float] = None
  agreement: Optional[float] = None
  occluded_share: Optional[float] = None
  truncated: bool = False
  quaternion: Optional[np.ndarray] = None
  is_partial: bool = False
  explanation: Optional[explanations.Explanation] = None
  mask_signature: Optional[np.ndarray] = None
  silhouette_signature: Optional[np.ndarray] = None

  @property
  def fit(self) -> float:
    """The worse of the two overlaps; 1 where none was measured."""
    measured = [x for x in (self.iou, self.box_iou) if x is not None]
    return min(measured) if measured else 1.0


@dataclasses.dataclass(frozen=True, eq=False)
class Facts:
  """What was found out about one photo."""

  index: int
  name: str
  place: str
  size: Optional[Tuple[int, int]]  # height, width
  problems: Tuple[problem.Problem, ...]
  objects: Tuple[ObjectFacts, ...]
  fingerprint: Optional[photo_hash.Fingerprint]
