"""Image and shape embeddings in the plane (t-SNE), and which get a picture.

The only door to scikit-learn.
"""

from typing import Any
from typing import List
from typing import Tuple

import numpy as np
from sklearn import manifold

LEAST_POINTS = 5  # fewer make no map
_PERPLEXITY = 30.0


def sample_views(
  gallery: Any, label_name: str, count: int, seed: int = 0
) -> Tuple[np.ndarray, int]:
  """Views of a class's CADs, at random.

  Args:
    gallery: retrieval.gallery.Gallery.
    label_name: the class.
    count: at most so many.
    seed: of the sample.

  Returns:
    int [n, 2], row and view, in the gallery's order; and how many there are.
  """
  of_class = np.array([cad.label_name == label_name for cad in gallery.cads])
  views = np.argwhere(gallery.valid & of_class[:, np.newaxis])
  chosen = np.random.default_rng(seed).permutation(len(views))[:count]
  return views[np.sort(chosen)], len(views)


def place(embeddings: np.ndarray, seed: int = 0) -> np.ndarray:
  """Points of the plane, near each other where embeddings are alike.

  Args:
    embeddings: float [n, E], n >= LEAST_POINTS; only directions count.
    seed: of t-SNE.

  Returns:
    float [n, 2], each axis over [0, 1].
  """
  lengths = np.linalg.norm(embeddings, axis=-1, keepdims=True)
  points = manifold.TSNE(
    perplexity=min(_PERPLEXITY, (len(embeddings) - 1) / 3.0),
    init='random',  # PCA would start from the two kinds, apart
    random_state=seed,
  ).fit_transform((embeddings / np.maximum(lengths, 1e-12)).astype(np.float32))
  low, high = points.min(axis=0), points.max(axis=0)
  return (points - low) / np.maximum(high - low, 1e-12)


def spread(points: np.ndarray, count: int, taken: np.ndarray) -> List[int]:
  """Rows of points far from each other and from the taken ones.

  Args:
    points: float [n, 2].
    count: at most so many.
    taken: float [m, 2].

  Returns:
    Rows, each the farthest from all before it; the first one is row 0 if
    nothing is taken.
  """
  chosen: List[int] = []
  distance = np.full(len(points), np.inf)
  for other in taken:
    distance = np.minimum(distance, np.linalg.norm(points - other, axis=-1))
  while len(chosen) < min(count, len(points)):
    row = int(distance.argmax())
    chosen.append(row)
    distance = np.minimum(
      distance, np.linalg.norm(points - points[row], axis=-1)
    )
  return chosen
