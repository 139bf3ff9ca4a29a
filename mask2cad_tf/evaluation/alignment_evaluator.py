"""Alignment accuracy of a scan's CADs: Scan2CAD's measure for photos.

The protocol is that of ROCA (Guemeli et al., CVPR 2022; its code's
`vid2cad_evaluation.py`), which takes the per-scan measure of Scan2CAD and
Vid2CAD to single photos, ScanNet's 25k frames. In every scan:

1. The predictions of all frames with a score of at least 0.5 are moved to the
   scan's world.
2. In descending score, one is dropped if a kept one of its class is nearer
   than 0.4 m, 60 degrees and 60 % of scale: no averaging, the best stays.
3. Of each class as many stay as the scan truly has.
4. In descending score, each takes the nearest true object of its class that is
   still free and within 0.2 m, 20 degrees and 20 % of scale.

Accuracy is the share of true objects taken. Retrieval-aware, the CAD must be
the right one, too. Angles are symmetry-aware by the true object's annotation
(in step 2 by the better prediction's CAD); |mean(s / s_true) - 1| is the error
of the scale. Unlike there, the true objects are those that the frames show,
and a free turn (order 0) is exact where theirs tries 36.
"""

import dataclasses
from typing import Any
from typing import Dict
from typing import List
from typing import Sequence
from typing import Tuple

import numpy as np

from mask2cad_tf.evaluation import pose_errors
from mask2cad_tf.geometry import posed_cad


@dataclasses.dataclass(frozen=True)
class Limits:
  """What is near enough; each limit itself still is."""

  translation: float  # metres
  rotation: float  # degrees
  scale: float  # of |mean(s / s_true) - 1|


CORRECT = Limits(0.2, 20.0, 0.2)
DUPLICATE = Limits(0.4, 60.0, 0.6)
# One object seen in two frames: records keep float32.
_SAME = Limits(0.01, 1.0, 0.01)


@dataclasses.dataclass(frozen=True, eq=False)
class AlignedCad:
  """A CAD in a scan: X_world = rotation (scale v) + translation, metres."""

  label: int  # class id, from 1
  cad_id: str  # '<class>/<shape>'
  rotation: np.ndarray  # [3, 3], CAD to world
  translation: np.ndarray  # [3]
  scale: np.ndarray  # [3]
  symmetry: int = 1  # order about the CAD's +y, 0 = any angle
  score: float = 1.0


def to_world(
  cad: posed_cad.PosedCad, camera_to_world: np.ndarray, symmetry: int
) -> AlignedCad:
  """A photo's CAD in its scan.

  Args:
    cad: posed in the camera's frame.
    camera_to_world: [4, 4], rigid, from that frame (Pix3D's axes).
    symmetry: order about the CAD's +y.
  """
  matrix = np.asarray(camera_to_world, np.float64)
  return AlignedCad(
    label=cad.label,
    cad_id=cad.cad_id,
    rotation=matrix[:3, :3] @ cad.rotation,
    translation=matrix[:3, :3] @ cad.translation + matrix[:3, 3],
    scale=np.asarray(cad.scale, np.float64),
    symmetry=symmetry,
    score=cad.score,
  )


def is_within(
  cad: AlignedCad, reference: AlignedCad, limits: Limits, symmetry: int
) -> bool:
  """Do translation, rotation and scale agree within the limits?

  Args:
    cad: compared with the reference; the labels do not matter here.
    reference: the truth, or the better prediction.
    limits: of the three errors.
    symmetry: order about +y under which rotations are the same.
  """
  if _distance(cad, reference) > limits.translation:
    return False
  if abs(np.mean(cad.scale / reference.scale) - 1.0) > limits.scale:
    return False
  error = pose_errors.symmetric_rotation_error(
    cad.rotation, reference.rotation, symmetry
  )
  return bool(np.degrees(error) <= limits.rotation)


class AlignmentEvaluator:
  """Collects frames; gives the accuracy by scan and by class."""

  def __init__(
    self,
    class_names: Sequence[str],
    correct: Limits = CORRECT,
    duplicate: Limits = DUPLICATE,
    min_score: float = 0.5,
  ):
    """Keeps the settings.

    Args:
      class_names: of labels 1, 2, ...
      correct: limits of a right prediction.
      duplicate: limits within which two predictions show one object.
      min_score: predictions below do not count.
    """
    self._class_names = tuple(class_names)
    self._correct = correct
    self._duplicate = duplicate
    self._min_score = min_score
    self.reset()

  def reset(self) -> None:
    """Forgets all scans."""
    self._truths: Dict[str, List[AlignedCad]] = {}
    self._predictions: Dict[str, List[AlignedCad]] = {}

  def update_state(
    self,
    scene_id: str,
    truths: Sequence[AlignedCad],
    predictions: Sequence[AlignedCad],
  ) -> None:
    """Adds a frame.

    Args:
      scene_id: the scan that it belongs to.
      truths: its true objects; one that an earlier frame showed counts once.
      predictions: what was found in it, in any order.
    """
    known = self._truths.setdefault(scene_id, [])
    for truth in truths:
      if not any(_is_same(truth, other) for other in known):
        known.append(truth)
    self._predictions.setdefault(scene_id, []).extend(
      cad for cad in predictions if cad.score >= self._min_score
    )

  def result(self) -> Dict[str, Any]:
    """Shares in [0, 1].

    Returns:
      {} without any scan; else 'num_scenes'; 'num_objects', 'accuracy' and
      'retrieval_accuracy' over all true objects; the same of each class and
      each scan in 'per_class' and 'per_scene'; their means over the classes,
      'class_accuracy' and 'class_retrieval_accuracy'; and 'ground_truth', what
      the true objects themselves would reach: below 1 where two of one class
      stand so near that step 2 takes them for one.
    """
    if not self._truths:
      return {}
    rows = []  # scene, class, right?, right with the right CAD?, reachable?
    for scene, truths in sorted(self._truths.items()):
      kept = self._merge(self._predictions[scene], truths)
      right = self._match(kept, truths, False)
      right_cad = self._match(kept, truths, True)
      reachable = self._match(self._merge(truths, truths), truths, False)
      for i, truth in enumerate(truths):
        name = self._class_names[truth.label - 1]
        rows.append((scene, name, right[i], right_cad[i], reachable[i]))
    per_class = _by_column(rows, 1)
    return {
      'num_scenes': len(self._truths),
      **_accuracies(rows),
      'class_accuracy': _mean([c['accuracy'] for c in per_class.values()]),
      'class_retrieval_accuracy': _mean(
        [c['retrieval_accuracy'] for c in per_class.values()]
      ),
      'ground_truth': _mean([row[4] for row in rows]),
      'per_class': per_class,
      'per_scene': {
        scene: _accuracies([row for row in rows if row[0] == scene])
        for scene in sorted(self._truths)
      },
    }

  def _merge(
    self, predictions: Sequence[AlignedCad], truths: Sequence[AlignedCad]
  ) -> List[AlignedCad]:
    """Steps 2 and 3; in descending score, equal scores in their order."""
    kept: List[AlignedCad] = []
    for cad in sorted(predictions, key=lambda cad: -cad.score):
      if not any(
        cad.label == better.label
        and is_within(cad, better, self._duplicate, better.symmetry)
        for better in kept
      ):
        kept.append(cad)
    room = {
      label: sum(t.label == label for t in truths)
      for label in {cad.label for cad in kept}
    }
    counted = []
    for cad in kept:
      if room[cad.label] > 0:
        room[cad.label] -= 1
        counted.append(cad)
    return counted

  def _match(
    self,
    predictions: Sequence[AlignedCad],
    truths: Sequence[AlignedCad],
    same_cad: bool,
  ) -> List[bool]:
    """Step 4: which true objects are taken."""
    taken = [False] * len(truths)
    for cad in predictions:
      right = [
        i
        for i, truth in enumerate(truths)
        if not taken[i]
        and truth.label == cad.label
        and (truth.cad_id == cad.cad_id or not same_cad)
        and is_within(cad, truth, self._correct, truth.symmetry)
      ]
      if right:
        taken[min(right, key=lambda i: _distance(cad, truths[i]))] = True
    return taken


def _distance(first: AlignedCad, second: AlignedCad) -> float:
  return float(np.linalg.norm(first.translation - second.translation))


def _is_same(first: AlignedCad, second: AlignedCad) -> bool:
  return (first.label, first.cad_id) == (
    second.label,
    second.cad_id,
  ) and is_within(first, second, _SAME, symmetry=1)


def _by_column(rows: Sequence[Tuple], column: int) -> Dict[str, Any]:
  return {
    key: _accuracies([row for row in rows if row[column] == key])
    for key in sorted({row[column] for row in rows})
  }


def _accuracies(rows: Sequence[Tuple]) -> Dict[str, Any]:
  return {
    'accuracy': _mean([row[2] for row in rows]),
    'retrieval_accuracy': _mean([row[3] for row in rows]),
    'num_objects': len(rows),
  }


def _mean(values: Sequence[float]) -> float:
  return float(np.mean(values)) if len(values) else float('nan')
