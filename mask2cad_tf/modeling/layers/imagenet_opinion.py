"""What ImageNet's classifier says of detected boxes.

A backbone that is never trained still has its classifier's idea of what is in a
photo. A detector that learnt from renderings gains by it on real ones, and it
costs next to nothing: the features are there already.

Paper note: the paper's detector starts from COCO's, which has seen real
furniture.
"""

from typing import Any
from typing import Dict
from typing import Sequence

import numpy as np
import tensorflow as tf

from mask2cad_tf import conventions
from mask2cad_tf.modeling.backbones import efficientnet_lite

_STRIDE = 32  # of level 5
_FLOOR = 0.01  # probabilities below tell nothing
_NEUTRAL = 0.1  # the probability, floor included, that leaves a score as it is


@tf.keras.utils.register_keras_serializable(package='Mask2CAD')
class ImageNetOpinion(tf.keras.layers.Layer):
  """EfficientNet-Lite0's classifier, on the mean features of each box.

  Its weights are in every checkpoint and never trained.
  """

  def __init__(
    self,
    class_names: Sequence[str],
    exponent: float,
    imagenet_weights: bool = True,
    **kwargs,
  ):
    """Initializes the classifier.

    Args:
      class_names: of class ids 1, 2, ...; those that are not in
        conventions.IMAGENET_CLASSES are what ImageNet takes for none of these.
      exponent: how much its opinion counts.
      imagenet_weights: read the weights from their package; False leaves them
        to a checkpoint.
      **kwargs: passed to Layer.
    """
    super().__init__(**{**kwargs, 'dtype': tf.float32})
    self._config_dict = {
      'class_names': list(class_names),
      'exponent': exponent,
      'imagenet_weights': imagenet_weights,
    }

  def build(self, input_shape: Any) -> None:
    """Creates the weights: one 1x1 convolution, one dense layer."""
    values = {}
    if self._config_dict['imagenet_weights']:
      values = efficientnet_lite.imagenet_classifier()
    for name, shape in efficientnet_lite.CLASSIFIER_SHAPES.items():
      initializer = 'zeros'
      if name in values:
        initializer = tf.keras.initializers.Constant(values[name])
      weight = self.add_weight(
        name=name, shape=shape, initializer=initializer, trainable=False
      )
      setattr(self, name, weight)
    super().build(input_shape)

  def call(
    self,
    features: tf.Tensor,
    boxes: tf.Tensor,
    classes: tf.Tensor,
    scores: tf.Tensor,
  ) -> tf.Tensor:
    """Scores, times ((p + 0.01) / 0.1)^exponent, at most 1.

    Args:
      features: [B, h, w, 320 or more], level 5 of the backbone; its first
        channels are EfficientNet-Lite0's.
      boxes: [B, N, 4], yxyx, pixels of the input.
      classes: int [B, N].
      scores: [B, N].

    Returns:
      float32 [B, N].
    """
    p = self.probabilities(features, boxes)
    p = tf.gather(p, classes, batch_dims=2)
    factor = ((p + _FLOOR) / _NEUTRAL) ** self._config_dict['exponent']
    return tf.minimum(tf.cast(scores, tf.float32) * factor, 1.0)

  def probabilities(self, features: tf.Tensor, boxes: tf.Tensor) -> tf.Tensor:
    """What ImageNet takes the boxes' contents for.

    Args:
      features: [B, h, w, 320 or more], level 5 of the backbone; its first
        channels are EfficientNet-Lite0's.
      boxes: [B, N, 4], yxyx, pixels of the input.

    Returns:
      float32 [B, N, C]: of each class the sum over the ImageNet classes that
      belong to it; one may belong to two. Of a class that ImageNet does not
      know, and of the background: that of none of the others.
    """
    channels = self.head_kernel.shape[0]
    cells = tf.cast(features[..., :channels], tf.float32)
    cells = tf.einsum('bhwc,cd->bhwd', cells, self.head_kernel)
    cells = tf.nn.relu6(cells + self.head_bias)
    rows = _shares(boxes[..., 0], boxes[..., 2], cells.shape[1])
    columns = _shares(boxes[..., 1], boxes[..., 3], cells.shape[2])
    means = tf.einsum('bnh,bnw,bhwd->bnd', rows, columns, cells)
    logits = tf.einsum('bnd,dk->bnk', means, self.kernel) + self.bias
    members = _members(self._config_dict['class_names'])
    known = members.any(axis=0)
    members = np.where(members.any(axis=1, keepdims=True), members, ~known)
    return tf.nn.softmax(logits) @ tf.constant(members.T, tf.float32)

  def get_config(self) -> Dict[str, Any]:
    """The constructor's arguments."""
    return {**super().get_config(), **self._config_dict}


def _members(class_names: Sequence[str]) -> np.ndarray:
  """Which ImageNet classes belong to which of ours, bool [C, 1000]."""
  members = np.zeros([1 + len(class_names), 1000], bool)
  for row, name in enumerate(class_names, start=1):
    members[row, list(conventions.IMAGENET_CLASSES.get(name, ()))] = True
  return members


def _shares(start: tf.Tensor, end: tf.Tensor, count: int) -> tf.Tensor:
  """How much of [start, end] each cell covers; sums to 1.

  Args:
    start: [B, N], pixels.
    end: [B, N], larger; an interval of no length counts as one pixel's.
    count: of cells along this axis.

  Returns:
    float32 [B, N, count].
  """
  start, end = start / _STRIDE, tf.maximum(end, start + 1.0) / _STRIDE
  first = tf.range(count, dtype=tf.float32)
  covered = tf.minimum(end[..., tf.newaxis], first + 1.0) - tf.maximum(
    start[..., tf.newaxis], first
  )
  return tf.maximum(covered, 0.0) / (end - start)[..., tf.newaxis]
