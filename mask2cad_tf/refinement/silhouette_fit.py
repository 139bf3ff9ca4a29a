"""Levenberg-Marquardt on blurred silhouettes and the box's edges."""

import functools
import math
from typing import NamedTuple

import numpy as np

from mask2cad_tf.refinement import placement
from mask2cad_tf.refinement import pose_steps
from mask2cad_tf.refinement import shape as shape_lib
from mask2cad_tf.refinement import silhouettes as silhouettes_lib

# The unit of each parameter and the step of its central difference: 3 degrees,
# 2 % of the window's side, 4 % of the depth.
_UNITS = np.array([*[np.radians(3.0)] * 3, 0.02, 0.02, 0.04])
_EDGE = 20.0  # weight of a squared gap to an edge, in window sides, against it
_PRIOR = 4e-4  # weight of a squared turn of one unit against the mask's area
_LONGEST = 5.0  # units a parameter may move at once
_DAMPINGS = np.array([0.3, 3.0, 30.0])  # tried together, times the last one
_FIRST_DAMPING, _LEAST_DAMPING = 0.02, 1e-3
_ENOUGH = 2e-4  # an iteration that gains less is the last
# Rows blurred in one product: BLAS does not share so small a product between
# threads, whose meeting on a busy machine takes longer than the product. The
# sums below are einsum's for the same reason.
_ROWS = 24


class Stage(NamedTuple):
  """A round of iterations at one blur."""

  sigma: float  # window pixels
  iterations: int
  step: float  # of the central differences, in units


COARSE_TO_FINE = (Stage(2.5, 5, 1.0), Stage(1.2, 5, 0.6))  # for 48 pixels
POLISH = (Stage(3.0, 4, 1.0), Stage(1.5, 6, 0.6))  # for 96 pixels


class Goal(NamedTuple):
  """What a CAD is moved towards."""

  silhouettes: silhouettes_lib.Silhouettes  # the mask, and where to compare
  edges: placement.BoxEdges  # of the object's box
  intrinsics: np.ndarray  # (fx, fy, cx, cy), pixels
  exact_box: bool  # False: the edges do not count


class _Problem:
  """Residuals of one CAD against one mask at one blur, and against its box."""

  def __init__(
    self,
    shape: shape_lib.Shape,
    goal: Goal,
    frame: pose_steps.Frame,
    sigma: float,
  ):
    silhouettes = goal.silhouettes
    self.frame = frame
    self.size = 6 if frame.depth is None else 5
    self._shape, self._silhouettes = shape, silhouettes
    self._edges, self._intrinsics = goal.edges, goal.intrinsics
    self._counts_edges = goal.exact_box and bool(goal.edges.whole.all())
    self._blur = _blur(silhouettes.window.size, sigma)
    self._rows = math.gcd(silhouettes.window.size, _ROWS)
    # Residuals in shares of the mask's area.
    self._scale = 1.0 / np.sqrt(max(float(silhouettes.goal.sum()), 1e-6))
    self._goal = self._blurred(silhouettes.goal[np.newaxis])

  def poses(self, pose: pose_steps.Pose, moves: np.ndarray):
    """Rotations and translations after moves [k, size], in units."""
    steps = np.zeros((len(moves), 6))
    steps[:, : self.size] = moves * _UNITS[: self.size]
    return pose_steps.move(pose, steps, self.frame)

  def residuals(self, poses) -> np.ndarray:
    """Mask minus silhouette, blurred, and gaps to edges, float32 [k, n]."""
    pictures = self._blurred(self._silhouettes.render(self._shape, *poses))
    return np.concatenate([self._goal - pictures, self._gaps(poses)], axis=1)

  def _gaps(self, poses) -> np.ndarray:
    """Box minus extent, float32 [k, 4]; 0: not exact, or another thing cuts."""
    low, high = placement.extent(self._shape, *poses, self._intrinsics)
    gaps = np.concatenate([self._edges.low - low, self._edges.high - high], 1)
    scale = np.sqrt(_EDGE) / self._silhouettes.window.side
    return (self._counts_edges * scale * gaps).astype(np.float32)

  def linearized(self, pose: pose_steps.Pose, step: float):
    """Residual [pixels] and the silhouettes' derivatives [size, pixels]."""
    turns = step * np.eye(self.size)
    moves = np.concatenate([np.zeros((1, self.size)), turns, -turns])
    residuals = self.residuals(self.poses(pose, moves))
    ahead, back = np.split(residuals[1:], 2)
    return residuals[0], (back - ahead) / (2.0 * step)

  def _blurred(self, pictures: np.ndarray) -> np.ndarray:
    """Float32 [k, pixels] of pictures [k, size, size], scaled."""
    for _ in range(2):  # along the rows, and along the columns turned to rows
      pictures = self._blurred_rows(pictures).swapaxes(1, 2)
    return self._scale * pictures.reshape(len(pictures), -1)

  def _blurred_rows(self, pictures: np.ndarray) -> np.ndarray:
    rows = pictures.reshape(-1, self._rows, pictures.shape[-1])
    return (rows @ self._blur.T).reshape(pictures.shape)


def fit(
  shape: shape_lib.Shape,
  goal: Goal,
  pose: pose_steps.Pose,
  frame: pose_steps.Frame,
  stages: tuple[Stage, ...] = COARSE_TO_FINE,
) -> pose_steps.Pose:
  """Moves a CAD until its silhouette agrees with the mask.

  Minimises the squared difference of the blurred pictures, plus that of the
  extent and the box, which knows of what is too thin for the mask, plus a weak
  prior on the change of the rotation.

  Args:
    shape: the CAD.
    goal: mask and box.
    pose: to start from.
    frame: what moves are measured by; says whether the depth is held.
    stages: coarse to fine.

  Returns:
    A pose that fits no worse at the last blur than the one it began with.
  """
  turned = np.zeros(3)  # units; the sum of small rotation vectors
  for stage in stages:
    problem = _Problem(shape, goal, frame, stage.sigma)
    damping = _FIRST_DAMPING
    for _ in range(stage.iterations):
      pose, turned, damping, gain = _iterate(
        problem, pose, turned, damping, stage.step
      )
      if gain < _ENOUGH:
        break
  return pose


def _iterate(problem, pose, turned, damping, step):
  """One linearisation, several dampings: the best pose, and what it gained."""
  residual, jacobian = problem.linearized(pose, step)
  normal = np.einsum('ip,jp->ij', jacobian, jacobian).astype(np.float64)
  slope = np.einsum('ip,p->i', jacobian, residual).astype(np.float64)
  cost = float(np.einsum('p,p->', residual, residual))
  cost += _PRIOR * float(turned @ turned)
  normal[:3, :3] += _PRIOR * np.eye(3)
  slope[:3] -= _PRIOR * turned
  ridge = np.diag(np.diag(normal) + 1e-3)
  dampings = damping * _DAMPINGS
  moves = np.stack(
    [np.linalg.solve(normal + each * ridge, slope) for each in dampings]
  )
  moves = np.clip(moves, -_LONGEST, _LONGEST)
  rotations, translations = problem.poses(pose, moves)
  residuals = problem.residuals((rotations, translations))
  costs = (residuals**2).sum(axis=1, dtype=np.float64)
  costs += _PRIOR * ((turned + moves[:, :3]) ** 2).sum(axis=1)
  best = int(costs.argmin())
  gain = cost - costs[best]
  if gain <= 0.0:
    return pose, turned, damping, 0.0
  return (
    pose_steps.Pose(rotations[best], translations[best]),
    turned + moves[best, :3],
    max(dampings[best], _LEAST_DAMPING),
    gain,
  )


@functools.lru_cache(maxsize=16)
def _blur(size: int, sigma: float) -> np.ndarray:
  return silhouettes_lib.blur_matrix(size, sigma)
