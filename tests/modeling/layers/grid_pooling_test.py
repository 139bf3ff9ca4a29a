"""Cells of a grid, averaged by hand."""

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.modeling.layers import grid_pooling


def _ramp(channels=1):
  """A 4 x 4 map of 0, 1, ..., 15; channel c has 10^c times that."""
  ramp = np.arange(16.0, dtype=np.float32).reshape(1, 4, 4, 1)
  return tf.constant(ramp * 10.0 ** np.arange(channels, dtype=np.float32))


def test_one_cell_is_the_mean():
  np.testing.assert_allclose(grid_pooling.pool(_ramp(2), 1), [[7.5, 75.0]])


def test_four_cells_row_by_row():
  # Top left (0 + 1 + 4 + 5) / 4 = 2.5, two columns on 4.5, two rows on 10.5.
  np.testing.assert_allclose(
    grid_pooling.pool(_ramp(), 2), [[2.5, 4.5, 10.5, 12.5]]
  )


def test_the_channels_of_a_cell_stay_together():
  np.testing.assert_allclose(
    grid_pooling.pool(_ramp(2), 2),
    [[2.5, 25.0, 4.5, 45.0, 10.5, 105.0, 12.5, 125.0]],
  )


def test_as_many_cells_as_the_map_are_the_map():
  np.testing.assert_array_equal(
    grid_pooling.pool(_ramp(), 4), [np.arange(16.0)]
  )


@pytest.mark.parametrize('grid', [1, 2, 4])
def test_cells_average_to_the_mean(grid):
  features = np.random.default_rng(grid).normal(size=(3, 8, 4, 5))
  cells = grid_pooling.pool(tf.constant(features, tf.float32), grid)
  np.testing.assert_allclose(
    tf.reduce_mean(tf.reshape(cells, [3, grid * grid, 5]), axis=1),
    features.mean(axis=(1, 2)),
    atol=1e-6,
  )


def test_graph_with_a_dynamic_batch():
  traced = tf.function(
    lambda x: grid_pooling.pool(x, 2),
    input_signature=[tf.TensorSpec([None, 4, 4, 2])],
  )
  batch = tf.concat([_ramp(2), 2.0 * _ramp(2), _ramp(2)], axis=0)
  found = traced(batch)
  assert found.shape == (3, 8)
  np.testing.assert_allclose(found, grid_pooling.pool(batch, 2))


def test_a_grid_that_does_not_divide_the_map():
  with pytest.raises(ValueError, match='4 x 4 cells.*3 x 3.*grid_size'):
    grid_pooling.pool(_ramp(), 3)


def test_channels_a_cell():
  assert grid_pooling.channels_a_cell(128, 4) == 8  # 128 / 16
  assert grid_pooling.channels_a_cell(128, 1) == 128
  with pytest.raises(ValueError, match='embedding_size is 128.* 9 cells'):
    grid_pooling.channels_a_cell(128, 3)
