"""Does the best CAD fit? A probability from what its rendering showed.

Logistic regression on the silhouette's overlap, the cosine of the fine
features and retrieval's cosine. `mask2cad_tf.calibrate` learns it from objects
whose CAD is in the gallery, and from the same objects with it hidden.
"""

import dataclasses
import json
import os
from typing import Optional
from typing import Tuple

import numpy as np
from scipy import optimize
from scipy import special

from mask2cad_tf.foreign import json_files
from mask2cad_tf.refinement import refiner

FILE_NAME = 'confidence.json'  # beside a model's weights
_EVIDENCE = 3  # numbers that it weighs
_RIDGE = 1e-3  # on the squared weights; keeps separable data finite


@dataclasses.dataclass(frozen=True)
class Confidence:
  """A calibrated judge.

  Attributes:
    bias: log odds of a hypothesis whose evidence is all 0.
    weights: log odds for each unit of `evidence`.
  """

  bias: float
  weights: Tuple[float, ...]

  def probability(self, hypothesis: refiner.Hypothesis) -> float:
    """That the posed CAD's F1^0.3 with the true object exceeds 0.5."""
    return float(self.probabilities(evidence(hypothesis)))

  def probabilities(self, rows: np.ndarray) -> np.ndarray:
    """The same of `evidence` [..., 3], [...]."""
    return special.expit(self.bias + rows @ np.array(self.weights))

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
    content = json_files.read(path)
    numbers = [float(x) for x in (content['bias'], *content['weights'])]
    if len(numbers) != 1 + _EVIDENCE or not np.isfinite(numbers).all():
      raise ValueError(f'{numbers}')
    return Confidence(numbers[0], tuple(numbers[1:]))
  except (ValueError, KeyError, OverflowError, TypeError) as error:
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


def fit(rows: np.ndarray, fits: np.ndarray) -> Confidence:
  """Maximum likelihood, with a weak ridge.

  Args:
    rows: [n, 3], of `evidence`.
    fits: bool [n], whether the CAD fitted.

  Raises:
    ValueError: all fitted, or none did.
  """
  if fits.all() or not fits.any():
    raise ValueError(
      f'{int(fits.sum())} of {len(fits)} CADs fit: nothing can be learnt from '
      'one kind alone. Give more photos.'
    )
  signs = np.where(fits, 1.0, -1.0)

  def loss(parameters: np.ndarray):
    odds = signs * (parameters[0] + rows @ parameters[1:])
    # d/do log(1 + exp(-o)) = -expit(-o)
    pull = -signs * special.expit(-odds) / len(rows)
    slope = np.concatenate([[pull.sum()], rows.T @ pull])
    slope[1:] += 2.0 * _RIDGE * parameters[1:]
    value = np.logaddexp(0.0, -odds).mean()
    return value + _RIDGE * (parameters[1:] ** 2).sum(), slope

  found = optimize.minimize(
    loss, np.zeros(1 + rows.shape[1]), jac=True, method='L-BFGS-B'
  ).x
  return Confidence(float(found[0]), tuple(found[1:].tolist()))


def auroc(probabilities: np.ndarray, fits: np.ndarray) -> float:
  """Chance that a CAD that fits is ranked above one that does not, [0, 1]."""
  good, bad = probabilities[fits], probabilities[~fits]
  above = (good[:, np.newaxis] > bad).mean()
  return float(above + 0.5 * (good[:, np.newaxis] == bad).mean())
