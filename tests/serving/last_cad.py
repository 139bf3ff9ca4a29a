"""A searcher that knows one answer."""

import numpy as np


class LastCad:
  """Finds one row of the gallery, half alike, for whatever is asked."""

  def __init__(self, row):
    self._row = row

  def top_k(self, embeddings, classes, k):
    assert embeddings.shape[:2] == classes.shape
    rows = np.full((*classes.shape, k), -1, np.int32)
    rows[..., 0] = self._row
    return rows, np.where(rows < 0, -1.0, 0.5).astype(np.float32)
