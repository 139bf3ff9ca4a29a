"""The view encoder on a frozen stem: stem and trunk apart, stem at rest."""

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.modeling import frozen_view_encoder


@pytest.fixture(scope='module')
def encoder():
  return _make()


def _make(**changes):
  layer = frozen_view_encoder.FrozenViewEncoder(
    embedding_size=32, grid_size=2, num_filters=16, num_convs=2, **changes
  )
  layer(_views(1))
  return layer


def _views(*leading, seed=0):
  """Grey blocks on black: what a rendering is to the stem."""
  rng = np.random.default_rng(seed)
  coarse = rng.uniform(size=[*leading, 8, 8, 1]) * rng.integers(
    0, 2, [*leading, 8, 8, 1]
  )
  fine = coarse.repeat(16, axis=-3).repeat(16, axis=-2)
  return tf.constant(fine, tf.float32)


def test_stem_then_call_is_call(encoder):
  views = _views(5)
  features = encoder.stem(views)
  assert features.shape == (5, *frozen_view_encoder.STEM_SHAPE)
  assert features.dtype == tf.float32
  whole = encoder(views)
  assert whole.shape == (5, 32)
  np.testing.assert_allclose(encoder(features), whole, atol=1e-5)


def test_leading_axes_do_not_matter(encoder):
  views = _views(2, 3)
  flat = encoder(tf.reshape(views, [6, 128, 128, 1]))
  stacked = encoder(views)
  assert stacked.shape == (2, 3, 32)
  np.testing.assert_allclose(tf.reshape(stacked, [6, 32]), flat, atol=1e-5)
  features = encoder.stem(tf.reshape(views, [6, 128, 128, 1]))
  features = tf.reshape(features, [2, 3, *frozen_view_encoder.STEM_SHAPE])
  np.testing.assert_allclose(encoder(features), stacked, atol=1e-5)
  np.testing.assert_allclose(encoder(views[1, 2]), flat[5], atol=1e-5)


@pytest.mark.parametrize('training', [False, True])
def test_a_view_does_not_see_its_batch(encoder, training):
  # Group norm: galleries may be embedded CAD by CAD.
  views = _views(4)
  together = encoder(views, training=training)
  for i in range(4):
    np.testing.assert_allclose(
      encoder(views[i : i + 1], training=training)[0], together[i], atol=1e-5
    )
  assert np.abs(together[0] - together[1]).max() > 0.01


def test_fine_features_are_level_3_of_the_stem(encoder):
  # The stem's first 160 channels are level 3's 40, two by two cells deep.
  views = _views(2)
  fine = encoder.fine_features(tf.repeat(views, 3, axis=-1))
  assert fine.shape == (2, 16, 16, 40)
  np.testing.assert_allclose(
    tf.nn.space_to_depth(fine, 2), encoder.stem(views)[..., :160], atol=1e-5
  )


def test_fine_features_see_colour(encoder):
  crops = np.zeros([2, 128, 128, 3], np.float32)
  crops[0, ..., 0] = crops[1, ..., 2] = 1.0
  red, blue = encoder.fine_features(tf.constant(crops))
  assert np.abs(red - blue).max() > 0.01


def test_the_stem_is_not_trained():
  encoder = _make()
  # project: kernel, bias; the trunk's two convolutions and norms: two each.
  assert len(encoder.trainable_variables) == 2 + 2 * 2 + 2 * 2
  trained = {id(v) for v in encoder.trainable_variables}
  frozen = [v for v in encoder.variables if id(v) not in trained]
  assert len(frozen) > 100
  before = [v.numpy() for v in frozen]
  with tf.GradientTape() as tape:
    loss = tf.reduce_sum((encoder(_views(4), training=True) - 0.3) ** 2)
  gradients = tape.gradient(loss, encoder.trainable_variables)
  for variable, gradient in zip(encoder.trainable_variables, gradients):
    assert np.abs(gradient).max() > 0, variable.name
  tf.keras.optimizers.legacy.SGD(0.1).apply_gradients(
    zip(gradients, encoder.trainable_variables)
  )
  for old, variable in zip(before, frozen):
    np.testing.assert_array_equal(old, variable, variable.name)


def test_without_package_the_weights_are_a_checkpoints(encoder, tmp_path):
  views = _views(2)
  blank = _make(imagenet_weights=False)
  assert np.abs(blank.stem(views) - encoder.stem(views)).max() > 0.01
  tf.train.Checkpoint(encoder=encoder).write(str(tmp_path / 'ckpt'))
  tf.train.Checkpoint(encoder=blank).read(
    str(tmp_path / 'ckpt')
  ).assert_existing_objects_matched()
  np.testing.assert_allclose(blank(views), encoder(views), atol=1e-6)


def test_dynamic_batch_in_a_function(encoder):
  traced = tf.function(
    encoder, input_signature=[tf.TensorSpec([None, None, 128, 128, 1])]
  )
  views = _views(2, 2)
  np.testing.assert_allclose(traced(views), encoder(views), atol=1e-5)
  assert traced(views[:1, :1]).shape == (1, 1, 32)
