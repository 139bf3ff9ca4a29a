"""RoI features on a ramp: the coordinates themselves come out."""

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.modeling.layers import object_features

SIZE, M = 128, 4
LEVELS = (3, 4, 5)


def _ramps(batch=1):
  """Level l holds (row, column) of each cell: sample at p gives p / 2^l."""
  ramps = {}
  for level in LEVELS:
    cells = np.arange(SIZE >> level, dtype=np.float32)
    grid = np.stack(np.meshgrid(cells, cells, indexing='ij'), -1)
    ramps[str(level)] = tf.constant(np.tile(grid, [batch, 1, 1, 1]))
  return ramps


def _layer():
  return object_features.RoiFeatures(M, LEVELS[0], LEVELS[-1])


def test_crop_of_a_ramp():
  # A small box is cut from level 3 (stride 8), in 4 cells 8 pixels apart:
  # rows at 16 + 8 * (0.5, 1.5, 2.5, 3.5) = 20, 28, 36, 44 pixels.
  box = tf.constant([[[16.0, 40.0, 48.0, 72.0]]])
  crop = _layer()(_ramps(), box, (SIZE, SIZE))[0, 0].numpy()
  np.testing.assert_allclose(crop[:, 0, 0] * 8, [20, 28, 36, 44], rtol=1e-5)
  np.testing.assert_allclose(crop[0, :, 1] * 8, [44, 52, 60, 68], rtol=1e-5)


@pytest.mark.parametrize('level,side', [(3, 60.0), (4, 300.0), (5, 600.0)])
def test_level_follows_the_boxs_size(level, side):
  # ShapeMask's rule: level 4 + floor(log2(side / 224)), at least 3, at most 5.
  features = {
    str(k): tf.fill([1, 1024 >> k, 1024 >> k, 1], float(k)) for k in LEVELS
  }
  box = tf.constant([[[100.0, 100.0, 100.0 + side, 100.0 + side]]])
  crop = _layer()(features, box, (1024, 1024))
  np.testing.assert_allclose(crop, level, rtol=1e-5)


def test_outside_the_image_is_zero():
  # Rows at -16 + 8 * (0.5, 1.5, ...) = -12, -4, 4, 12: two are outside, where
  # RoI align alone would extrapolate the ramp to -1.5 and -0.5.
  box = tf.constant([[[-16.0, 112.0, 16.0, 144.0]]])
  crop = _layer()(_ramps(), box, (SIZE, SIZE))[0, 0].numpy()
  np.testing.assert_allclose(crop[:, 0, 0], [0, 0, 0.5, 1.5], atol=1e-5)
  assert np.all(crop[:, 2:] == 0)  # columns at 132 and 140
  assert np.all(crop[2:, :2, 1] > 0)


def test_padding_boxes_are_finite():
  crop = _layer()(_ramps(), tf.zeros([1, 2, 4]), (SIZE, SIZE))
  assert np.isfinite(crop).all()


def test_gradient_reaches_the_features():
  features = {k: tf.Variable(v) for k, v in _ramps().items()}
  with tf.GradientTape() as tape:
    box = tf.constant([[[16.0, 40.0, 48.0, 72.0]]])
    total = tf.reduce_sum(_layer()(features, box, (SIZE, SIZE)))
  # Bilinear weights of a sample sum to 1: M * M samples, 2 channels.
  gradient = tf.convert_to_tensor(tape.gradient(total, features['3']))
  np.testing.assert_allclose(tf.reduce_sum(gradient), M * M * 2, rtol=1e-5)


def test_dynamic_batch_and_boxes():
  layer = _layer()

  @tf.function(
    input_signature=[
      {str(k): tf.TensorSpec([None, SIZE >> k, SIZE >> k, 2]) for k in LEVELS},
      tf.TensorSpec([None, None, 4]),
    ]
  )
  def traced(features, boxes):
    return layer(features, boxes, (SIZE, SIZE))

  boxes = tf.random.stateless_uniform([3, 2, 2], [1, 2], 0.0, 60.0)
  boxes = tf.concat([boxes, boxes + 30.0], -1)
  out = traced(_ramps(3), boxes)
  assert out.shape == (3, 2, M, M, 2)
  eager = layer(_ramps(3), boxes, (SIZE, SIZE))
  np.testing.assert_allclose(out, eager, atol=1e-5)
