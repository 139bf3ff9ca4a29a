"""ImageNet's opinion of boxes, by hand and on photos of beds."""

import math

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf import conventions
from mask2cad_tf.modeling.backbones import efficientnet_lite
from mask2cad_tf.modeling.layers import imagenet_opinion

_CHAIRS = conventions.IMAGENET_CLASSES['chair']
# 2 x 2 cells of 32 pixels, one feature.
_CELLS = np.array([[1.0, 2.0], [3.0, 8.0]])


def _opinion(class_names, exponent=1.0, folding_chair=1.0):
  """ReLU6 of feature 0 is the logit of 559, folding chair; all others are 0."""
  layer = imagenet_opinion.ImageNetOpinion(
    class_names, exponent, imagenet_weights=False
  )
  layer.build(None)
  head, kernel = np.zeros([320, 1280]), np.zeros([1280, 1000])
  head[0, 7], kernel[7, 559] = 1.0, folding_chair
  layer.head_kernel.assign(head)
  layer.kernel.assign(kernel)
  return layer


def _features(cells=_CELLS):
  features = np.zeros([1, *cells.shape, 320], np.float32)
  features[0, ..., 0] = cells
  return tf.constant(features)


@pytest.mark.parametrize(
  'box, mean',
  [
    ((0, 0, 32, 32), 1.0),  # the first cell
    ((0, 0, 64, 64), 3.0),  # all: (1 + 2 + 3 + 6) / 4, ReLU6 cuts the 8
    ((0, 16, 32, 64), 5.0 / 3.0),  # half of a 1 and a whole 2, on 1.5 cells
    ((16, 48, 64, 64), 14.0 / 3.0),  # half of a 2 and a whole 6, on 1.5
    ((40, 40, 40, 40), 6.0),  # no area: the pixel there
  ],
)
def test_features_are_averaged_over_the_box(box, mean):
  p = _opinion(['chair', 'table']).probabilities(
    _features(), tf.constant([[box]], tf.float32)
  )
  # e^mean for 559 and 1 for each of the 999 others, three of them chairs.
  total = math.exp(mean) + 999.0
  chair = (math.exp(mean) + len(_CHAIRS) - 1) / total
  np.testing.assert_allclose(p[0, 0, 1], chair, rtol=1e-5)
  np.testing.assert_allclose(p[0, 0, 2], 4.0 / total, rtol=1e-5)


def test_a_class_that_imagenet_does_not_know_is_none_of_the_others():
  # All logits 0: 1/1000 each. A bed's five and a sofa's one share 831.
  layer = _opinion(['bed', 'misc', 'sofa'], folding_chair=0.0)
  p = layer.probabilities(_features(), tf.constant([[[0.0, 0.0, 64.0, 64.0]]]))
  np.testing.assert_allclose(p[0, 0], [0.995, 0.005, 0.995, 0.001], rtol=1e-5)


@pytest.mark.parametrize(
  'exponent, score, expected',
  [
    # Chairs have (e^3 + 3) / (e^3 + 999) = 0.0226: (0.0326 / 0.1)^x.
    (1.0, 0.5, 0.5 * (0.01 + 23.0855 / 1019.0855) / 0.1),
    (0.5, 0.5, 0.5 * math.sqrt((0.01 + 23.0855 / 1019.0855) / 0.1)),
    (0.0, 0.5, 0.5),
  ],
)
def test_scores(exponent, score, expected):
  scores = _opinion(['chair'], exponent)(
    _features(),
    tf.constant([[[0.0, 0.0, 64.0, 64.0]]]),
    tf.constant([[1]]),
    tf.constant([[score]]),
  )
  np.testing.assert_allclose(scores, [[expected]], rtol=1e-5)


def test_scores_stay_below_one_and_padding_stays_zero():
  # e^600 against 999: surely a chair, 1.01 / 0.1 = 10.1 times the score.
  scores = _opinion(['chair'], folding_chair=100.0)(
    _features(np.full([2, 2], 6.0)),
    tf.constant([[[0.0, 0.0, 64.0, 64.0], [0.0, 0.0, 0.0, 0.0]]]),
    tf.constant([[1, 0]]),
    tf.constant([[0.5, 0.0]]),
  )
  np.testing.assert_allclose(scores, [[1.0, 0.0]])


def test_photos_of_beds(bed_photos):
  backbone = efficientnet_lite.EfficientNetLite(
    tf.keras.layers.InputSpec(shape=[None, 320, 320, 3])
  )
  efficientnet_lite.load_imagenet_weights(backbone)
  names = [*conventions.PIX3D_CLASSES]
  layer = imagenet_opinion.ImageNetOpinion(names, 0.05)
  whole = tf.constant([[[0.0, 0.0, 320.0, 320.0]]] * 3)
  classes = tf.fill([3, 1], 1 + names.index('bed'))
  features = backbone(bed_photos(320))['5']
  better = layer(features, whole, classes, tf.fill([3, 1], 0.5))
  assert np.all(better > 0.52), better  # (0.22 / 0.1)^0.05 = 1.04 and more
  p = layer.probabilities(features, whole).numpy()[:, 0]
  others = [i for i, n in enumerate(names, 1) if n not in ('bed', 'sofa')]
  # Not 'misc', which is none of those that ImageNet knows.
  others.remove(1 + names.index('misc'))
  assert np.all(p[:, 1 + names.index('bed')] > 4.0 * p[:, others].max(axis=1))


def test_nothing_is_trained():
  layer = _opinion(['chair'])
  layer.trainable = True
  assert len(layer.weights) == 4
  assert not layer.trainable_weights
