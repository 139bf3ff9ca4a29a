"""Embedding and silhouette side by side: one cosine weighs both."""

import numpy as np
import pytest

from mask2cad_tf.retrieval import descriptors
from mask2cad_tf.retrieval import view_silhouettes


def _cosine(first, second):
  return np.sum(first * second, -1) / (
    np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
  )


def test_the_cosine_weighs_both_parts():
  # Embeddings (2, 0) and (3, 4): cosine 0.6. Silhouettes: two cells each, one
  # in common: cosine 1 / 2. w = 0.25: (0.6 + 0.25 * 0.5) / 1.25 = 0.58.
  cells = np.zeros((2, 8, 8), np.float32)
  cells[0, 0, :2] = 1.0
  cells[1, 0, 1:3] = 1.0
  embeddings = np.array([[2.0, 0.0], [3.0, 4.0]], np.float32)
  first, second = descriptors.join(embeddings, cells, 0.25).numpy()
  assert len(first) == descriptors.length(2, 0.25) == 66
  np.testing.assert_allclose(_cosine(first, second), 0.58, atol=1e-6)


def test_no_weight_is_the_embedding():
  embeddings = np.array([[2.0, 0.0]], np.float32)
  assert descriptors.length(2, 0.0) == 2
  np.testing.assert_array_equal(
    descriptors.join(embeddings, np.ones((1, 8, 8)), 0.0), embeddings
  )
  packed = np.ones((1, 128), np.uint8)
  assert descriptors.of_views(embeddings, packed, 0.0) is embeddings


def test_an_empty_silhouette_leaves_the_order_to_the_embeddings():
  rng = np.random.default_rng(0)
  views = rng.normal(size=(6, 4)).astype(np.float32)
  cells = rng.random((6, 8, 8), np.float32)
  one = descriptors.join(views[:1], np.zeros((1, 8, 8), np.float32), 0.4)
  others = descriptors.join(views, cells, 0.4)
  # cos / sqrt(1 + w): the view's other part finds nothing to agree with.
  np.testing.assert_allclose(
    _cosine(one.numpy(), others.numpy()),
    _cosine(views[0], views) / 1.4**0.5,
    atol=1e-6,
  )


@pytest.mark.parametrize('shape', [(), (3,), (2, 3)])
def test_views_are_joined_as_objects_are(shape):
  rng = np.random.default_rng(1)
  pictures = (rng.random((6, 64, 64)) < 0.5).astype(np.float32)
  count = int(np.prod(shape))
  packed = view_silhouettes.pack(pictures)[:count].reshape(*shape, 128)
  embeddings = rng.normal(size=(*shape, 5)).astype(np.float32)
  cells = view_silhouettes.unpack(packed).reshape(*shape, 8, 4, 8, 4)
  np.testing.assert_allclose(
    descriptors.of_views(embeddings, packed, 0.4),
    descriptors.join(embeddings, cells.mean((-3, -1), np.float32), 0.4),
    atol=1e-6,
  )
