"""The hardest pairs of an anchor (Sec. 3.2, "Hard example mining").

Paper note: D of Eq. (2) is a similarity, though the paper calls it a distance:
hard positives are the least similar, hard negatives the most similar.
"""

import tensorflow as tf


def hardest_positives(
  similarity: tf.Tensor, positive: tf.Tensor, k: int
) -> tf.Tensor:
  """The k least similar positives of each anchor; all, if there are fewer.

  Args:
    similarity: float [..., A, V], V static.
    positive: bool [..., A, V].
    k: P_h.

  Returns:
    bool [..., A, V]; of equal similarities the first in the row.
  """
  return _largest(-similarity, positive, k)


def hardest_negatives(
  similarity: tf.Tensor, negative: tf.Tensor, k: int
) -> tf.Tensor:
  """The k most similar negatives of each anchor; all, if there are fewer.

  Args:
    similarity: float [..., A, V], V static.
    negative: bool [..., A, V].
    k: N_h.

  Returns:
    bool [..., A, V]; of equal similarities the first in the row.
  """
  return _largest(similarity, negative, k)


def _largest(values: tf.Tensor, among: tf.Tensor, k: int) -> tf.Tensor:
  """Marks the k largest `values` among the marked: bool, as `among`."""
  values = tf.convert_to_tensor(values)
  if values.shape[-1] is not None and k >= values.shape[-1]:
    return among
  values = tf.where(among, values, values.dtype.min)
  order = tf.argsort(values, axis=-1, direction='DESCENDING', stable=True)
  # The sort of a permutation is its inverse: the rank of every entry.
  rank = tf.argsort(order, axis=-1, stable=True)
  return tf.logical_and(among, rank < k)
