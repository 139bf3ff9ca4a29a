"""The view encoder: any leading axes, any batch, both modes."""

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.modeling import view_encoder


@pytest.fixture(scope='module')
def encoder():
  return view_encoder.ViewEncoder(
    model_id=10, depth_multiplier=0.125, embedding_size=6, norm_momentum=0.5
  )


def _views(*leading, seed=0):
  rng = np.random.default_rng(seed)
  return tf.constant(rng.uniform(size=[*leading, 128, 128, 1]), tf.float32)


def test_leading_axes_do_not_matter(encoder):
  views = _views(2, 3)
  flat = encoder(tf.reshape(views, [6, 128, 128, 1]))
  assert flat.shape == (6, 6)
  stacked = encoder(views)
  assert stacked.shape == (2, 3, 6)
  np.testing.assert_allclose(tf.reshape(stacked, [6, 6]), flat, atol=1e-5)
  np.testing.assert_allclose(encoder(views[1, 2]), flat[5], atol=1e-5)


def test_embeddings_have_both_signs_and_tell_views_apart(encoder):
  out = encoder(_views(8)).numpy()
  assert (out < 0).any()
  assert (out > 0).any()
  assert np.abs(out[0] - out[1]).max() > 0


def test_modes_agree_once_statistics_settle(encoder):
  views = _views(8)
  for _ in range(12):
    trained = encoder(views, training=True)
  inference = encoder(views, training=False)
  # The last batch norm has n = 8 * 4 * 4; its variance is off by n / (n - 1).
  assert np.abs(inference - trained).max() < 0.05 * np.ptp(trained)


def test_dynamic_batch(encoder):
  traced = tf.function(
    encoder, input_signature=[tf.TensorSpec([None, None, 128, 128, 1])]
  )
  views = _views(2, 2)
  np.testing.assert_allclose(traced(views), encoder(views), atol=1e-5)
  assert traced(views[:1, :1]).shape == (1, 1, 6)
