"""The four CAD branches on M_i∘F_i: embedding, pose bin, delta, centre.

Tables 6-8 are one trunk, four 3x3 conv-norm-ReLU and a mean over the RoI, with
four last lines.
"""

import math
from typing import Any
from typing import Dict
from typing import Optional

import tensorflow as tf

from mask2cad_tf.modeling.layers import grid_pooling
from mask2cad_tf.modeling.layers import group_norm

NORMS = ('batch_norm', 'sync_batch_norm', 'group_norm')
# Fewer channels in a group would fix too many of the means that are pooled.
_GROUP_CHANNELS = 16
# The delta's bias: close to no rotation at the start (Sec. 3.3).
_IDENTITY_DELTA = (0.95, 0.0, 0.0, 0.0)


def _norm_layer(
  norm: str, filters: int, momentum: float, epsilon: float, name: str
) -> tf.keras.layers.Layer:
  if norm == 'group_norm':
    groups = math.gcd(filters, max(1, filters // _GROUP_CHANNELS))
    return group_norm.GroupNormalization(groups, epsilon=epsilon, name=name)
  if norm not in NORMS:
    raise ValueError(
      f'cad_head.norm: expected one of {", ".join(NORMS)}, found {norm!r}.'
    )
  return tf.keras.layers.BatchNormalization(
    momentum=momentum,
    epsilon=epsilon,
    synchronized=norm == 'sync_batch_norm',
    name=name,
  )


@tf.keras.utils.register_keras_serializable(package='Mask2CAD')
class RoiConvTrunk(tf.keras.layers.Layer):
  """3x3 conv-norm-ReLU stack and a mean over the RoI (Tables 6-8, rows 2-4).

  Paper note: `final_activation=False` drops the last ReLU, so that embeddings
  may have any sign; Table 6 prints one.
  """

  def __init__(
    self,
    num_filters: int,
    num_convs: int = 4,
    output_filters: Optional[int] = None,
    final_activation: bool = True,
    grid_size: int = 1,
    norm: str = 'batch_norm',
    norm_momentum: float = 0.997,
    norm_epsilon: float = 1e-4,
    kernel_regularizer: Optional[tf.keras.regularizers.Regularizer] = None,
    **kwargs,
  ):
    """Initializes the trunk.

    Args:
      num_filters: channels of the convolutions.
      num_convs: their number.
      output_filters: channels of the last one; num_filters if None.
      final_activation: whether the last one has a ReLU.
      grid_size: G, cells a side that the RoI is averaged into at the end; 1 is
        the mean of Tables 6-8.
      norm: one of NORMS.
      norm_momentum: of batch norms.
      norm_epsilon: of any norm.
      kernel_regularizer: of the convolutions.
      **kwargs: passed to Layer.
    """
    super().__init__(**kwargs)
    self._config_dict = {
      'num_filters': num_filters,
      'num_convs': num_convs,
      'output_filters': output_filters,
      'final_activation': final_activation,
      'grid_size': grid_size,
      'norm': norm,
      'norm_momentum': norm_momentum,
      'norm_epsilon': norm_epsilon,
      'kernel_regularizer': kernel_regularizer,
    }

  def build(self, input_shape: Any) -> None:
    """Creates the convolutions and norms."""
    config = self._config_dict
    filters = [config['num_filters']] * config['num_convs']
    filters[-1] = config['output_filters'] or config['num_filters']
    self._convs, self._norms = [], []
    for i, channels in enumerate(filters):
      self._convs.append(
        tf.keras.layers.Conv2D(
          channels,
          3,
          padding='same',
          kernel_initializer=tf.keras.initializers.VarianceScaling(
            scale=2, mode='fan_out', distribution='untruncated_normal'
          ),
          kernel_regularizer=config['kernel_regularizer'],
          name=f'conv_{i}',
        )
      )
      self._norms.append(
        _norm_layer(
          config['norm'],
          channels,
          config['norm_momentum'],
          config['norm_epsilon'],
          f'norm_{i}',
        )
      )
    super().build(input_shape)

  def call(
    self, object_features: tf.Tensor, training: Optional[bool] = None
  ) -> tf.Tensor:
    """Pools an RoI into a vector.

    Args:
      object_features: M_i∘F_i, [B, N, M, M, C_fpn].
      training: whether batch norms use and update batch statistics.

    Returns:
      [B, N, G * G * output_filters].
    """
    shape = object_features.shape
    x = tf.reshape(object_features, tf.concat([[-1], shape[2:]], axis=0))
    for i, (conv, norm) in enumerate(zip(self._convs, self._norms)):
      x = norm(conv(x), training=training)  # [B * N, M, M, F]
      if i + 1 < len(self._convs) or self._config_dict['final_activation']:
        x = tf.nn.relu(x)
    x = grid_pooling.pool(x, self._config_dict['grid_size'])
    leading = tf.shape(object_features)[:2]
    x = tf.reshape(x, tf.concat([leading, [x.shape[-1]]], axis=0))
    return tf.ensure_shape(x, [shape[0], shape[1], x.shape[-1]])

  def get_config(self) -> Dict[str, Any]:
    """The constructor's arguments."""
    return {**super().get_config(), **self._config_dict}


class _CadHead(tf.keras.layers.Layer):
  """A trunk and one linear layer, reshaped: the base of the pose heads."""

  def __init__(
    self, num_classes: int, trunk: Optional[Dict[str, Any]] = None, **kwargs
  ):
    """Initializes the head.

    Args:
      num_classes: C, with the background.
      trunk: arguments of RoiConvTrunk.
      **kwargs: passed to Layer.
    """
    super().__init__(**kwargs)
    self._config_dict = {'num_classes': num_classes, 'trunk': trunk}

  def _build(self, outputs_per_class: int, stddev: float, bias: Any) -> None:
    trunk = self._config_dict['trunk']
    self._trunk = RoiConvTrunk(**trunk, name='trunk')
    self._linear = tf.keras.layers.Dense(
      self._config_dict['num_classes'] * outputs_per_class,
      kernel_initializer=tf.keras.initializers.RandomNormal(stddev=stddev),
      bias_initializer=bias,
      kernel_regularizer=trunk.get('kernel_regularizer'),
      name='linear',
    )

  def _predict(self, object_features, training, *last_axes: int) -> tf.Tensor:
    x = self._linear(self._trunk(object_features, training=training))
    last_axes = [self._config_dict['num_classes'], *last_axes]
    shape = tf.concat([tf.shape(x)[:2], last_axes], axis=0)
    x = tf.ensure_shape(tf.reshape(x, shape), [*x.shape[:2], *last_axes])
    return tf.cast(x, tf.float32)

  def get_config(self) -> Dict[str, Any]:
    """The constructor's arguments."""
    return {**super().get_config(), **self._config_dict}


@tf.keras.utils.register_keras_serializable(package='Mask2CAD')
class EmbeddingHead(tf.keras.layers.Layer):
  """f^im: the trunk with 128 last channels and nothing after it (Table 6)."""

  def __init__(
    self, embedding_size: int, trunk: Optional[Dict[str, Any]] = None, **kwargs
  ):
    """Initializes the head.

    Args:
      embedding_size: E.
      trunk: arguments of RoiConvTrunk.
      **kwargs: passed to Layer.
    """
    super().__init__(**kwargs)
    self._config_dict = {'embedding_size': embedding_size, 'trunk': trunk}

  def build(self, input_shape: Any) -> None:
    """Creates the trunk."""
    trunk = self._config_dict['trunk']
    self._trunk = RoiConvTrunk(
      **trunk,
      output_filters=grid_pooling.channels_a_cell(
        self._config_dict['embedding_size'], trunk.get('grid_size', 1)
      ),
      final_activation=False,
      name='trunk',
    )
    super().build(input_shape)

  def call(
    self, object_features: tf.Tensor, training: Optional[bool] = None
  ) -> tf.Tensor:
    """Maps M_i∘F_i [B, N, M, M, C_fpn] to embeddings, float32 [B, N, E]."""
    return tf.cast(self._trunk(object_features, training=training), tf.float32)

  def get_config(self) -> Dict[str, Any]:
    """The constructor's arguments."""
    return {**super().get_config(), **self._config_dict}


@tf.keras.utils.register_keras_serializable(package='Mask2CAD')
class PoseBinHead(_CadHead):
  """Rotation bin of each class (Table 7): K x C = 160 logits."""

  def __init__(self, num_classes: int, num_bins: int, **kwargs):
    """Initializes the head.

    Args:
      num_classes: C, with the background.
      num_bins: K.
      **kwargs: `trunk`, and what Layer takes.
    """
    super().__init__(num_classes, **kwargs)
    self._config_dict['num_bins'] = num_bins

  def build(self, input_shape: Any) -> None:
    """Creates the trunk and the classifier."""
    self._build(self._config_dict['num_bins'], 0.01, 'zeros')
    super().build(input_shape)

  def call(
    self, object_features: tf.Tensor, training: Optional[bool] = None
  ) -> tf.Tensor:
    """Maps M_i∘F_i [B, N, M, M, C_fpn] to logits, float32 [B, N, C, K]."""
    return self._predict(
      object_features, training, self._config_dict['num_bins']
    )


@tf.keras.utils.register_keras_serializable(package='Mask2CAD')
class PoseDeltaHead(_CadHead):
  """Refining quaternion of each class (Table 7): 4 x C = 40 numbers.

  `num_deltas` is 1, or K for one delta per class and bin. Raw (w, x, y, z),
  not normalised.
  """

  def __init__(self, num_classes: int, num_deltas: int = 1, **kwargs):
    """Initializes the head.

    Args:
      num_classes: C, with the background.
      num_deltas: 1, or one for each of the K bins.
      **kwargs: `trunk`, and what Layer takes.
    """
    super().__init__(num_classes, **kwargs)
    self._config_dict['num_deltas'] = num_deltas

  def build(self, input_shape: Any) -> None:
    """Creates the trunk and the regressor, biased to no rotation."""
    num_deltas = self._config_dict['num_deltas']
    repeats = self._config_dict['num_classes'] * num_deltas
    bias = tf.keras.initializers.Constant(_IDENTITY_DELTA * repeats)
    self._build(4 * num_deltas, 0.001, bias)
    super().build(input_shape)

  def call(
    self, object_features: tf.Tensor, training: Optional[bool] = None
  ) -> tf.Tensor:
    """Maps M_i∘F_i [B, N, M, M, C_fpn] to float32 [B, N, C, num_deltas, 4]."""
    return self._predict(
      object_features, training, self._config_dict['num_deltas'], 4
    )


@tf.keras.utils.register_keras_serializable(package='Mask2CAD')
class CenterHead(_CadHead):
  """Shift from the box centre to the CAD origin (Table 8): 2 x C = 20."""

  def build(self, input_shape: Any) -> None:
    """Creates the trunk and the regressor."""
    self._build(2, 0.001, 'zeros')
    super().build(input_shape)

  def call(
    self, object_features: tf.Tensor, training: Optional[bool] = None
  ) -> tf.Tensor:
    """Maps M_i∘F_i [B, N, M, M, C_fpn] to (dx, dy), float32 [B, N, C, 2].

    The shifts are shares of the box's width and height.
    """
    return self._predict(object_features, training, 2)
