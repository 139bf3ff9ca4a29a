"""Average precision over any similarity, as Mesh R-CNN computes it."""

import numpy as np


def match_detections(
  similarity: np.ndarray, scores: np.ndarray, threshold: float
) -> np.ndarray:
  """Greedy matching in descending score; a truth is found once.

  Args:
    similarity: [D, G] of detections to truths of one image, class checked by
      the caller (-inf or 0 where classes differ).
    scores: [D].
    threshold: a match needs a similarity above it (strictly).

  Returns:
    bool [D]: is the detection a true positive? Of the truths still free, it
    takes the most similar one.
  """
  free = np.array(similarity, np.float64)
  matches = np.zeros(len(free), bool)
  if not free.size:
    return matches
  for detection in np.argsort(-np.asarray(scores), kind='stable'):
    truth = free[detection].argmax()
    if free[detection, truth] > threshold:
      matches[detection] = True
      free[:, truth] = -np.inf
  return matches


def average_precision(
  scores: np.ndarray, matches: np.ndarray, num_positives: int
) -> float:
  """Area under the precision envelope over all points.

  Args:
    scores: [n], of all images' detections of one class.
    matches: bool [n], true positives.
    num_positives: truths of the class.

  Returns:
    0..1, or NaN for a class without truths (leave it out of the mean).

  Raises:
    ValueError: lengths differ, or more matches than truths.
  """
  scores, matches = np.asarray(scores), np.asarray(matches, bool)
  if scores.shape != matches.shape or matches.sum() > num_positives:
    raise ValueError(
      f'Expected one match flag per score and at most {num_positives} '
      f'matches, found {scores.shape} scores, {matches.shape} flags and '
      f'{matches.sum()} matches. Match per image with match_detections.'
    )
  if num_positives == 0:
    return float('nan')
  recall, envelope = _curve(scores, matches, num_positives)
  return float(np.sum(np.diff(recall) * envelope[1:]))


def precision_at(
  recalls: np.ndarray,
  scores: np.ndarray,
  matches: np.ndarray,
  num_positives: int,
) -> np.ndarray:
  """Best precision at these recalls or beyond, as COCO draws its curves.

  Args:
    recalls: [m], 0..1.
    scores: [n], as `average_precision` takes them.
    matches: bool [n].
    num_positives: truths of the class, 1 or more.

  Returns:
    [m], 0 at recalls that are never reached.
  """
  recall, envelope = _curve(
    np.asarray(scores), np.asarray(matches, bool), num_positives
  )
  return envelope[np.searchsorted(recall, recalls, side='left')]


def _curve(
  scores: np.ndarray, matches: np.ndarray, num_positives: int
) -> tuple[np.ndarray, np.ndarray]:
  """Recall [n + 2], from 0 to 1, and the precision envelope there."""
  hits = np.cumsum(matches[np.argsort(-scores, kind='stable')])
  recall = hits / num_positives
  precision = hits / np.arange(1, len(hits) + 1)
  recall = np.concatenate([[0.0], recall, [1.0]])
  precision = np.concatenate([[0.0], precision, [0.0]])
  return recall, np.maximum.accumulate(precision[::-1])[::-1]
