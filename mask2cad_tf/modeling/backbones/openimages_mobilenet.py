"""The MobileNetV2 of the detector that OpenImages taught, as a backbone.

An alternative to EfficientNet-Lite that photos of lived-in rooms have taught,
with boxes. It has no batch norms; its weights are the packaged model's.
"""

from typing import Dict
from typing import Mapping
from typing import Optional

import tensorflow as tf
from official.modeling import hyperparams
from official.vision.modeling.backbones import factory

from mask2cad_tf import conventions
from mask2cad_tf import packaged_model
from mask2cad_tf.modeling import packed_weights
from mask2cad_tf.modeling.layers import openimages_detector


@tf.keras.utils.register_keras_serializable(package='Mask2CAD')
class OpenImagesMobileNet(tf.keras.Model):
  """MobileNetV2 up to its last block.

  Inputs are images as `preprocess_ops.normalize_image` leaves them, [B, H, W,
  3]; outputs are a dict of endpoints '1' to '5', endpoint l with stride 2^l and
  16, 24, 32, 96, 320 channels.
  """

  def __init__(self, input_specs: tf.keras.layers.InputSpec, **kwargs):
    """Builds the backbone with weights of zero.

    Args:
      input_specs: spec of the images, [B, H, W, 3].
      **kwargs: passed to tf.keras.Model.
    """
    self._input_specs = input_specs
    detector = openimages_detector.OpenImagesDetector(())
    inputs = tf.keras.Input(shape=input_specs.shape[1:])
    pixels = tf.keras.layers.Rescaling(
      openimages_detector.PIXEL_SCALE.tolist(),
      openimages_detector.PIXEL_SHIFT.tolist(),
      name='pixels',
    )(inputs)
    outputs = detector.endpoints(pixels)
    self._output_specs = {level: x.shape for level, x in outputs.items()}
    super().__init__(inputs=inputs, outputs=outputs, **kwargs)

  @property
  def output_specs(self) -> Mapping[str, tf.TensorShape]:
    """Shapes of the endpoints by level."""
    return self._output_specs

  def get_config(self) -> Dict[str, object]:
    """The constructor's arguments."""
    return {'input_specs': self._input_specs}

  @classmethod
  def from_config(cls, config, custom_objects=None) -> 'OpenImagesMobileNet':
    """The inverse of `get_config`."""
    del custom_objects
    return cls(**config)


def load_openimages_weights(backbone: OpenImagesMobileNet) -> None:
  """Sets every weight of the backbone.

  Raises:
    FileNotFoundError: this installation has no packaged model.
  """
  detector = openimages_detector.OpenImagesDetector(
    list(conventions.OPENIMAGES_CLASSES), name='openimages_detector'
  )
  detector(tf.zeros([1, 32, 32, 3]), tf.constant([[32, 32]]))
  packed_weights.read_part(
    'openimages_detector', detector, packaged_model.folder()
  )
  sources = {layer.name: layer for layer in detector.convolutions}
  for layer in backbone.layers:
    if layer.weights:
      layer.set_weights(sources[layer.name].get_weights())


@factory.register_backbone_builder('openimages_mobilenet')
def build_openimages_mobilenet(
  input_specs: tf.keras.layers.InputSpec,
  backbone_config: hyperparams.Config,
  norm_activation_config: hyperparams.Config,
  l2_regularizer: Optional[tf.keras.regularizers.Regularizer] = None,
) -> tf.keras.Model:
  """Builds it from `configs.mask2cad.Backbone`; weight decay spares it."""
  del norm_activation_config, l2_regularizer
  backbone = OpenImagesMobileNet(input_specs)
  if backbone_config.get().openimages_weights:
    load_openimages_weights(backbone)
  return backbone
