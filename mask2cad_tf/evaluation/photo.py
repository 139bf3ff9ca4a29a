"""One photo with its true objects, as evaluation takes it."""

import dataclasses
from typing import Any
from typing import List
from typing import Mapping
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np

from mask2cad_tf.geometry import posed_cad


@dataclasses.dataclass(frozen=True, eq=False)
class Photo:
  """A photo, its camera and what truly stands in it; original pixels."""

  source_id: str
  image: np.ndarray  # uint8 [height, width, 3]
  intrinsics: np.ndarray  # [4], fx, fy, cx, cy
  objects: Sequence[posed_cad.PosedCad]
  crowds: Sequence[posed_cad.PosedCad] = ()  # COCO's; no one object each
  scene_id: str = ''  # of the scan that the photo is a frame of
  camera_to_world: Optional[np.ndarray] = None  # [4, 4], metres

  @property
  def size(self) -> Tuple[int, int]:
    """Height and width, pixels."""
    return self.image.shape[0], self.image.shape[1]


@dataclasses.dataclass(frozen=True, eq=False)
class Retrieved:
  """What retrieval knows of an object besides the order of its candidates.

  Attributes:
    embedding: float [E], f^im.
    similarities: cosine of each candidate, by CAD id.
    hypothesis: the best refinement.refiner.Hypothesis; None: not refined.
  """

  embedding: np.ndarray
  similarities: Mapping[str, float]
  hypothesis: Any = None


@dataclasses.dataclass(frozen=True, eq=False)
class Prediction:
  """What a model says about a photo.

  Attributes:
    objects: posed CADs; `mesh` is '' where the gallery has none of the class.
    candidates: for each object CAD ids, best first, none twice.
    retrieved: for each object; empty where nothing was retrieved.
  """

  objects: List[posed_cad.PosedCad]
  candidates: List[Sequence[str]]
  retrieved: Sequence[Retrieved] = ()

  def take(self, rows: Sequence[int]) -> 'Prediction':
    """The prediction of these objects, in this order."""
    return Prediction(
      [self.objects[row] for row in rows],
      [self.candidates[row] for row in rows],
      [self.retrieved[row] for row in rows] if self.retrieved else (),
    )
