"""The stages of inference on one photo, each as a function of its own.

`Mask2CADModule` runs them in one graph. Here each begins with what the one
before it made, so that its time, FLOPs and bytes are its own.
"""

import dataclasses
from typing import Any
from typing import Callable
from typing import Dict
from typing import List
from typing import Mapping

import numpy as np
import tensorflow as tf
from official.core import config_definitions as cfg
from official.vision.ops import anchor

from mask2cad_tf.modeling import mask2cad_model
from mask2cad_tf.ops import cameras
from mask2cad_tf.ops import roi_masks
from mask2cad_tf.retrieval import search
from mask2cad_tf.serving import detections as detections_lib
from mask2cad_tf.serving import mask2cad_module
from mask2cad_tf.serving import photo_decoding
from mask2cad_tf.serving import request_cameras
from tests.benchmarks import flop_count
from tests.benchmarks import process_memory

_TOP_K = 5


@dataclasses.dataclass(frozen=True, eq=False)
class Stage:
  """A part of the work.

  Attributes:
    name: for the table.
    run: does it once.
    flops: of its products; 0 where it has none.
    bytes: its inputs, weights and outputs, each touched once: the least that
      goes through memory.
    resident_mib: memory of the process when it was run for the first time.
  """

  name: str
  run: Callable[[], Any]
  flops: int = 0
  bytes: int = 0
  resident_mib: float = 0.0


class Builder:
  """Makes stages one after the other; keeps what each of them returns."""

  def __init__(self):
    self.stages: List[Stage] = []

  def add(
    self,
    name: str,
    function: Callable[..., Any],
    *inputs: Any,
    loop_flops: int = 0,
  ) -> Any:
    """Adds a stage; returns what it makes of the inputs (nests of arrays).

    `loop_flops` are those of its loops, which are not counted from the graph.
    """
    inputs = tf.nest.map_structure(tf.convert_to_tensor, inputs)
    compiled = tf.function(function, autograph=False).get_concrete_function(
      *tf.nest.map_structure(lambda x: tf.TensorSpec(x.shape, x.dtype), inputs)
    )
    flat = tf.nest.flatten(inputs)
    outputs = compiled(*flat)
    touched = [*flat, *tf.nest.flatten(outputs), *compiled.variables]
    self.stages.append(
      Stage(
        name,
        lambda: compiled(*flat),
        flop_count.of_graph(compiled.graph) + loop_flops,
        sum(map(_bytes, touched)),
        process_memory.mib('VmRSS'),
      )
    )
    return outputs


def _bytes(tensor: tf.Tensor) -> int:
  if tensor.dtype == tf.string:
    return sum(map(len, np.ravel(tensor.numpy())))
  return int(np.prod(tensor.shape)) * tensor.dtype.size


def network_stages(
  model: mask2cad_model.Mask2CADModel,
  config: cfg.ExperimentConfig,
  module: mask2cad_module.Mask2CADModule,
  photo: bytes,
  num_detections: int,
) -> List[Stage]:
  """From bytes to detections with CADs, batch 1.

  Args:
    model: with weights.
    config: its experiment.
    module: around it; its gallery is searched.
    photo: JPEG or PNG.
    num_detections: that masks, CADs and poses are worked out for: the best of
      the photo's.
  """
  builder, model_config = Builder(), config.task.model
  image = builder.add(
    'decode', lambda x: photo_decoding.decode(x, 0), tf.constant(photo)
  )
  images, info = builder.add('preprocess', module.preprocess, image[tf.newaxis])
  features = builder.add(
    'backbone', lambda x: model.backbone(x, training=False), images
  )
  seen = features
  if model.second_decoder is not None:
    seen, seen_by_second = model.backbone.halves(features)
    second = builder.add('second FPN', model.second_decoder, seen_by_second)
    builder.add(
      'second detection heads', lambda x: model.second_head(x)[:2], second
    )
  pyramid = builder.add('FPN', model.decoder, seen)
  dense = builder.add('detection heads', lambda x: model.head(x)[:2], pyramid)
  builder.add(
    'box decoding, NMS', _detect(model, model_config, images), *dense, info
  )
  found = model(images, image_shape=info[:, 0] * info[:, 2], training=False)
  boxes = found['detection_boxes'][:, :num_detections]
  classes = found['detection_classes'][:, :num_detections]
  scores = found['detection_scores'][:, :num_detections]
  if not int(found['num_detections'][0]) >= num_detections:
    raise ValueError(
      f'{int(found["num_detections"][0])} detections in the photo, expected '
      f'{num_detections}.'
    )
  if model.imagenet_opinion is not None:
    builder.add(
      "ImageNet's opinion",
      model.imagenet_opinion,
      *(features['5'], boxes, classes, scores),
    )
  if model.openimages_detector is not None:
    builder.add(
      "OpenImages's detector",
      model.openimages_detector,
      *(images, info[:, 0] * info[:, 2]),
    )
  outer = roi_masks.outer_boxes(
    boxes, model_config.roi.outer_box_scale, square=model_config.roi.square
  )
  if model.roi_pyramid is not None:
    pyramid = builder.add(
      'map for RoIs', lambda x: model.roi_pyramid(x, training=False), features
    )
  crops = builder.add(
    'RoI crops',
    lambda x, y: model.roi_features(x, y, images.shape[1:3]),
    pyramid,
    outer,
  )
  coarse, fine = builder.add(
    'mask heads', _mask_heads(model), crops, boxes, outer, classes
  )
  described = builder.add(
    'CAD towers', _cad_heads(model, model_config), crops, coarse
  )
  outputs = builder.add(
    'poses, boxes, pixels',
    _postprocess(model, model_config),
    described,
    {
      'boxes': boxes,
      'outer_boxes': outer,
      'classes': classes,
      'scores': scores,
      'mask_logits': fine,
    },
    info,
  )
  builder.add(
    'search',
    lambda found, labels, *index: search.top_k(
      detections_lib.describe(found, module.silhouette_weight),
      labels,
      search.Index(*index),
      _TOP_K,
      model_config.retrieval.num_views,
    ),
    outputs,
    classes,
    module.gallery.views,
    module.gallery.labels,
    # In a loop over panels: each number of each view and query is one product.
    loop_flops=2 * num_detections * int(tf.size(module.gallery.views)),
  )
  return builder.stages


def _detect(model, config, images) -> Callable[..., Dict[str, tf.Tensor]]:
  size = tuple(images.shape[1:3])
  anchors = {
    level: tf.constant(boxes)[tf.newaxis]
    for level, boxes in anchor.build_anchor_generator(
      min_level=config.min_level,
      max_level=config.max_level,
      num_scales=config.anchor.num_scales,
      aspect_ratios=config.anchor.aspect_ratios,
      anchor_size=config.anchor.anchor_size,
    )(image_size=size).items()
  }

  def detect(scores, boxes, info):
    boxes, scores = tf.nest.map_structure(
      lambda x: tf.cast(x, tf.float32), (boxes, scores)
    )
    return model.detection_generator(
      boxes, scores, anchors, info[:, 0] * info[:, 2]
    )

  return detect


def _mask_heads(model) -> Callable[..., Any]:
  def heads(crops, boxes, outer, classes):
    features, priors = model.shape_prior_head(crops, boxes, outer, classes)
    coarse = model.coarse_mask_head(features, priors, classes, training=False)
    fine = model.fine_mask_head(features, coarse, classes, training=False)
    return coarse, fine

  return heads


def _cad_heads(model, config) -> Callable[..., Dict[str, tf.Tensor]]:
  heads = {
    'embeddings': model.embedding_head,
    'bin_logits': model.pose_bin_head,
    'deltas': model.pose_delta_head,
    'offsets': model.center_head,
  }

  def run(crops, coarse):
    features = roi_masks.mask_features(
      crops, tf.cast(coarse, crops.dtype), True
    )
    features = roi_masks.pool(features, config.cad_head.pool_size)
    return {
      name: head(features, training=False) for name, head in heads.items()
    }

  return run


def _postprocess(model, config) -> Callable[..., Dict[str, tf.Tensor]]:
  def postprocess(
    described: Mapping[str, tf.Tensor],
    found: Mapping[str, tf.Tensor],
    info: tf.Tensor,
  ) -> Dict[str, tf.Tensor]:
    rotations, bins, centers = model.pose_decoder(
      described['bin_logits'],
      described['deltas'],
      described['offsets'],
      found['boxes'],
      found['classes'],
    )
    masks = tf.sigmoid(found['mask_logits'])
    boxes = found['boxes']
    if config.roi.boxes_from_masks:
      boxes = roi_masks.mask_boxes(masks, found['outer_boxes'], boxes)
    outputs = detections_lib.in_photo_pixels(
      {
        'num_detections': tf.shape(boxes)[1:2],
        'detection_boxes': boxes,
        'detection_outer_boxes': found['outer_boxes'],
        'detection_centers': centers,
        'detection_scores': found['scores'],
        'detection_masks': masks,
        'detection_embeddings': described['embeddings'],
        'detection_rotations': rotations,
        'detection_classes': found['classes'],
        'detection_pose_bins': bins,
      },
      info,
    )
    if config.pose.rotation_frame == 'allocentric':
      camera = request_cameras.assumed(info[:, 0])
      outputs['detection_rotations'] = cameras.camera_from_allocentric(
        outputs['detection_rotations'],
        outputs['detection_centers'],
        camera[:, tf.newaxis],
      )
    return outputs

  return postprocess
