"""The gallery of a module: by hand, in a graph, of another size."""

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.configs import mask2cad as mask2cad_config
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.serving import searched_gallery
from tests.serving import last_cad

_CADS = ('bed/a', 'bed/b', 'sofa/c')


def _gallery():
  """Two views of each CAD in the plane."""
  embeddings = np.array(
    [[[1, 0], [0, 1]], [[0.6, 0.8], [0.8, 0.6]], [[1, 0], [1, 0]]], np.float32
  )
  return gallery_lib.Gallery(
    'G',
    ('bed', 'sofa'),
    'e',
    tuple(gallery_lib.Cad(i, i.split('/')[0], '', '') for i in _CADS),
    embeddings,
    np.zeros((3, 2, 4), np.float32),
    np.ones((3, 2), bool),
    np.zeros((3, 2, 128), np.uint8),
  )


def _searched(searcher=None, **retrieval):
  settings = {'num_views': 1, 'silhouette_weight': 0.0, **retrieval}
  return searched_gallery.SearchedGallery(
    _gallery(), mask2cad_config.Retrieval(**settings), searcher
  )


# (1, 0) as a bed, (1, 0) as a sofa, nothing.
_OBJECTS = tf.constant([[[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]])
_CLASSES = tf.constant([[1, 2, 0]])


def test_by_hand_eager_and_in_a_graph():
  searched = _searched()
  found = searched.top_k(_OBJECTS, _CLASSES, 2)
  assert found['detection_cads'].numpy().tolist() == [
    [[0, 1], [2, -1], [-1] * 2]
  ]
  assert found['detection_cad_ids'].numpy().tolist() == [
    [[b'bed/a', b'bed/b'], [b'sofa/c', b''], [b'', b'']]
  ]
  # Nearest views: (1, 0) of a, (.8, .6) of b.
  np.testing.assert_allclose(
    found['detection_cad_scores'][0, :1], [[1.0, 0.8]], atol=1e-6
  )
  compiled = tf.function(searched.top_k)(_OBJECTS, _CLASSES, 2)
  for key, value in found.items():
    assert value.numpy().tolist() == compiled[key].numpy().tolist()


def test_as_many_views_count_as_the_configuration_says():
  # Both views: (1 + 0) / 2 of a, (.8 + .6) / 2 of b, which is first then.
  found = _searched(num_views=2).top_k(_OBJECTS, _CLASSES, 2)
  assert found['detection_cads'][0, 0].numpy().tolist() == [1, 0]
  np.testing.assert_allclose(
    found['detection_cad_scores'][0, 0], [0.7, 0.5], atol=1e-6
  )


def test_another_gallery_of_another_size():
  searched = _searched()
  top_1 = tf.function(lambda: searched.top_k(_OBJECTS, _CLASSES, 1))
  assert top_1()['detection_cad_ids'][0, 0].numpy() == [b'bed/a']
  searched.assign(
    np.array([[[0, 1]], [[0, 1]], [[0, 1]], [[1, 0]]], np.float32),
    np.ones((4, 1), bool),
    [1, 1, 1, 1],
    list('abcd'),
  )
  found = top_1()
  assert found['detection_cad_ids'].numpy().tolist() == [[[b'd'], [b''], [b'']]]


def test_a_searcher_has_views_of_its_own():
  searched = _searched(last_cad.LastCad(2))
  assert not searched.is_searched_in_graph and _searched().is_searched_in_graph
  assert tf.size(searched.views) == 0
  found = searched.top_k(_OBJECTS, _CLASSES, 2)
  assert found['detection_cad_ids'][0, 0].numpy().tolist() == [b'sofa/c', b'']
  assert found['detection_cad_scores'][0, 0].numpy().tolist() == [0.5, -1.0]


@pytest.mark.parametrize(
  'retrieval', [{'num_views': 0}, {'silhouette_weight': -0.1}]
)
def test_a_retrieval_without_sense_is_refused(retrieval):
  with pytest.raises(ValueError, match='model.retrieval: expected num_views'):
    _searched(**retrieval)
