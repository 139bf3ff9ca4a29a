"""The tiny model, built once for the tests that do not change it."""

import pytest


@pytest.fixture(scope='session')
def tiny_config():
  """configs.mask2cad.Mask2CAD of `mask2cad_tiny`."""
  from official.core import exp_factory

  from mask2cad_tf.configs import experiments  # noqa: F401

  return exp_factory.get_exp_config('mask2cad_tiny').task.model


@pytest.fixture(scope='session')
def build_tiny(tiny_config):
  """Builds fresh tiny models, `build_tiny(**factory_arguments)`."""
  import tensorflow as tf

  from mask2cad_tf.modeling import factory

  def build(config=tiny_config, load_assets=False):
    specs = tf.keras.layers.InputSpec(shape=[None, *config.input_size])
    return factory.build_mask2cad(specs, config, load_assets=load_assets)

  return build


@pytest.fixture(scope='session')
def tiny(build_tiny):
  """A shared tiny model: run it, do not change it."""
  import numpy as np

  model = build_tiny()
  rng = np.random.default_rng(0)
  model.shape_prior_head.priors.assign(
    rng.uniform(size=model.shape_prior_head.priors.shape)
  )
  bins = rng.normal(size=model.pose_bins.shape)
  model.pose_bins.assign(bins / np.linalg.norm(bins, axis=-1, keepdims=True))
  return model


@pytest.fixture
def scratch(tiny):
  """The shared model, to change: its weights are restored afterwards."""
  weights = tiny.get_weights()
  yield tiny
  tiny.backbone.trainable = True
  tiny.set_weights(weights)


@pytest.fixture(scope='session')
def bed_photos():
  """`bed_photos(side)`: three of beds, [3, side, side, 3], normalised."""
  import tensorflow as tf
  from official.vision.ops import preprocess_ops

  from mask2cad_tf.retrieval import default_gallery

  def load(side):
    photos = []
    for path in sorted(default_gallery.sample_photos().glob('img/bed/*')):
      image = tf.io.decode_image(path.read_bytes(), 3, expand_animations=False)
      image = tf.image.resize(
        tf.cast(image, tf.float32) / 255.0, [side, side], antialias=True
      )
      photos.append(preprocess_ops.normalize_image(image))
    assert len(photos) == 3
    return tf.stack(photos)

  return load
