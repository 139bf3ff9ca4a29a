"""What can be evaluated: a model, or the ground truth itself."""

from typing import Any
from typing import List
from typing import Mapping
from typing import Optional
from typing import Protocol
from typing import Sequence

import numpy as np
import tensorflow as tf

from mask2cad_tf.evaluation import photo as photo_lib
from mask2cad_tf.evaluation import predicted_cads

_REFINED_CANDIDATES = 10  # retrieval is measured to top-10


class Predictor(Protocol):
  """Says what stands in a photo."""

  def detections(self, photo: photo_lib.Photo) -> photo_lib.Prediction:
    """Objects found without help."""

  def on_true_boxes(self, photo: photo_lib.Photo) -> photo_lib.Prediction:
    """One object per true object, in order."""


class InferencePath(Protocol):
  """serving.mask2cad_module.Mask2CADModule: outputs keep the batch axis."""

  def predict(
    self, image: np.ndarray, intrinsics: np.ndarray
  ) -> Mapping[str, tf.Tensor]:
    """Detects in a photo uint8 [H, W, 3]."""

  def predict_boxes(
    self,
    image: np.ndarray,
    intrinsics: np.ndarray,
    boxes: np.ndarray,
    classes: np.ndarray,
  ) -> Mapping[str, tf.Tensor]:
    """As `predict`, for boxes [N, 4] of classes [N]."""


class GroundTruth:
  """Predicts the ground truth: proves data and metric."""

  def detections(self, photo: photo_lib.Photo) -> photo_lib.Prediction:
    """The true objects."""
    return photo_lib.Prediction(
      list(photo.objects), [[cad.cad_id] for cad in photo.objects]
    )

  def on_true_boxes(self, photo: photo_lib.Photo) -> photo_lib.Prediction:
    """The true objects."""
    return self.detections(photo)


class Refinement(Protocol):
  """serving.detection_refiner.DetectionRefiner."""

  def refine(
    self,
    image: np.ndarray,
    intrinsics: np.ndarray,
    detections: Mapping[str, np.ndarray],
    depths: Sequence[Optional[float]],
    top_k: int,
    given_masks: Optional[Sequence[np.ndarray]] = None,
    max_objects: Optional[int] = None,
    *,
    exact_boxes: bool = False,
  ) -> List[List[Any]]:
    """Hypotheses of each detection, best first."""


class Model:
  """A model with its gallery, through the one inference path."""

  def __init__(
    self,
    module: InferencePath,
    reader: predicted_cads.OutputReader,
    refinement: Optional[Refinement] = None,
    true_masks: bool = False,
    max_refined: Optional[int] = None,
  ):
    """Keeps the parts.

    Args:
      module: the inference path.
      reader: poses its outputs.
      refinement: render and compare on top; None: none.
      true_masks: on true boxes, refinement compares with the true masks.
      max_refined: detections of a photo that are refined, those of highest
        score; None: all.
    """
    self._module = module
    self._reader = reader
    self._refinement = refinement
    self._true_masks = true_masks
    self._max_refined = max_refined

  def detections(self, photo: photo_lib.Photo) -> photo_lib.Prediction:
    """What the model finds."""
    outputs = _first(
      self._module.predict(photo.image, photo.intrinsics.astype(np.float32))
    )
    return self._refine(
      photo,
      outputs,
      self._reader.read(outputs, photo),
      max_objects=self._max_refined,
    )

  def _refine(
    self,
    photo: photo_lib.Photo,
    outputs: Mapping[str, np.ndarray],
    prediction: photo_lib.Prediction,
    given_masks: Optional[Sequence[np.ndarray]] = None,
    max_objects: Optional[int] = None,
    exact_boxes: bool = False,
  ) -> photo_lib.Prediction:
    """The prediction with rendered and compared hypotheses, if asked for."""
    if self._refinement is None:
      return prediction
    hypotheses = self._refinement.refine(
      photo.image,
      photo.intrinsics,
      outputs,
      self._reader.depths(prediction.objects),
      _REFINED_CANDIDATES,
      given_masks,
      max_objects,
      exact_boxes=exact_boxes,
    )
    return self._reader.refined(prediction, hypotheses, photo)

  def on_true_boxes(self, photo: photo_lib.Photo) -> photo_lib.Prediction:
    """What it says of the true boxes, their classes given."""
    if not photo.objects:
      return photo_lib.Prediction([], [])
    outputs = _first(
      self._module.predict_boxes(
        photo.image,
        photo.intrinsics.astype(np.float32),
        np.array([cad.box for cad in photo.objects], np.float32),
        np.array([cad.label for cad in photo.objects], np.int32),
      )
    )
    prediction = self._reader.read(outputs, photo, on_true_boxes=True)
    masks = None
    if self._true_masks:
      masks = [cad.mask for cad in photo.objects]
    return self._refine(photo, outputs, prediction, masks, exact_boxes=True)


def _first(outputs: Mapping[str, tf.Tensor]) -> Mapping[str, np.ndarray]:
  """The outputs of a batch of one, NumPy, without the batch axis."""
  return {key: value[0].numpy() for key, value in outputs.items()}
