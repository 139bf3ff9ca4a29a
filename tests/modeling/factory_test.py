"""Building from a configuration: assets, contradictions, completeness."""

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.geometry import view_medoids
from tests.modeling import training_batch


def _write_priors(path, names, num_priors=3, size=8):
  priors = np.random.default_rng(0).uniform(
    size=[len(names), num_priors, size, size]
  )
  np.savez(path, priors=priors, class_names=np.array(names))
  return priors


def _write_medoids(path, names, frame='camera'):
  """Random rotations, the last bin of each class invalid."""
  rng = np.random.default_rng(1)
  medoids = {}
  for name in names:
    rotations = rng.normal(size=[16, 4])
    rotations /= np.linalg.norm(rotations, axis=-1, keepdims=True)
    medoids[name] = view_medoids.Medoids(
      rotations, np.arange(16) < 15, np.arange(16), np.arange(16)
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
