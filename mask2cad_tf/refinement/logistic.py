"""Logistic regression on a few numbers: odds that something is true."""

import dataclasses
from typing import Tuple

import numpy as np
from scipy import optimize
from scipy import special

_RIDGE = 1e-3  # on the squared weights; keeps separable data finite


@dataclasses.dataclass(frozen=True)
class Logistic:
  """A fitted regression.

  Attributes:
    bias: log odds where all evidence is 0.
    weights: log odds for each unit of the evidence.
  """

  bias: float
  weights: Tuple[float, ...]

  def probabilities(self, rows: np.ndarray) -> np.ndarray:
    """Of evidence [..., n], [...]."""
    return special.expit(self.bias + rows @ np.array(self.weights))


def fit(rows: np.ndarray, truths: np.ndarray) -> Logistic:
  """Maximum likelihood, with a weak ridge.

  Args:
    rows: [m, n], evidence.
    truths: bool [m].

  Raises:
    ValueError: all are true, or none is.
  """
  if truths.all() or not truths.any():
    raise ValueError(
      f'{int(truths.sum())} of {len(truths)} are true: nothing can be learnt '
      'from one kind alone. Give more photos.'
    )
  signs = np.where(truths, 1.0, -1.0)

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
  return Logistic(float(found[0]), tuple(found[1:].tolist()))


def auroc(probabilities: np.ndarray, truths: np.ndarray) -> float:
  """Chance that a true one is ranked above one that is not, [0, 1]."""
  good, bad = probabilities[truths], probabilities[~truths]
  above = (good[:, np.newaxis] > bad).mean()
  return float(above + 0.5 * (good[:, np.newaxis] == bad).mean())
