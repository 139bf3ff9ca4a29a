"""Nearest CADs in galleries of millions of views: nearly always the exact ones.

Each class has an inverted file: its views in cells around centroids, as codes
of four bits for two numbers. An object is compared with the codes in the
nearest cells; the CADs found that way are compared again as `search` does, all
views, in full. It is Python and faiss: for a gallery that lies here, not for a
SavedModel.
"""

from typing import Any
from typing import Dict
from typing import NamedTuple
from typing import Optional
from typing import Tuple

import numpy as np

from mask2cad_tf.configs import mask2cad as mask2cad_config
from mask2cad_tf.retrieval import descriptors
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import search

_WHOLE = 4096  # views of a class that are compared one by one, at most
_SCANNED = 6_000  # views of the cells that are looked into, about
_FETCHED = 16  # views taken from them, for each CAD asked for
_RERANKED = 3  # CADs compared in full, for each one asked for
_PER_CELL = 64  # views that a centroid is learnt from
_CHUNK = 65_536  # views that are normalised at a time
_SEED = 0  # of the choice of views that the centroids are learnt from


class _Class(NamedTuple):
  """The CADs of one class.

  Attributes:
    rows: int32 [n], of the gallery, ascending.
    cad_of_view: int32 [views], row of each valid view's CAD.
    cells: the inverted file; None where all CADs are compared.
  """

  rows: np.ndarray
  cad_of_view: np.ndarray
  cells: Any


class ApproximateSearch:
  """Searches a gallery, cells first."""

  def __init__(
    self,
    gallery: gallery_lib.Gallery,
    nearest: int = 1,
    silhouette_weight: float = 0.0,
  ):
    """Learns the cells: some ten seconds of a core for a million views.

    Args:
      gallery: whose embeddings and silhouettes it keeps, not a copy.
      nearest: views of a CAD that count, as for `search.top_k`.
      silhouette_weight: of the objects' descriptors; cells know embeddings
        alone, what they find is compared in full.

    Raises:
      ValueError: faiss is not installed.
    """
    self._faiss = _import_faiss()
    self._embeddings = gallery.embeddings
    self._silhouettes = gallery.silhouettes
    self._nearest = nearest
    self._silhouette_weight = silhouette_weight
    self._valid = gallery.valid
    squares = np.einsum('cve,cve->cv', self._embeddings, self._embeddings)
    self._scales = 1.0 / np.maximum(np.sqrt(squares), 1e-6)  # [cads, V]
    labels = np.where(gallery.valid.any(axis=1), gallery.labels, 0)
    self._classes: Dict[int, _Class] = {
      int(label): self._of_class(np.flatnonzero(labels == label))
      for label in np.unique(labels[labels > 0])
    }

  @property
  def num_bytes(self) -> int:
    """Memory of the cells, the gallery's own embeddings apart."""
    return sum(
      self._faiss.serialize_index(found.cells).nbytes + found.cad_of_view.nbytes
      for found in self._classes.values()
      if found.cells is not None
    )

  def top_k(
    self, embeddings: np.ndarray, classes: np.ndarray, k: int
  ) -> Tuple[np.ndarray, np.ndarray]:
    """As `search.top_k`; a CAD may be missed, its cosine is never wrong.

    Args:
      embeddings: float32 [B, N, D], of the objects, or their descriptors.
      classes: int [B, N], 0 = padding: no CAD.
      k: may exceed the number of CADs.

    Returns:
      rows: int32 [B, N, k], into the gallery, NO_CAD past the class's CADs.
      similarities: float32 [B, N, k], cosines, NO_SIMILARITY past them.
    """
    shape = (*np.shape(classes), k)
    rows = np.full(shape, search.NO_CAD, np.int32)
    similarities = np.full(shape, search.NO_SIMILARITY, np.float32)
    # One by one: threads that wait for each other cost more than they give.
    for place in np.ndindex(np.shape(classes)):
      found = self._classes.get(int(classes[place]))
      if found is None:
        continue
      query = embeddings[place].astype(np.float32)
      embedding = _unit(query[: self._embeddings.shape[-1]])
      candidates = self._candidates(embedding, found, k)
      cosines = self._cosines(query, candidates)
      best = np.argsort(-cosines, kind='stable')[:k]
      rows[place][: len(best)] = candidates[best]
      similarities[place][: len(best)] = cosines[best]
    return rows, similarities

  def _of_class(self, rows: np.ndarray) -> _Class:
    valid = self._valid[rows]
    views = np.argwhere(valid).astype(np.int32)  # [views, 2]: CAD, view
    cad_of_view = rows[views[:, 0]].astype(np.int32)
    if len(views) <= _WHOLE:
      return _Class(rows, cad_of_view, None)

    def unit_views(picks: np.ndarray) -> np.ndarray:
      cads, numbers = cad_of_view[picks], views[picks, 1]
      scales = self._scales[cads, numbers, np.newaxis]
      return (self._embeddings[cads, numbers] * scales).astype(np.float32)

    faiss, length = self._faiss, self._embeddings.shape[-1]
    num_cells = int(np.sqrt(len(views)))
    cells = faiss.IndexIVFPQFastScan(
      faiss.IndexFlatIP(length),
      length,
      num_cells,
      length if length % 2 else length // 2,  # codes
      4,  # bits of each
      faiss.METRIC_INNER_PRODUCT,
    )
    cells.nprobe = -(-_SCANNED * num_cells // len(views))
    count = min(_PER_CELL * num_cells, len(views))
    rng = np.random.default_rng(_SEED)
    picks = rng.choice(len(views), count, replace=False)
    _train(faiss, cells, unit_views(picks))
    for start in range(0, len(views), _CHUNK):
      cells.add(unit_views(np.arange(start, min(start + _CHUNK, len(views)))))
    return _Class(rows, cad_of_view, cells)

  def _candidates(self, query: np.ndarray, found: _Class, k: int) -> np.ndarray:
    """Rows that are compared in full, ascending: of equal ones the lower wins.

    All of the class where its cells do not hold as many CADs as asked for.
    """
    if found.cells is None:
      return found.rows
    num_views = self._valid.shape[1]
    # Seldom are the nearest views all those of a few CADs: then with all views.
    for fetched in (min(_FETCHED, num_views), num_views):
      _, views = found.cells.search(query[np.newaxis], fetched * k)
      cads = found.cad_of_view[views[0][views[0] >= 0]]
      cads, firsts = np.unique(cads, return_index=True)
      if len(cads) >= min(k, len(found.rows)):
        return np.sort(cads[np.argsort(firsts)[: _RERANKED * k]])
    return found.rows

  def _cosines(self, query: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """float32 [n], each CAD's, as `search.top_k` has them."""
    views = descriptors.of_views(
      self._embeddings[rows], self._silhouettes[rows], self._silhouette_weight
    )
    lengths = np.maximum(np.linalg.norm(views, axis=-1), 1e-6)
    cosines = views @ _unit(query) / lengths
    cosines = -np.sort(-np.where(self._valid[rows], cosines, -np.inf), axis=1)
    nearest = cosines[:, : self._nearest]
    there = np.isfinite(nearest)
    return np.where(there, nearest, 0.0).sum(axis=1) / there.sum(axis=1)


def make(
  kind: str, gallery: gallery_lib.Gallery, config: mask2cad_config.Retrieval
) -> Optional[ApproximateSearch]:
  """What stands in for the search in the graph.

  Args:
    kind: 'exact', for which nothing does, or 'approximate'.
    gallery: what is searched.
    config: the model's `retrieval`.

  Raises:
    ValueError: faiss is not installed.
  """
  if kind != 'approximate':
    return None
  return ApproximateSearch(gallery, config.num_views, config.silhouette_weight)


def _unit(vector: np.ndarray) -> np.ndarray:
  return vector / max(float(np.linalg.norm(vector)), 1e-6)


def _train(faiss: Any, cells: Any, views: np.ndarray) -> None:
  """On one thread: those of many small loops wait for each other.

  111,000 views on a busy machine: 0.6 seconds in place of 24.
  """
  threads = faiss.omp_get_max_threads()
  faiss.omp_set_num_threads(1)
  try:
    cells.train(views)
  finally:
    faiss.omp_set_num_threads(threads)


def _import_faiss() -> Any:
  try:
    import faiss
  except ImportError as error:
    raise ValueError(
      'The approximate search needs the package faiss-cpu. Install it: pip '
      "install 'mask2cad-tf[ann]'. Or search exactly: --search=exact."
    ) from error
  return faiss
