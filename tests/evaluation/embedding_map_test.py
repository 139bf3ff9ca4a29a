import types

import numpy as np

from mask2cad_tf.evaluation import embedding_map


def test_alike_embeddings_lie_together():
  rng = np.random.default_rng(0)
  ways = np.repeat(np.eye(2, 8), 10, axis=0)
  # Lengths mean nothing.
  embeddings = (ways + 0.01 * rng.normal(size=ways.shape)) * rng.uniform(
    1.0, 9.0, [20, 1]
  )
  points = embedding_map.place(embeddings)
  assert points.shape == (20, 2)
  assert points.min() == 0.0 and points.max() == 1.0
  distances = np.linalg.norm(points[:, np.newaxis] - points, axis=-1)
  np.fill_diagonal(distances, np.inf)
  nearest = distances.argmin(axis=1)
  assert ((nearest < 10) == (np.arange(20) < 10)).all()
  np.testing.assert_array_equal(points, embedding_map.place(embeddings))


def test_the_fewest_points():
  rng = np.random.default_rng(0)
  few = rng.normal(size=[embedding_map.LEAST_POINTS, 4])
  assert np.isfinite(embedding_map.place(few)).all()


def test_spread_takes_the_farthest():
  points = np.array([[0.0, 0.0], [0.1, 0.0], [1.0, 0.0], [0.5, 0.0]])
  nothing = np.zeros([0, 2])
  # The first; the farthest from it; half-way.
  assert embedding_map.spread(points, 3, nothing) == [0, 2, 3]
  assert embedding_map.spread(points, 9, nothing) == [0, 2, 3, 1]
  # What is taken already counts: 1.0 is the farthest from 0.2.
  assert embedding_map.spread(points, 1, np.array([[0.2, 0.0]])) == [2]
  assert embedding_map.spread(nothing, 3, points) == []


def test_views_are_a_sample_of_the_class():
  cads = [types.SimpleNamespace(label_name=n) for n in ('bed', 'chair', 'bed')]
  valid = np.array([[True, True], [True, True], [True, False]])
  gallery = types.SimpleNamespace(cads=cads, valid=valid)
  views, total = embedding_map.sample_views(gallery, 'bed', 9)
  np.testing.assert_array_equal(views, [[0, 0], [0, 1], [2, 0]])
  assert total == 3
  views, total = embedding_map.sample_views(gallery, 'bed', 2)
  assert len(views) == 2 and total == 3
