"""Nearest CADs: cosine, best view, own class only."""

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.retrieval import search
from tests.retrieval import search_reference

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


def _search(queries, classes, k, valid=_VALID, nearest=1):
  rows, similarities = search.top_k(
    tf.constant([queries], tf.float32),
    tf.constant([classes]),
    search.index(_VIEWS, valid, _LABELS),
    k,
    nearest,
  )
  return rows.numpy()[0], similarities.numpy()[0]


def test_best_view_of_the_class_counts():
  # (0, 7) against CAD 0: max(0, 1) = 1; CAD 1: max(1 / sqrt 2, 0); CAD 2: -1.
  rows, similarities = _search([[0.0, 7.0]], [1], 3)
  np.testing.assert_array_equal(rows, [[0, 1, 2]])
  np.testing.assert_allclose(similarities, [[1.0, 0.5**0.5, -1.0]], atol=1e-6)


def test_the_two_best_views_count():
  # (0, 7): CAD 0 (1 + 0) / 2; CAD 1 (1 / sqrt 2 + 0) / 2; CAD 2, whose views
  # point the same way, -1.
  rows, similarities = _search([[0.0, 7.0]], [1], 3, nearest=2)
  np.testing.assert_array_equal(rows, [[0, 1, 2]])
  np.testing.assert_allclose(similarities, [[0.5, 0.125**0.5, -1.0]], atol=1e-6)


def test_of_one_view_that_one_counts():
  # CAD 0 is left with (1, 0), cosine 0; CAD 1: (1 / sqrt 2 + 0) / 2.
  valid = np.array([[True, False], [True, True], [False, False], [True, True]])
  rows, similarities = _search([[0.0, 7.0]], [1], 3, valid, nearest=9)
  np.testing.assert_array_equal(rows, [[1, 0, -1]])
  np.testing.assert_allclose(similarities, [[0.125**0.5, 0.0, -1.0]], atol=1e-6)


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


def test_a_cad_without_a_view_is_not_found():
  # CAD 0 would be first; CAD 1: max(1 / sqrt 2, 0).
  valid = np.array([[False] * 2, [True] * 2, [True] * 2, [True] * 2])
  rows, similarities = _search([[0.0, 7.0]], [1], 3, valid)
  np.testing.assert_array_equal(rows, [[1, 2, -1]])
  np.testing.assert_allclose(similarities, [[0.5**0.5, -1.0, -1.0]], atol=1e-6)


def test_the_first_view_may_be_the_one_that_does_not_count():
  # CAD 0 is left with (0, 2): cosine 0 with (1, 0); CAD 1 with (-1, 0): -1.
  valid = np.array([[False, True], [False, True], [True] * 2, [True] * 2])
  rows, similarities = _search([[1.0, 0.0]], [1], 3, valid)
  np.testing.assert_array_equal(rows, [[0, 2, 1]])
  np.testing.assert_allclose(similarities, [[0.0, 0.0, -1.0]], atol=1e-6)


def test_index_lays_cads_side_by_side():
  index = search.index(_VIEWS, _VALID, _LABELS)
  assert index.views.shape == [1, 2, 2, search.PANEL]
  # View 0 of CAD 1 is (3, 3): (1, 1) / sqrt 2. CADs 4 to 31 are none.
  np.testing.assert_allclose(index.views[0, 0, :, 1], [0.5**0.5] * 2)
  np.testing.assert_array_equal(index.labels[0, :5], [1, 1, 1, 2, -1])


def test_equal_cads_come_in_the_gallerys_order_across_panels_and_steps(
  monkeypatch,
):
  views = np.ones([3 * search.PANEL, 1, 2], np.float32)
  labels = np.ones(len(views), np.int32)
  index = search.index(views, np.ones(views.shape[:2], bool), labels)
  for cosines in (1, 2**22):  # a panel a step; all in one
    monkeypatch.setattr(search, '_COSINES', cosines)
    rows, _ = search.top_k([[[1.0, 0.0]]], tf.constant([[1]]), index, 40)
    np.testing.assert_array_equal(rows[0, 0], range(40))


@pytest.mark.parametrize('num_cads', [1, 31, 32, 33, 100])
@pytest.mark.parametrize('cosines', [1, 1000, 2**22])
@pytest.mark.parametrize('nearest', [1, 2, 3])
def test_agrees_with_numpy_and_in_a_graph(
  num_cads, cosines, nearest, monkeypatch
):
  monkeypatch.setattr(search, '_COSINES', cosines)  # of one step
  rng = np.random.default_rng(num_cads)
  views, valid, labels = search_reference.gallery(rng, num_cads, 3)
  queries, classes = search_reference.queries(rng, views, (2, 5))
  expected = search_reference.top_k(
    queries, classes, views, valid, labels, 7, nearest
  )
  index = search.index(views, valid, labels)
  compiled = tf.function(search.top_k)
  for run in (search.top_k, compiled):
    rows, similarities = run(
      tf.constant(queries), tf.constant(classes), index, 7, nearest
    )
    np.testing.assert_array_equal(rows, expected[0])
    np.testing.assert_allclose(similarities, expected[1], atol=1e-5)


def test_one_graph_searches_galleries_of_any_size():
  views = tf.Variable(
    tf.zeros([0, 0, 8, search.PANEL]), shape=[None, None, 8, search.PANEL]
  )
  labels = tf.Variable(
    tf.zeros([0, search.PANEL], tf.int32), shape=[None, search.PANEL]
  )

  @tf.function(
    input_signature=[
      tf.TensorSpec([None, None, 8]),
      tf.TensorSpec([None, None], tf.int32),
    ]
  )
  def find(queries, classes):
    return search.top_k(queries, classes, search.Index(views, labels), 4)

  rng = np.random.default_rng(5)
  rows, similarities = find(np.ones([1, 2, 8]), np.ones([1, 2]))  # no CAD yet
  assert rows.numpy().tolist() == [[[-1] * 4] * 2]
  assert similarities.numpy().tolist() == [[[-1.0] * 4] * 2]
  for num_cads, num_views, shape in (
    (5, 2, (1, 3)),
    (70, 1, (3, 1)),
    (40, 6, (2, 0)),
    (3, 2, (0, 4)),
  ):
    gallery = search_reference.gallery(rng, num_cads, num_views)
    index = search.index(*gallery)
    views.assign(index.views)
    labels.assign(index.labels)
    queries, classes = search_reference.queries(rng, gallery[0], shape)
    expected = search_reference.top_k(queries, classes, *gallery, 4)
    rows, similarities = find(queries, classes)
    np.testing.assert_array_equal(rows, expected[0])
    np.testing.assert_allclose(similarities, expected[1], atol=1e-5)
  outputs = find.get_concrete_function().structured_outputs
  shapes = [output.shape.as_list() for output in outputs]
  assert shapes == [[None, None, 4]] * 2
