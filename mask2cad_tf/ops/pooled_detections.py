"""Two detectors' opinions as one: what either finds, scored by both.

A box's score is the weighted geometric mean of what each detector says of that
place: of the class there, in boxes that agree with it. The other detector's
scores are too low for probabilities; their odds are raised first.
"""

from typing import Dict
from typing import Mapping
from typing import Sequence
from typing import Tuple

import tensorflow as tf

from mask2cad_tf.ops import padded_detections

_SAME_PLACE = 0.7  # IoU from which on boxes tell of one object
# What a detector says of a place where it finds nothing: the first one's
# threshold, and less than any score of the other one's that counts.
_FLOOR = 0.05
_OTHER_FLOOR = 0.01
_OTHER_EVEN = 0.3  # a score of the other's that is right as often as not
_OTHER_LEAST = 0.06  # the other's boxes below are no candidates
_OTHER_MOST = 20  # of them, a class
_OTHER_NMS_IOU = 0.6
_NMS_IOU = 0.5
_TIE = 1e-6  # of equal scores at one place, whose own is higher goes first


def pool(
  found: Mapping[str, tf.Tensor],
  other_boxes: tf.Tensor,
  other_scores: tf.Tensor,
  other_classes: Sequence[int],
  num_classes: int,
  weight: float,
) -> Dict[str, tf.Tensor]:
  """Detections of both, best first; of a class that one alone knows, as found.

  Args:
    found: the first detector's, after non-maximum suppression, best first:
      'detection_boxes' [B, N, 4] yxyx, 'detection_classes' [B, N],
      'detection_scores' [B, N] in 0..1, 'num_detections' [B].
    other_boxes: [B, M, 4], the other's, before it, in the same pixels.
    other_scores: [B, M, K], in 0..1; odds of 3 to 7 count as even.
    other_classes: class ids of the K.
    num_classes: with the background.
    weight: the other's, 0..1, in the geometric mean.

  Returns:
    As `found`, N at most.
  """
  boxes, total = found['detection_boxes'], found['detection_boxes'].shape[1]
  classes = tf.cast(found['detection_classes'], tf.int32)
  scores = tf.cast(found['detection_scores'], tf.float32)
  scores = tf.where(padded_detections.is_detection(found), scores, 0.0)
  other_scores = _raised(other_scores)
  new_boxes, new_classes, new_scores = _best(
    other_boxes, other_scores, other_classes
  )
  candidates = tf.concat([boxes, new_boxes], axis=1)
  names = tf.concat([classes, new_classes], axis=1)
  own = tf.concat([scores, new_scores], axis=1)  # 0 where it is padding

  by_class = tf.one_hot(classes, num_classes) * scores[..., tf.newaxis]
  columns = [
    other_classes.index(i) if i in other_classes else 0  # not looked at
    for i in range(num_classes)
  ]
  other_by_class = tf.gather(other_scores, columns, axis=-1)
  first = _opinion(candidates, names, boxes, by_class, _FLOOR)
  second = _opinion(
    candidates, names, other_boxes, other_by_class, _OTHER_FLOOR
  )
  pooled = first ** (1.0 - weight) * second**weight + _TIE * own
  known = names[..., tf.newaxis] == tf.constant(other_classes, tf.int32)
  pooled = tf.where(tf.reduce_any(known, axis=-1), pooled, own)
  pooled = tf.where(own > 0.0, pooled, 0.0)

  kept = tf.image.combined_non_max_suppression(
    candidates[:, :, tf.newaxis],
    tf.one_hot(names, num_classes) * pooled[..., tf.newaxis],
    max_output_size_per_class=total,
    max_total_size=total,
    iou_threshold=_NMS_IOU,
    score_threshold=_TIE,
    clip_boxes=False,
  )
  return {
    'detection_boxes': kept.nmsed_boxes,
    'detection_classes': tf.cast(kept.nmsed_classes, tf.int32),
    'detection_scores': tf.minimum(kept.nmsed_scores, 1.0),
    'num_detections': kept.valid_detections,
  }


def _raised(scores: tf.Tensor) -> tf.Tensor:
  """Odds times a constant, by which _OTHER_EVEN becomes a half."""
  right = (1.0 - _OTHER_EVEN) * scores
  return right / (right + _OTHER_EVEN * (1.0 - scores))


def _best(
  boxes: tf.Tensor, scores: tf.Tensor, classes: Sequence[int]
) -> Tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
  """The other detector's boxes, class ids and scores, after NMS."""
  found = tf.image.combined_non_max_suppression(
    boxes[:, :, tf.newaxis],
    scores,
    max_output_size_per_class=_OTHER_MOST,
    max_total_size=_OTHER_MOST * len(classes),
    iou_threshold=_OTHER_NMS_IOU,
    score_threshold=_OTHER_LEAST,
    clip_boxes=False,
  )
  columns = tf.cast(found.nmsed_classes, tf.int32)
  ids = tf.gather(tf.constant(classes, tf.int32), columns)
  return found.nmsed_boxes, ids, found.nmsed_scores


def _opinion(
  candidates: tf.Tensor,
  names: tf.Tensor,
  boxes: tf.Tensor,
  scores: tf.Tensor,
  floor: float,
) -> tf.Tensor:
  """The best score [B, P] of each candidate's class in boxes that agree.

  Args:
    candidates: [B, P, 4].
    names: class ids [B, P].
    boxes: [B, M, 4].
    scores: [B, M, num_classes].
    floor: the least that is returned.
  """
  agree = _iou(candidates, boxes) >= _SAME_PLACE
  scores = tf.gather(  # [B, P, M]
    tf.transpose(scores, [0, 2, 1]), names, batch_dims=1
  )
  best = tf.reduce_max(tf.where(agree, scores, 0.0), axis=-1)
  return tf.maximum(best, floor)


def _iou(boxes: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
  """Of [B, P, 4] and [B, M, 4]: [B, P, M]; 0 where either has no area."""
  boxes, others = boxes[:, :, tf.newaxis], others[:, tf.newaxis]
  sides = tf.minimum(boxes[..., 2:], others[..., 2:]) - tf.maximum(
    boxes[..., :2], others[..., :2]
  )
  shared = tf.reduce_prod(tf.maximum(sides, 0.0), axis=-1)
  union = _areas(boxes) + _areas(others) - shared
  return tf.math.divide_no_nan(shared, union)


def _areas(boxes: tf.Tensor) -> tf.Tensor:
  return tf.reduce_prod(boxes[..., 2:] - boxes[..., :2], axis=-1)
