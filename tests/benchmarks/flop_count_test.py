"""FLOPs by hand."""

import pytest
import tensorflow as tf

from tests.benchmarks import flop_count


def _count(function, *shapes):
  specs = [tf.TensorSpec(shape, tf.float32) for shape in shapes]
  concrete = tf.function(function).get_concrete_function(*specs)
  return flop_count.of_graph(concrete.graph)


def test_convolution():
  # 4 x 5 places, 7 filters of 3 x 3 x 2 products, each with an addition.
  assert _count(
    lambda x, k: tf.nn.conv2d(x, k, 1, 'SAME'), [1, 4, 5, 2], [3, 3, 2, 7]
  ) == 2 * (4 * 5) * 7 * (3 * 3 * 2)


def test_strides_and_groups():
  assert (
    _count(
      lambda x, k: tf.nn.conv2d(x, k, 2, 'SAME'), [1, 4, 4, 6], [1, 1, 3, 8]
    )
    == 2 * (2 * 2) * 8 * 3
  )


def test_depthwise_convolution():
  assert _count(
    lambda x, k: tf.nn.depthwise_conv2d(x, k, [1, 1, 1, 1], 'SAME'),
    [2, 4, 4, 6],
    [5, 5, 6, 1],
  ) == 2 * (2 * 4 * 4 * 6) * (5 * 5)


def test_transposed_convolution():
  assert _count(
    lambda x, k: tf.nn.conv2d_transpose(x, k, [1, 8, 8, 3], 2),
    [1, 4, 4, 5],
    [2, 2, 3, 5],
  ) == 2 * (4 * 4 * 5) * (2 * 2 * 3)


def test_matrix_products():
  assert _count(tf.matmul, [3, 4], [4, 5]) == 2 * 3 * 4 * 5
  assert _count(tf.matmul, [7, 3, 4], [7, 4, 5]) == 7 * 2 * 3 * 4 * 5
  assert (
    _count(lambda x, y: tf.matmul(x, y, transpose_a=True), [4, 3], [4, 5])
    == 2 * 3 * 4 * 5
  )
  assert (
    _count(lambda x, y: tf.einsum('bne,me->bnm', x, y), [2, 3, 4], [5, 4])
    == 2 * 2 * 3 * 4 * 5
  )


def test_additions_are_free_and_shapes_must_be_known():
  assert _count(lambda x: x + x, [3, 4]) == 0
  with pytest.raises(ValueError, match='no free axis'):
    _count(tf.matmul, [None, 4], [4, 5])
