"""What a rendering says of its object: is it there, does the CAD fit?

Two logistic regressions on the silhouette's overlap, the cosine of the fine
features and retrieval's cosine; the first one on the detector's score, too.
`mask2cad_tf.calibrate` learns them from synthetic photos.
"""

import dataclasses
import json
import os
from typing import Optional
from typing import Sequence

import numpy as np
from scipy import special

from mask2cad_tf.refinement import logistic
from mask2cad_tf.refinement import refiner

FILE_NAME = 'confidence.json'  # beside a model's weights
_LEAST_SCORE = 1e-6  # keeps log odds finite


@dataclasses.dataclass(frozen=True)
class Confidence:
  """A calibrated judge.

  Attributes:
    fits: of `evidence`, that the posed CAD's F1^0.3 with the true object
      exceeds 0.5.
    detected: of `detection_evidence`, that class and box are right.
  """

  fits: logistic.Logistic
  detected: logistic.Logistic

  def probability(self, hypothesis: refiner.Hypothesis) -> float:
    """That the CAD fits."""
    return float(self.fits.probabilities(evidence(hypothesis)))

  def detection_scores(
    self, scores: np.ndarray, hypotheses: Sequence[Sequence[refiner.Hypothesis]]
  ) -> np.ndarray:
    """Chances that the detections of a photo are right.

    Args:
      scores: [n], the detector's.
      hypotheses: of each detection, best first; none where it was not looked
        at.

    Returns:
      float32 [n].
    """
    rows = [
      detection_evidence(score, found[0] if found else None)
      for score, found in zip(scores, hypotheses)
    ]
    if not rows:
      return np.zeros(0, np.float32)
    return self.detected.probabilities(np.array(rows)).astype(np.float32)

  def save(self, model_dir: str) -> None:
    """Writes FILE_NAME into a model's folder, atomically."""
    path = os.path.join(model_dir, FILE_NAME)
    with open(f'{path}.tmp', 'w', encoding='utf-8') as file:
      json.dump(dataclasses.asdict(self), file, indent=1)
      file.write('\n')
    os.replace(f'{path}.tmp', path)


def load(model_dir: str) -> Optional[Confidence]:
  """A model's judge; None where it was never calibrated.

  Raises:
    ValueError: the file is damaged.
  """
  path = os.path.join(model_dir, FILE_NAME)
  if not os.path.exists(path):
    return None
  try:
    with open(path, encoding='utf-8') as file:
      content = json.load(file)
    return Confidence(
      *(
        logistic.Logistic(
          float(content[name]['bias']),
          tuple(map(float, content[name]['weights'])),
        )
        for name in ('fits', 'detected')
      )
    )
  except (ValueError, KeyError, TypeError) as error:
    raise ValueError(
      f'{path!r} is damaged ({error}). Write it again with python -m '
      'mask2cad_tf.calibrate, or remove it.'
    ) from error


def evidence(hypothesis: refiner.Hypothesis) -> np.ndarray:
  """Float [3]: silhouette IoU, feature cosine (0: not looked at), cosine."""
  return np.array(
    [
      hypothesis.silhouette_iou,
      np.nan_to_num(hypothesis.feature_similarity),
      hypothesis.similarity,
    ]
  )


def detection_evidence(
  score: float, hypothesis: Optional[refiner.Hypothesis]
) -> np.ndarray:
  """Float [5]: log odds of the detector; 1 and `evidence`, or zeros."""
  seen = np.zeros(4)
  if hypothesis is not None:
    seen = np.array([1.0, *evidence(hypothesis)])
  odds = special.logit(np.clip(score, _LEAST_SCORE, 1.0 - _LEAST_SCORE))
  return np.array([odds, *seen])
