"""Every layer and model part round-trips its configuration."""

import pytest
import tensorflow as tf

from mask2cad_tf.modeling import frozen_view_encoder
from mask2cad_tf.modeling import mask2cad_model
from mask2cad_tf.modeling import view_encoder
from mask2cad_tf.modeling.heads import cad
from mask2cad_tf.modeling.heads import shapemask
from mask2cad_tf.modeling.layers import fused_pyramid
from mask2cad_tf.modeling.layers import imagenet_opinion
from mask2cad_tf.modeling.layers import object_features
from mask2cad_tf.modeling.layers import openimages_detector
from mask2cad_tf.modeling.layers import pose_decoder

_TRUNK = {'num_filters': 8, 'num_convs': 2, 'norm': 'group_norm'}
_LAYERS = [
  shapemask.ShapePriorHead(4, 3, 8, 6, name='a'),
  shapemask.CoarseMaskHead(4, 6, 2, norm_momentum=0.5),
  shapemask.FineMaskHead(4, 6, 2, upsample_factor=4, activation='swish'),
  cad.RoiConvTrunk(8, 3, output_filters=5, final_activation=False, grid_size=2),
  cad.EmbeddingHead(16, trunk=_TRUNK),
  cad.PoseBinHead(4, num_bins=16, trunk=_TRUNK),
  cad.PoseDeltaHead(4, num_deltas=16, trunk=_TRUNK),
  cad.CenterHead(4, trunk=_TRUNK, dtype='bfloat16'),
  object_features.RoiFeatures(8, 3, 5),
  fused_pyramid.FusedPyramid(8, norm_momentum=0.5),
  imagenet_opinion.ImageNetOpinion(['bed'], 0.1, imagenet_weights=False),
  openimages_detector.OpenImagesDetector(['bed', 'chair']),
  pose_decoder.PoseDecoder(4, 16, num_view_rotations=64),
  view_encoder.ViewEncoder(depth_multiplier=0.5),
  frozen_view_encoder.FrozenViewEncoder(
    32, grid_size=2, imagenet_weights=False
  ),
]


@pytest.mark.parametrize('layer', _LAYERS, ids=lambda x: type(x).__name__)
def test_layer_round_trip(layer):
  spec = tf.keras.layers.serialize(layer)
  twin = tf.keras.layers.deserialize(spec)  # finds it by its registration
  assert type(twin) is type(layer)
  assert twin.get_config() == layer.get_config()
  assert twin.name == layer.name
  assert twin.dtype == layer.dtype


def test_every_layer_is_listed():
  modules = (
    shapemask,
    cad,
    fused_pyramid,
    imagenet_opinion,
    object_features,
    openimages_detector,
    pose_decoder,
    view_encoder,
    frozen_view_encoder,
  )
  classes = {
    value
    for module in modules
    for name, value in vars(module).items()
    if isinstance(value, type)
    and issubclass(value, tf.keras.layers.Layer)
    and not name.startswith('_')
  }
  assert classes == {type(layer) for layer in _LAYERS}


def test_model_round_trip(tiny):
  twin = mask2cad_model.Mask2CADModel.from_config(tiny.get_config())
  assert twin.get_config() == tiny.get_config()
  assert len(twin.variables) == len(tiny.variables)
