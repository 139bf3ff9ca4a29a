"""Retrieval on true boxes: how high the true CAD ranks, how alike the first."""

from typing import Any
from typing import Dict
from typing import List
from typing import Sequence

import numpy as np

from mask2cad_tf.evaluation import surface_comparison
from mask2cad_tf.geometry import posed_cad

RANKS = (1, 5, 10)


class RetrievalEvaluator:
  """Top-1, top-5 and top-10 accuracy and F1 at the true pose, by class."""

  def __init__(self, class_names: Sequence[str]):
    """Keeps the names of labels 1, 2, ..."""
    self._class_names = tuple(class_names)
    self.reset()

  def reset(self) -> None:
    """Forgets all objects."""
    self._rows: Dict[int, List[List[float]]] = {}

  def update_state(
    self, label: int, true_cad_id: str, ranked_cad_ids: Sequence[str], f1: float
  ) -> None:
    """Adds an object.

    Args:
      label: its class, from 1.
      true_cad_id: '<class>/<shape>'; the variants of a shape are one CAD.
      ranked_cad_ids: the candidates, best first, none twice; ten or more, or
        all that the class has.
      f1: of the first candidate, see `f1_at_true_pose`.
    """
    self._rows.setdefault(label, []).append(
      [*(true_cad_id in list(ranked_cad_ids)[:rank] for rank in RANKS), f1]
    )

  def result(self) -> Dict[str, Any]:
    """Shares in [0, 1].

    Returns:
      'top1', 'top5', 'top10', 'f1_at_true_pose' and 'num_objects' over all
      objects, and 'per_class': class name -> the same for the classes seen.
    """
    per_class = {
      self._class_names[label - 1]: _means(rows)
      for label, rows in sorted(self._rows.items())
    }
    every = [row for rows in self._rows.values() for row in rows]
    return {**_means(every), 'per_class': per_class}


def _means(rows: Sequence[Sequence[float]]) -> Dict[str, float]:
  columns = [*(f'top{rank}' for rank in RANKS), 'f1_at_true_pose']
  means = (
    np.mean(np.array(rows, float), axis=0)
    if rows
    else [float('nan')] * len(columns)
  )
  return {
    **{column: float(mean) for column, mean in zip(columns, means)},
    'num_objects': len(rows),
  }


def f1_at_true_pose(
  comparison: surface_comparison.SurfaceComparison,
  predicted: posed_cad.PosedCad,
  truth: posed_cad.PosedCad,
  threshold: float = 0.3,
) -> float:
  """F1 of the retrieved CAD put where the true one stands: shape alone."""
  return comparison.f1(
    posed_cad.PosedCad(
      label=predicted.label,
      cad_id=predicted.cad_id,
      mesh=predicted.mesh,
      rotation=truth.rotation,
      translation=truth.translation,
      box=truth.box,
      scale=truth.scale,
    ),
    truth,
    threshold,
  )
