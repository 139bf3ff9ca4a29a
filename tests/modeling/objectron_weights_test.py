"""Weights out of an npm package like @mediapipe/objectron."""

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf import conventions
from mask2cad_tf.modeling import objectron_weights


@pytest.fixture(scope='module')
def network():
  """A convolution, one channel by channel, and two anchors' 24 classes."""
  rng = np.random.default_rng(0)
  return {
    name: (
      rng.normal(size=shape).astype(np.float16),
      rng.normal(size=bias).astype(np.float16),
    )
    for name, shape, bias in (
      ('Conv', (3, 3, 3, 8), 8),
      ('depthwise', (3, 3, 8, 1), 8),
      ('BoxPredictor_0/ClassPredictor', (1, 1, 8, 48), 48),
    )
  }


def _tflite(network):
  """As TensorFlow Lite, weights in float16."""

  @tf.function(input_signature=[tf.TensorSpec([1, 8, 8, 3])])
  def run(x):
    for name, (kernel, bias) in network.items():
      kernel, bias = np.float32(kernel), np.float32(bias)
      with tf.name_scope(name):
        if name == 'depthwise':
          x = tf.nn.depthwise_conv2d(x, kernel, [1, 1, 1, 1], 'SAME')
        else:
          x = tf.nn.conv2d(x, kernel, 1, 'SAME')
        x = tf.nn.bias_add(x, bias, name='BiasAdd')
    return tf.reshape(x, [1, -1, 24])

  converter = tf.lite.TFLiteConverter.from_concrete_functions(
    [run.get_concrete_function()]
  )
  converter.optimizations = [tf.lite.Optimize.DEFAULT]
  converter.target_spec.supported_types = [tf.float16]
  return converter.convert()


def test_convolutions_in_their_order(tmp_path, network):
  # Other assets lie before the network.
  path = tmp_path / 'assets.data'
  path.write_bytes(b'Chair\nTable\n' + _tflite(network))
  weights = objectron_weights.read(str(path))
  assert len(weights) == 6
  known = list(conventions.OPENIMAGES_CLASSES.values())
  # Of an anchor's 24 columns the known ones, then the next anchor's.
  columns = [*known, *(24 + index for index in known)]
  expected = list(network.values())
  expected[2] = tuple(values[..., columns] for values in expected[2])
  for found, values in zip(weights, (x for pair in expected for x in pair)):
    np.testing.assert_array_equal(found, values)


def test_another_file_is_refused(tmp_path):
  path = tmp_path / 'assets.data'
  path.write_bytes(b'nothing that was trained')
  with pytest.raises(ValueError, match="assets.data' holds no TensorFlow Lite"):
    objectron_weights.read(str(path))
  with pytest.raises(FileNotFoundError):
    objectron_weights.read(str(tmp_path / 'missing.data'))
