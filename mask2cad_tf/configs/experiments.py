"""Registered experiments: the paper's two, a small one, a tiny one."""

from typing import Optional

from official.core import config_definitions as cfg
from official.core import exp_factory
from official.modeling import optimization
from official.vision.configs import backbones
from official.vision.configs import common
from official.vision.configs import decoders
from official.vision.configs import retinanet

from mask2cad_tf import close_names
from mask2cad_tf import conventions
from mask2cad_tf.configs import mask2cad

NAMES = (
  *('mask2cad', 'mask2cad_pix3d', 'mask2cad_scannet'),
  *('mask2cad_lite', 'mask2cad_tiny'),
)
_RESTRICTIONS = [
  'task.train_data.is_training != None',
  'task.validation_data.is_training != None',
]
_WARMUP_STEPS = 500
_WARMUP_LEARNING_RATE = 0.0067
_REFERENCE_BATCH = 64  # for which the learning rate 0.08 is meant


def get(name: str) -> cfg.ExperimentConfig:
  """A registered experiment, ours or Model Garden's.

  Raises:
    ValueError: there is none of that name; says which was probably meant.
  """
  try:
    return exp_factory.get_exp_config(name)
  except LookupError as error:
    raise ValueError(
      f'--experiment={name} is not registered; ours are {", ".join(NAMES)}.'
      f'{close_names.hint(name, NAMES)}'
    ) from error


@exp_factory.register_config_factory('mask2cad')
def mask2cad_base() -> cfg.ExperimentConfig:
  """The defaults of configs/mask2cad.py, for any data."""
  return cfg.ExperimentConfig(
    task=mask2cad.Mask2CADTask(), restrictions=_RESTRICTIONS
  )


def paper_optimizer(
  train_steps: int, batch_size: int
) -> optimization.OptimizationConfig:
  """SGD with the paper's decays, at 2/3 and 5/6 of the run (Sec. 3.4).

  Paper note: the batch size is not printed; 0.08 is scaled from ShapeMask's 64.

  Args:
    train_steps: length of the run.
    batch_size: images per step, over all replicas.
  """
  rate = 0.08 * batch_size / _REFERENCE_BATCH
  return optimization.OptimizationConfig(
    {
      'optimizer': {'type': 'sgd', 'sgd': {'momentum': 0.9, 'nesterov': True}},
      'learning_rate': {
        'type': 'stepwise',
        'stepwise': {
          'boundaries': [train_steps * 2 // 3, train_steps * 5 // 6],
          'values': [rate, 0.1 * rate, 0.01 * rate],
        },
      },
      'warmup': {
        'type': 'linear',
        'linear': {
          'warmup_steps': _WARMUP_STEPS,
          'warmup_learning_rate': _WARMUP_LEARNING_RATE,
        },
      },
    }
  )


def adam_optimizer(
  train_steps: int, learning_rate: float, warmup_steps: int
) -> optimization.OptimizationConfig:
  """AdamW with a cosine to zero: short runs from scratch on few images.

  Args:
    train_steps: length of the run.
    learning_rate: at the end of the warm-up.
    warmup_steps: linear, from zero.
  """
  return optimization.OptimizationConfig(
    {
      'optimizer': {
        'type': 'adamw',
        'adamw': {
          'weight_decay_rate': 1e-4,
          'include_in_weight_decay': ['kernel'],
          'exclude_from_weight_decay': ['bias', 'beta', 'gamma'],
          'gradient_clip_norm': 5.0,
        },
      },
      'learning_rate': {
        'type': 'cosine',
        'cosine': {
          'initial_learning_rate': learning_rate,
          'decay_steps': train_steps,
        },
      },
      'warmup': {
        'type': 'linear',
        'linear': {'warmup_steps': warmup_steps, 'warmup_learning_rate': 0.0},
      },
    }
  )


def _trainer(
  optimizer_config: optimization.OptimizationConfig,
  train_steps: int,
  interval: int,
  validation_interval: Optional[int] = None,
) -> cfg.TrainerConfig:
  return cfg.TrainerConfig(
    train_steps=train_steps,
    steps_per_loop=interval,
    summary_interval=interval,
    checkpoint_interval=interval,
    validation_interval=validation_interval or interval,
    optimizer_config=optimizer_config,
  )


def _paper_model(**overrides) -> mask2cad.Mask2CAD:
  """ResNet-50 FPN at 640 x 640, ShapeMask's batch norms."""
  return mask2cad.Mask2CAD(
    norm_activation=common.NormActivation(
      activation='relu',
      use_sync_bn=True,
      norm_momentum=0.997,
      norm_epsilon=1e-4,
    ),
    # Stock v2 costs 1.2 CPU-seconds an image; 'batched' has no XLA kernel.
    detection_generator=retinanet.DetectionGenerator(
      nms_version='batched', max_num_detections=100
    ),
    **overrides,
  )


@exp_factory.register_config_factory('mask2cad_pix3d')
def mask2cad_pix3d() -> cfg.ExperimentConfig:
  """The paper on Pix3D (Sec. 3.4): 48K steps, about 1000 epochs."""
  batch_size, train_steps = 128, 48000
  return cfg.ExperimentConfig(
    runtime=cfg.RuntimeConfig(distribution_strategy='mirrored'),
    task=mask2cad.Mask2CADTask(
      model=_paper_model(),
      init_checkpoint_modules=['backbone', 'decoder'],
      train_data=mask2cad.DataConfig(
        is_training=True,
        global_batch_size=batch_size,
        repeat_threshold=0.1,
        parser=mask2cad.Parser(
          aug_scale_min=0.8,
          aug_scale_max=1.2,
          max_pool_objects=1,  # Pix3D annotates one object a photo
        ),
      ),
      validation_data=mask2cad.DataConfig(
        is_training=False, global_batch_size=8, drop_remainder=False
      ),
    ),
    trainer=_trainer(
      paper_optimizer(train_steps, batch_size), train_steps, 500, 4000
    ),
    restrictions=_RESTRICTIONS,
  )


@exp_factory.register_config_factory('mask2cad_scannet')
def mask2cad_scannet() -> cfg.ExperimentConfig:
  """The paper on ScanNet 25K (Sec. 4): 72K steps and stronger augmentation."""
  batch_size, train_steps = 128, 72000
  config = mask2cad_pix3d()
  config.task.model = _paper_model(
    num_classes=len(conventions.SCANNET_CLASSES) + 1,
    class_names=list(conventions.SCANNET_CLASSES),
  )
  config.task.train_data.parser = stronger_augmentation()
  config.trainer = _trainer(
    paper_optimizer(train_steps, batch_size), train_steps, 500, 4000
  )
  return config


def stronger_augmentation() -> mask2cad.Parser:
  """Parser of Pix3D S2 and ScanNet: HSV, view crops, wider jitters (Sec. 4).

  Paper note: no magnitude is printed.
  """
  return mask2cad.Parser(
    aug_scale_min=0.5,
    aug_scale_max=2.0,
    aug_rand_hsv=True,
    aug_view_crop_min=0.75,
    box_jitter_scale=0.05,
  )


@exp_factory.register_config_factory('mask2cad_lite')
def mask2cad_lite() -> cfg.ExperimentConfig:
  """A model that trains in hours on two CPU cores, at 320 x 320.

  Two small backbones and the view stem are frozen and their features cached;
  detection and objects (masks, CADs) train side by side, each on a core.
  """
  batch_size, train_steps = 16, 8000
  model = mask2cad.Mask2CAD(
    input_size=[320, 320, 3],
    style_noise=1.0,  # it learns from renderings
    imagenet_exponent=0.05,  # and is used on photos
    openimages_weight=0.9,
    min_level=4,
    max_level=6,  # 320 is a multiple of 2^6, not of 2^7: no padding
    anchor=retinanet.Anchor(num_scales=3, anchor_size=3.0),
    backbone=mask2cad.Backbone(type='imagenet_and_openimages'),
    decoder=decoders.Decoder(type='fpn', fpn=decoders.FPN(num_filters=96)),
    head=retinanet.RetinaNetHead(num_convs=2, num_filters=96),
    norm_activation=common.NormActivation(
      activation='relu', use_sync_bn=False, norm_momentum=0.99
    ),
    detection_generator=retinanet.DetectionGenerator(
      nms_version='batched', max_num_detections=20, pre_nms_top_k=500
    ),
    roi=mask2cad.Roi(
      crop_size=32, square=True, boxes_from_masks=True, fused_filters=96
    ),
    shapemask=mask2cad.ShapeMask(
      num_filters=64, num_convs=3, upsample_factor=3
    ),
    cad_head=mask2cad.CadHead(
      num_filters=96, num_convs=3, norm='group_norm', pool_size=2, grid_size=4
    ),
    pose=mask2cad.Pose(
      rotation_frame='allocentric', delta_per_bin=True, num_view_rotations=64
    ),
    view_encoder=mask2cad.ViewEncoder(type='efficientnet_lite'),
    retrieval=mask2cad.Retrieval(num_views=2, silhouette_weight=0.4),
  )
  return cfg.ExperimentConfig(
    runtime=cfg.RuntimeConfig(distribution_strategy='one_device'),
    task=mask2cad.Mask2CADTask(
      model=model,
      losses=mask2cad.Losses(l2_weight_decay=0.0),
      train_data=mask2cad.DataConfig(
        is_training=True,
        global_batch_size=batch_size,
        cached_features=True,
        parser=mask2cad.Parser(  # the synthesizer has varied the photos
          aug_rand_hflip=False,
          num_sampled_rois=2,
          max_pool_objects=2,
          box_jitter_scale=0.05,
          num_canonical_views=1,
          num_distractor_cads=6,
          nearest_views=True,
          max_num_instances=20,
        ),
      ),
      validation_data=mask2cad.DataConfig(
        is_training=False,
        global_batch_size=4,
        drop_remainder=False,
        parser=mask2cad.Parser(max_num_instances=20),
      ),
    ),
    trainer=_trainer(
      adam_optimizer(train_steps, learning_rate=1e-3, warmup_steps=200),
      train_steps,
      100,
      2000,
    ),
    restrictions=_RESTRICTIONS,
  )


@exp_factory.register_config_factory('mask2cad_tiny')
def mask2cad_tiny() -> cfg.ExperimentConfig:
  """The whole system in a few seconds: for tests and a first look."""
  model = mask2cad.Mask2CAD(
    input_size=[128, 128, 3],
    anchor=retinanet.Anchor(num_scales=1, anchor_size=4.0),
    backbone=mask2cad.Backbone(
      type='resnet', resnet=backbones.ResNet(model_id=10, depth_multiplier=0.25)
    ),
    decoder=decoders.Decoder(type='fpn', fpn=decoders.FPN(num_filters=16)),
    head=retinanet.RetinaNetHead(num_convs=1, num_filters=16),
    norm_activation=common.NormActivation(
      activation='relu', use_sync_bn=False, norm_momentum=0.9
    ),
    detection_generator=retinanet.DetectionGenerator(
      nms_version='batched', max_num_detections=5, pre_nms_top_k=100
    ),
    roi=mask2cad.Roi(crop_size=8),
    shapemask=mask2cad.ShapeMask(num_priors=3, num_filters=16, num_convs=1),
    cad_head=mask2cad.CadHead(
      num_filters=16, num_convs=2, embedding_size=16, norm='group_norm'
    ),
    view_encoder=mask2cad.ViewEncoder(model_id=10, depth_multiplier=0.125),
    retrieval=mask2cad.Retrieval(num_views=2, silhouette_weight=0.4),
  )
  return cfg.ExperimentConfig(
    runtime=cfg.RuntimeConfig(distribution_strategy='one_device'),
    task=mask2cad.Mask2CADTask(
      model=model,
      freeze_backbone=False,
      losses=mask2cad.Losses(l2_weight_decay=0.0),
      train_data=mask2cad.DataConfig(
        is_training=True,
        global_batch_size=2,
        shuffle_buffer_size=10,
        parser=mask2cad.Parser(
          num_sampled_rois=4, max_pool_objects=2, max_num_instances=10
        ),
      ),
      validation_data=mask2cad.DataConfig(
        is_training=False,
        global_batch_size=1,
        drop_remainder=False,
        parser=mask2cad.Parser(max_num_instances=10),
      ),
    ),
    trainer=_trainer(
      adam_optimizer(train_steps=20, learning_rate=3e-3, warmup_steps=2),
      train_steps=20,
      interval=10,
    ),
    restrictions=_RESTRICTIONS,
  )
