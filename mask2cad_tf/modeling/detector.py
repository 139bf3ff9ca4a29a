"""RetinaNet, and those it asks: a second one, ImageNet, OpenImages."""

from typing import Dict
from typing import Mapping
from typing import Optional
from typing import Sequence

import tensorflow as tf
from official.vision.modeling import retinanet_model
from official.vision.ops import anchor

from mask2cad_tf.modeling.backbones import imagenet_and_openimages
from mask2cad_tf.ops import pooled_detections


class Detector(retinanet_model.RetinaNetModel):
  """The detector of Fig. 2, features to scored boxes, in its three steps."""

  def __init__(
    self,
    backbone: tf.keras.Model,
    decoder: tf.keras.Model,
    head: tf.keras.layers.Layer,
    detection_generator: tf.keras.layers.Layer,
    second_decoder: Optional[tf.keras.Model] = None,
    second_head: Optional[tf.keras.layers.Layer] = None,
    imagenet_opinion: Optional[tf.keras.layers.Layer] = None,
    openimages_detector: Optional[tf.keras.layers.Layer] = None,
    openimages_weight: float = 0.0,
    **kwargs,
  ):
    """Puts built parts together.

    Args:
      backbone: as RetinaNetModel's.
      decoder: as RetinaNetModel's.
      head: as RetinaNetModel's.
      detection_generator: as RetinaNetModel's; applies NMS.
      second_decoder: as the decoder, of the backbone's second half, where the
        first has the first; see ImageNetAndOpenImages.
      second_head: as the head, of the second decoder.
      imagenet_opinion: layers.imagenet_opinion.ImageNetOpinion, which scores
        detections anew; None: they keep their scores.
      openimages_detector: layers.openimages_detector.OpenImagesDetector, whose
        detections are pooled with the head's; None: these alone.
      openimages_weight: see pooled_detections.pool.
      **kwargs: RetinaNetModel's anchor arguments.
    """
    super().__init__(backbone, decoder, head, detection_generator, **kwargs)
    self.second_decoder = second_decoder
    self.second_head = second_head
    self.imagenet_opinion = imagenet_opinion
    self.openimages_detector = openimages_detector
    self._config_dict.update(
      second_decoder=second_decoder,
      second_head=second_head,
      imagenet_opinion=imagenet_opinion,
      openimages_detector=openimages_detector,
      openimages_weight=openimages_weight,
    )

  def pyramids(
    self, features: Mapping[str, tf.Tensor]
  ) -> Sequence[Mapping[str, tf.Tensor]]:
    """FPN of each detector, level to [B, H_l, W_l, C_fpn].

    Args:
      features: the backbone's, level to [B, H_l, W_l, C_l]; cached ones may
        lack the levels that no detector reads.
    """
    features = self._with_unused_levels(features)
    if self.second_decoder is None:
      return [self.decoder(features)]
    first, second = self.backbone.halves(features)
    return [self.decoder(first), self.second_decoder(second)]

  def _with_unused_levels(
    self, features: Mapping[str, tf.Tensor]
  ) -> Dict[str, tf.Tensor]:
    """Zeros for levels that are not cached: Keras wants them, no one reads."""
    batch = tf.shape(features['3'])[:1]
    missing = {
      level: tf.zeros(tf.concat([batch, shape[1:]], axis=0))
      for level, shape in self.backbone.output_specs.items()
      if level not in features
    }
    return {**features, **missing}

  def dense(
    self,
    pyramids: Sequence[Mapping[str, tf.Tensor]],
    training: Optional[bool] = None,
  ) -> Dict[str, Mapping[str, tf.Tensor]]:
    """Logits and offsets of all anchors.

    Two detectors learn apart; then the means of their logits and of their
    offsets count. Anchors are the same.

    Args:
      pyramids: of `pyramids`.
      training: whether it is in training mode.

    Returns:
      cls_outputs and box_outputs by level; in training, second_cls_outputs and
      second_box_outputs where there is a second detector.
    """
    scores, offsets, _ = self.head(pyramids[0])
    if self.second_head is None:
      return {'cls_outputs': scores, 'box_outputs': offsets}
    second_scores, second_offsets, _ = self.second_head(pyramids[1])
    if training:
      return {
        'cls_outputs': scores,
        'box_outputs': offsets,
        'second_cls_outputs': second_scores,
        'second_box_outputs': second_offsets,
      }
    return {
      'cls_outputs': _mean(scores, second_scores),
      'box_outputs': _mean(offsets, second_offsets),
    }

  def detect(
    self,
    dense: Mapping[str, Mapping[str, tf.Tensor]],
    features: Mapping[str, tf.Tensor],
    images: Optional[tf.Tensor] = None,
    image_shape: Optional[tf.Tensor] = None,
    anchor_boxes: Optional[Mapping[str, tf.Tensor]] = None,
  ) -> Dict[str, tf.Tensor]:
    """Decoding and NMS, in float32; then the others are asked.

    Args:
      dense: cls_outputs and box_outputs by level.
      features: the backbone's, which ImageNet's classifier judges.
      images: [B, H, W, 3], which OpenImages's detector sees; None: it does not.
      image_shape: [B, 2] height and width without padding; clips detections.
      anchor_boxes: level to [B, H_l, W_l, A * 4]; made here if None.

    Returns:
      detection_boxes [B, N, 4] yxyx, pixels; detection_classes [B, N], 0 =
      padding; detection_scores [B, N], descending; num_detections [B].
    """
    found = self.detection_generator(
      tf.nest.map_structure(_float32, dict(dense['box_outputs'])),
      tf.nest.map_structure(_float32, dict(dense['cls_outputs'])),
      anchor_boxes or self._anchor_boxes(features),
      image_shape,
    )
    if self.imagenet_opinion is not None:
      found = self._scored_anew(found, features)
    if self.openimages_detector is not None and images is not None:
      found = self._pooled(found, images, image_shape)
    return found

  def _scored_anew(
    self, found: Mapping[str, tf.Tensor], features: Mapping[str, tf.Tensor]
  ) -> Dict[str, tf.Tensor]:
    """The detections with ImageNet's opinion in their scores, best first."""
    scores = self.imagenet_opinion(
      features['5'],
      found['detection_boxes'],
      tf.cast(found['detection_classes'], tf.int32),
      found['detection_scores'],
    )
    order = tf.argsort(scores, direction='DESCENDING', stable=True)
    found = {**found, 'detection_scores': scores}
    return {
      'num_detections': found['num_detections'],
      **{
        key: tf.gather(found[key], order, batch_dims=1)
        for key in ('detection_boxes', 'detection_classes', 'detection_scores')
      },
    }

  def _pooled(
    self,
    found: Mapping[str, tf.Tensor],
    images: tf.Tensor,
    image_shape: Optional[tf.Tensor],
  ) -> Dict[str, tf.Tensor]:
    """The detections, and those that OpenImages taught to find."""
    if image_shape is None:
      image_shape = tf.tile(
        tf.shape(images)[tf.newaxis, 1:3], [tf.shape(images)[0], 1]
      )
    boxes, scores = self.openimages_detector(images, image_shape)
    return pooled_detections.pool(
      found,
      boxes,
      scores,
      self.openimages_detector.classes,
      self.head.get_config()['num_classes'],
      self._config_dict['openimages_weight'],
    )

  def _anchor_boxes(
    self, features: Mapping[str, tf.Tensor]
  ) -> Dict[str, tf.Tensor]:
    """Anchors of the images' size, level to [B, H_l, W_l, A * 4]."""
    config = self._config_dict
    boxes = anchor.Anchor(
      min_level=config['min_level'],
      max_level=config['max_level'],
      num_scales=config['num_scales'],
      aspect_ratios=config['aspect_ratios'],
      anchor_size=config['anchor_size'],
      image_size=tuple(image_size(features)),
    ).multilevel_boxes
    batch = tf.shape(features['3'])[0]
    return {
      level: tf.tile(box[None], [batch, 1, 1, 1])
      for level, box in boxes.items()
    }


def feature_specs(
  backbone: tf.keras.Model,
) -> Sequence[Mapping[str, tf.TensorShape]]:
  """Shapes, by level, of the features that each detector is built for."""
  if isinstance(backbone, imagenet_and_openimages.ImageNetAndOpenImages):
    return backbone.half_specs
  return [backbone.output_specs]


def image_size(features: Mapping[str, tf.Tensor]) -> Sequence[int]:
  """Height and width, pixels, of the images that the backbone saw."""
  return [8 * side for side in features['3'].shape[1:3]]


def _mean(
  first: Mapping[str, tf.Tensor], second: Mapping[str, tf.Tensor]
) -> Mapping[str, tf.Tensor]:
  return {level: 0.5 * (x + second[level]) for level, x in first.items()}


def _float32(x: tf.Tensor) -> tf.Tensor:
  return tf.cast(x, tf.float32)
