"""Files that a new model takes its first weights from."""

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf import packaged_model
from mask2cad_tf.geometry import view_medoids
from mask2cad_tf.modeling import model_assets
from mask2cad_tf.modeling import model_folder


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


def test_galleries_render_the_bins_or_rotations_of_their_own(config, tmp_path):
  assets = model_assets.read(config)
  np.testing.assert_array_equal(assets.view_rotations, assets.rotations)
  np.testing.assert_array_equal(assets.views_valid, assets.valid)
  config.pose.view_rotations_path = str(tmp_path / 'views.npz')
  config.pose.num_view_rotations = 24
  views = _write_medoids(
    config.pose.view_rotations_path, ['bed', 'chair'], count=24
  )
  denser = model_assets.read(config)
  np.testing.assert_array_equal(denser.rotations, assets.rotations)
  np.testing.assert_allclose(
    denser.view_rotations[1], views['bed'].rotations, rtol=1e-6
  )
  np.testing.assert_array_equal(denser.views_valid[2], views['chair'].valid)


def test_view_rotations_of_another_number_are_an_error(config, tmp_path):
  config.pose.num_view_rotations = 24
  with pytest.raises(FileNotFoundError, match='build_pose_medoids'):
    model_assets.read(config)
  config.pose.view_rotations_path = config.pose.medoids_path
  with pytest.raises(ValueError, match='num_view_rotations is 24, .* 16'):
    model_assets.read(config)


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


def test_missing_priors_are_an_error(config, tmp_path):
  for path in ('', str(tmp_path / 'none.npz')):
    config.shapemask.priors_path = path
    with pytest.raises(FileNotFoundError, match='build_shape_priors'):
      model_assets.read(config)


def test_missing_medoids_are_an_error(config, tmp_path):
  for path in ('', str(tmp_path / 'none.npz')):
    config.pose.medoids_path = path
    with pytest.raises(FileNotFoundError, match='build_pose_medoids'):
      model_assets.read(config)


def test_medoids_of_the_other_frame_are_an_error(config):
  config.pose.rotation_frame = 'allocentric'
  with pytest.raises(ValueError, match="'allocentric', but .*'camera'"):
    model_assets.read(config)


def test_medoids_of_another_number_are_an_error(config):
  config.pose.num_bins = 8
  with pytest.raises(ValueError, match='num_bins'):
    model_assets.read(config)
