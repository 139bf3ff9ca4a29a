"""The K rotations that stand for a class: views and pose bins (Sec. 3.3).

K-medoids (PAM) under the geodesic distance 2 acos|<q1, q2>|.
"""

import dataclasses
import json
import os
from collections.abc import Sequence
from typing import Any
from typing import Optional

import numpy as np

from mask2cad_tf.foreign import array_files
from mask2cad_tf.geometry import rotations as rotations_lib

_MAX_SWAP_POINTS = 2000  # PAM's distance matrix: 32 MB
_MAX_RESTARTS = 10
_MIN_GAIN = 1e-9  # of the total distance; ends swaps between equals


@dataclasses.dataclass(frozen=True, eq=False)
class Medoids:
  """K rotations of a class, the one with most members first."""

  rotations: np.ndarray  # float [k, 4], (w, x, y, z), w >= 0
  valid: np.ndarray  # bool [k], False where one is repeated
  indices: np.ndarray  # int [k], into the rotations that were clustered
  assignment: np.ndarray  # int [n], nearest valid medoid of each rotation


def k_medoids(
  rotations: np.ndarray, k: int, seed: int, max_iterations: int = 100
) -> Medoids:
  """Clusters rotations.

  Equal rotations count with their multiplicity. Seeds are k-means++; swaps
  go on until none helps, from several seeds where n is small. Of more than
  2,000 distinct rotations, medoids come from a random 2,000.

  Args:
    rotations: [n, 4], unit quaternions (w, x, y, z), n >= 1.
    k: medoids; where fewer are distinct, they repeat with valid = False.
    seed: of the random generator.
    max_iterations: swaps per start, at most.

  Returns:
    The medoids and each rotation's.

  Raises:
    ValueError: no rotations, or not of shape [n, 4].
  """
  rotations = np.asarray(rotations, np.float64)
  if rotations.ndim != 2 or rotations.shape[1] != 4 or not len(rotations):
    raise ValueError(
      f'Expected rotations [n, 4] with n >= 1, found {rotations.shape}. '
      'Check that the records hold objects of this class.'
    )
  rng = np.random.default_rng(seed)
  distinct, weights = _distinct(rotations)
  if len(distinct) > max(k, _MAX_SWAP_POINTS):
    kept = np.sort(
      rng.choice(len(distinct), max(k, _MAX_SWAP_POINTS), replace=False)
    )
    distinct, weights = distinct[kept], weights[kept]
  if len(distinct) > k:
    chosen = _best_of_restarts(
      _distances(rotations[distinct]), weights, k, rng, max_iterations
    )
    distinct = distinct[chosen]
  return _ordered(rotations, distinct, k)


def save(
  path: str,
  medoids_by_class: dict[str, Medoids],
  rotation_frame: str,
  source_hash: str,
) -> None:
  """Writes medoids to an .npz, atomically.

  Args:
    path: ends in .npz.
    medoids_by_class: equal k for all classes.
    rotation_frame: 'camera' or 'allocentric'.
    source_hash: of the records that they were clustered from.
  """
  names = list(medoids_by_class)
  arrays = {
    'rotations': np.stack(
      [medoids_by_class[n].rotations for n in names]
    ).astype(np.float32),
    'valid': np.stack([medoids_by_class[n].valid for n in names]),
    'counts': np.stack([_counts(medoids_by_class[n]) for n in names]),
    'meta': np.array(
      json.dumps(
        {
          'class_names': names,
          'rotation_frame': rotation_frame,
          'source_hash': source_hash,
        }
      )
    ),
  }
  temporary = f'{path}.{os.getpid()}.tmp'
  with open(temporary, 'wb') as file:
    np.savez(file, **arrays)
  os.replace(temporary, path)


def load(
  path: str, class_names: Optional[Sequence[str]] = None
) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
  """Reads medoids; row 0 is the background.

  Args:
    path: file of `save`.
    class_names: order of the rows 1..C-1; None keeps the file's.

  Returns:
    rotations float32 [C, K, 4] (background: identity), valid bool [C, K]
    (background: False), and the file's class_names, rotation_frame and
    source_hash.

  Raises:
    FileNotFoundError: no such file.
    ValueError: damaged, or classes of `class_names` are not in the file.
  """
  if not os.path.isfile(path):
    raise FileNotFoundError(
      f'No pose medoids at {path!r}. Build them: '
      'python -m tfrecords_tools.build_pose_medoids --help'
    )
  arrays = array_files.read_npz(path)
  try:
    rotations, valid = arrays['rotations'], arrays['valid']
    meta = json.loads(str(arrays['meta']))
  except (KeyError, ValueError) as error:
    raise ValueError(f'{path!r} holds no medoids ({error!r}).') from error
  names = list(meta['class_names'] if class_names is None else class_names)
  missing = sorted(set(names) - set(meta['class_names']))
  if missing:
    raise ValueError(
      f'{path!r} has no medoids of {missing}, only of '
      f'{meta["class_names"]}. Build them from records with these classes: '
      'python -m tfrecords_tools.build_pose_medoids --help'
    )
  rows = [meta['class_names'].index(name) for name in names]
  identity = np.zeros((1,) + rotations.shape[1:], np.float32)
  identity[..., 0] = 1.0
  return (
    np.concatenate([identity, rotations[rows]]),
    np.concatenate([np.zeros((1, valid.shape[1]), bool), valid[rows]]),
    meta,
  )


def _distinct(rotations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """First index and multiplicity of each distinct rotation; q is -q."""
  rounded = np.round(rotations, 6) + 0.0  # + 0.0 turns -0.0 into 0.0
  first = np.argmax(rounded != 0, axis=1)[:, np.newaxis]
  rounded = rounded * np.sign(np.take_along_axis(rounded, first, 1)) + 0.0
  _, indices, counts = np.unique(
    rounded, axis=0, return_index=True, return_counts=True
  )
  order = np.argsort(indices)
  return indices[order], counts[order].astype(np.float64)


def _distances(rotations: np.ndarray) -> np.ndarray:
  distances = rotations_lib.geodesic_angle(
    rotations[:, np.newaxis], rotations[np.newaxis]
  )
  np.fill_diagonal(distances, 0.0)
  return distances


def _best_of_restarts(distances, weights, k, rng, max_iterations):
  """The cheapest of several PAM runs; a large set gets a single one."""
  restarts = np.clip(_MAX_SWAP_POINTS // len(weights), 1, _MAX_RESTARTS)
  runs = [
    _swap_until_stable(
      distances, weights, _plus_plus(distances, weights, k, rng), max_iterations
    )
    for _ in range(restarts)
  ]
  costs = [weights @ distances[:, run].min(axis=1) for run in runs]
  return runs[int(np.argmin(costs))]


def _plus_plus(distances, weights, k, rng) -> np.ndarray:
  """K-means++ seeds: each next one in proportion to squared distance."""
  chosen = [rng.choice(len(weights), p=weights / weights.sum())]
  while len(chosen) < k:
    gaps = weights * distances[:, chosen].min(axis=1) ** 2
    gaps[chosen] = 0.0
    chosen.append(rng.choice(len(weights), p=gaps / gaps.sum()))
  return np.array(chosen)


def _swap_until_stable(distances, weights, chosen, max_iterations):
  """PAM's swap phase: the best (medoid, candidate) exchange, repeatedly."""
  chosen = chosen.copy()
  for _ in range(max_iterations):
    change = _swap_changes(distances, weights, chosen)  # [k, n]
    medoid, candidate = np.unravel_index(np.argmin(change), change.shape)
    cost = weights @ distances[:, chosen].min(axis=1)
    if change[medoid, candidate] > -_MIN_GAIN * cost:
      break
    chosen[medoid] = candidate
  return chosen


def _swap_changes(distances, weights, chosen) -> np.ndarray:
  """Change of the total distance if candidate n replaced medoid k, [k, n]."""
  to_medoids = distances[:, chosen]
  nearest = to_medoids.argmin(axis=1)
  ranked = np.sort(to_medoids, axis=1)
  first = ranked[:, :1]
  second = ranked[:, 1:2] if len(chosen) > 1 else np.full_like(first, np.inf)
  # A point either joins the candidate or stays; where its own medoid leaves,
  # it takes the candidate or its second choice.
  joins = np.minimum(distances - first, 0.0)
  loses = np.minimum(distances, second) - first - joins
  owner = (nearest == np.arange(len(chosen))[:, np.newaxis]) * weights
  return weights @ joins + owner @ loses


def _ordered(rotations, chosen, k) -> Medoids:
  """Medoids by falling number of members, repeated up to k."""
  to_medoids = rotations_lib.geodesic_angle(
    rotations[:, np.newaxis], rotations[chosen][np.newaxis]
  )
  assignment = to_medoids.argmin(axis=1)
  counts = np.bincount(assignment, minlength=len(chosen))
  order = np.argsort(-counts, kind='stable')
  rank = np.empty_like(order)
  rank[order] = np.arange(len(order))
  indices = np.resize(chosen[order], k)
  medoids = rotations[indices]
  return Medoids(
    rotations=np.where(medoids[:, :1] < 0, -medoids, medoids),
    valid=np.arange(k) < len(chosen),
    indices=indices,
    assignment=rank[assignment],
  )


def _counts(medoids: Medoids) -> np.ndarray:
  """Members of each medoid, int64 [k]."""
  return np.bincount(medoids.assignment, minlength=len(medoids.valid))
