"""Nearest CADs: cosine, best view, own class only."""

import numpy as np
import tensorflow as tf

from mask2cad_tf.retrieval import search

# Four CADs, two views each, E = 2. Classes 1, 1, 1, 2.
_VIEWS = np.array(
  [
    [[1.0, 0.0], [0.0, 2.0]],
    [[3.0, 3.0], [-1.0, 0.0]],
    [[0.0, -5.0], [0.0, -1.0]],
    [[1.0, 0.0], [1.0, 0.0]],
  ],
  np.float32,
)
_LABELS = np.array([1, 1, 1, 2])
_VALID = np.ones((4, 2), bool)


def _search(queries, classes, k, valid=_VALID):
  rows, similarities = search.top_k(
    tf.constant([queries], tf.float32),
    tf.constant([classes]),
    tf.constant(_VIEWS),
    tf.constant(valid),
    tf.constant(_LABELS),
    k,
  )
  return rows.numpy()[0], similarities.numpy()[0]


def _unit(vectors):
  return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_best_view_of_the_class_counts():
  # (0, 7) against CAD 0: max(0, 1) = 1; CAD 1: max(1 / sqrt 2, 0); CAD 2: -1.
  rows, similarities = _search([[0.0, 7.0]], [1], 3)
  np.testing.assert_array_equal(rows, [[0, 1, 2]])
  np.testing.assert_allclose(similarities, [[1.0, 0.5**0.5, -1.0]], atol=1e-6)


def test_other_classes_are_not_searched():
  rows, similarities = _search([[1.0, 0.0], [1.0, 0.0]], [2, 1], 2)
  np.testing.assert_array_equal(rows, [[3, -1], [0, 1]])
  np.testing.assert_allclose(similarities[0], [1.0, -1.0], atol=1e-6)


def test_padding_has_no_cad():
  rows, similarities = _search([[0.0, 0.0]], [0], 2)
  np.testing.assert_array_equal(rows, [[-1, -1]])
  np.testing.assert_array_equal(similarities, [[-1.0, -1.0]])


def test_repeated_views_do_not_count():
  valid = np.array([[True, False], [True, True], [True, True], [True, True]])
  rows, similarities = _search([[0.0, 7.0]], [1], 1, valid)
  np.testing.assert_array_equal(rows, [[1]])
  np.testing.assert_allclose(similarities, [[0.5**0.5]], atol=1e-6)


def test_more_asked_for_than_there_is():
  rows, _ = _search([[1.0, 0.0]], [1], 9)
  np.testing.assert_array_equal(rows, [[0, 1, 2] + [-1] * 6])


def test_agrees_with_brute_force_and_in_a_graph():
  rng = np.random.default_rng(3)
  queries = rng.normal(size=(2, 5, 8)).astype(np.float32)
  views = rng.normal(size=(20, 4, 8)).astype(np.float32)
  labels, classes = rng.integers(1, 3, 20), rng.integers(1, 3, (2, 5))
  arguments = [
    tf.constant(a)
    for a in (queries, classes, views, np.ones((20, 4), bool), labels)
  ]
  rows, similarities = tf.function(search.top_k)(*arguments, 3)
  cosines = np.einsum('bne,mve->bnmv', _unit(queries), _unit(views)).max(-1)
  cosines[classes[..., None] != labels] = -np.inf
  np.testing.assert_array_equal(rows, np.argsort(-cosines, axis=-1)[..., :3])
  np.testing.assert_allclose(
    similarities, -np.sort(-cosines, axis=-1)[..., :3], atol=1e-5
  )
