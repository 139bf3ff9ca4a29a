"""Building from a configuration: assets, contradictions, completeness."""

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf import packaged_model
from mask2cad_tf.configs import experiments
from mask2cad_tf.geometry import view_medoids
from mask2cad_tf.modeling import frozen_view_encoder
from mask2cad_tf.modeling import model_folder
from tests.modeling import training_batch


def _write_priors(path, names, num_priors=3, size=8):
  priors = np.random.default_rng(0).uniform(
    size=[len(names), num_priors, size, size]
  )
  np.savez(path, priors=priors, class_names=np.array(names))
  return priors


def _write_medoids(path, names, frame='camera', count=16):
  """Random rotations, the last bin of each class invalid."""
  rng = np.random.default_rng(count)
  medoids = {}
  for name in names:
    rotations = rng.normal(size=[count, 4])
    rotations /= np.linalg.norm(rotations, axis=-1, keepdims=True)
    medoids[name] = view_medoids.Medoids(
      rotations,
      np.arange(count) < count - 1,
      np.arange(count),
      np.arange(count),
    )
  view_medoids.save(path, medoids, frame, 'test')
  return medoids


@pytest.fixture
def config(tiny_config, tmp_path):
  """A tiny configuration of two classes, with both files in place."""
  config = tiny_config.replace(class_names=['bed', 'chair'], num_classes=3)
  config.shapemask.priors_path = str(tmp_path / 'priors.npz')
  config.pose.medoids_path = str(tmp_path / 'medoids.npz')
  _write_priors(config.shapemask.priors_path, ['bed', 'chair'])
  _write_medoids(config.pose.medoids_path, ['bed', 'chair'])
  return config


def test_assets_reach_the_weights(build_tiny, config):
  priors = _write_priors(config.shapemask.priors_path, ['bed', 'chair'])
  medoids = _write_medoids(config.pose.medoids_path, ['bed', 'chair'])
  model = build_tiny(config, load_assets=True)
  np.testing.assert_allclose(model.shape_prior_head.priors[1:], priors)
  assert np.all(model.shape_prior_head.priors[0] == 0)
  np.testing.assert_allclose(
    model.pose_bins[2], medoids['chair'].rotations, rtol=1e-6
  )
  assert model.pose_bins_valid.dtype == tf.bool
  np.testing.assert_array_equal(model.pose_bins_valid[1], medoids['bed'].valid)


def test_galleries_render_the_bins_or_rotations_of_their_own(
  build_tiny, config, tmp_path
):
  model = build_tiny(config, load_assets=True)
  np.testing.assert_array_equal(model.view_rotations, model.pose_bins)
  np.testing.assert_array_equal(
    model.view_rotations_valid, model.pose_bins_valid
  )
  config.pose.view_rotations_path = str(tmp_path / 'views.npz')
  config.pose.num_view_rotations = 24
  views = _write_medoids(
    config.pose.view_rotations_path, ['bed', 'chair'], count=24
  )
  denser = build_tiny(config, load_assets=True)
  np.testing.assert_array_equal(denser.pose_bins, model.pose_bins)
  np.testing.assert_allclose(
    denser.view_rotations[1], views['bed'].rotations, rtol=1e-6
  )
  assert denser.view_rotations_valid.dtype == tf.bool
  np.testing.assert_array_equal(
    denser.view_rotations_valid[2], views['chair'].valid
  )


def test_view_rotations_of_another_number_are_an_error(
  build_tiny, config, tmp_path
):
  config.pose.num_view_rotations = 24
  with pytest.raises(FileNotFoundError, match='build_pose_medoids'):
    build_tiny(config, load_assets=True)
  config.pose.view_rotations_path = config.pose.medoids_path
  with pytest.raises(ValueError, match='num_view_rotations is 24, .* 16'):
    build_tiny(config, load_assets=True)


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


def test_openimages_detector_comes_from_the_packaged_model(build_tiny, config):
  config.openimages_weight = 0.5
  model = build_tiny(config, load_assets=True)
  packaged, _ = model_folder.load(packaged_model.folder())
  for ours, theirs in zip(
    model.openimages_detector.get_weights(),
    packaged.openimages_detector.get_weights(),
  ):
    np.testing.assert_array_equal(ours, theirs)
  left_to_a_checkpoint = build_tiny(config, load_assets=False)
  assert not np.any(left_to_a_checkpoint.openimages_detector.get_weights()[0])


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


def test_missing_priors_are_an_error(build_tiny, config, tmp_path):
  for path in ('', str(tmp_path / 'none.npz')):
    config.shapemask.priors_path = path
    with pytest.raises(FileNotFoundError, match='build_shape_priors'):
      build_tiny(config, load_assets=True)


def test_missing_medoids_are_an_error(build_tiny, config, tmp_path):
  for path in ('', str(tmp_path / 'none.npz')):
    config.pose.medoids_path = path
    with pytest.raises(FileNotFoundError, match='build_pose_medoids'):
      build_tiny(config, load_assets=True)


def test_medoids_of_the_other_frame_are_an_error(build_tiny, config):
  config.pose.rotation_frame = 'allocentric'
  with pytest.raises(ValueError, match="'allocentric', but .*'camera'"):
    build_tiny(config, load_assets=True)


def test_medoids_of_another_number_are_an_error(build_tiny, config):
  config.pose.num_bins = 8
  with pytest.raises(ValueError, match='num_bins'):
    build_tiny(config, load_assets=True)


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
