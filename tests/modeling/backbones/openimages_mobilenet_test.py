"""The OpenImages detector's MobileNetV2 as a backbone."""

import numpy as np
import pytest
import tensorflow as tf
from official.vision.configs import common
from official.vision.modeling.backbones import factory

from mask2cad_tf import conventions
from mask2cad_tf import packaged_model
from mask2cad_tf.configs import mask2cad
from mask2cad_tf.modeling import packed_weights
from mask2cad_tf.modeling.backbones import openimages_mobilenet
from mask2cad_tf.modeling.layers import openimages_detector

_SIDE = 300  # of the detector's own input


def _build(side=_SIDE, weights=True):
  return factory.build_backbone(
    tf.keras.layers.InputSpec(shape=[None, side, side, 3]),
    mask2cad.Backbone(
      type='openimages_mobilenet',
      openimages_mobilenet=mask2cad.OpenImagesMobileNet(
        openimages_weights=weights
      ),
    ),
    common.NormActivation(),
  )


@pytest.fixture(scope='module')
def backbone():
  return _build()


def test_endpoints():
  model = _build(64, weights=False)
  channels = {'1': 16, '2': 24, '3': 32, '4': 96, '5': 320}
  assert set(model.output_specs) == set(channels)
  for level, count in channels.items():
    side = 64 // 2 ** int(level)
    assert model.output_specs[level] == (None, side, side, count)
    assert not np.any(model(tf.ones([1, 64, 64, 3]))[level])  # no weights


def test_its_size_is_that_of_the_table(backbone):
  # Sandler et al., Table 2, a bias for each convolution in place of the norms.
  count, channels = 3 * 3 * 3 * 32 + 32, 32
  for ratio, filters, repeats in (
    (1, 16, 1),
    (6, 24, 2),
    (6, 32, 3),
    (6, 64, 4),
    (6, 96, 3),
    (6, 160, 3),
    (6, 320, 1),
  ):
    for _ in range(repeats):
      wide = ratio * channels
      count += (channels * wide + wide) * (ratio > 1)
      count += 9 * wide + wide + wide * filters + filters
      channels = filters
  assert backbone.count_params() == count
  assert len(backbone.trainable_variables) == len(backbone.variables)


def test_the_detector_sees_the_same_features(backbone):
  """Its last convolutions on our level 5 are its own outputs."""
  detector = openimages_detector.OpenImagesDetector(
    list(conventions.OPENIMAGES_CLASSES), name='openimages_detector'
  )
  image = tf.random.stateless_normal([1, _SIDE, _SIDE, 3], [1, 2])
  shape = tf.constant([[_SIDE, _SIDE]])
  detector(image, shape)
  packed_weights.read_part(
    'openimages_detector', detector, packaged_model.folder()
  )
  _, scores = detector(image, shape)
  # 51 of MobileNetV2, two that look at its expansion; then the last one, its
  # offsets and its logits, of 6 anchors in 10 x 10 cells behind 3 x 19 x 19.
  last, _, logits = detector.convolutions[53:56]
  classes = len(conventions.OPENIMAGES_CLASSES)
  found = tf.reshape(logits(last(backbone(image)['5'])), [1, 600, classes])
  np.testing.assert_allclose(
    tf.sigmoid(found), scores[:, 1083:1683], rtol=1e-3, atol=1e-6
  )


def test_round_trip(backbone):
  twin = openimages_mobilenet.OpenImagesMobileNet.from_config(
    backbone.get_config()
  )
  twin.set_weights(backbone.get_weights())
  image = tf.random.stateless_normal([1, _SIDE, _SIDE, 3], [3, 4])
  for level, features in backbone(image).items():
    np.testing.assert_array_equal(twin(image)[level], features)
