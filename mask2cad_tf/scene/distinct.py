"""One detection for each object of a photo."""

import functools
from typing import Dict
from typing import List
from typing import Mapping
from typing import Tuple

import numpy as np

from mask2cad_tf.geometry import box_overlap
from mask2cad_tf.scene import masks

# More is one object:
_SAME_PLACE = 0.7  # IoU of boxes
_SAME_PIXELS = 0.5  # IoU of masks
_INSIDE = 0.8  # share of a mask within another of its class


def choose(
  detections: Mapping[str, np.ndarray], min_score: float, size: Tuple[int, int]
) -> Dict[str, np.ndarray]:
  """The detections that score enough, best first; one where several overlap.

  NMS goes class by class: a desk comes out as a table, too. And it goes by
  boxes: half of a bed comes out as a bed, too, most of a sofa as a bed.

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

  def covered(index: int, other: int) -> bool:
    common = (mask(index) & mask(other)).sum()
    if common > _SAME_PIXELS * max((mask(index) | mask(other)).sum(), 1):
      return True
    same_class = classes[index] == classes[other]
    return same_class and common > _INSIDE * max(mask(index).sum(), 1)

  boxes, classes = (
    detections['detection_boxes'],
    detections['detection_classes'],
  )
  scores = detections['detection_scores'][: detections['num_detections']]
  kept: List[int] = []
  for index in map(int, np.argsort(-scores, kind='stable')):
    overlaps = box_overlap.box_iou(boxes[index], boxes[kept])[0]
    if scores[index] < min_score or (overlaps > _SAME_PLACE).any():
      continue
    near = [other for other, iou in zip(kept, overlaps) if iou > 0.0]
    if not any(covered(index, other) for other in near):
      kept.append(index)
  return {
    key: value[kept] if key.startswith('detection_') else value
    for key, value in {**detections, 'num_detections': len(kept)}.items()
  }
