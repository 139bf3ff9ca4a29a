"""AP, AP50, AP75 and AP by class out of AP by class and level (COCO)."""

import dataclasses
from typing import Mapping
from typing import Sequence

import numpy as np

LEVELS = tuple(round(0.50 + 0.05 * i, 2) for i in range(10))  # COCO's ten
_LEVEL50 = LEVELS.index(0.5)
RECALLS = np.linspace(0.0, 1.0, 101)  # COCO's, of precision-recall curves


@dataclasses.dataclass(frozen=True)
class ApSummary:
  """Means over the classes that have true objects, and each class; [0, 1].

  Attributes:
    ap: mean over the ten levels .50:.05:.95; NaN without true objects.
    ap50: at level 0.5.
    ap75: at level 0.75.
    per_class: class name -> mean over the levels; NaN without true objects.
    per_class50: the same at level 0.5.
  """

  ap: float
  ap50: float
  ap75: float
  per_class: Mapping[str, float]
  per_class50: Mapping[str, float]


def summarize(class_names: Sequence[str], table: np.ndarray) -> ApSummary:
  """Summary of AP by class and level.

  Args:
    class_names: of the rows.
    table: float [classes, 10], a row of NaN for a class without true objects.

  Returns:
    Its means over rows without NaN.
  """
  present = ~np.isnan(table[:, 0])
  levels = (
    table[present].mean(axis=0)
    if present.any()
    else np.full(len(LEVELS), np.nan)
  )
  return ApSummary(
    ap=float(levels.mean()),
    ap50=float(levels[_LEVEL50]),
    ap75=float(levels[LEVELS.index(0.75)]),
    per_class=dict(zip(class_names, table.mean(axis=-1).tolist())),
    per_class50=dict(zip(class_names, table[:, _LEVEL50].tolist())),
  )
