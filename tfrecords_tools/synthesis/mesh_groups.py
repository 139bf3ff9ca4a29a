"""A CAD without parts, split into groups of faces that belong together."""

from typing import List
from typing import Sequence

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

_STEPS = 1 << 20  # positions closer than this share of the size are one
_BY_HEIGHT = 0.3  # how often the top or bottom part is a group of its own


def areas(
  vertices: np.ndarray, faces: np.ndarray, groups: Sequence[np.ndarray]
) -> np.ndarray:
  """The surface of each group of face indices, float [g]."""
  a, b, c = (vertices[faces[:, i]] for i in range(3))
  each = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)
  return np.array([each[np.asarray(group)].sum() for group in groups])


def components(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
  """A number per face, int [m]: faces that touch have the same one.

  Vertices at the same place are one, as in files that split them at creases.

  Args:
    vertices: [n, 3].
    faces: int [m, 3].
  """
  low = vertices.min(axis=0)
  size = max(float(np.ptp(vertices, axis=0).max()), 1e-12)
  steps = np.round((vertices - low) / size * (_STEPS - 1)).astype(np.int64)
  _, place = np.unique(
    (steps[:, 0] * _STEPS + steps[:, 1]) * _STEPS + steps[:, 2],
    return_inverse=True,
  )
  a, b, c = place.reshape(-1)[faces].T
  count = len(vertices)
  edges = sparse.coo_matrix(
    (np.ones(2 * len(faces)), (np.r_[a, b], np.r_[b, c])), shape=(count, count)
  )
  _, label = csgraph.connected_components(edges, directed=False)
  return np.unique(label[a], return_inverse=True)[1].reshape(-1)


def split(
  rng: np.random.Generator, vertices: np.ndarray, faces: np.ndarray
) -> List[np.ndarray]:
  """Face indices of the mesh's loose pieces.

  Args:
    rng: the source of randomness.
    vertices: [n, 3], +y up.
    faces: int [m, 3].

  Returns:
    Index arrays that hold each face once. Sometimes all above or below some
    height is a group, as seats over legs are.
  """
  if rng.random() < _BY_HEIGHT:
    middle = vertices[faces, 1].mean(axis=1)
    height = np.quantile(middle, rng.uniform(0.3, 0.8))
    halves = [np.flatnonzero(middle > height), np.flatnonzero(middle <= height)]
    return [half for half in halves if len(half)]
  number = components(vertices, faces)
  order = np.argsort(number, kind='stable')
  return np.split(order, np.flatnonzero(np.diff(number[order])) + 1)
