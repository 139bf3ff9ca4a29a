"""Cells first, then in full: nearly the exact answer, never a wrong cosine."""

import dataclasses
import sys

import numpy as np
import pytest

from mask2cad_tf.retrieval import approximate_search
from mask2cad_tf.retrieval import descriptors
from mask2cad_tf.retrieval import gallery as gallery_lib
from tests.retrieval import search_reference


def _gallery(views, valid, labels):
  class_names = tuple(f'class{label}' for label in range(1, 1 + max(labels)))
  cads = tuple(
    gallery_lib.Cad(f'c/{row}', class_names[label - 1], 'm', '')
    for row, label in enumerate(labels)
  )
  return gallery_lib.Gallery(
    'G',
    class_names,
    'e',
    cads,
    views,
    np.zeros((*valid.shape, 4), np.float32),
    valid,
    np.zeros((*valid.shape, 128), np.uint8),
  )


def _clustered(rng, num_cads, num_views, length=16):
  """Views of a CAD near each other, CADs in families: no two alike."""
  families = rng.normal(size=(num_cads // 20, length))
  cads = families[rng.integers(0, len(families), num_cads)]
  cads = cads + 0.5 * rng.normal(size=cads.shape)
  noise = 0.3 * rng.normal(size=(num_cads, num_views, length))
  return (cads[:, np.newaxis] + noise).astype(np.float32)


def test_small_classes_are_searched_exactly():
  rng = np.random.default_rng(0)
  gallery = search_reference.gallery(rng, 60, 3)
  search = approximate_search.ApproximateSearch(_gallery(*gallery))
  assert search.num_bytes == 0
  for k in (1, 7, 70):
    queries, classes = search_reference.queries(rng, gallery[0], (2, 5))
    rows, similarities = search.top_k(queries, classes, k)
    expected = search_reference.top_k(queries, classes, *gallery, k)
    np.testing.assert_array_equal(rows, expected[0])
    np.testing.assert_allclose(similarities, expected[1], atol=1e-5)
    assert rows.dtype == np.int32 and similarities.dtype == np.float32


def test_descriptors_are_compared_in_full():
  """As the search in the graph, by two views and with silhouettes."""
  rng = np.random.default_rng(4)
  views, valid, labels = search_reference.gallery(rng, 60, 3)
  gallery = dataclasses.replace(
    _gallery(views, valid, labels),
    silhouettes=rng.integers(0, 256, (60, 3, 128), np.uint8),
  )
  queries, classes = search_reference.queries(rng, views, (2, 5))
  objects = descriptors.join(
    queries.astype(np.float32), rng.random((2, 5, 8, 8), np.float32), 0.4
  ).numpy()
  joined = descriptors.of_views(views, gallery.silhouettes, 0.4)
  search = approximate_search.ApproximateSearch(gallery, 2, 0.4)
  rows, similarities = search.top_k(objects, classes, 7)
  expected = search_reference.top_k(
    objects, classes, joined, valid, labels, 7, 2
  )
  np.testing.assert_array_equal(rows, expected[0])
  np.testing.assert_allclose(similarities, expected[1], atol=1e-5)


def test_large_classes_are_searched_by_cells():
  rng = np.random.default_rng(1)
  views = _clustered(rng, 3000, 4)
  valid = rng.random((3000, 4)) < 0.8
  labels = np.where(np.arange(3000) % 3, 1, 2)  # 8,000 and 4,000 views
  search = approximate_search.ApproximateSearch(_gallery(views, valid, labels))
  # 6,400 valid views of class 1: 8 codes of half a byte, an id of 8 bytes, a
  # row of 4; codes come in blocks of 32.
  assert 6000 * 16 < search.num_bytes < 8000 * 16 + 80 * 32 * 4 + 20_000
  queries, classes = search_reference.queries(rng, views, (4, 16), 2)
  rows, similarities = search.top_k(queries, classes, 10)
  expected, _ = search_reference.top_k(
    queries, classes, views, valid, labels, 10
  )
  shares = [
    len(np.intersect1d(found, best)) / 10
    for found, best, label in zip(
      rows.reshape(-1, 10), expected.reshape(-1, 10), classes.ravel()
    )
    if label
  ]
  assert np.mean(shares) >= 0.95
  assert (rows[classes == 0] == -1).all()
  # Whatever is found has its class, its own cosine, and comes best first.
  assert (labels[rows] == classes[..., np.newaxis])[classes > 0].all()
  assert (np.diff(similarities, axis=-1) <= 0).all()
  for place in zip(*np.nonzero(classes)):
    own = [
      search_reference.top_k(
        queries[place][np.newaxis, np.newaxis],
        classes[place][np.newaxis, np.newaxis],
        views[row : row + 1],
        valid[row : row + 1],
        labels[row : row + 1],
        1,
      )[1].item()
      for row in rows[place]
    ]
    np.testing.assert_allclose(similarities[place], own, atol=1e-5)


def test_more_asked_for_than_the_cells_hold(monkeypatch):
  """No cell is looked into but one: the whole class is compared then."""
  monkeypatch.setattr(approximate_search, '_WHOLE', 100)
  monkeypatch.setattr(approximate_search, '_SCANNED', 1)
  rng = np.random.default_rng(2)
  views = _clustered(rng, 200, 4)
  gallery = (views, np.ones((200, 4), bool), np.ones(200, int))
  search = approximate_search.ApproximateSearch(_gallery(*gallery))
  assert search.num_bytes
  queries, classes = search_reference.queries(rng, views, (1, 3), 1)
  rows, _ = search.top_k(queries, classes, 250)
  expected, _ = search_reference.top_k(queries, classes, *gallery, 250)
  np.testing.assert_array_equal(rows, expected)


def test_without_the_extra_it_says_how_to_install_it(monkeypatch):
  monkeypatch.setitem(sys.modules, 'faiss', None)
  gallery = search_reference.gallery(np.random.default_rng(3), 10, 2)
  with pytest.raises(ValueError, match=r"pip install 'mask2cad-tf\[ann\]'"):
    approximate_search.ApproximateSearch(_gallery(*gallery))
