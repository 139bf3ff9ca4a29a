"""Render and compare on top of the network: detections -> posed hypotheses."""

from typing import Collection
from typing import List
from typing import Mapping
from typing import Optional
from typing import Sequence

import numpy as np
import tensorflow as tf

from mask2cad_tf import conventions
from mask2cad_tf.configs import mask2cad as mask2cad_config
from mask2cad_tf.geometry import box_overlap
from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import rotations
from mask2cad_tf.modeling import fine_features
from mask2cad_tf.refinement import refiner as refiner_lib
from mask2cad_tf.retrieval import candidates as candidates_lib
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.scene import masks as masks_lib

Detections = Mapping[str, np.ndarray]
# Two detections that overlap so much show the same object twice: neither hides
# the other.
_SAME_OBJECT = 0.6
_LEAST_HIDING = 0.15  # score of a detection that may stand before others


class DetectionRefiner:
  """Refines what `Mask2CADModule.infer` finds in a photo."""

  def __init__(
    self,
    gallery: gallery_lib.Gallery,
    rotation_frame: str,
    features: Optional[refiner_lib.FeatureExtractor] = None,
    seconds: float = 2.0,
  ):
    """Keeps the parts.

    Args:
      gallery: that the detections were retrieved from.
      rotation_frame: of its views, 'camera' or 'allocentric'.
      features: network for the fine comparison.
      seconds: time for an object.
    """
    self._gallery = gallery
    self._allocentric = rotation_frame == 'allocentric'
    self._seconds = seconds
    self._refiner = refiner_lib.Refiner(
      lambda cad_id: meshes.load(gallery.mesh_path(cad_id)),
      self._view_rotations if self._allocentric else None,
      features,
    )

  @classmethod
  def of_encoder(
    cls,
    encoder: tf.keras.layers.Layer,
    config: mask2cad_config.Mask2CAD,
    gallery: gallery_lib.Gallery,
    seconds: float,
  ) -> 'DetectionRefiner':
    """The refiner of a model's detections, by its view encoder's features."""
    return cls(
      gallery,
      config.pose.rotation_frame,
      fine_features.extractor(encoder),
      seconds,
    )

  def refine(
    self,
    image: np.ndarray,
    intrinsics: np.ndarray,
    detections: Detections,
    depths: Sequence[Optional[float]],
    top_k: int = 5,
    given_masks: Optional[Sequence[np.ndarray]] = None,
    max_objects: Optional[int] = None,
    hidden_cads: Optional[Sequence[Collection[str]]] = None,
    exact_boxes: bool = False,
  ) -> List[List[refiner_lib.Hypothesis]]:
    """Hypotheses of every detection, best first.

    Args:
      image: uint8 [H, W, 3], the photo.
      intrinsics: [4], (fx, fy, cx, cy), pixels.
      detections: of one photo, without the batch axis.
      depths: of each detection, Z of the CAD's origin; None: fitted.
      top_k: hypotheses kept of an object, of different CADs.
      given_masks: bool [H, W] of each detection, in place of the predicted.
      max_objects: only so many, of highest score; None: all.
      hidden_cads: ids of each detection that are no candidates.
      exact_boxes: the boxes were given, not detected.

    Returns:
      A list for each detection, empty where the gallery has no CAD of its
      class, and for those beyond `max_objects`.
    """
    count = int(detections['num_detections'])
    if given_masks is None:
      probabilities = [
        masks_lib.paste_probabilities(
          detections['detection_masks'][i],
          detections['detection_outer_boxes'][i],
          *image.shape[:2],
        )
        for i in range(count)
      ]
    else:
      probabilities = [np.asarray(mask, np.float32) for mask in given_masks]
    boxes = np.asarray(detections['detection_boxes'], np.float64)
    scores = np.asarray(detections['detection_scores'])[:count]
    order = np.argsort(-scores, kind='stable')
    chosen = set(order[:max_objects])
    return [
      []
      if i not in chosen
      else self._refine_one(
        refiner_lib.Target(
          image=image,
          intrinsics=np.asarray(intrinsics, np.float64),
          box=boxes[i],
          mask=probabilities[i],
          countable=_countable(i, boxes[:count], scores, probabilities),
          depth=depths[i],
          exact_box=exact_boxes,
        ),
        {
          key: value[i]
          for key, value in detections.items()
          if key.startswith('detection_')
        },
        top_k,
        hidden_cads[i] if hidden_cads else (),
      )
      for i in range(count)
    ]

  def _refine_one(
    self,
    target: refiner_lib.Target,
    detection: Detections,
    top_k: int,
    hidden_cads: Collection[str],
  ) -> List[refiner_lib.Hypothesis]:
    center = np.asarray(detection['detection_centers'], np.float64)
    own = rotations.matrix_from_quaternion(
      np.asarray(detection['detection_rotations'], np.float64)
    )
    found = candidates_lib.propose(
      detection['detection_embeddings'],
      int(detection['detection_classes']),
      target.mask > 0.5,
      self._gallery,
      hidden_cads,
    )
    candidates = []
    for candidate in found:
      views = candidate.rotations
      if self._allocentric:
        views = rotations.camera_from_allocentric(
          views, center, target.intrinsics
        )
      cad = self._gallery.cads[candidate.row]
      candidates.append(
        refiner_lib.Candidate(
          cad.id,
          candidate.similarity,
          np.concatenate([own[np.newaxis], views]),
          cad.symmetry,
          stands=cad.label_name not in conventions.OFF_THE_FLOOR,
        )
      )
    if not candidates:
      return []
    return self._refiner.refine(target, candidates, self._seconds, top_k)

  def _view_rotations(self, cad_id: str) -> np.ndarray:
    """Allocentric rotations [V, 3, 3] of a CAD's views."""
    row = self._gallery.row(cad_id)
    quaternions = self._gallery.rotations[row][self._gallery.valid[row]]
    return rotations.matrix_from_quaternion(np.asarray(quaternions, np.float64))


def _countable(
  index: int,
  boxes: np.ndarray,
  scores: np.ndarray,
  probabilities: Sequence[np.ndarray],
) -> np.ndarray:
  """Bool [H, W]: False where another object stands, and not this one.

  Detections of very low scores hide nothing.
  """
  own = probabilities[index]
  countable = np.ones(own.shape, bool)
  overlaps = box_overlap.box_iou(boxes[index], boxes)[0]
  others = (overlaps < _SAME_OBJECT) & (scores >= _LEAST_HIDING)
  for other, mask in enumerate(probabilities):
    if other != index and others[other]:
      countable &= (mask <= 0.5) | (own > mask)
  return countable
