"""FLOPs of a graph, by the shapes of its products; an addition is one, too.

Convolutions and matrix products are counted, element-wise work is not.
"""

from typing import Sequence

import tensorflow as tf


def of_graph(graph: tf.Graph) -> int:
  """FLOPs of a graph whose shapes are known.

  Args:
    graph: of a concrete function whose inputs have no free axis. Functions that
      it calls are not looked into.

  Raises:
    ValueError: a product's shape is not known.
  """
  return sum(map(_of_operation, graph.get_operations()))


def _of_operation(operation: tf.Operation) -> int:
  kind = operation.type
  if kind in ('Conv2D', 'DepthwiseConv2dNative'):
    height, width, channels, _ = _shape(operation.inputs[1])
    # A depthwise kernel's output channel sees one channel.
    seen = channels if kind == 'Conv2D' else 1
    return 2 * _size(operation.outputs[0]) * height * width * seen
  if kind == 'Conv2DBackpropInput':  # a transposed convolution
    height, width, channels, _ = _shape(operation.inputs[1])
    return 2 * _size(operation.inputs[2]) * height * width * channels
  if kind == 'MatMul':
    shared = -2 if operation.get_attr('transpose_a') else -1
    return 2 * _size(operation.outputs[0]) * _shape(operation.inputs[0])[shared]
  if kind in ('BatchMatMul', 'BatchMatMulV2', 'BatchMatMulV3'):
    shared = -2 if operation.get_attr('adj_x') else -1
    return 2 * _size(operation.outputs[0]) * _shape(operation.inputs[0])[shared]
  if kind == 'Einsum':
    equation = operation.get_attr('equation').decode()
    return of_einsum(equation, [_shape(x) for x in operation.inputs])
  return 0


def of_einsum(equation: str, shapes: Sequence[Sequence[int]]) -> int:
  """FLOPs of an einsum of two arrays, without `...`."""
  sizes = {}
  for labels, shape in zip(equation.split('->')[0].split(','), shapes):
    sizes.update(zip(labels, shape))
  total = 2
  for size in sizes.values():
    total *= size
  return total


def _shape(tensor: tf.Tensor) -> Sequence[int]:
  if not tensor.shape.is_fully_defined():
    raise ValueError(
      f'{tensor.op.name}: a shape of {tensor.shape}, expected no free axis.'
    )
  return tensor.shape.as_list()


def _size(tensor: tf.Tensor) -> int:
  total = 1
  for side in _shape(tensor):
    total *= side
  return total
