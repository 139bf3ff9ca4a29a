"""Configuration to built model."""

import copy
from typing import Any
from typing import Dict
from typing import Mapping
from typing import Optional
from typing import Sequence

import tensorflow as tf
from official.vision.modeling import factory as garden_factory
from official.vision.modeling.backbones import factory as backbones_factory

from mask2cad_tf import conventions
from mask2cad_tf.configs import mask2cad as mask2cad_cfg
from mask2cad_tf.modeling import detector
from mask2cad_tf.modeling import frozen_view_encoder
from mask2cad_tf.modeling import mask2cad_model
from mask2cad_tf.modeling import model_assets
from mask2cad_tf.modeling import view_encoder

# Imported for their registration with Model Garden's backbone factory.
from mask2cad_tf.modeling.backbones import efficientnet_lite  # noqa: F401
from mask2cad_tf.modeling.backbones import imagenet_and_openimages  # noqa: F401
from mask2cad_tf.modeling.backbones import openimages_mobilenet  # noqa: F401
from mask2cad_tf.modeling.heads import cad
from mask2cad_tf.modeling.heads import shapemask
from mask2cad_tf.modeling.layers import fused_pyramid
from mask2cad_tf.modeling.layers import imagenet_opinion
from mask2cad_tf.modeling.layers import object_features
from mask2cad_tf.modeling.layers import openimages_detector
from mask2cad_tf.modeling.layers import pose_decoder

_Regularizer = Optional[tf.keras.regularizers.Regularizer]


class _Endpoints:
  """Stands in for a backbone whose shapes alone matter: a run is seconds."""

  def __init__(self, output_specs: Mapping[str, tf.TensorShape]):
    self.output_specs = output_specs

  def __call__(self, images: tf.Tensor) -> Dict[str, tf.Tensor]:
    del images
    return {
      level: tf.keras.Input(shape[1:])
      for level, shape in self.output_specs.items()
    }


# AutoGraph has nothing to do here, and takes half of the time to find it out.
@tf.autograph.experimental.do_not_convert
def build_mask2cad(
  input_specs: tf.keras.layers.InputSpec,
  model_config: mask2cad_cfg.Mask2CAD,
  l2_regularizer: _Regularizer = None,
  load_assets: bool = True,
) -> mask2cad_model.Mask2CADModel:
  """Builds a model whose variables all exist.

  Args:
    input_specs: spec of the images, [None, H, W, 3].
    model_config: the model's configuration.
    l2_regularizer: of every kernel.
    load_assets: whether to read the shape priors, the pose medoids and the
      backbone's packaged weights; False leaves all three to a checkpoint.

  Returns:
    The model.

  Raises:
    FileNotFoundError: priors or medoids are missing.
    ValueError: they do not fit the configuration, or it contradicts itself.
  """
  _check_classes(model_config)
  # Read before anything slow is built.
  assets = model_assets.read(model_config) if load_assets else None
  if not load_assets:
    model_config = copy.deepcopy(model_config)
    model_config.backbone.efficientnet_lite.imagenet_weights = False
    model_config.backbone.openimages_mobilenet.openimages_weights = False
    model_config.backbone.imagenet_and_openimages.pretrained = False
  backbone = build_backbone(input_specs, model_config, l2_regularizer)
  retinanet, *others = [
    garden_factory.build_retinanet(
      input_specs, model_config, l2_regularizer, _Endpoints(specs)
    )
    for specs in detector.feature_specs(backbone)
  ]
  anchor = model_config.anchor
  model = mask2cad_model.Mask2CADModel(
    backbone=backbone,
    decoder=retinanet.decoder,
    head=retinanet.head,
    detection_generator=retinanet.detection_generator,
    **_mask_parts(model_config, l2_regularizer),
    **_cad_parts(model_config, l2_regularizer),
    view_encoder=_view_encoder(model_config, l2_regularizer, load_assets),
    imagenet_opinion=_imagenet_opinion(model_config, load_assets),
    openimages_detector=_openimages_detector(model_config),
    openimages_weight=model_config.openimages_weight,
    **_second_detector(others),
    outer_box_scale=model_config.roi.outer_box_scale,
    square_outer_boxes=model_config.roi.square,
    boxes_from_masks=model_config.roi.boxes_from_masks,
    style_noise=model_config.style_noise,
    object_pool_size=model_config.cad_head.pool_size,
    use_mask=model_config.cad_head.use_mask,
    stop_mask_gradient=model_config.cad_head.stop_mask_gradient,
    min_level=model_config.min_level,
    max_level=model_config.max_level,
    num_scales=anchor.num_scales,
    aspect_ratios=anchor.aspect_ratios,
    anchor_size=anchor.anchor_size,
  )
  _create_variables(model, model_config)
  if assets:
    assets.assign_to(model)
  return model


def _second_detector(
  others: Sequence[tf.keras.Model],
) -> Dict[str, tf.keras.layers.Layer]:
  """Decoder and head of the RetinaNet after the first, if any."""
  if not others:
    return {}
  return {'second_decoder': others[0].decoder, 'second_head': others[0].head}


def build_backbone(
  input_specs: tf.keras.layers.InputSpec,
  model_config: mask2cad_cfg.Mask2CAD,
  l2_regularizer: _Regularizer = None,
) -> tf.keras.Model:
  """The backbone alone; arguments as `build_mask2cad`'s."""
  return backbones_factory.build_backbone(
    input_specs,
    model_config.backbone,
    model_config.norm_activation,
    l2_regularizer,
  )


@tf.autograph.experimental.do_not_convert
def build_view_encoder(
  model_config: mask2cad_cfg.Mask2CAD,
) -> tf.keras.layers.Layer:
  """The view encoder alone, its variables made but left to a checkpoint.

  Args:
    model_config: the model's configuration.
  """
  encoder = _view_encoder(model_config, None, load_assets=False)
  side = conventions.VIEW_SIZE
  encoder(tf.keras.Input([side, side, 1]))
  return encoder


def _check_classes(config: mask2cad_cfg.Mask2CAD) -> None:
  if config.num_classes != len(config.class_names) + 1:
    raise ValueError(
      f'model.num_classes is {config.num_classes} (with the background), but '
      f'model.class_names has {len(config.class_names)} names. Expected one '
      'name less than classes.'
    )


def _mask_parts(
  config: mask2cad_cfg.Mask2CAD, regularizer: _Regularizer
) -> Dict[str, Any]:
  """The RoI crop and ShapeMask's three heads."""
  roi, mask, norm = config.roi, config.shapemask, config.norm_activation
  decoder = {
    'num_classes': config.num_classes,
    'num_filters': mask.num_filters,
    'num_convs': mask.num_convs,
    'activation': norm.activation,
    'use_sync_bn': norm.use_sync_bn,
    'norm_momentum': norm.norm_momentum,
    'norm_epsilon': norm.norm_epsilon,
    'kernel_regularizer': regularizer,
  }
  fused = None
  if roi.fused_filters:
    fused = fused_pyramid.FusedPyramid(
      roi.fused_filters,
      norm.norm_momentum,
      norm.norm_epsilon,
      regularizer,
      name='roi_pyramid',
    )
  return {
    'roi_pyramid': fused,
    'roi_features': object_features.RoiFeatures(
      roi.crop_size,
      2 if fused else roi.min_level,
      2 if fused else roi.max_level,
      name='roi_features',
    ),
    'shape_prior_head': shapemask.ShapePriorHead(
      config.num_classes,
      mask.num_priors,
      roi.crop_size,
      mask.num_filters,
      regularizer,
      name='shape_prior_head',
    ),
    'coarse_mask_head': shapemask.CoarseMaskHead(
      **decoder, name='coarse_mask_head'
    ),
    'fine_mask_head': shapemask.FineMaskHead(
      **decoder, upsample_factor=mask.upsample_factor, name='fine_mask_head'
    ),
  }


def _imagenet_opinion(
  config: mask2cad_cfg.Mask2CAD, load_assets: bool
) -> Optional[imagenet_opinion.ImageNetOpinion]:
  if not config.imagenet_exponent:
    return None
  if config.backbone.type not in (
    'efficientnet_lite',
    'imagenet_and_openimages',
  ):
    raise ValueError(
      f'model.imagenet_exponent is {config.imagenet_exponent}, but the '
      'classifier that it asks is that of efficientnet_lite, and '
      f'model.backbone.type is {config.backbone.type!r}. Set one of them.'
    )
  return imagenet_opinion.ImageNetOpinion(
    config.class_names,
    config.imagenet_exponent,
    imagenet_weights=load_assets,
    name='imagenet_opinion',
  )


def _openimages_detector(
  config: mask2cad_cfg.Mask2CAD,
) -> Optional[openimages_detector.OpenImagesDetector]:
  """The detector; None where it is not asked, or knows none of the classes."""
  weight = config.openimages_weight
  if not 0.0 <= weight <= 1.0:
    raise ValueError(
      f'model.openimages_weight: expected 0 to 1, found {weight}.'
    )
  known = conventions.OPENIMAGES_CLASSES.keys() & set(config.class_names)
  if not weight or not known:
    return None
  return openimages_detector.OpenImagesDetector(
    config.class_names, name='openimages_detector'
  )


def _cad_parts(
  config: mask2cad_cfg.Mask2CAD, regularizer: _Regularizer
) -> Dict[str, Any]:
  """The four CAD heads, the pose decoder and the view encoder."""
  head, pose, norm = config.cad_head, config.pose, config.norm_activation
  trunk = {
    'num_filters': head.num_filters,
    'num_convs': head.num_convs,
    'grid_size': head.grid_size,
    'norm': head.norm,
    'norm_momentum': norm.norm_momentum,
    'norm_epsilon': norm.norm_epsilon,
    'kernel_regularizer': regularizer,
  }
  classes = config.num_classes
  return {
    'embedding_head': cad.EmbeddingHead(
      head.embedding_size, trunk=trunk, name='embedding_head'
    ),
    'pose_bin_head': cad.PoseBinHead(
      classes, pose.num_bins, trunk=trunk, name='pose_bin_head'
    ),
    'pose_delta_head': cad.PoseDeltaHead(
      classes,
      pose.num_bins if pose.delta_per_bin else 1,
      trunk=trunk,
      name='pose_delta_head',
    ),
    'center_head': cad.CenterHead(classes, trunk=trunk, name='center_head'),
    'pose_decoder': pose_decoder.PoseDecoder(
      classes,
      pose.num_bins,
      pose.num_view_rotations or pose.num_bins,
      name='pose_decoder',
    ),
  }


def _view_encoder(
  config: mask2cad_cfg.Mask2CAD, regularizer: _Regularizer, load_assets: bool
) -> tf.keras.layers.Layer:
  head, norm, encoder = (
    config.cad_head,
    config.norm_activation,
    config.view_encoder,
  )
  if encoder.type == 'efficientnet_lite':
    return frozen_view_encoder.FrozenViewEncoder(
      embedding_size=head.embedding_size,
      grid_size=head.grid_size,
      num_filters=encoder.num_filters,
      norm=head.norm,
      imagenet_weights=load_assets,
      kernel_regularizer=regularizer,
      name='view_encoder',
    )
  if encoder.type != 'resnet':
    raise ValueError(
      "model.view_encoder.type: expected 'resnet' or 'efficientnet_lite', "
      f'found {encoder.type!r}.'
    )
  return view_encoder.ViewEncoder(
    model_id=encoder.model_id,
    depth_multiplier=encoder.depth_multiplier,
    embedding_size=head.embedding_size,
    use_sync_bn=norm.use_sync_bn,
    norm_momentum=norm.norm_momentum,
    norm_epsilon=norm.norm_epsilon,
    kernel_regularizer=regularizer,
    name='view_encoder',
  )


def _create_variables(
  model: mask2cad_model.Mask2CADModel, config: mask2cad_cfg.Mask2CAD
) -> None:
  """Runs the heads once on nothing: that takes half of the time of a trace."""
  size, mask = config.roi.crop_size, config.shapemask
  if model.roi_pyramid:
    channels = config.roi.fused_filters
    specs = model.backbone.output_specs
    model.roi_pyramid({level: _nothing(specs[level][1:]) for level in '2345'})
  else:
    channels = model.decoder.output_specs[str(config.roi.min_level)][-1]
  boxes = _nothing([1, 4])
  classes = _nothing([1], dtype=tf.int32)
  if model.imagenet_opinion:
    features = _nothing(model.backbone.output_specs['5'][1:])
    model.imagenet_opinion(features, boxes, classes, _nothing([1]))
  if model.openimages_detector:
    image = _nothing(config.input_size)
    model.openimages_detector(image, tf.constant([config.input_size[:2]]))
  features = _nothing([1, size, size, channels])
  logits = _nothing([1, size, size])
  model.shape_prior_head(features, boxes, boxes, classes)
  mask_features = _nothing([1, size, size, mask.num_filters])
  model.coarse_mask_head(mask_features, logits, classes)
  model.fine_mask_head(mask_features, logits, classes)
  side = size // config.cad_head.pool_size
  features = _nothing([1, side, side, channels])
  for head in (
    model.embedding_head,
    model.pose_bin_head,
    model.pose_delta_head,
    model.center_head,
  ):
    head(features)
  side = conventions.VIEW_SIZE
  model.view_encoder(_nothing([side, side, 1]))


def _nothing(shape: Sequence[int], dtype: tf.DType = tf.float32) -> tf.Tensor:
  """A batch of one zero [1, *shape]."""
  return tf.zeros([1, *shape], dtype)
