"""Nearest CADs of an embedding (Sec. 3.2): cosine, within the class.

Exact, and bound by memory: what a gallery does not change is done once, by
`index`, and `top_k` reads the views once, in the layout that TensorFlow's batch
matrix product reads without a copy.
"""

from typing import NamedTuple
from typing import Tuple

import tensorflow as tf

NO_CAD = -1  # row where a class has fewer CADs than asked for
NO_SIMILARITY = -1.0  # its similarity: the lowest cosine

# CADs side by side in a panel of the index. A product with panels of 32 takes
# 0.7 of the time with panels of 64 and half of a plain matrix product's: only
# it reads the views in place, none is packed anew.
PANEL = 32
_NO_CLASS = -1
# Cosines of one step, 16 MiB: memory stays bounded, few steps are needed.
_COSINES = 2**22


class Index(NamedTuple):
  """A gallery, laid out for `top_k`.

  Attributes:
    views: float [panels, V, D, PANEL], unit vectors; CAD p * PANEL + i is
      [p, :, :, i].
    labels: int [panels, PANEL], class ids; -1: no CAD.
  """

  views: tf.Tensor
  labels: tf.Tensor


def index(embeddings: tf.Tensor, valid: tf.Tensor, labels: tf.Tensor) -> Index:
  """What `top_k` searches, made once for a gallery.

  Args:
    embeddings: float [cads, V, D], or descriptors, of the CADs' views, any
      length but zero.
    valid: bool [cads, V]; a CAD without a valid view is never found.
    labels: int [cads], class ids, from 1.
  """
  embeddings, valid = tf.convert_to_tensor(embeddings), tf.cast(valid, tf.bool)
  # A valid view stands for the others: equal cosines count once.
  first_valid = tf.argmax(tf.cast(valid, tf.int32), -1, output_type=tf.int32)
  own = tf.range(tf.shape(valid)[1])
  shown = tf.where(valid, own, first_valid[:, tf.newaxis])  # [cads, V]
  views = tf.gather(
    tf.math.l2_normalize(embeddings, axis=-1), shown, batch_dims=1
  )
  labels = tf.where(tf.reduce_any(valid, axis=-1), labels, _NO_CLASS)
  padding = [[0, -tf.shape(valid)[0] % PANEL]]
  views = tf.pad(views, [*padding, [0, 0], [0, 0]])
  labels = tf.pad(labels, padding, constant_values=_NO_CLASS)
  count, length = tf.shape(embeddings)[1], tf.shape(embeddings)[2]
  views = tf.reshape(views, [-1, PANEL, count, length])
  return Index(
    tf.transpose(views, [0, 2, 3, 1]), tf.reshape(labels, [-1, PANEL])
  )


def top_k(
  embeddings: tf.Tensor,
  classes: tf.Tensor,
  gallery: Index,
  k: int,
  nearest: int = 1,
) -> Tuple[tf.Tensor, tf.Tensor]:
  """The k most similar CADs of each object's class, best first.

  A CAD's similarity is the mean of its `nearest` largest cosines, of fewer
  where it has fewer views. Of equal CADs the lower row comes first.

  Args:
    embeddings: float [B, N, D], of the objects, any length but zero.
    classes: int [B, N], 0 = padding: no CAD.
    gallery: of the CADs; their number may change from call to call.
    k: static, may exceed the number of CADs.
    nearest: static; views of a CAD that count.

  Returns:
    rows: int32 [B, N, k], into the gallery, NO_CAD past the class's CADs.
    similarities: float [B, N, k], cosines, NO_SIMILARITY past them.
  """
  views, labels = gallery
  queries = tf.math.l2_normalize(embeddings, axis=-1)
  queries = tf.reshape(queries, [-1, tf.shape(embeddings)[-1]])  # [B*N, E]
  wanted = tf.reshape(tf.cast(classes, labels.dtype), [-1, 1])  # [B*N, 1]
  num_queries = tf.shape(queries)[0]
  num_panels, num_views = tf.shape(views)[0], tf.shape(views)[1]
  lowest = views.dtype.min
  step = tf.maximum(_COSINES // (num_queries * num_views * PANEL + 1), 1)

  def search_panels(start, best, rows):
    part = slice(start, start + step)
    cosines = tf.matmul(queries, views[part])  # [panels, V, B*N, PANEL]
    cosines = _mean_of_largest(cosines, nearest)  # [panels, B*N, PANEL]
    same_class = tf.equal(wanted, labels[part][:, tf.newaxis])
    cosines = tf.where(same_class, cosines, lowest)
    cosines = tf.reshape(
      tf.transpose(cosines, [1, 0, 2]), [num_queries, -1]
    )  # [B*N, CADs]
    # What was found before comes first: it wins where cosines are equal.
    best, places = tf.math.top_k(tf.concat([best, cosines], axis=1), k)
    here = start * PANEL + places - k
    before = tf.gather(rows, tf.minimum(places, k - 1), batch_dims=1)
    return start + step, best, tf.where(places < k, before, here)

  _, best, rows = tf.while_loop(
    lambda start, *_: start < num_panels,
    search_panels,
    (
      tf.constant(0),
      tf.fill([num_queries, k], lowest),
      tf.fill([num_queries, k], NO_CAD),
    ),
    parallel_iterations=1,
  )
  shape = tf.concat([tf.shape(classes), [k]], axis=0)
  return (
    tf.reshape(rows, shape),
    tf.reshape(tf.where(rows == NO_CAD, NO_SIMILARITY, best), shape),
  )


def _mean_of_largest(cosines: tf.Tensor, count: int) -> tf.Tensor:
  """Mean of the largest different ones along axis 1, of fewer if there are."""
  largest = tf.reduce_max(cosines, axis=1)
  total, found = largest, 1.0
  for _ in range(count - 1):
    below = tf.where(
      cosines < largest[:, tf.newaxis], cosines, cosines.dtype.min
    )
    largest = tf.reduce_max(below, axis=1)
    there = largest > cosines.dtype.min
    total += tf.where(there, largest, 0.0)
    found += tf.cast(there, cosines.dtype)
  return total / found
