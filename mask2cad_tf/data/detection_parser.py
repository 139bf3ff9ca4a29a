"""Decoded record -> network input and labels.

Training: the photo is flipped, resized, jittered; boxes, masks, poses,
translations and intrinsics go along, so that a CAD projected with the labels
still lies on its object. All shapes are static.
"""

from typing import Any
from typing import Dict
from typing import Optional
from typing import Sequence
from typing import Tuple

import tensorflow as tf
from official.vision.dataloaders import parser
from official.vision.dataloaders import utils
from official.vision.ops import anchor
from official.vision.ops import preprocess_ops

from mask2cad_tf.configs import mask2cad as configs
from mask2cad_tf.data import color_jitter
from mask2cad_tf.data import groundtruths
from mask2cad_tf.data import image_scaling
from mask2cad_tf.data import photo_objects
from mask2cad_tf.data import roi_sampling
from mask2cad_tf.data import view_pool
from mask2cad_tf.data import view_store
from mask2cad_tf.ops import cameras
from mask2cad_tf.ops import center_offsets
from mask2cad_tf.ops import roi_masks

Tensors = Dict[str, Any]
_FPN_LEVELS = ('3', '4', '5')  # what the detector reads of a backbone


class Parser(parser.Parser):
  """Makes training and evaluation examples of Mask2CAD."""

  def __init__(
    self,
    model_config: configs.Mask2CAD,
    data_config: configs.DataConfig,
    store: Optional[view_store.ViewStore] = None,
    branches: Sequence[str] = ('detection', 'objects'),
  ):
    """Takes sizes from the model and augmentation from the data config.

    Args:
      model_config: input size, anchors, RoI sizes, rotation frame.
      data_config: parser settings and dtype.
      store: views of all CADs; needed for training.
      branches: which labels training needs, see task.train_branches.

    Raises:
      ValueError: without a store in training, with an augmentation policy, or
        if cached features should be augmented.
    """
    self._model = model_config
    self._config = data_config.parser
    self._dtype = data_config.dtype
    self._cached = data_config.cached_features
    self._store = store
    self._branches = tuple(branches)
    if self._cached and data_config.is_training:
      _check_nothing_is_augmented(self._config)
    if data_config.is_training and store is None:
      raise ValueError(
        'Training compares objects with CAD views, and none are given. Set '
        'task.train_data.views_path to the records of '
        'tfrecords_tools.render_views.'
      )
    if self._config.aug_type is not None:
      raise ValueError(
        'parser.aug_type is set, but AutoAugment and RandAugment move boxes '
        'without their poses. Leave it null.'
      )
    size = list(model_config.input_size[:2])
    self._output_size = size
    self._padded_size = size
    if self._config.pad:
      self._padded_size = preprocess_ops.compute_padded_size(
        size, 2**model_config.max_level
      )
    self._anchors = _anchors(model_config, self._padded_size)

  def _parse_train_data(
    self, decoded_tensors: Tensors
  ) -> Tuple[tf.Tensor, Tensors]:
    """Training example; `decoded_tensors['seed']`, int [2], fixes all chance.

    Args:
      decoded_tensors: of data/decoder.py.

    Returns:
      Image float [height, width, 3], normalised, and the labels: RetinaNet's,
      those of the sampled RoIs ('roi_*', [Q, ...]), the pool of CAD views
      ('pool_*', [O + D, ...]), 'source_id' int64, 'intrinsics' [4] and, for
      style noise, 'style_seed' int [2]. Boxes, centres and intrinsics
      in pixels of the network input; rotations in the configured frame.
    """
    data = decoded_tensors
    seeds = _split(data.get('seed'), 9)
    objects = photo_objects.from_decoded(
      data, self._store, self._config.skip_crowd_during_training
    )
    flip = self._draw_flip(objects['mirror_normals'], seeds[0])
    image, intrinsics, objects = photo_objects.flip_all(
      flip, data['image'], data['intrinsics'], objects
    )
    image, image_info = self._scale_and_crop(image, seeds[1])
    objects, intrinsics = photo_objects.to_network(
      objects, intrinsics, image_info
    )
    labels = {
      'source_id': utils.process_source_id(data['source_id']),
      'image_info': image_info,
      'intrinsics': intrinsics,
    }
    if self._model.style_noise:
      labels['style_seed'] = tf.cast(seeds[8], tf.int32)
    if 'detection' in self._branches:
      labels.update(self._anchor_labels(objects['boxes'], objects['classes']))
    if 'objects' in self._branches:
      labels.update(
        self._object_labels(objects, intrinsics, image_info, flip, seeds[2:7])
      )
    if self._cached:
      return self._cached_input(data['features']), labels
    return self._network_input(self._recolor(image / 255.0, seeds[7])), labels

  def _object_labels(
    self,
    objects: Tensors,
    intrinsics: tf.Tensor,
    image_info: tf.Tensor,
    flip: tf.Tensor,
    seeds: tf.Tensor,
  ) -> Tensors:
    """RoIs, their masks, and the pool of views they are compared with."""
    chosen, slots = roi_sampling.sample_objects(
      tf.shape(objects['classes'])[0],
      self._config.max_pool_objects,
      self._config.num_sampled_rois,
      seeds[0],
    )
    sampled = {key: tf.gather(value, chosen) for key, value in objects.items()}
    centers = cameras.project(sampled['translations'], intrinsics)
    if self._model.pose.rotation_frame == 'allocentric':
      sampled['rotations'] = cameras.allocentric_from_camera(
        sampled['rotations'], centers, intrinsics
      )
    labels = self._roi_labels(sampled, centers, slots, image_info, seeds[1])
    labels.update(
      self._mask_labels(
        sampled,
        slots,
        labels['roi_boxes'],
        labels['roi_valid'],
        image_info,
        flip,
      )
    )
    labels.update(self._pool_labels(sampled, flip, seeds[2:]))
    return labels

  def _cached_input(self, features: Tensors) -> Tensors:
    """The backbone's features by level, in the input's number type."""
    levels = features if 'objects' in self._branches else _FPN_LEVELS
    return {level: tf.cast(features[level], self._dtype) for level in levels}

  def _parse_eval_data(
    self, decoded_tensors: Tensors
  ) -> Tuple[tf.Tensor, Tensors]:
    """Evaluation example.

    Args:
      decoded_tensors: of data/decoder.py.

    Returns:
      Image float [height, width, 3], normalised, and the labels 'image_info',
      'anchor_boxes', 'intrinsics' and 'groundtruths', the last two in pixels of
      the photo, rotations in the camera frame, padded to max_num_instances.
    """
    data = decoded_tensors
    image, image_info = image_scaling.resize_and_crop(
      data['image'], self._output_size, 1.0, tf.zeros(2)
    )
    return self._network_input(image / 255.0), {
      'image_info': image_info,
      'anchor_boxes': dict(self._anchors),
      'intrinsics': data['intrinsics'],
      'groundtruths': groundtruths.padded(data, self._config.max_num_instances),
    }

  def _draw_flip(self, mirror_normals: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Whether to flip: never a photo with a chiral or an unknown CAD."""
    heads = tf.random.stateless_uniform([], seed) < 0.5
    can_flip = tf.reduce_all(tf.norm(mirror_normals, axis=-1) > 0.5)
    return heads & can_flip & self._config.aug_rand_hflip

  def _scale_and_crop(
    self, image: tf.Tensor, seed: tf.Tensor
  ) -> Tuple[tf.Tensor, tf.Tensor]:
    draws = tf.random.stateless_uniform([3], seed)
    low, high = self._config.aug_scale_min, self._config.aug_scale_max
    return image_scaling.resize_and_crop(
      image, self._output_size, low + (high - low) * draws[0], draws[1:]
    )

  def _recolor(self, image: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    if not self._config.aug_rand_hsv:
      return image
    return color_jitter.random_hsv(
      image,
      self._config.hsv_max_delta_hue,
      self._config.hsv_saturation,
      self._config.hsv_value,
      seed,
    )

  def _network_input(self, image: tf.Tensor) -> tf.Tensor:
    """0 .. 1 as the network takes it."""
    image = image_scaling.network_input(image, self._padded_size)
    return tf.cast(image, self._dtype)

  def _anchor_labels(self, boxes: tf.Tensor, classes: tf.Tensor) -> Tensors:
    anchors = dict(self._anchors)
    labeler = anchor.AnchorLabeler(
      match_threshold=self._config.match_threshold,
      unmatched_threshold=self._config.unmatched_threshold,
    )
    cls_targets, box_targets, _, cls_weights, box_weights = (
      labeler.label_anchors(anchors, boxes, classes[:, tf.newaxis])
    )
    return {
      'anchor_boxes': anchors,
      'cls_targets': cls_targets,
      'box_targets': box_targets,
      'cls_weights': cls_weights,
      'box_weights': box_weights,
    }

  def _roi_labels(
    self,
    sampled: Tensors,
    centers: tf.Tensor,
    slots: tf.Tensor,
    image_info: tf.Tensor,
    seed: tf.Tensor,
  ) -> Tensors:
    """All of the RoIs but their masks; objects without a pose do not occur."""
    count = tf.shape(sampled['classes'])[0]
    valid = slots < count
    groups = self._store.group_of(sampled['rows'])
    symmetries = self._store.symmetry_of(sampled['rows'])
    boxes = roi_sampling.jitter_boxes(
      _deal(sampled['boxes'], slots),
      self._config.box_jitter_scale,
      image_info[1],
      seed,
    )
    identity = tf.constant([1.0, 0.0, 0.0, 0.0])
    centers = _deal(centers, slots)
    labels = {
      'roi_boxes': boxes,
      'roi_classes': _deal(sampled['classes'], slots),
      'roi_valid': valid,
      'roi_rotations': tf.where(
        valid[:, tf.newaxis], _deal(sampled['rotations'], slots), identity
      ),
      'roi_translations': _deal(sampled['translations'], slots),
      'roi_centers': centers,
      'roi_center_offsets': center_offsets.encode(centers, boxes),
      'roi_symmetries': tf.where(valid, _deal(symmetries, slots), 1),
      'roi_cads': tf.where(valid, _deal(groups, slots), -1),
    }
    num_rois = self._config.num_sampled_rois
    return {
      key: tf.ensure_shape(value, [num_rois] + value.shape[1:])
      for key, value in labels.items()
    }

  def _mask_labels(
    self,
    sampled: Tensors,
    slots: tf.Tensor,
    boxes: tf.Tensor,
    valid: tf.Tensor,
    image_info: tf.Tensor,
    flip: tf.Tensor,
  ) -> Tensors:
    height, width = tf.unstack(tf.cast(image_info[0], tf.int32))
    masks = roi_sampling.decode_masks(sampled['masks'], height, width, flip)
    roi = self._model.roi
    outer = roi_masks.outer_boxes(boxes, roi.outer_box_scale, square=roi.square)
    coarse, fine = roi_sampling.mask_targets(
      masks,
      slots,
      outer,
      image_info,
      self._model.roi.crop_size,
      self._model.shapemask.upsample_factor,
    )
    keep = tf.cast(valid, tf.float32)[:, tf.newaxis, tf.newaxis]
    return {'roi_coarse_masks': coarse * keep, 'roi_fine_masks': fine * keep}

  def _pool_labels(
    self, sampled: Tensors, flip: tf.Tensor, seeds: tf.Tensor
  ) -> Tensors:
    config = self._config
    toward = sampled['rotations'] if config.nearest_views else None
    views, rows = view_pool.object_views(
      self._store,
      sampled['rows'],
      sampled['views'] if config.jittered_view else None,
      flip,
      config.num_canonical_views,
      config.max_pool_objects,
      seeds[0],
      toward,
    )
    if config.num_distractor_cads:
      others, other_rows = view_pool.distractor_views(
        self._store,
        sampled['rows'],
        config.num_canonical_views + 1,
        config.num_distractor_cads,
        seeds[1],
        toward,
      )
      views = tf.concat([views, others], axis=0)
      rows = tf.concat([rows, other_rows], axis=0)
    views = view_pool.random_crops(views, config.aug_view_crop_min, seeds[2])
    size = config.max_pool_objects + config.num_distractor_cads
    return {
      'pool_views': tf.ensure_shape(
        views, [size, config.num_canonical_views + 1] + views.shape[2:]
      ),
      'pool_cads': self._store.group_of(rows),
      'pool_classes': self._store.label_of(rows),
    }


def _check_nothing_is_augmented(config: configs.Parser) -> None:
  augmented = {
    'aug_rand_hflip': config.aug_rand_hflip,
    'aug_rand_hsv': config.aug_rand_hsv,
    'aug_scale_min': config.aug_scale_min != 1.0,
    'aug_scale_max': config.aug_scale_max != 1.0,
    'aug_view_crop_min': config.aug_view_crop_min != 1.0,
  }
  found = [name for name, value in augmented.items() if value]
  if found:
    raise ValueError(
      'cached_features fixes what the network sees, but the parser should '
      f'change it: set {", ".join(found)} to false or 1.0.'
    )


def _anchors(config: configs.Mask2CAD, image_size: Sequence[int]) -> Tensors:
  """RetinaNet's anchors, yxyx in pixels, by level; made once."""
  generator = anchor.build_anchor_generator(
    min_level=config.min_level,
    max_level=config.max_level,
    num_scales=config.anchor.num_scales,
    aspect_ratios=config.anchor.aspect_ratios,
    anchor_size=config.anchor.anchor_size,
  )
  return generator(image_size=tuple(image_size))


def _split(seed: Optional[tf.Tensor], count: int) -> tf.Tensor:
  """Seeds int [count, 2] from one, or from chance."""
  if seed is None:
    seed = tf.random.uniform([2], maxval=tf.int32.max, dtype=tf.int32)
  return tf.random.experimental.stateless_split(seed, count)


def _deal(values: tf.Tensor, slots: tf.Tensor) -> tf.Tensor:
  """Rows for the RoIs; slot m, one behind the last object, is all zeros."""
  paddings = [[0, 1]] + [[0, 0]] * (values.shape.rank - 1)
  return tf.gather(tf.pad(values, paddings), slots)
