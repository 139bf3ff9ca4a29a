"""Random inputs of a training step, and the outputs that must come back."""

from typing import Any
from typing import Dict

import numpy as np
import tensorflow as tf

from mask2cad_tf import conventions
from mask2cad_tf.configs import mask2cad

NEW_HEADS = (
  'shape_prior_head',
  'coarse_mask_head',
  'fine_mask_head',
  'embedding_head',
  'pose_bin_head',
  'pose_delta_head',
  'center_head',
  'view_encoder',
)


def random_inputs(
  config: mask2cad.Mask2CAD,
  batch: int = 2,
  rois: int = 4,
  objects: int = 2,
  views: int = 4,
  seed: int = 0,
) -> Dict[str, tf.Tensor]:
  """Arguments of Mask2CADModel.call; some boxes reach over the edge."""
  rng = np.random.default_rng(seed)
  side = config.input_size[0]
  corners = rng.uniform(-0.1, 0.6, [batch, rois, 2]) * side
  sizes = rng.uniform(0.15, 0.5, [batch, rois, 2]) * side
  view_size = conventions.VIEW_SIZE
  return {
    'images': tf.constant(
      rng.normal(size=[batch, *config.input_size]), tf.float32
    ),
    'roi_boxes': tf.constant(
      np.concatenate([corners, corners + sizes], -1), tf.float32
    ),
    'roi_classes': tf.constant(
      rng.integers(1, config.num_classes, [batch, rois]), tf.int32
    ),
    'views': tf.constant(
      rng.uniform(size=[batch, objects, views, view_size, view_size, 1]),
      tf.float32,
    ),
  }


def expected_shapes(
  config: mask2cad.Mask2CAD, batch=2, rois=4, objects=2, views=4
) -> Dict[str, Any]:
  """Shapes of the training outputs; dense outputs by level."""
  m = config.roi.crop_size
  fine = m * config.shapemask.upsample_factor
  c, k = config.num_classes, config.pose.num_bins
  anchors = config.anchor.num_scales * len(config.anchor.aspect_ratios)
  levels = range(config.min_level, config.max_level + 1)
  side = {level: -(-config.input_size[0] // 2**level) for level in levels}
  embedding = config.cad_head.embedding_size
  return {
    'cls_outputs': {
      str(level): (batch, side[level], side[level], anchors * c)
      for level in levels
    },
    'box_outputs': {
      str(level): (batch, side[level], side[level], anchors * 4)
      for level in levels
    },
    'prior_masks': (batch, rois, m, m),
    'coarse_mask_logits': (batch, rois, m, m),
    'fine_mask_logits': (batch, rois, fine, fine),
    'image_embeddings': (batch, rois, embedding),
    'pose_bin_logits': (batch, rois, c, k),
    'pose_deltas': (batch, rois, c, 1, 4),
    'center_offsets': (batch, rois, c, 2),
    'view_embeddings': (batch, objects, views, embedding),
  }


def shapes_of(outputs: Dict[str, Any]) -> Dict[str, Any]:
  """Shapes of a dict of tensors, as tuples."""
  return tf.nest.map_structure(lambda x: tuple(x.shape), outputs)


def gradients(model: tf.keras.Model, inputs: Dict[str, tf.Tensor]):
  """Training outputs, trainable variables and their gradients.

  The loss is the squared distance of every output from 0.3.
  """
  with tf.GradientTape() as tape:
    outputs = model(**inputs, training=True)
    loss = tf.add_n(
      [tf.reduce_mean((x - 0.3) ** 2) for x in tf.nest.flatten(outputs)]
    )
  variables = model.trainable_variables
  return outputs, variables, tape.gradient(loss, variables)


def check_every_head_learns(model, variables, found) -> None:
  """Every trainable variable of every new head has a non-zero gradient."""
  by_id = {id(v): g for v, g in zip(variables, found)}
  for name in NEW_HEADS:
    head_variables = getattr(model, name).trainable_variables
    assert head_variables, name
    for variable in head_variables:
      gradient = by_id[id(variable)]
      assert gradient is not None, f'{name}: {variable.name}'
      assert np.isfinite(tf.convert_to_tensor(gradient)).all(), name
    weights = [by_id[id(v)] for v in head_variables if v.shape.rank > 1]
    assert all(np.abs(g).max() > 0 for g in weights), name
