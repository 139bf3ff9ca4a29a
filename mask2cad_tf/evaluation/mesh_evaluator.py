"""AP^mesh as Mesh R-CNN computes it, over ten thresholds (Sec. 4).

A prediction is right if its class is right, F1^0.3 with a true object of the
image exceeds t, their boxes overlap by more than 0.3, and no prediction of a
higher score has taken that object. Two modes differ in the predictions whose
box overlaps no true box of the image by more than 0.3: `meshrcnn` drops them,
as Mesh R-CNN's evaluator does; in `strict` they are false positives.
"""

import dataclasses
from typing import Dict
from typing import List
from typing import Sequence
from typing import Tuple

import numpy as np

from mask2cad_tf.evaluation import ap_summary
from mask2cad_tf.evaluation import surface_comparison
from mask2cad_tf.geometry import average_precision
from mask2cad_tf.geometry import box_overlap
from mask2cad_tf.geometry import posed_cad

MODES = ('meshrcnn', 'strict')


@dataclasses.dataclass(frozen=True)
class _Judged:
  """Predictions of one class in one image."""

  scores: np.ndarray  # [n]
  matches: np.ndarray  # [n, levels] bool
  reached: np.ndarray  # [n] bool: the box overlaps a true box of the image


class MeshEvaluator:
  """Collects images; gives AP^mesh in both modes."""

  def __init__(
    self,
    comparison: surface_comparison.SurfaceComparison,
    class_names: Sequence[str],
    f1_distance: float = 0.3,
    min_box_iou: float = 0.3,
  ):
    """Keeps the settings.

    Args:
      comparison: gives F1 of a predicted and a true posed CAD.
      class_names: of labels 1, 2, ...
      f1_distance: a point is right nearer than this, the truth's longest edge
        being 10 (0.3; ScanNet: 0.5).
      min_box_iou: boxes that overlap no more than this never match.
    """
    self._comparison = comparison
    self._class_names = tuple(class_names)
    self._f1_distance = f1_distance
    self._min_box_iou = min_box_iou
    self.reset()

  def reset(self) -> None:
    """Forgets all images."""
    self._judged: Dict[int, List[_Judged]] = {
      label: [] for label in self._labels()
    }
    self._num_true = {label: 0 for label in self._labels()}
    self._image_ids = set()

  def update_state(
    self,
    truths: Sequence[posed_cad.PosedCad],
    predictions: Sequence[posed_cad.PosedCad],
    image_id: str,
  ) -> None:
    """Adds an image.

    Args:
      truths: the image's true objects.
      predictions: the image's predicted objects, in any order.
      image_id: an image is added once.

    Raises:
      ValueError: the image is there already, or a label has no class name.
    """
    if image_id in self._image_ids:
      raise ValueError(
        f'Image {image_id!r} was added twice; its objects would count '
        'twice. Give every image its own id.'
      )
    for cad in [*truths, *predictions]:
      if cad.label not in self._num_true:
        raise ValueError(
          f'Image {image_id!r} has label {cad.label}; labels run from 1 to '
          f'{len(self._class_names)}.'
        )
    self._image_ids.add(image_id)
    overlap = (
      box_overlap.box_iou(
        np.array([p.box for p in predictions]),
        np.array([t.box for t in truths]),
      )
      > self._min_box_iou
    )
    for label in self._labels():
      self._update_class(label, truths, predictions, overlap)

  def result(self) -> Dict[str, ap_summary.ApSummary]:
    """Mode -> AP^mesh."""
    return {mode: self._result(strict=mode == 'strict') for mode in MODES}

  def precision_at_50(self, mode: str) -> Dict[str, np.ndarray]:
    """Class name -> precision [101] at ap_summary.RECALLS, F1 above 0.5.

    Args:
      mode: of MODES.
    """
    curves = {}
    for label, name in enumerate(self._class_names, start=1):
      if self._num_true[label]:
        scores, matches = self._pooled(label, mode == 'strict')
        curves[name] = average_precision.precision_at(
          ap_summary.RECALLS,
          scores,
          matches[:, ap_summary.LEVELS.index(0.5)],
          self._num_true[label],
        )
    return curves

  def _labels(self) -> range:
    return range(1, len(self._class_names) + 1)

  def _update_class(
    self,
    label: int,
    truths: Sequence[posed_cad.PosedCad],
    predictions: Sequence[posed_cad.PosedCad],
    overlap: np.ndarray,
  ) -> None:
    """Judges one class; `overlap` [predictions, truths] is over all classes."""
    columns = [i for i, cad in enumerate(truths) if cad.label == label]
    rows = [i for i, cad in enumerate(predictions) if cad.label == label]
    self._num_true[label] += len(columns)
    if not rows:
      return
    similarity = np.zeros([len(rows), len(columns)])
    for i, row in enumerate(rows):
      for j, column in enumerate(columns):
        if overlap[row, column]:
          similarity[i, j] = self._comparison.f1(
            predictions[row], truths[column], self._f1_distance
          )
    scores = np.array([predictions[row].score for row in rows])
    matches = np.stack(
      [
        average_precision.match_detections(similarity, scores, level)
        for level in ap_summary.LEVELS
      ],
      axis=-1,
    )
    self._judged[label].append(
      _Judged(scores, matches, overlap[rows].any(axis=-1))
    )

  def _result(self, strict: bool) -> ap_summary.ApSummary:
    return ap_summary.summarize(
      self._class_names,
      np.array([self._class_result(label, strict) for label in self._labels()]),
    )

  def _class_result(self, label: int, strict: bool) -> List[float]:
    """AP at every level."""
    if not self._num_true[label]:
      return [float('nan')] * len(ap_summary.LEVELS)
    scores, matches = self._pooled(label, strict)
    return [
      average_precision.average_precision(
        scores, matches[:, level], self._num_true[label]
      )
      for level in range(len(ap_summary.LEVELS))
    ]

  def _pooled(self, label: int, strict: bool) -> Tuple[np.ndarray, np.ndarray]:
    """Scores [n] and matches [n, levels] of a class over all images."""
    scores = [np.zeros([0])]
    matches = [np.zeros([0, len(ap_summary.LEVELS)], bool)]
    for judged in self._judged[label]:
      keep = judged.reached | strict
      scores.append(judged.scores[keep])
      matches.append(judged.matches[keep])
    return np.concatenate(scores), np.concatenate(matches)
