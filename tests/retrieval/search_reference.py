"""The search in NumPy, plainly, and random galleries with ties and gaps."""

import numpy as np


def top_k(queries, classes, views, valid, labels, k, nearest=1):
  """As search.top_k: queries [B, N, E], views [cads, V, E]."""
  cosines = np.einsum('bne,mve->bnmv', _unit(queries), _unit(views))
  cosines = -np.sort(-np.where(valid, cosines, -np.inf))[..., :nearest]
  there = np.isfinite(cosines)
  total = np.where(there, cosines, 0.0).sum(axis=-1)
  count = there.sum(axis=-1)
  cosines = np.where(count > 0, total / np.maximum(count, 1), -np.inf)
  cosines[classes[..., np.newaxis] != labels] = -np.inf
  cosines = np.pad(cosines, [(0, 0), (0, 0), (0, k)], constant_values=-np.inf)
  # Equal to six digits is equal: the lower row first.
  rows = np.argsort(-cosines.round(6), axis=-1, kind='stable')[..., :k]
  best = np.take_along_axis(cosines, rows, axis=-1)
  found = np.isfinite(best)
  return np.where(found, rows, -1), np.where(found, best, -1.0)


def _unit(vectors):
  lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
  return vectors / np.maximum(lengths, 1e-6)


def gallery(rng, num_cads, num_views, length=8, num_classes=4):
  """Views, valid and labels; a third of the CADs repeat an earlier one.

  The last class has no CAD; some CADs have no valid view.
  """
  views = rng.normal(size=(num_cads, num_views, length)).astype(np.float32)
  labels = rng.integers(1, num_classes, num_cads)
  for row in rng.integers(1, num_cads, num_cads // 3):
    twin = rng.integers(0, row)
    views[row] = rng.choice([1.0, 2.0, 4.0]) * views[twin]
    labels[row] = labels[twin]
  valid = rng.random((num_cads, num_views)) < 0.7
  return views, valid, labels.astype(np.int32)


def queries(rng, views, shape, num_classes=4):
  """Embeddings near views, and classes; padding, 0, among them."""
  flat = views.reshape(-1, views.shape[-1])
  near = flat[rng.integers(0, len(flat), shape)]
  noise = rng.normal(size=near.shape).astype(np.float32)
  return near + 0.5 * noise, rng.integers(0, num_classes + 1, shape)
