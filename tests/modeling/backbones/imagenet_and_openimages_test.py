"""Two frozen backbones side by side."""

import numpy as np
import pytest
import tensorflow as tf
from official.vision.configs import common
from official.vision.modeling.backbones import factory

from mask2cad_tf.configs import mask2cad
from mask2cad_tf.modeling.backbones import imagenet_and_openimages

_SIDE = 64


def _build(backbone_type, **settings):
  return factory.build_backbone(
    tf.keras.layers.InputSpec(shape=[None, _SIDE, _SIDE, 3]),
    mask2cad.Backbone(type=backbone_type, **settings),
    common.NormActivation(),
  )


@pytest.fixture(scope='module')
def backbone():
  return _build('imagenet_and_openimages')


def test_each_level_is_one_and_then_the_other(backbone):
  image = tf.random.stateless_normal([2, _SIDE, _SIDE, 3], [1, 2])
  first = _build('efficientnet_lite')(image, training=False)
  second = _build('openimages_mobilenet')(image)
  found = backbone(image, training=False)
  assert set(found) == set('12345')
  for level, features in found.items():
    split = first[level].shape[-1]
    np.testing.assert_array_equal(features[..., :split], first[level])
    np.testing.assert_array_equal(features[..., split:], second[level])


def test_output_specs_are_the_outputs_shapes(backbone):
  outputs = backbone(tf.zeros([1, _SIDE, _SIDE, 3]))
  channels = {'1': 32, '2': 48, '3': 72, '4': 208, '5': 640}
  for level, count in channels.items():
    side = _SIDE // 2 ** int(level)
    assert outputs[level].shape == [1, side, side, count]
    assert backbone.output_specs[level].as_list() == [None, side, side, count]


def test_halves_are_what_was_put_together(backbone):
  image = tf.random.stateless_normal([1, _SIDE, _SIDE, 3], [5, 6])
  features = backbone(image, training=False)
  del features['1']  # not cached
  found = backbone.halves(features)
  models = backbone.imagenet, backbone.openimages
  for half, model, specs in zip(found, models, backbone.half_specs):
    expected = model(image, training=False)
    assert set(half) == set('2345')
    for level, x in half.items():
      np.testing.assert_array_equal(x, expected[level])
      assert specs[level][1:] == x.shape[1:]


def test_nothing_is_read_without_pretraining():
  settings = mask2cad.ImageNetAndOpenImages(pretrained=False)
  empty = _build('imagenet_and_openimages', imagenet_and_openimages=settings)
  features = empty(tf.ones([1, _SIDE, _SIDE, 3]))['5']
  assert not np.any(features[..., 320:])  # OpenImages's begin with 0


def test_freezing_reaches_both(backbone):
  backbone.trainable = False
  assert not backbone.trainable_variables
  backbone.trainable = True
  assert len(backbone.variables) > len(backbone.trainable_variables) > 0


def test_round_trip(backbone):
  twin = imagenet_and_openimages.ImageNetAndOpenImages.from_config(
    backbone.get_config()
  )
  image = tf.random.stateless_normal([1, _SIDE, _SIDE, 3], [3, 4])
  for level, features in backbone(image, training=False).items():
    np.testing.assert_array_equal(twin(image, training=False)[level], features)
