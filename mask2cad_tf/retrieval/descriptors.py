"""What is compared in retrieval: an embedding, joined by a silhouette.

A silhouette is 8 x 8 cells of a square, `FRAME` times the longer side of what
is in it. Each part is a unit vector, the silhouette's scaled: the cosine of two
descriptors is (cosine of embeddings + w cosine of silhouettes) / (1 + w).

Paper note: Sec. 3.2 compares embeddings alone; that is w = 0.
"""

import numpy as np
import tensorflow as tf

from mask2cad_tf.retrieval import view_silhouettes

SIDE = 8
FRAME = view_silhouettes.FRAME


def length(embedding_size: int, weight: float) -> int:
  """Numbers in a descriptor; w = 0: the embedding's."""
  return embedding_size + (SIDE * SIDE if weight else 0)


def join(
  embeddings: tf.Tensor, silhouettes: tf.Tensor, weight: float
) -> tf.Tensor:
  """Descriptors of embeddings and silhouettes.

  Args:
    embeddings: float [..., E], any length but zero.
    silhouettes: float [..., 8, 8], the share of each cell that is the object's;
      all 0: nothing is known of it.
    weight: w, of a silhouette beside an embedding.

  Returns:
    float [..., E + 64]; the embeddings where w = 0.
  """
  if not weight:
    return tf.convert_to_tensor(embeddings)
  cells = tf.reshape(
    silhouettes, tf.concat([tf.shape(embeddings)[:-1], [SIDE * SIDE]], axis=0)
  )
  return tf.concat(
    [
      tf.math.l2_normalize(embeddings, axis=-1),
      weight**0.5 * tf.math.l2_normalize(cells, axis=-1),
    ],
    axis=-1,
  )


def of_views(
  embeddings: np.ndarray, packed: np.ndarray, weight: float
) -> np.ndarray:
  """Descriptors of a gallery's views.

  Args:
    embeddings: float32 [cads, V, E], any length but zero.
    packed: uint8 [cads, V, 128], of `view_silhouettes.pack`.
    weight: as for `join`.

  Returns:
    float32 [cads, V, E + 64]; the embeddings where w = 0.
  """
  if not weight:
    return embeddings
  cells = view_silhouettes.coarse(packed, SIDE)
  return join(embeddings, cells, weight).numpy()
