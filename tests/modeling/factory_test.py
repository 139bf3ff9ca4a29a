"""Building from a configuration: contradictions, completeness."""

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.configs import experiments
from mask2cad_tf.modeling import frozen_view_encoder
from tests.modeling import training_batch


def test_unknown_view_encoders_are_an_error(build_tiny, tiny_config):
  config = tiny_config.replace()
  config.view_encoder.type = 'vgg'
  with pytest.raises(ValueError, match="'resnet' or .*found 'vgg'"):
    build_tiny(config)


def test_imagenets_opinion_needs_its_backbone(build_tiny, tiny_config):
  config = tiny_config.replace()
  config.imagenet_exponent = 0.1
  with pytest.raises(ValueError, match="imagenet_exponent.*'resnet'"):
    build_tiny(config)


def test_openimages_detector_is_built_where_it_is_of_use(
  build_tiny, tiny_config
):
  config = tiny_config.replace()
  assert build_tiny(config).openimages_detector is None
  config.openimages_weight = 0.5
  assert build_tiny(config).openimages_detector is not None
  config.class_names = [f'thing {i}' for i in range(len(config.class_names))]
  assert build_tiny(config).openimages_detector is None
  config.openimages_weight = 1.5
  with pytest.raises(ValueError, match='openimages_weight: expected 0 to 1.*5'):
    build_tiny(config)


def test_lite_trains_on_cached_features(build_tiny):
  # What records of mask2cad_tf.cache_features give: levels of the backbone,
  # features of the views' stem.
  config = experiments.mask2cad_lite().task.model
  config.input_size = [128, 128, 3]
  model = build_tiny(config)
  count = len(model.variables)
  model.backbone.trainable = False
  inputs = training_batch.random_inputs(config, views=2)
  rng = np.random.default_rng(0)
  priors = model.shape_prior_head.priors
  priors.assign(rng.uniform(size=priors.shape))
  inputs['images'] = {
    level: tf.constant(rng.uniform(size=[2, *shape[1:]]), tf.float32)
    for level, shape in model.backbone.output_specs.items()
    if level in '2345'
  }
  inputs['views'] = tf.constant(
    rng.uniform(size=[2, 2, 2, *frozen_view_encoder.STEM_SHAPE]), tf.float16
  )
  outputs, variables, found = training_batch.gradients(model, inputs)
  shapes = training_batch.shapes_of(outputs)
  expected = training_batch.expected_shapes(config, views=2)
  expected['pose_deltas'] = (2, 4, 10, 16, 4)
  for name in ('cls_outputs', 'box_outputs'):
    expected[f'second_{name}'] = expected[name]
  assert shapes == expected
  assert len(model.variables) == count
  unmoved = [
    v.name for v, g in zip(variables, found) if g is None or not np.any(g)
  ]
  # Biases before a norm have none.
  assert not [name for name in unmoved if 'kernel' in name]
  assert {id(v) for v in variables}.isdisjoint(
    {id(v) for v in model.backbone.variables}
  )


def test_class_names_and_number_must_agree(build_tiny, tiny_config):
  with pytest.raises(ValueError, match='num_classes is 7 .* 9 names'):
    build_tiny(tiny_config.replace(num_classes=7))


def test_all_variables_exist_before_the_first_call(build_tiny, tiny_config):
  as_given = tiny_config.as_dict()
  model = build_tiny()
  assert tiny_config.as_dict() == as_given  # the caller's, not ours to change
  before = len(model.variables)
  inputs = training_batch.random_inputs(tiny_config, batch=1)
  model(**inputs, training=True)
  model(inputs['images'], training=False)
  assert len(model.variables) == before > 100


def test_one_delta_per_bin_is_a_switch(build_tiny, tiny_config):
  config = tiny_config.replace()
  config.pose.delta_per_bin = True
  model = build_tiny(config)
  inputs = training_batch.random_inputs(tiny_config, batch=1)
  outputs = model(**inputs, training=True)
  assert outputs['pose_deltas'].shape == (1, 4, 10, 16, 4)
  del inputs['views']
  outputs = model(**inputs, training=False)
  assert outputs['detection_rotations'].shape == (1, 4, 4)


def test_mixed_precision_keeps_outputs_float32(build_tiny, tiny_config):
  tf.keras.mixed_precision.set_global_policy('mixed_bfloat16')
  try:
    model = build_tiny()
    inputs = training_batch.random_inputs(tiny_config, batch=1)
    training = model(**inputs, training=True)
    inference = model(inputs['images'], training=False)
  finally:
    tf.keras.mixed_precision.set_global_policy('float32')
  for outputs in (training, inference):
    for key, value in outputs.items():
      if key not in ('cls_outputs', 'box_outputs'):
        assert value.dtype in (tf.float32, tf.int32), key
        assert np.isfinite(value).all(), key
  assert model.pose_bins.dtype == tf.float32
