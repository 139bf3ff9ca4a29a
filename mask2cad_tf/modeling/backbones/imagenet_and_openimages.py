"""Two backbones that photos have taught, their features side by side.

EfficientNet-Lite0 knows ImageNet's single objects, OpenImages's MobileNetV2
rooms with boxes. A detector on either errs elsewhere than the other: both
together find more than one that sees the features of both.
"""

from typing import Dict
from typing import Mapping
from typing import Optional
from typing import Tuple

import tensorflow as tf
from official.modeling import hyperparams
from official.vision.modeling.backbones import factory

from mask2cad_tf.modeling.backbones import efficientnet_lite
from mask2cad_tf.modeling.backbones import openimages_mobilenet


@tf.keras.utils.register_keras_serializable(package='Mask2CAD')
class ImageNetAndOpenImages(tf.keras.Model):
  """EfficientNet-Lite0's endpoints, then MobileNetV2's, channel after channel.

  Inputs are images as `preprocess_ops.normalize_image` leaves them, [B, H, W,
  3]; outputs are a dict of endpoints '1' to '5', endpoint l with stride 2^l and
  32, 48, 72, 208, 640 channels.
  """

  def __init__(
    self,
    imagenet: efficientnet_lite.EfficientNetLite,
    openimages: openimages_mobilenet.OpenImagesMobileNet,
    **kwargs,
  ):
    """Puts both beside each other.

    Args:
      imagenet: the first half of every endpoint.
      openimages: the second half, of the same images.
      **kwargs: passed to tf.keras.Model.
    """
    super().__init__(**kwargs)
    self.imagenet = imagenet
    self.openimages = openimages
    self.built = True

  def call(
    self, inputs: tf.Tensor, training: Optional[bool] = None
  ) -> Dict[str, tf.Tensor]:
    """[B, H, W, 3] -> level to [B, H / 2^l, W / 2^l, C_l]."""
    first = self.imagenet(inputs, training=training)
    second = self.openimages(inputs, training=training)  # always float32
    return {
      level: tf.concat([x, tf.cast(second[level], x.dtype)], axis=-1)
      for level, x in first.items()
    }

  def halves(self, features: Mapping[str, tf.Tensor]) -> Tuple[Dict, Dict]:
    """The endpoints that `call` has put together, apart again."""
    first, second = {}, {}
    for level, shape in self.imagenet.output_specs.items():
      if level in features:
        first[level] = features[level][..., : shape[-1]]
        second[level] = features[level][..., shape[-1] :]
    return first, second

  @property
  def half_specs(self) -> Tuple[Mapping, Mapping]:
    """Shapes of `halves` by level."""
    return self.imagenet.output_specs, self.openimages.output_specs

  @property
  def output_specs(self) -> Mapping[str, tf.TensorShape]:
    """Shapes of the endpoints by level."""
    second = self.openimages.output_specs
    return {
      level: tf.TensorShape([*shape[:-1], shape[-1] + second[level][-1]])
      for level, shape in self.imagenet.output_specs.items()
    }

  def get_config(self) -> Dict[str, object]:
    """The constructor's arguments."""
    return {'imagenet': self.imagenet, 'openimages': self.openimages}

  @classmethod
  def from_config(cls, config, custom_objects=None) -> 'ImageNetAndOpenImages':
    """The inverse of `get_config`."""
    del custom_objects
    return cls(**config)


@factory.register_backbone_builder('imagenet_and_openimages')
def build_imagenet_and_openimages(
  input_specs: tf.keras.layers.InputSpec,
  backbone_config: hyperparams.Config,
  norm_activation_config: hyperparams.Config,
  l2_regularizer: Optional[tf.keras.regularizers.Regularizer] = None,
) -> tf.keras.Model:
  """Builds it from `configs.mask2cad.Backbone`."""
  backbone = ImageNetAndOpenImages(
    efficientnet_lite.EfficientNetLite(
      input_specs,
      norm_momentum=norm_activation_config.norm_momentum,
      use_sync_bn=norm_activation_config.use_sync_bn,
      kernel_regularizer=l2_regularizer,
    ),
    openimages_mobilenet.OpenImagesMobileNet(input_specs),
  )
  if backbone_config.get().pretrained:
    efficientnet_lite.load_imagenet_weights(backbone.imagenet)
    openimages_mobilenet.load_openimages_weights(backbone.openimages)
  return backbone
