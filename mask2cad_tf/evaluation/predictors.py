"""What can be evaluated: a model, or the ground truth itself."""

from typing import Mapping
from typing import Protocol

import numpy as np
import tensorflow as tf

from mask2cad_tf.evaluation import photo as photo_lib
from mask2cad_tf.evaluation import predicted_cads


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


class Model:
  """A model with its gallery, through the one inference path."""

  def __init__(
    self, module: InferencePath, reader: predicted_cads.OutputReader
  ):
    """Keeps the inference path and what reads its outputs."""
    self._module = module
    self._reader = reader

  def detections(self, photo: photo_lib.Photo) -> photo_lib.Prediction:
    """What the model finds."""
    outputs = self._module.predict(
      photo.image, photo.intrinsics.astype(np.float32)
    )
    return self._reader.read(_first(outputs), photo)

  def on_true_boxes(self, photo: photo_lib.Photo) -> photo_lib.Prediction:
    """What it says of the true boxes, their classes given."""
    if not photo.objects:
      return photo_lib.Prediction([], [])
    outputs = self._module.predict_boxes(
      photo.image,
      photo.intrinsics.astype(np.float32),
      np.array([cad.box for cad in photo.objects], np.float32),
      np.array([cad.label for cad in photo.objects], np.int32),
    )
    return self._reader.read(_first(outputs), photo, on_true_boxes=True)


def _first(outputs: Mapping[str, tf.Tensor]) -> Mapping[str, np.ndarray]:
  """The outputs of a batch of one, NumPy, without the batch axis."""
  return {key: value[0].numpy() for key, value in outputs.items()}
