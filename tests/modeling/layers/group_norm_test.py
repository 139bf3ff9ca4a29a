"""Group normalization: as Keras', forwards and backwards."""

import numpy as np
import tensorflow as tf

from mask2cad_tf.modeling.layers import group_norm


def _layers(groups, channels):
  rng = np.random.default_rng(1)
  weights = [rng.uniform(0.5, 1.5, channels), rng.normal(size=channels)]
  layers = (
    group_norm.GroupNormalization(groups, epsilon=1e-4),
    tf.keras.layers.GroupNormalization(groups, epsilon=1e-4),
  )
  for layer in layers:
    layer.build([None, 3, 5, channels])
    layer.set_weights(weights)
  return layers


def test_by_hand():
  # One group of the numbers 1, 3: mean 2, variance 1.
  layer = group_norm.GroupNormalization(1, epsilon=0.0)
  x = tf.constant([1.0, 3.0], shape=[1, 1, 1, 2])
  np.testing.assert_allclose(layer(x)[0, 0, 0], [-1.0, 1.0], atol=1e-6)


def test_equals_keras_with_its_gradients():
  ours, keras = _layers(2, 6)
  x = tf.constant(
    5.0 + np.random.default_rng(0).normal(size=[4, 3, 5, 6]), tf.float32
  )
  found = []
  for layer in (ours, keras):
    with tf.GradientTape() as tape:
      tape.watch(x)
      y = layer(x)
      loss = tf.reduce_sum(y * tf.cos(y))
    found.append([y, *tape.gradient(loss, [x, *layer.trainable_weights])])
  for one, other in zip(*found):
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)
  assert [v.name for v in ours.weights] == [v.name for v in keras.weights]


def test_statistics_of_bfloat16_are_float32():
  # 4,096 numbers of 1: a sum in bfloat16 stops at 256.
  layer = group_norm.GroupNormalization(1, dtype='mixed_bfloat16', epsilon=1.0)
  assert np.allclose(tf.cast(layer(tf.ones([1, 64, 64, 1])), tf.float32), 0.0)
