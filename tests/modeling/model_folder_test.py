"""A training's folder gives back the model that was trained."""

import json
import os
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from official.core import exp_factory
from official.core import train_utils

from mask2cad_tf.modeling import model_folder
from mask2cad_tf.modeling import packed_weights
from tests.modeling import training_batch


@pytest.fixture(scope='module')
def folder(tiny, tmp_path_factory):
  """model_dir as Garden's trainer leaves it."""
  path = str(tmp_path_factory.mktemp('model_dir'))
  config = exp_factory.get_exp_config('mask2cad_tiny')
  train_utils.serialize_config(config, path)
  checkpoint = tf.train.Checkpoint(
    model=tiny,
    optimizer=tf.keras.optimizers.legacy.Adam(),
    global_step=tf.Variable(7),
    **tiny.checkpoint_items,
  )
  checkpoint.save(os.path.join(path, 'ckpt'))
  return path


def test_same_outputs_and_config(folder, tiny, tiny_config):
  model, config = model_folder.load(folder)
  assert config.task.model.as_dict() == tiny_config.as_dict()
  assert config.trainer.train_steps == 20
  inputs = training_batch.random_inputs(tiny_config)
  views = inputs.pop('views')
  expected = tiny(**inputs, training=False)
  for key, value in model(**inputs, training=False).items():
    tf.nest.map_structure(
      lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5),
      value,
      expected[key],
    )
  np.testing.assert_allclose(
    model.embed_views(views), tiny.embed_views(views), atol=1e-5
  )
  np.testing.assert_array_equal(model.pose_bins, tiny.pose_bins)
  assert model_folder.fingerprint(model) == model_folder.fingerprint(tiny)


def test_norms_of_many_replicas_become_norms_of_one(
  build_tiny, tiny_config, tmp_path
):
  config = exp_factory.get_exp_config('mask2cad_tiny')
  config.task.model.norm_activation.use_sync_bn = True
  config.task.model.cad_head.norm = 'sync_batch_norm'
  trained = build_tiny(config.task.model)
  train_utils.serialize_config(config, str(tmp_path))
  rng = np.random.default_rng(0)
  for variable in trained.variables:
    if 'moving' in variable.name:
      variable.assign(rng.uniform(0.5, 1.5, variable.shape))
  tf.train.Checkpoint(model=trained).save(str(tmp_path / 'ckpt'))
  model, loaded = model_folder.load(str(tmp_path))
  assert loaded.task.model.cad_head.norm == 'sync_batch_norm'
  kinds = [
    layer for layer in model.submodules if hasattr(layer, 'synchronized')
  ]
  assert kinds and not any(layer.synchronized for layer in kinds)
  images = training_batch.random_inputs(tiny_config)['images']
  expected = trained(images, training=False)
  for key, value in model(images, training=False).items():
    tf.nest.map_structure(
      lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4),
      value,
      expected[key],
    )


def test_fingerprint_is_of_the_view_encoder(scratch):
  model = scratch
  before = model_folder.fingerprint(model)
  model.center_head.trainable_variables[0].assign_add(
    tf.ones_like(model.center_head.trainable_variables[0])
  )
  assert model_folder.fingerprint(model) == before
  bias = model.view_encoder.trainable_variables[-1]
  bias.assign_add(tf.fill(bias.shape, 1e-3))
  assert model_folder.fingerprint(model) != before
  assert len(before) == 64


def test_the_view_encoder_alone(folder, packed, tiny):
  for path, expected in (
    (folder, tiny),
    (packed, model_folder.load(packed)[0]),
  ):
    encoder, config = model_folder.load_view_encoder(path)
    assert config.task.model.num_classes == 10
    assert model_folder.encoder_fingerprint(
      encoder
    ) == model_folder.fingerprint(expected)


def test_a_view_encoder_of_something_else_is_an_error(folder, tmp_path):
  config = exp_factory.get_exp_config('mask2cad_tiny')
  train_utils.serialize_config(config, str(tmp_path))
  with pytest.raises(FileNotFoundError, match='No checkpoint in'):
    model_folder.load_view_encoder(str(tmp_path))
  tf.train.Checkpoint(model=tf.Module()).save(str(tmp_path / 'ckpt'))
  with pytest.raises(ValueError, match='does not hold the model'):
    model_folder.load_view_encoder(str(tmp_path))


def test_missing_params_are_named(tmp_path):
  with pytest.raises(FileNotFoundError, match='No params.yaml in'):
    model_folder.load(str(tmp_path))


def test_missing_checkpoint_is_named(tmp_path):
  config = exp_factory.get_exp_config('mask2cad_tiny')
  train_utils.serialize_config(config, str(tmp_path))
  with pytest.raises(FileNotFoundError, match='No checkpoint in'):
    model_folder.load(str(tmp_path))


def test_a_checkpoint_of_something_else_is_an_error(tmp_path):
  config = exp_factory.get_exp_config('mask2cad_tiny')
  train_utils.serialize_config(config, str(tmp_path))
  tf.train.Checkpoint(model=tf.Module()).save(str(tmp_path / 'ckpt'))
  with pytest.raises(ValueError, match='does not hold the model'):
    model_folder.load(str(tmp_path))


@pytest.fixture(scope='module')
def packed(tiny, tmp_path_factory):
  """The tiny model as mask2cad_tf.pack leaves it."""
  path = str(tmp_path_factory.mktemp('parent') / 'packed')
  model_folder.write_packed(
    tiny, exp_factory.get_exp_config('mask2cad_tiny'), path
  )
  return path


def test_a_packed_folder_is_a_model(packed, tiny, tiny_config, tmp_path):
  assert sorted(os.listdir(packed)) == [
    'params.yaml',
    'weights.json',
    'weights.npz',
  ]
  model, config = model_folder.load(packed)
  assert config.task.model.as_dict() == tiny_config.as_dict()
  for found, expected in zip(model.variables, tiny.variables):
    np.testing.assert_allclose(found, expected, rtol=2.0**-11, atol=1e-7)
  # Rounded weights are another encoder, but rounding is done once.
  assert model_folder.fingerprint(model) != model_folder.fingerprint(tiny)
  again = packed_weights.write(model, str(tmp_path))
  with open(os.path.join(packed, packed_weights.MANIFEST)) as file:
    assert again['sha256'] == json.load(file)['sha256']


def test_a_checkpoint_goes_before_packed_weights(folder, tiny, tmp_path):
  for name in os.listdir(folder):
    source = pathlib.Path(folder, name)
    if source.is_file():
      (tmp_path / name).write_bytes(source.read_bytes())
  (tmp_path / packed_weights.WEIGHTS).write_bytes(b'older')
  model, _ = model_folder.load(str(tmp_path))
  assert model_folder.fingerprint(model) == model_folder.fingerprint(tiny)


def test_damaged_packed_weights_are_an_error(packed, tmp_path):
  for name in os.listdir(packed):
    (tmp_path / name).write_bytes(pathlib.Path(packed, name).read_bytes())
  (tmp_path / packed_weights.WEIGHTS).write_bytes(b'')
  with pytest.raises(ValueError, match='weights.npz.*damaged'):
    model_folder.load(str(tmp_path))


def test_a_packed_model_replaces_no_stranger(folder, tiny):
  before = sorted(os.listdir(folder))
  with pytest.raises(ValueError, match='has no weights.json'):
    model_folder.write_packed(
      tiny, exp_factory.get_exp_config('mask2cad_tiny'), folder
    )
  assert sorted(os.listdir(folder)) == before


def test_what_belongs_to_a_model_appears_with_it(packed, tiny, tmp_path):
  path = tmp_path / 'model'
  config = exp_factory.get_exp_config('mask2cad_tiny')

  def note(folder):
    found, _ = model_folder.load(folder)  # the rounded model, already there
    assert len(found.variables) == len(tiny.variables)
    assert not path.exists()
    pathlib.Path(folder, 'note').write_text('kept')

  def fail(folder):
    pathlib.Path(folder, 'note').write_text('lost')
    raise ValueError('no more room')

  model_folder.write_packed(tiny, config, str(path), [note])
  assert sorted(os.listdir(path)) == sorted([*os.listdir(packed), 'note'])
  with pytest.raises(ValueError, match='no more room'):
    model_folder.write_packed(tiny, config, str(path), [fail])
  assert (path / 'note').read_text() == 'kept'
  assert os.listdir(tmp_path) == ['model']
