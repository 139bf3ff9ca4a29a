"""ShapeMask's mask branch: shape prior, coarse mask, fine mask.

The arithmetic is that of the ShapeMask paper's own code (Figs. 4-6 of
https://arxiv.org/abs/1904.03239) as Keras layers with a dynamic batch. All
work in the *outer* box, cut into M x M cells.
"""

import math
from typing import Any
from typing import Dict
from typing import Optional
from typing import Tuple

import tensorflow as tf
from official.vision.ops import spatial_transform_ops

from mask2cad_tf.modeling.layers import class_selection

# Masks start as 1 % foreground, as the focal loss's classes do.
_BIAS_PRIOR = -math.log((1 - 0.01) / 0.01)
# Keeps the mean of an empty foreground finite.
_EPSILON = 1e-20


def _crop_to_outer(
  masks: tf.Tensor, boxes: tf.Tensor, outer_boxes: tf.Tensor
) -> tf.Tensor:
  """Moves masks [B, N, M, M] from their boxes into the outer boxes' grids."""
  size = masks.shape[-1]
  # RoIs move to the batch axis: the op below needs their number statically.
  cropped = spatial_transform_ops.crop_mask_in_target_box(
    tf.reshape(masks, [-1, 1, size, size]),
    tf.reshape(boxes, [-1, 1, 4]),
    tf.reshape(outer_boxes, [-1, 1, 4]),
    size,
  )
  return tf.reshape(cropped, tf.shape(masks))


@tf.keras.utils.register_keras_serializable(package='Mask2CAD')
class ShapePriorHead(tf.keras.layers.Layer):
  """Projects F_i and blends the class's shape priors into a first mask.

  The priors are a non-trainable weight, [C, num_priors, M, M] in 0..1, saved in
  every checkpoint. They are zeros until `set_priors` or a checkpoint fills
  them.
  """

  def __init__(
    self,
    num_classes: int,
    num_priors: int,
    crop_size: int,
    num_filters: int,
    kernel_regularizer: Optional[tf.keras.regularizers.Regularizer] = None,
    **kwargs,
  ):
    """Initializes the head.

    Args:
      num_classes: C, with the background.
      num_priors: shape priors per class.
      crop_size: M, side of F_i and of the masks.
      num_filters: channels that F_i is projected to.
      kernel_regularizer: of the two linear layers.
      **kwargs: passed to Layer.
    """
    super().__init__(**kwargs)
    self._config_dict = {
      'num_classes': num_classes,
      'num_priors': num_priors,
      'crop_size': crop_size,
      'num_filters': num_filters,
      'kernel_regularizer': kernel_regularizer,
    }

  def build(self, input_shape: Any) -> None:
    """Creates the priors, the projection and the prior classifier."""
    config = self._config_dict
    size = config['crop_size']
    self.priors = self.add_weight(
      name='priors',
      shape=[config['num_classes'], config['num_priors'], size, size],
      initializer='zeros',
      trainable=False,
    )
    self._project = tf.keras.layers.Dense(
      config['num_filters'],
      kernel_regularizer=config['kernel_regularizer'],
      name='project',
    )
    self._classify = tf.keras.layers.Dense(
      config['num_classes'] * config['num_priors'],
      kernel_initializer=tf.keras.initializers.RandomNormal(stddev=0.01),
      kernel_regularizer=config['kernel_regularizer'],
      name='classify',
    )
    super().build(input_shape)

  def call(
    self,
    roi_features: tf.Tensor,
    boxes: tf.Tensor,
    outer_boxes: tf.Tensor,
    classes: tf.Tensor,
  ) -> Tuple[tf.Tensor, tf.Tensor]:
    """Computes the mask branch's features and the prior masks.

    Args:
      roi_features: F_i, [B, N, M, M, C_fpn], cropped on the outer boxes.
      boxes: [B, N, 4] yxyx, pixels.
      outer_boxes: [B, N, 4] yxyx, pixels.
      classes: int [B, N].

    Returns:
      mask_features: [B, N, M, M, num_filters].
      prior_masks: float32 [B, N, M, M], 0..1.
    """
    size = self._config_dict['crop_size']
    mask_features = self._project(roi_features)
    uniform = _crop_to_outer(
      tf.ones_like(mask_features[..., 0], tf.float32), boxes, outer_boxes
    )
    inside = mask_features * tf.cast(
      tf.expand_dims(uniform, axis=-1), mask_features.dtype
    )
    logits = self._classify(tf.reduce_mean(inside, axis=[2, 3]))
    # [B, N, C * num_priors] to [B, N, num_priors] of the RoI's class.
    logits = tf.reshape(
      logits, tf.concat([tf.shape(classes), self.priors.shape[:2]], axis=0)
    )
    weights = tf.nn.softmax(
      tf.cast(class_selection.of_class(logits, classes), tf.float32)
    )
    priors = tf.gather(tf.cast(self.priors, tf.float32), classes)
    blend = tf.einsum('bnk,bnkhw->bnhw', weights, priors)
    prior_masks = _crop_to_outer(blend, boxes, outer_boxes)
    return mask_features, tf.ensure_shape(prior_masks, [None, None, size, size])

  def get_config(self) -> Dict[str, Any]:
    """The constructor's arguments."""
    return {**super().get_config(), **self._config_dict}


class _MaskDecoder(tf.keras.layers.Layer):
  """Convolutions on RoIs and one mask per class: the base of two heads."""

  def __init__(
    self,
    num_classes: int,
    num_filters: int,
    num_convs: int,
    activation: str = 'relu',
    use_sync_bn: bool = False,
    norm_momentum: float = 0.997,
    norm_epsilon: float = 1e-4,
    kernel_regularizer: Optional[tf.keras.regularizers.Regularizer] = None,
    **kwargs,
  ):
    """Initializes the decoder.

    Args:
      num_classes: C, with the background.
      num_filters: channels of the features.
      num_convs: number of 3x3 convolutions.
      activation: after each batch norm.
      use_sync_bn: whether batch statistics span all replicas.
      norm_momentum: of the batch norms.
      norm_epsilon: of the batch norms.
      kernel_regularizer: of every convolution.
      **kwargs: passed to Layer.
    """
    super().__init__(**kwargs)
    self._config_dict = {
      'num_classes': num_classes,
      'num_filters': num_filters,
      'num_convs': num_convs,
      'activation': activation,
      'use_sync_bn': use_sync_bn,
      'norm_momentum': norm_momentum,
      'norm_epsilon': norm_epsilon,
      'kernel_regularizer': kernel_regularizer,
    }
    self._activation = tf.keras.activations.get(activation)

  def build(self, input_shape: Any) -> None:
    """Creates the convolutions, norms and the class predictor."""
    config = self._config_dict
    self._embed_mask = tf.keras.layers.Dense(
      config['num_filters'],
      kernel_regularizer=config['kernel_regularizer'],
      name='embed_mask',
    )
    self._convs, self._norms = [], []
    for i in range(config['num_convs']):
      self._convs.append(self._conv(config['num_filters'], 3, f'conv_{i}'))
      self._norms.append(
        tf.keras.layers.BatchNormalization(
          momentum=config['norm_momentum'],
          epsilon=config['norm_epsilon'],
          synchronized=config['use_sync_bn'],
          name=f'norm_{i}',
        )
      )
    self._predict = self._conv(
      config['num_classes'],
      1,
      'predict',
      bias_initializer=tf.keras.initializers.Constant(_BIAS_PRIOR),
    )
    super().build(input_shape)

  def _conv(self, filters, kernel_size, name, **kwargs):
    return tf.keras.layers.Conv2D(
      filters,
      kernel_size,
      padding='same',
      kernel_initializer=tf.keras.initializers.RandomNormal(stddev=0.01),
      kernel_regularizer=self._config_dict['kernel_regularizer'],
      name=name,
      **kwargs,
    )

  def _class_logits(self, x: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    """Features [n, M, M, F] to the logits [n, M', M'] of the classes [n]."""
    x = self._predict(x)  # [n, M, M, C]
    x = tf.transpose(x, [0, 3, 1, 2])
    return tf.gather(x, classes[:, tf.newaxis], batch_dims=1)[:, 0]

  def _decode(
    self, features: tf.Tensor, classes: tf.Tensor, training: Optional[bool]
  ) -> tf.Tensor:
    """Features [B, N, M, M, F] to the class's mask logits [B, N, M', M']."""
    # RoIs move to the batch axis: [B * N, M, M, F].
    x = tf.reshape(features, tf.concat([[-1], features.shape[2:]], axis=0))
    for conv, norm in zip(self._convs, self._norms):
      x = self._activation(norm(conv(x), training=training))
    x = self._class_logits(x, tf.reshape(classes, [-1]))  # [B * N, M', M']
    size = x.shape[-1]
    shape = tf.concat([tf.shape(classes), [size, size]], axis=0)
    return tf.ensure_shape(
      tf.cast(tf.reshape(x, shape), tf.float32), [None, None, size, size]
    )

  def get_config(self) -> Dict[str, Any]:
    """The constructor's arguments."""
    return {**super().get_config(), **self._config_dict}


@tf.keras.utils.register_keras_serializable(package='Mask2CAD')
class CoarseMaskHead(_MaskDecoder):
  """Prior mask and features to M_i's logits, M x M."""

  def call(
    self,
    mask_features: tf.Tensor,
    prior_masks: tf.Tensor,
    classes: tf.Tensor,
    training: Optional[bool] = None,
  ) -> tf.Tensor:
    """Computes coarse masks.

    Args:
      mask_features: [B, N, M, M, num_filters].
      prior_masks: [B, N, M, M], 0..1.
      classes: int [B, N].
      training: whether batch norms use and update batch statistics.

    Returns:
      float32 [B, N, M, M] logits in the outer box.
    """
    prior = self._embed_mask(tf.expand_dims(prior_masks, axis=-1))
    return self._decode(mask_features + prior, classes, training)


@tf.keras.utils.register_keras_serializable(package='Mask2CAD')
class FineMaskHead(_MaskDecoder):
  """Coarse mask and features to a mask `upsample_factor` times finer."""

  def __init__(
    self,
    num_classes: int,
    num_filters: int,
    num_convs: int,
    upsample_factor: int,
    **kwargs,
  ):
    """Initializes the head.

    Args:
      num_classes: C, with the background.
      num_filters: channels of the features.
      num_convs: number of 3x3 convolutions.
      upsample_factor: side of the fine mask over M.
      **kwargs: of CoarseMaskHead.
    """
    super().__init__(num_classes, num_filters, num_convs, **kwargs)
    self._config_dict['upsample_factor'] = upsample_factor

  def build(self, input_shape: Any) -> None:
    """Adds the upsampling to the decoder's weights."""
    config, factor = self._config_dict, self._config_dict['upsample_factor']
    if factor > 1:
      self._transposed_conv = tf.keras.layers.Conv2DTranspose(
        config['num_filters'],
        factor,
        factor,
        kernel_regularizer=config['kernel_regularizer'],
        name='upsample',
      )
    super().build(input_shape)
    if factor > 1:  # their weights are used, they are never called
      for layer in (self._transposed_conv, self._predict):
        with tf.name_scope(layer.name):
          layer.build([None, None, None, config['num_filters']])

  def _class_logits(self, x: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    """Transposed convolution and predictor in one: both are linear.

    Their stride is their kernel's side and one class is asked for, so a cell of
    M x M makes factor x factor numbers, no feature in between.
    """
    factor = self._config_dict['upsample_factor']
    if factor == 1:
      return super()._class_logits(x, classes)
    # One-hot products, not gathers: their gradients are dense.
    chosen = tf.one_hot(
      classes, self._config_dict['num_classes'], dtype=x.dtype
    )
    last = tf.matmul(chosen, self._predict.kernel[0, 0], transpose_b=True)
    kernel = tf.einsum('abfc,nf->ncab', self._transposed_conv.kernel, last)
    bias = tf.linalg.matvec(last, self._transposed_conv.bias)
    bias += tf.linalg.matvec(chosen, self._predict.bias)  # [n]
    size, filters = x.shape[1], x.shape[3]
    x = tf.matmul(
      tf.reshape(x, [-1, size * size, filters]),
      tf.reshape(kernel, [-1, filters, factor * factor]),
    )
    x = tf.nn.depth_to_space(
      tf.reshape(x, [-1, size, size, factor * factor]), factor
    )[..., 0]
    return x + bias[:, tf.newaxis, tf.newaxis]

  def call(
    self,
    mask_features: tf.Tensor,
    mask_logits: tf.Tensor,
    classes: tf.Tensor,
    training: Optional[bool] = None,
  ) -> tf.Tensor:
    """Computes fine masks.

    The instance's mean feature, over its coarse foreground, is subtracted so
    that what remains tells the instance from its surroundings.

    Args:
      mask_features: [B, N, M, M, num_filters].
      mask_logits: coarse logits, [B, N, M, M].
      classes: int [B, N].
      training: whether batch norms use and update batch statistics.

    Returns:
      float32 [B, N, M', M'] logits in the outer box, M' = upsample_factor x M.
    """
    probs = tf.expand_dims(tf.sigmoid(mask_logits), axis=-1)
    foreground = tf.cast(probs > 0.5, tf.float32)
    wide = tf.cast(mask_features, tf.float32)
    total = tf.reduce_sum(wide * foreground, axis=[2, 3], keepdims=True)
    count = tf.reduce_sum(foreground, axis=[2, 3], keepdims=True)
    mean = tf.cast(total / (count + _EPSILON), mask_features.dtype)
    features = mask_features - mean + self._embed_mask(probs)
    return self._decode(features, classes, training)
