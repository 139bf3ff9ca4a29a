"""The fused map: lateral convolutions of ones make the sums visible."""

import numpy as np
import tensorflow as tf

from mask2cad_tf.modeling.layers import fused_pyramid

_SIDES = {'2': 8, '3': 4, '4': 2, '5': 1}


def _features(**values):
  """One channel a level, zeros but for `values`, level_<l> to [H, W]."""
  return {
    level: tf.constant(
      np.broadcast_to(values.get(f'level_{level}', 0.0), [side, side])[
        np.newaxis, ..., np.newaxis
      ],
      tf.float32,
    )
    for level, side in _SIDES.items()
  }


def _summing():
  """A layer that adds the levels: kernels 1, biases 0, no norm's epsilon."""
  layer = fused_pyramid.FusedPyramid(1, norm_epsilon=0.0)
  layer(_features())
  for variable in layer.trainable_variables:
    if 'lateral' in variable.name and 'kernel' in variable.name:
      variable.assign(tf.ones_like(variable))
  return layer


def test_levels_add_up_at_stride_4():
  fused = _summing()(
    _features(level_2=1.0, level_3=10.0, level_4=100.0, level_5=1000.0)
  )
  assert list(fused) == ['2']
  np.testing.assert_allclose(fused['2'], np.full([1, 8, 8, 1], 1111.0))


def test_a_coarse_cell_covers_its_fine_ones():
  # Level 4 is 2 x 2: its upper right cell is rows 0-3, columns 4-7. Level 3's
  # cell (3, 0) is rows 6-7, columns 0-1.
  coarse, finer = np.zeros([2, 2]), np.zeros([4, 4])
  coarse[0, 1], finer[3, 0] = 5.0, 7.0
  fused = _summing()(_features(level_4=coarse, level_3=finer))['2']
  expected = np.zeros([8, 8])
  expected[:4, 4:], expected[6:, :2] = 5.0, 7.0
  np.testing.assert_allclose(fused[0, ..., 0], expected)


def test_negative_sums_are_cut_off():
  fused = _summing()(_features(level_2=-3.0, level_5=1.0))['2']
  np.testing.assert_array_equal(fused, np.zeros([1, 8, 8, 1]))


def _random(batch=2, seed=0):
  rng = np.random.default_rng(seed)
  return {
    level: tf.constant(rng.normal(size=[batch, side, side, 3]), tf.float32)
    for level, side in _SIDES.items()
  }


def test_every_level_learns():
  layer = fused_pyramid.FusedPyramid(6)
  with tf.GradientTape() as tape:
    fused = layer(_random(), training=True)['2']
    loss = tf.reduce_sum(fused**2)
  assert fused.shape == (2, 8, 8, 6)
  variables = layer.trainable_variables
  assert len(variables) == 4 * 2 + 2  # four convolutions, gamma and beta
  gradients = dict(
    zip([v.name for v in variables], tape.gradient(loss, variables))
  )
  for name, gradient in gradients.items():
    if 'lateral' in name and 'bias' in name:
      continue  # the norm takes every constant away
    assert np.abs(gradient).max() > 0, name


def test_statistics_move_in_training_only():
  layer = fused_pyramid.FusedPyramid(6, norm_momentum=0.5)
  layer(_random())
  before = [v.numpy() for v in layer.variables]
  layer(_random(), training=False)
  for old, variable in zip(before, layer.variables):
    np.testing.assert_array_equal(old, variable)
  layer(_random(), training=True)
  moved = [
    np.any(old != variable) for old, variable in zip(before, layer.variables)
  ]
  assert sum(moved) == 2  # mean and variance


def test_graph_equals_eager_with_a_dynamic_batch():
  layer = fused_pyramid.FusedPyramid(6)
  spec = {
    level: tf.TensorSpec([None, side, side, 3])
    for level, side in _SIDES.items()
  }
  traced = tf.function(layer, input_signature=[spec])
  for batch in (2, 3):
    np.testing.assert_allclose(
      traced(_random(batch))['2'], layer(_random(batch))['2'], atol=1e-5
    )
