"""A second RetinaNet, ImageNet's opinion, OpenImages's detector; the steps."""

import copy

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.configs import mask2cad
from tests.modeling import training_batch


@pytest.fixture
def inputs(tiny_config):
  return training_batch.random_inputs(tiny_config)


def test_steps_make_the_call(scratch, inputs):
  tiny, images = scratch, inputs['images']
  tiny.head._classifier.bias.assign(
    tf.tile([-9.0] * 7 + [2.0] + [-9.0] * 2, [3])
  )
  features = tiny.backbone(images, training=False)
  dense = tiny.dense(tiny.pyramids(features))
  found = tiny.detect(dense, features, images)
  called = tiny(images, training=False)
  assert int(found['num_detections'][0]) > 0
  for key in ('boxes', 'classes', 'scores'):
    key = f'detection_{key}'
    np.testing.assert_allclose(called[key], found[key], atol=1e-4, err_msg=key)


def test_levels_that_no_detector_reads_may_lack(tiny, inputs):
  features = dict(tiny.backbone(inputs['images'], training=False))
  whole = tiny.dense(tiny.pyramids(features))
  some = tiny.dense(tiny.pyramids({k: features[k] for k in '345'}))
  for key, levels in whole.items():
    for level, value in levels.items():
      np.testing.assert_array_equal(some[key][level], value)


class _Doubter(tf.keras.layers.Layer):
  """Halves the best score of each photo."""

  def call(self, features, boxes, classes, scores):
    assert features.shape[1:] == [4, 4, 128]  # level 5 of 128 pixels
    assert boxes.shape[-1] == 4 and classes.dtype == tf.int32
    return scores * tf.where(
      scores == tf.reduce_max(scores, 1)[:, None], 0.5, 1
    )


def test_an_opinion_orders_detections_anew(build_tiny, inputs):
  model = build_tiny()
  bias = model.head._classifier.bias
  bias.assign(tf.tile([-9.0] * 7 + [2.0] + [-9.0] * 2, [3]))
  kernel = model.head._classifier.kernel  # no two scores alike
  kernel.assign(np.random.default_rng(0).normal(scale=0.1, size=kernel.shape))
  plain = model(inputs['images'], training=False)
  twin = type(model).from_config(
    {**model.get_config(), 'imagenet_opinion': _Doubter()}
  )
  found = twin(inputs['images'], training=False)
  scores = plain['detection_scores'].numpy()
  assert scores.shape[1] == 5 and np.all(0.5 * scores[:, 0] < scores[:, -1])
  order = [1, 2, 3, 4, 0]  # the best became the last
  scores[:, 0] *= 0.5
  np.testing.assert_allclose(found['detection_scores'], scores[:, order])
  for key in ('boxes', 'classes', 'embeddings'):
    np.testing.assert_allclose(
      found[f'detection_{key}'],
      plain[f'detection_{key}'].numpy()[:, order],
      atol=1e-5,
    )
  # The threshold goes by the new scores.
  least = float(scores[0, 0] + scores[0, 4]) / 2.0
  some = twin(inputs['images'][:1], training=False, min_score=least)
  assert int(some['num_detections'][0]) == 4


class _Connoisseur(tf.keras.layers.Layer):
  """Sees one object of class 3 in the upper left quarter of each photo."""

  classes = (3, 4)

  def call(self, images, image_shape):
    size = tf.cast(image_shape, tf.float32)
    boxes = tf.concat([tf.zeros_like(size), size / 2.0], axis=-1)
    scores = tf.constant([[[0.3, 0.0]]])  # counts as even
    return boxes[:, tf.newaxis], tf.tile(scores, [tf.shape(images)[0], 1, 1])


def test_another_detectors_objects_are_detected_too(build_tiny, inputs):
  model = build_tiny()
  twin = type(model).from_config(
    {
      **model.get_config(),
      'openimages_detector': _Connoisseur(),
      'openimages_weight': 1.0,
    }
  )
  images = inputs['images']
  plain = model(images, training=False)
  found = twin(images, training=False)
  size = images.shape[1]
  assert 3 not in plain['detection_classes'].numpy()
  for row in range(len(images)):
    (index,) = np.flatnonzero(found['detection_classes'][row] == 3)
    np.testing.assert_allclose(
      found['detection_boxes'][row, index], [0, 0, size / 2, size / 2]
    )
    assert float(found['detection_scores'][row, index]) == pytest.approx(0.5)
    assert found['detection_masks'][row, index].numpy().any()
  # Of a photo without padding; here its lower half is padding.
  shape = tf.constant([[size // 2, size]] * len(images))
  half = twin(images, image_shape=shape, training=False)
  (index,) = np.flatnonzero(half['detection_classes'][0] == 3)
  np.testing.assert_allclose(
    half['detection_boxes'][0, index], [0, 0, size / 4, size / 2]
  )
  # Boxes that are given, and features without a photo, leave it nothing to do.
  features = model.backbone(images)
  for key in ('boxes', 'classes', 'scores'):
    np.testing.assert_array_equal(
      twin(features, training=False)[f'detection_{key}'],
      model(features, training=False)[f'detection_{key}'],
    )
  given = twin(
    images,
    roi_boxes=tf.zeros([2, 1, 4]),
    roi_classes=tf.zeros([2, 1], tf.int32),
  )
  assert given['detection_boxes'].shape[1] == 1


@pytest.fixture(scope='module')
def pair(build_tiny, tiny_config):
  """Two backbones, a detector on each, all with weights of their own."""
  config = copy.deepcopy(tiny_config)
  config.backbone = mask2cad.Backbone(
    type='imagenet_and_openimages',
    imagenet_and_openimages=mask2cad.ImageNetAndOpenImages(pretrained=False),
  )
  model = build_tiny(config)
  rng = np.random.default_rng(0)
  for variable in model.backbone.openimages.variables:
    variable.assign(rng.normal(scale=0.2, size=variable.shape))
  for variable in model.second_head.trainable_variables:
    variable.assign(rng.normal(scale=0.2, size=variable.shape))
  return model


def test_two_detectors_speak_with_one_voice(pair, inputs):
  images = inputs['images']
  halves = pair.backbone.halves(pair.backbone(images, training=False))
  first = pair.head(pair.decoder(halves[0]))
  second = pair.second_head(pair.second_decoder(halves[1]))
  outputs = pair(images, training=False)
  for key, a, b in zip(('cls_outputs', 'box_outputs'), first, second):
    for level, found in outputs[key].items():
      assert np.abs(a[level] - b[level]).max() > 0.1
      np.testing.assert_allclose(found, (a[level] + b[level]) / 2, atol=1e-5)


@pytest.mark.parametrize('prefix', ['', 'second_'])
def test_two_detectors_learn_apart(pair, inputs, prefix):
  with tf.GradientTape() as tape:
    outputs = pair(**inputs, training=True, branches=['detection'])
    loss = tf.add_n(
      [
        tf.reduce_sum(x**2)
        for key in ('cls_outputs', 'box_outputs')
        for x in outputs[prefix + key].values()
      ]
    )
  names = ('decoder', 'head', 'second_decoder', 'second_head')
  variables = {
    name: pair.checkpoint_items[name].trainable_variables for name in names
  }
  gradients = tape.gradient(loss, variables)
  learning = {
    name for name in names if any(g is not None for g in gradients[name])
  }
  assert learning == {f'{prefix}decoder', f'{prefix}head'}
