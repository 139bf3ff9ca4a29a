"""Is the best detection of a photo right; is any of its ten best?

For photos of one annotated object, as Pix3D's: what a user sees first.
"""

from typing import Any
from typing import Dict
from typing import List
from typing import Sequence

import numpy as np

from mask2cad_tf.geometry import box_overlap
from mask2cad_tf.geometry import posed_cad

BEST = 10  # detections looked at
LEAST_IOU = 0.5  # of a box that counts as found


class FirstDetectionEvaluator:
  """Counts photos; every true object of a photo with several may be the one."""

  def __init__(self) -> None:
    """Starts without photos."""
    self.reset()

  def reset(self) -> None:
    """Forgets all photos."""
    self._rows: List[Sequence[float]] = []

  def update_state(
    self,
    truths: Sequence[posed_cad.PosedCad],
    predictions: Sequence[posed_cad.PosedCad],
  ) -> None:
    """Adds a photo; one without true objects is left out."""
    if not truths:
      return
    best = sorted(predictions, key=lambda cad: -cad.score)[:BEST]
    if not best:
      self._rows.append((0.0, 0.0, 0.0, 0.0, 0.0))
      return
    overlaps = box_overlap.box_iou(
      np.array([cad.box for cad in best]), np.array([cad.box for cad in truths])
    )
    there = overlaps > LEAST_IOU
    same = np.array(
      [[cad.label == truth.label for truth in truths] for cad in best]
    )
    right = there & same
    self._rows.append(
      (
        right[0].any(),
        there[0].any(),
        right.any(),
        there.any(),
        overlaps[0].max(),
      )
    )

  def result(self) -> Dict[str, Any]:
    """Counts of photos.

    Returns:
      'num_photos'; 'first_right': class and box (IoU > 0.5) of the detection
      of highest score; 'first_box': its box, whatever its class; 'ten_right',
      'ten_box': of any of the ten best; 'first_iou': mean IoU of the first.
    """
    if not self._rows:
      return {}
    table = np.array(self._rows, float)
    names = ('first_right', 'first_box', 'ten_right', 'ten_box')
    return {
      **{name: int(table[:, i].sum()) for i, name in enumerate(names)},
      'first_iou': float(table[:, 4].mean()),
      'num_photos': len(table),
    }
