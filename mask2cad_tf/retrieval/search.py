"""Nearest CADs of an embedding (Sec. 3.2): cosine, within the class."""

from typing import Tuple

import tensorflow as tf

NO_CAD = -1  # row where a class has fewer CADs than asked for
NO_SIMILARITY = -1.0  # its similarity: the lowest cosine


def top_k(
  embeddings: tf.Tensor,
  classes: tf.Tensor,
  gallery_embeddings: tf.Tensor,
  view_valid: tf.Tensor,
  labels: tf.Tensor,
  k: int,
) -> Tuple[tf.Tensor, tf.Tensor]:
  """The k most similar CADs of each object's class, best first.

  A CAD's similarity is the largest over its views. Exact: one matrix product,
  right up to about 100,000 views.

  Args:
    embeddings: float [B, N, E], of the objects, any length but zero.
    classes: int [B, N], 0 = padding: no CAD.
    gallery_embeddings: float [cads, V, E], of the CADs' views.
    view_valid: bool [cads, V].
    labels: int [cads], class ids.
    k: static, may exceed the number of CADs.

  Returns:
    rows: int32 [B, N, k], into the gallery, NO_CAD past the class's CADs.
    similarities: float [B, N, k], cosines, NO_SIMILARITY past them.
  """
  queries = tf.math.l2_normalize(embeddings, axis=-1)  # [B, N, E]
  views = tf.math.l2_normalize(gallery_embeddings, axis=-1)  # [cads, V, E]
  shape = tf.shape(views)
  cosines = tf.einsum(
    'bne,me->bnm', queries, tf.reshape(views, [-1, shape[-1]])
  )
  cosines = tf.reshape(
    cosines, tf.concat([tf.shape(classes), shape[:2]], axis=0)
  )
  lowest = cosines.dtype.min
  cosines = tf.where(view_valid, cosines, lowest)  # [B, N, cads, V]
  best = tf.reduce_max(cosines, axis=-1)  # [B, N, cads]
  same_class = tf.equal(
    classes[..., tf.newaxis], tf.cast(labels, classes.dtype)
  )
  best = tf.where(same_class, best, lowest)
  best = tf.pad(best, [[0, 0], [0, 0], [0, k]], constant_values=lowest)
  similarities, rows = tf.math.top_k(best, k)
  found = similarities > lowest
  return (
    tf.where(found, rows, NO_CAD),
    tf.where(found, similarities, NO_SIMILARITY),
  )
