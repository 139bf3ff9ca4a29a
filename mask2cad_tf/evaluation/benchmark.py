"""All of the paper's numbers over a set of photos.

AP^box and AP^mask are over all true objects. The others are over those with a
CAD: true objects without one, and detections that show them, are left out.
"""

import dataclasses
from typing import Any
from typing import Callable
from typing import Dict
from typing import List
from typing import Mapping
from typing import Optional
from typing import Protocol
from typing import Sequence
from typing import Tuple

import numpy as np

from mask2cad_tf.evaluation import alignment_evaluator
from mask2cad_tf.evaluation import canonical_shape_evaluator
from mask2cad_tf.evaluation import detection_evaluator
from mask2cad_tf.evaluation import first_detections
from mask2cad_tf.evaluation import given_depth
from mask2cad_tf.evaluation import mask_overlap
from mask2cad_tf.evaluation import mesh_evaluator
from mask2cad_tf.evaluation import oracle
from mask2cad_tf.evaluation import photo as photo_lib
from mask2cad_tf.evaluation import pose_errors
from mask2cad_tf.evaluation import retrieval_evaluator
from mask2cad_tf.evaluation import surface_comparison
from mask2cad_tf.geometry import box_overlap
from mask2cad_tf.geometry import mesh_metrics
from mask2cad_tf.geometry import posed_cad

_CANONICAL_CLASS = 'chair'  # Table 4
# A shape counts as good when its F1 at this distance is above this.
_GOOD_DISTANCE, _GOOD_F1 = 0.3, 0.5
_MIN_BOX_IOU = 0.3  # as MeshEvaluator's: a detection shows an object


class Observer(Protocol):
  """Sees what the evaluators of CADs see."""

  def add(
    self,
    photo: photo_lib.Photo,
    detections: photo_lib.Prediction,
    on_true_boxes: photo_lib.Prediction,
  ) -> None:
    """A photo; all of its true objects have a CAD."""


@dataclasses.dataclass(frozen=True, eq=False)
class Curves:
  """What the tables sum up.

  Attributes:
    mesh: class name -> precision [101] of AP^mesh, mode meshrcnn, F1 above
      0.5, at ap_summary.RECALLS.
    box: the same of AP^box at IoU 0.5.
    rotation_degrees: symmetry-aware errors on true boxes [n].
  """

  mesh: Mapping[str, np.ndarray]
  box: Mapping[str, np.ndarray]
  rotation_degrees: np.ndarray


class Benchmark:
  """Gives every photo to every evaluator."""

  def __init__(
    self,
    comparison: surface_comparison.SurfaceComparison,
    canonical_shapes: canonical_shape_evaluator.CanonicalShapeEvaluator,
    class_names: Sequence[str],
    symmetry_order: Callable[[posed_cad.PosedCad], int],
    f1_distance: float = 0.3,
    oracles: Sequence[str] = (),
    observer: Optional[Observer] = None,
  ):
    """Builds the evaluators.

    Args:
      comparison: of posed CADs.
      canonical_shapes: of CADs without their pose.
      class_names: of labels 1, 2, ...
      symmetry_order: of a true CAD about its +y; 0 is any angle.
      f1_distance: threshold of the F1 that AP^mesh is taken over.
      oracles: of `oracle.PARTS` and 'box'; AP^mesh with each swapped in.
      observer: told of every photo.
    """
    self._comparison = comparison
    self._canonical_shapes = canonical_shapes
    self._class_names = tuple(class_names)
    self._symmetry_order = symmetry_order
    self._observer = observer
    self._detection = detection_evaluator.DetectionEvaluator(class_names)
    self._mesh = mesh_evaluator.MeshEvaluator(
      comparison, class_names, f1_distance
    )
    self._oracles = {
      part: mesh_evaluator.MeshEvaluator(comparison, class_names, f1_distance)
      for part in oracles
    }
    self._first = first_detections.FirstDetectionEvaluator()
    self._masks = mask_overlap.MaskEvaluator(class_names)
    self._retrieval = retrieval_evaluator.RetrievalEvaluator(class_names)
    self._pose = pose_errors.PoseEvaluator(class_names)
    self._alignment = alignment_evaluator.AlignmentEvaluator(class_names)
    self._surfaces: List[mesh_metrics.MeshMetrics] = []
    self._depth_errors: List[float] = []
    self._num_photos = 0
    self._num_objects = 0

  def add(
    self,
    photo: photo_lib.Photo,
    detections: photo_lib.Prediction,
    on_true_boxes: Optional[photo_lib.Prediction],
  ) -> None:
    """Adds a photo.

    Args:
      photo: with its true objects.
      detections: what the model finds by itself; give `on_true_boxes` again
        to evaluate AP on true boxes.
      on_true_boxes: what it says of each true box, in the order of
        `photo.objects`. An object without a CAD has the mesh ''. None: it was
        not asked; what is measured on true boxes stays without this photo.

    Raises:
      ValueError: `on_true_boxes` has not one object per true object, or is
        missing where the oracle 'box' wants it.
    """
    if on_true_boxes is None and 'box' in self._oracles:
      raise ValueError(
        f"Photo {photo.source_id!r}: the oracle 'box' needs the predictions on "
        'true boxes. Give on_true_boxes, or leave that oracle out.'
      )
    if on_true_boxes is not None and (
      len(on_true_boxes.objects) != len(photo.objects)
    ):
      raise ValueError(
        f'Photo {photo.source_id!r} has {len(photo.objects)} true objects; '
        f'the predictions on their boxes are {len(on_true_boxes.objects)}.'
      )
    self._num_photos += 1
    self._num_objects += len(photo.objects)
    self._detection.update_state(
      photo.objects, detections.objects, photo.size, photo.crowds
    )
    self._first.update_state(photo.objects, detections.objects)
    if on_true_boxes is not None:
      for truth, cad in zip(photo.objects, on_true_boxes.objects):
        self._masks.update_state(cad, truth)
    self._add_cads(*_with_cads(photo, detections, on_true_boxes))

  def result(self) -> Dict[str, Any]:
    """The numbers; shares in [0, 1], NaN where there is nothing to measure.

    Returns:
      'num_photos', 'num_objects'; 'mesh_ap' {mode: ApSummary}; 'box_ap' and
      'mask_ap' ApSummary; 'oracle' {part: {mode: ApSummary}}; on true boxes
      'surface' (Table 2), 'good_shapes' (share with F1^0.3 > 0.5),
      'canonical_shape' (Table 4), 'retrieval', 'pose', 'masks' and
      'depth_error' (median of |z / true z - 1|); 'first_detections';
      'alignment' of scans, {} where no photo is a frame of one.
    """
    detection = self._detection.result()
    return {
      'num_photos': self._num_photos,
      'num_objects': self._num_objects,
      'mesh_ap': self._mesh.result(),
      'box_ap': detection['box'],
      'mask_ap': detection['mask'],
      'first_detections': self._first.result(),
      'masks': self._masks.result(),
      'good_shapes': _share(
        [metrics.f1[_GOOD_DISTANCE] > _GOOD_F1 for metrics in self._surfaces]
      ),
      'depth_error': (
        float(np.median(self._depth_errors))
        if self._depth_errors
        else float('nan')
      ),
      'oracle': {
        part: evaluator.result() for part, evaluator in self._oracles.items()
      },
      'surface': surface_comparison.mean_metrics(self._surfaces),
      'canonical_shape': self._canonical_shapes.result(),
      'retrieval': self._retrieval.result(),
      'pose': self._pose.result(),
      'alignment': self._alignment.result(),
    }

  def curves(self) -> Curves:
    """The same numbers, not yet summed up."""
    return Curves(
      self._mesh.precision_at_50(mesh_evaluator.MODES[0]),
      self._detection.box_precision_at_50(),
      self._pose.symmetric_degrees(),
    )

  def _add_cads(
    self,
    photo: photo_lib.Photo,
    detections: photo_lib.Prediction,
    on_true_boxes: Optional[photo_lib.Prediction],
  ) -> None:
    """Adds to all but the detection; every true object has a CAD."""
    truths, found = photo.objects, detections.objects
    self._add_frame(photo, found)
    self._mesh.update_state(truths, found, photo.source_id)
    for part, evaluator in self._oracles.items():
      swapped = (
        oracle.swap_boxes(found, on_true_boxes.objects)
        if part == 'box'
        else oracle.swap(part, truths, found)
      )
      evaluator.update_state(truths, swapped, photo.source_id)
    if on_true_boxes is None:
      return
    for truth, cad, candidates in zip(
      truths, on_true_boxes.objects, on_true_boxes.candidates
    ):
      self._add_object(truth, cad, candidates)
    if self._observer is not None:
      self._observer.add(photo, detections, on_true_boxes)

  def _add_frame(
    self, photo: photo_lib.Photo, detections: Sequence[posed_cad.PosedCad]
  ) -> None:
    if not photo.scene_id or photo.camera_to_world is None:
      return
    truths, predictions = (
      [
        alignment_evaluator.to_world(
          cad, photo.camera_to_world, self._symmetry_order(cad)
        )
        for cad in cads
        if cad.mesh  # a prediction without a CAD aligns none
      ]
      for cads in (photo.objects, detections)
    )
    self._alignment.update_state(photo.scene_id, truths, predictions)

  def _add_object(
    self,
    truth: posed_cad.PosedCad,
    cad: posed_cad.PosedCad,
    candidates: Sequence[str],
  ) -> None:
    self._surfaces.append(self._comparison.metrics(cad, truth))
    depth = truth.translation[2]
    self._depth_errors.append(abs(cad.translation[2] / depth - 1.0))
    self._retrieval.update_state(
      truth.label,
      truth.cad_id,
      candidates,
      retrieval_evaluator.f1_at_true_pose(self._comparison, cad, truth),
    )
    self._pose.update_state(
      truth.label, cad.rotation, truth.rotation, self._symmetry_order(truth)
    )
    if self._class_names[truth.label - 1] == _CANONICAL_CLASS:
      self._canonical_shapes.update_state(cad.mesh, truth.mesh)


def _with_cads(
  photo: photo_lib.Photo,
  detections: photo_lib.Prediction,
  on_true_boxes: Optional[photo_lib.Prediction],
) -> Tuple[
  photo_lib.Photo, photo_lib.Prediction, Optional[photo_lib.Prediction]
]:
  """All three without true objects that have no CAD, and what shows them."""
  rows = [i for i, truth in enumerate(photo.objects) if truth.mesh]
  shown = [
    i
    for i, cad in enumerate(detections.objects)
    if not _shows_object_without_cad(cad, photo.objects)
  ]
  return (
    dataclasses.replace(photo, objects=[photo.objects[i] for i in rows]),
    detections.take(shown),
    on_true_boxes and on_true_boxes.take(rows),
  )


def _shows_object_without_cad(
  cad: posed_cad.PosedCad, truths: Sequence[posed_cad.PosedCad]
) -> bool:
  """Whether the true object that a detection overlaps most has no CAD."""
  if not truths:
    return False
  truth = given_depth.nearest_truth(cad.box, truths)
  overlap = box_overlap.box_iou(cad.box, truth.box).item()
  return not truth.mesh and overlap > _MIN_BOX_IOU


def _share(hits: Sequence[bool]) -> float:
  return float(np.mean(hits)) if hits else float('nan')
