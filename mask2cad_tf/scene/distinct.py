"""One detection for each object of a photo."""

import functools
from typing import Dict
from typing import List
from typing import Mapping
from typing import Tuple

import numpy as np

from mask2cad_tf.geometry import box_overlap
from mask2cad_tf.scene import masks

_SAME_PLACE = 0.7  # IoU of boxes; more is one object
_INSIDE = 0.8  # share of a mask within another of its class; likewise


def choose(
  detections: Mapping[str, np.ndarray], min_score: float, size: Tuple[int, int]
) -> Dict[str, np.ndarray]:
  """The detections that score enough, best first; one where several overlap.

  NMS goes class by class: a desk comes out as a table, too. And it goes by
  boxes: half of a bed comes out as a bed, too.

  Args:
    detections: `Mask2CADModule.infer`'s outputs of one photo, without the
      batch axis.
    min_score: the least.
    size: height and width of the photo.

  Returns:
    The outputs of those that are kept.
  """

  @functools.cache
  def mask(index: int) -> np.ndarray:
    return masks.paste(
      detections['detection_masks'][index],
      detections['detection_outer_boxes'][index],
      *size,
    )

  def inside(index: int, other: int) -> bool:
    if classes[index] != classes[other]:
      return False
    common = (mask(index) & mask(other)).sum()
    return common > _INSIDE * max(mask(index).sum(), 1)

  boxes, classes = (
    detections['detection_boxes'],
    detections['detection_classes'],
  )
  scores = detections['detection_scores'][: detections['num_detections']]
  kept: List[int] = []
  for index in map(int, np.argsort(-scores, kind='stable')):
    overlaps = box_overlap.box_iou(boxes[index], boxes[kept])
    if scores[index] < min_score or (overlaps > _SAME_PLACE).any():
      continue
    if not any(inside(index, other) for other in kept):
      kept.append(index)
  return {
    key: value[kept] if key.startswith('detection_') else value
    for key, value in {**detections, 'num_detections': len(kept)}.items()
  }
