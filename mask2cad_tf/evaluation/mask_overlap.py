"""How well predicted masks cover the true ones, on true boxes, by class."""

from typing import Any
from typing import Dict
from typing import List
from typing import Sequence

import numpy as np

from mask2cad_tf.evaluation import mask_iou
from mask2cad_tf.geometry import posed_cad


class MaskEvaluator:
  """Mean IoU of masks."""

  def __init__(self, class_names: Sequence[str]):
    """Keeps the names of labels 1, 2, ..."""
    self._class_names = tuple(class_names)
    self.reset()

  def reset(self) -> None:
    """Forgets all objects."""
    self._ious: Dict[int, List[float]] = {}

  def update_state(
    self, predicted: posed_cad.PosedCad, truth: posed_cad.PosedCad
  ) -> None:
    """Adds an object; one without both masks is left out."""
    if predicted.mask is None or truth.mask is None:
      return
    self._ious.setdefault(truth.label, []).append(
      mask_iou.mask_iou(predicted.mask, truth.mask)
    )

  def result(self) -> Dict[str, Any]:
    """'mean_iou' and 'num_objects' over all, and 'per_class' the same."""
    per_class = {
      self._class_names[label - 1]: _summary(ious)
      for label, ious in sorted(self._ious.items())
    }
    every = [iou for ious in self._ious.values() for iou in ious]
    return {**_summary(every), 'per_class': per_class}


def _summary(ious: Sequence[float]) -> Dict[str, float]:
  return {
    'mean_iou': float(np.mean(ious)) if ious else float('nan'),
    'num_objects': len(ious),
  }
