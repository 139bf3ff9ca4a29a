"""Oracle swaps of Appendix A: what each predicted part costs in AP^mesh."""

import dataclasses
from typing import List
from typing import Optional
from typing import Sequence

import numpy as np

from mask2cad_tf.geometry import box_overlap
from mask2cad_tf.geometry import posed_cad

PARTS = ('shape', 'rotation', 'translation')
_MIN_BOX_IOU = 0.3


def swap(
  part: str,
  truths: Sequence[posed_cad.PosedCad],
  predictions: Sequence[posed_cad.PosedCad],
) -> List[posed_cad.PosedCad]:
  """Predictions with one part replaced by the truth's.

  A prediction belongs to the true object of its class whose box it overlaps
  most; one that overlaps none by more than 0.3 stays as it is.

  Args:
    part: 'shape', 'rotation' or 'translation'.
    truths: the image's true objects.
    predictions: the image's predicted objects.

  Returns:
    The predictions, in their order.

  Raises:
    ValueError: the part is none of the three.
  """
  if part not in PARTS:
    raise ValueError(f'An oracle swaps one of {PARTS}, not {part!r}.')
  swapped = []
  for prediction in predictions:
    index = _nearest_index(prediction, truths)
    swapped.append(
      prediction
      if index is None
      else _with_true_part(part, prediction, truths[index])
    )
  return swapped


def swap_boxes(
  predictions: Sequence[posed_cad.PosedCad],
  on_true_boxes: Sequence[posed_cad.PosedCad],
) -> List[posed_cad.PosedCad]:
  """What the model predicts on the true boxes, scored as it detected them.

  Args:
    predictions: the image's detections; they give the scores.
    on_true_boxes: predictions on the image's true boxes.

  Returns:
    `on_true_boxes` with the score of the best detection of the same class
    whose box overlaps by more than 0.3; 0 for an object not detected.
  """
  scored = []
  for cad in on_true_boxes:
    scores = [
      prediction.score
      for prediction in predictions
      if prediction.label == cad.label
      and box_overlap.box_iou(prediction.box, cad.box).item() > _MIN_BOX_IOU
    ]
    scored.append(dataclasses.replace(cad, score=max(scores, default=0.0)))
  return scored


def _nearest_index(
  prediction: posed_cad.PosedCad, truths: Sequence[posed_cad.PosedCad]
) -> Optional[int]:
  if not truths:
    return None
  overlap = box_overlap.box_iou(
    prediction.box, np.array([t.box for t in truths])
  )[0]
  overlap = np.where(
    [t.label == prediction.label for t in truths], overlap, 0.0
  )
  return int(overlap.argmax()) if overlap.max() > _MIN_BOX_IOU else None


def _with_true_part(
  part: str, prediction: posed_cad.PosedCad, truth: posed_cad.PosedCad
) -> posed_cad.PosedCad:
  if part == 'shape':
    return dataclasses.replace(
      prediction, cad_id=truth.cad_id, mesh=truth.mesh, scale=truth.scale
    )
  return dataclasses.replace(prediction, **{part: getattr(truth, part)})
