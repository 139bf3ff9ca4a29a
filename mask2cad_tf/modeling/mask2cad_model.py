"""Mask2CAD: RetinaNet, ShapeMask's masks, and the CAD branches (Fig. 2)."""

from typing import Any
from typing import Dict
from typing import Mapping
from typing import Optional
from typing import Sequence
from typing import Union

import tensorflow as tf
from official.vision.ops import box_ops

from mask2cad_tf.modeling import detector
from mask2cad_tf.ops import feature_styles
from mask2cad_tf.ops import padded_detections
from mask2cad_tf.ops import roi_masks

BRANCHES = ('detection', 'objects')
Images = Union[tf.Tensor, Mapping[str, tf.Tensor]]
# parts
_OPTIONAL = (
  *('second_decoder', 'second_head'),
  *('roi_pyramid', 'imagenet_opinion', 'openimages_detector'),
)


@tf.keras.utils.register_keras_serializable(package='Mask2CAD')
class Mask2CADModel(detector.Detector):
  """Detects objects; predicts mask, embedding, rotation and centre of each."""

  def __init__(
    self,
    roi_features: tf.keras.layers.Layer,
    shape_prior_head: tf.keras.layers.Layer,
    coarse_mask_head: tf.keras.layers.Layer,
    fine_mask_head: tf.keras.layers.Layer,
    embedding_head: tf.keras.layers.Layer,
    pose_bin_head: tf.keras.layers.Layer,
    pose_delta_head: tf.keras.layers.Layer,
    center_head: tf.keras.layers.Layer,
    pose_decoder: tf.keras.layers.Layer,
    view_encoder: tf.keras.layers.Layer,
    outer_box_scale: float,
    use_mask: bool = True,
    stop_mask_gradient: bool = True,
    roi_pyramid: Optional[tf.keras.layers.Layer] = None,
    square_outer_boxes: bool = False,
    object_pool_size: int = 1,
    boxes_from_masks: bool = False,
    style_noise: float = 0.0,
    **kwargs,
  ):
    """Puts built parts together.

    Args:
      roi_features: layers.object_features.RoiFeatures.
      shape_prior_head: heads.shapemask.ShapePriorHead.
      coarse_mask_head: heads.shapemask.CoarseMaskHead.
      fine_mask_head: heads.shapemask.FineMaskHead.
      embedding_head: heads.cad.EmbeddingHead.
      pose_bin_head: heads.cad.PoseBinHead.
      pose_delta_head: heads.cad.PoseDeltaHead.
      center_head: heads.cad.CenterHead.
      pose_decoder: layers.pose_decoder.PoseDecoder.
      view_encoder: view_encoder.ViewEncoder, or another of its interface.
      outer_box_scale: side of the outer box over the box's.
      use_mask: whether the CAD branches see M_i∘F_i; F_i otherwise.
      stop_mask_gradient: whether M_i enters M_i∘F_i as a constant.
      roi_pyramid: layers.fused_pyramid.FusedPyramid, which RoIs are cropped
        from; None: from the detector's FPN.
      square_outer_boxes: see roi_masks.outer_boxes.
      object_pool_size: M_i∘F_i is averaged so many times smaller before the CAD
        branches.
      boxes_from_masks: whether a detected object's mask redraws its box.
      style_noise: see feature_styles.restyle; in training, of the backbone's
        features.
      **kwargs: Detector's.
    """
    super().__init__(**kwargs)
    parts = {
      'roi_pyramid': roi_pyramid,
      'roi_features': roi_features,
      'shape_prior_head': shape_prior_head,
      'coarse_mask_head': coarse_mask_head,
      'fine_mask_head': fine_mask_head,
      'embedding_head': embedding_head,
      'pose_bin_head': pose_bin_head,
      'pose_delta_head': pose_delta_head,
      'center_head': center_head,
      'pose_decoder': pose_decoder,
      'view_encoder': view_encoder,
    }
    for name, part in parts.items():
      setattr(self, name, part)
    self._config_dict.update(
      parts,
      outer_box_scale=outer_box_scale,
      use_mask=use_mask,
      stop_mask_gradient=stop_mask_gradient,
      square_outer_boxes=square_outer_boxes,
      object_pool_size=object_pool_size,
      boxes_from_masks=boxes_from_masks,
      style_noise=style_noise,
    )

  def call(
    self,
    images: Images,
    image_shape: Optional[tf.Tensor] = None,
    anchor_boxes: Optional[Mapping[str, tf.Tensor]] = None,
    roi_boxes: Optional[tf.Tensor] = None,
    roi_classes: Optional[tf.Tensor] = None,
    views: Optional[tf.Tensor] = None,
    training: Optional[bool] = None,
    branches: Sequence[str] = BRANCHES,
    min_score: float = 0.0,
    style_seed: Optional[tf.Tensor] = None,
  ) -> Dict[str, Any]:
    """Runs training, detection, or detection on given boxes.

    Args:
      images: [B, H, W, 3], normalised as Model Garden's parsers do, or what
        the backbone makes of them, level to [B, H_l, W_l, C_l].
      image_shape: [B, 2] height and width without padding; clips detections.
      anchor_boxes: level to [B, H_l, W_l, A * 4]; made here if None.
      roi_boxes: [B, N, 4] yxyx, pixels: the sampled RoIs in training; without
        training these boxes take the detections' place, with score 1.
      roi_classes: int [B, N], 0 where a box is padding; padding comes last.
      views: [B, O, V, 128, 128, 1], the pool of rendered views (training), or
        [B, O, V, ...], what the view encoder's stem makes of them.
      training: whether it is in training mode.
      branches: of BRANCHES, what training computes.
      min_score: detections below become padding; no work is done for them.
      style_seed: int [2], of the style noise in training.

    Returns:
      Training: cls_outputs and box_outputs by level; second_cls_outputs and
      second_box_outputs where there is a second detector; prior_masks,
      coarse_mask_logits [B, N, M, M]; fine_mask_logits [B, N, M', M'];
      image_embeddings [B, N, E]; pose_bin_logits [B, N, C, K]; pose_deltas
      [B, N, C, 1 or K, 4]; center_offsets [B, N, C, 2]; view_embeddings
      [B, O, V, E].
      Otherwise: cls_outputs, box_outputs, detection_boxes, detection_classes
      (0 = padding), detection_scores, num_detections; detection_outer_boxes
      [B, N, 4], grown from the detector's boxes; detection_masks
      [B, N, M', M'], probabilities in the outer box; detection_embeddings
      [B, N, E]; detection_rotations [B, N, 4] wxyz in the configured frame;
      detection_pose_bins [B, N]; detection_centers
      [B, N, 2] xy, pixels. Boxes and centres are in pixels of `images`.

    Raises:
      ValueError: an argument that the mode needs is missing.
    """
    self._check_arguments(roi_boxes, roi_classes, views, training, branches)
    features = images
    if not isinstance(images, Mapping):
      features = self.backbone(images)
    if training and self._config_dict['style_noise']:
      features = feature_styles.restyle(
        features, self._config_dict['style_noise'], style_seed
      )
    size = detector.image_size(features)
    detects = not training or 'detection' in branches
    pyramids, outputs = [], {}
    if detects or self.roi_pyramid is None:
      pyramids = self.pyramids(features)
    if detects:
      outputs = self.dense(pyramids, training)
    if training and 'objects' not in branches:
      return outputs
    boxes, classes = roi_boxes, roi_classes
    if not training:
      count = None  # boxes that the branches work for, given ones all
      if roi_boxes is None:
        found = self.detect(
          outputs,
          features,
          None if isinstance(images, Mapping) else images,
          image_shape,
          anchor_boxes,
        )
        detections = padded_detections.keep(found, min_score)
        count = padded_detections.most(detections['num_detections'])
      else:
        detections = _given_detections(roi_boxes, roi_classes)
      outputs.update(detections)
      boxes = detections['detection_boxes'][:, :count]
      classes = detections['detection_classes'][:, :count]
    outer_boxes = roi_masks.outer_boxes(
      tf.stop_gradient(boxes),
      self._config_dict['outer_box_scale'],
      square=self._config_dict['square_outer_boxes'],
    )
    if self.roi_pyramid is None:
      pyramid = pyramids[0]
    else:
      pyramid = self.roi_pyramid(features, training=training)
    rois = self._describe(pyramid, boxes, outer_boxes, classes, size, training)
    if training:
      embeddings = self.view_encoder(views, training=training)
      return {**outputs, **rois, 'view_embeddings': embeddings}
    found = {
      'detection_outer_boxes': outer_boxes,
      **self._decode(rois, boxes, classes),
    }
    outputs.update(padded_detections.pad(found, outputs['detection_boxes']))
    if self._config_dict['boxes_from_masks'] and roi_boxes is None:
      outputs['detection_boxes'] = _redrawn(
        outputs, size if image_shape is None else image_shape
      )
    return outputs

  def _check_arguments(
    self, roi_boxes, roi_classes, views, training, branches
  ) -> None:
    if not branches or set(branches) - set(BRANCHES):
      raise ValueError(
        f'Mask2CADModel: branches are some of {", ".join(BRANCHES)}; found '
        f'{list(branches)}. See task.train_branches.'
      )
    if training and 'objects' not in branches:
      return
    if (roi_boxes is None) != (roi_classes is None):
      raise ValueError(
        'Mask2CADModel: expected roi_boxes and roi_classes together, found '
        'only one of them.'
      )
    if training and (roi_boxes is None or views is None):
      raise ValueError(
        'Mask2CADModel: training needs roi_boxes, roi_classes and views, '
        'which the training parser puts among the labels.'
      )

  def _decode(
    self, rois: Mapping[str, tf.Tensor], boxes: tf.Tensor, classes: tf.Tensor
  ) -> Dict[str, tf.Tensor]:
    """Raw outputs of the branches to what they say of each detection."""
    rotations, bins, centers = self.pose_decoder(
      rois['pose_bin_logits'],
      rois['pose_deltas'],
      rois['center_offsets'],
      boxes,
      classes,
    )
    return {
      'detection_masks': tf.sigmoid(rois['fine_mask_logits']),
      'detection_embeddings': rois['image_embeddings'],
      'detection_rotations': rotations,
      'detection_pose_bins': bins,
      'detection_centers': centers,
    }

  def _describe(
    self,
    pyramid: Mapping[str, tf.Tensor],
    boxes: tf.Tensor,
    outer_boxes: tf.Tensor,
    classes: tf.Tensor,
    image_size: Sequence[int],
    training: Optional[bool],
  ) -> Dict[str, tf.Tensor]:
    """Every branch's raw outputs."""
    # F_i, [B, N, M, M, C_fpn].
    roi_features = self.roi_features(pyramid, outer_boxes, image_size)
    mask_features, prior_masks = self.shape_prior_head(
      roi_features, boxes, outer_boxes, classes
    )
    coarse_logits = self.coarse_mask_head(
      mask_features, prior_masks, classes, training=training
    )
    config, object_features = self._config_dict, roi_features
    if config['use_mask']:
      object_features = roi_masks.mask_features(
        roi_features,
        tf.cast(coarse_logits, roi_features.dtype),
        config['stop_mask_gradient'],
      )
    object_features = roi_masks.pool(
      object_features, config['object_pool_size']
    )
    outputs = {
      'prior_masks': prior_masks,
      'coarse_mask_logits': coarse_logits,
      'fine_mask_logits': self.fine_mask_head(
        mask_features, coarse_logits, classes, training=training
      ),
    }
    for name, head in (
      ('image_embeddings', self.embedding_head),
      ('pose_bin_logits', self.pose_bin_head),
      ('pose_deltas', self.pose_delta_head),
      ('center_offsets', self.center_head),
    ):
      outputs[name] = head(object_features, training=training)
    return outputs

  def embed_views(
    self, views: tf.Tensor, training: Optional[bool] = False
  ) -> tf.Tensor:
    """f^obj of views [..., 128, 128, 1] in 0..1: float32 [..., E]."""
    return self.view_encoder(views, training=training)

  @property
  def pose_bins(self) -> tf.Variable:
    """Medoid rotations, [C, K, 4] wxyz, in the configured frame."""
    return self.pose_decoder.bins

  @property
  def pose_bins_valid(self) -> tf.Tensor:
    """Which medoids are distinct, bool [C, K]."""
    return self.pose_decoder.bins_valid > 0.5

  @property
  def view_rotations(self) -> tf.Variable:
    """Rotations of gallery views, [C, V, 4] wxyz, the configured frame."""
    return self.pose_decoder.view_rotations

  @property
  def view_rotations_valid(self) -> tf.Tensor:
    """Which of them are distinct, bool [C, V]."""
    return self.pose_decoder.views_valid > 0.5

  def branch_parts(self, branch: str) -> Sequence[tf.keras.layers.Layer]:
    """The parts that only one of BRANCHES trains; the backbone is of none."""
    items = self.checkpoint_items
    if branch == 'detection':
      own = ('decoder', 'head', 'second_decoder', 'second_head')
      if self.roi_pyramid is None:
        own = own[1:]
      return [items[name] for name in own if name in items]
    shared = (
      *('backbone', 'decoder', 'head', 'second_decoder', 'second_head'),
      *('imagenet_opinion', 'openimages_detector'),
    )
    return [part for name, part in items.items() if name not in shared]

  @property
  def checkpoint_items(self) -> Mapping[str, tf.keras.layers.Layer]:
    """Every part that has weights, by name."""
    names = (
      *(name for name in _OPTIONAL if getattr(self, name) is not None),
      'shape_prior_head',
      'coarse_mask_head',
      'fine_mask_head',
      'embedding_head',
      'pose_bin_head',
      'pose_delta_head',
      'center_head',
      'pose_decoder',
      'view_encoder',
    )
    return {
      **super().checkpoint_items,
      **{name: getattr(self, name) for name in names},
    }


def _float32(x: tf.Tensor) -> tf.Tensor:
  return tf.cast(x, tf.float32)


def _redrawn(
  detections: Mapping[str, tf.Tensor],
  image_shape: Union[tf.Tensor, Sequence[int]],
) -> tf.Tensor:
  """Boxes [B, N, 4] around the masks, inside the photo; padding stays 0."""
  boxes = detections['detection_boxes']
  tight = roi_masks.mask_boxes(
    detections['detection_masks'], detections['detection_outer_boxes'], boxes
  )
  limits = tf.reshape(tf.cast(image_shape, boxes.dtype), [-1, 1, 2])
  return box_ops.clip_boxes(tight, limits)


def _given_detections(boxes: tf.Tensor, classes: tf.Tensor) -> Dict[str, Any]:
  """Boxes that the caller trusts, as detections of score 1."""
  classes = tf.cast(classes, tf.int32)
  valid = tf.cast(classes > 0, tf.int32)
  return {
    'detection_boxes': _float32(boxes),
    'detection_classes': classes,
    'detection_scores': _float32(valid),
    'num_detections': tf.reduce_sum(valid, axis=-1),
  }
