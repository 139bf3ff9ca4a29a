"""The gallery inside a module: variables of a graph, searched in it.

Their numbers of CADs and views may change without touching the graph.
"""

from typing import Any
from typing import Dict
from typing import Optional
from typing import Protocol
from typing import Tuple

import numpy as np
import tensorflow as tf

from mask2cad_tf.configs import mask2cad as mask2cad_config
from mask2cad_tf.retrieval import descriptors
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import search


class Searcher(Protocol):
  """retrieval.approximate_search.ApproximateSearch."""

  def top_k(
    self, embeddings: np.ndarray, classes: np.ndarray, k: int
  ) -> Tuple[np.ndarray, np.ndarray]:
    """As `search.top_k`, not in a graph."""


class SearchedGallery(tf.Module):
  """Descriptors of all views and the CADs that they are of.

  Attributes:
    views: float [panels, V, D, PANEL], as `search.index` lays them out; empty
      where a searcher has its own.
    labels: int32 [panels, PANEL].
    cad_ids: string [cads].
  """

  def __init__(
    self,
    gallery: gallery_lib.Gallery,
    retrieval: mask2cad_config.Retrieval,
    searcher: Optional[Searcher] = None,
  ):
    """Fills the variables.

    Args:
      gallery: the CADs.
      retrieval: how they are compared.
      searcher: finds the CADs in place of the exact search in the graph.

    Raises:
      ValueError: the configuration of the retrieval has no sense.
    """
    if retrieval.num_views < 1 or retrieval.silhouette_weight < 0.0:
      raise ValueError(
        'model.retrieval: expected num_views of at least 1 and a '
        'silhouette_weight of at least 0, found '
        f'{retrieval.num_views} and {retrieval.silhouette_weight}.'
      )
    super().__init__(name='gallery')
    self._retrieval, self._searcher = retrieval, searcher
    length = descriptors.length(
      gallery.embeddings.shape[-1], retrieval.silhouette_weight
    )
    views = np.empty((0, 0, length), np.float32)
    if searcher is None:
      views = descriptors.of_views(
        gallery.embeddings, gallery.silhouettes, retrieval.silhouette_weight
      )
    with tf.device('cpu:0'):  # strings live nowhere else
      panel = search.PANEL
      self.views = _empty('views', None, None, length, panel, dtype=tf.float32)
      self.labels = _empty('labels', None, panel, dtype=tf.int32)
      self.cad_ids = _empty('cad_ids', None, dtype=tf.string)
      self.assign(views, gallery.valid, gallery.labels, gallery.cad_ids)

  @property
  def is_searched_in_graph(self) -> bool:
    """Whether no searcher stands in for the exact search."""
    return self._searcher is None

  def assign(
    self,
    views: tf.Tensor,
    valid: tf.Tensor,
    labels: tf.Tensor,
    cad_ids: tf.Tensor,
  ) -> None:
    """Another gallery, of any number of CADs and views; works in a graph.

    Args:
      views: float [cads, V, D], descriptors of the gallery's views.
      valid: bool [cads, V].
      labels: int32 [cads].
      cad_ids: string [cads].
    """
    self.cad_ids.assign(cad_ids)
    if self.is_searched_in_graph:
      index = search.index(views, valid, labels)
      self.views.assign(index.views)
      self.labels.assign(index.labels)

  def top_k(
    self, objects: tf.Tensor, classes: tf.Tensor, k: int
  ) -> Dict[str, tf.Tensor]:
    """The CADs most like each object.

    Args:
      objects: float [B, N, D], descriptors.
      classes: int32 [B, N], 0 = padding.
      k: CADs per object.

    Returns:
      detection_cads int32 [B, N, k], gallery rows, -1 = none;
      detection_cad_ids string [B, N, k], '' = none;
      detection_cad_scores [B, N, k], similarities, best first.
    """
    if self.is_searched_in_graph:
      index = search.Index(self.views, self.labels)
      rows, similarities = search.top_k(
        objects, classes, index, k, self._retrieval.num_views
      )
    else:
      rows, similarities = map(
        tf.constant, self._searcher.top_k(objects.numpy(), classes.numpy(), k)
      )
    with tf.device('cpu:0'):
      cad_ids = tf.gather(self.cad_ids, tf.maximum(rows, 0))
      cad_ids = tf.where(rows >= 0, cad_ids, '')
    return {
      'detection_cads': rows,
      'detection_cad_ids': cad_ids,
      'detection_cad_scores': similarities,
    }


def _empty(name: str, *shape: Optional[int], dtype: Any) -> tf.Variable:
  """A variable whose None axes may be of any size, 0 for now."""
  value = tf.zeros([size or 0 for size in shape], dtype)
  return tf.Variable(value, trainable=False, shape=shape, name=name)
