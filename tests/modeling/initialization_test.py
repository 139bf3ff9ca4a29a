"""Garden's RetinaNet checkpoints: what loads, what is counted, what fails."""

import numpy as np
import pytest
import tensorflow as tf
from official.core import exp_factory
from official.vision.modeling import factory as garden_factory

from mask2cad_tf.modeling import initialization
from mask2cad_tf.modeling import model_folder


@pytest.fixture(scope='module')
def garden(tiny_config, tmp_path_factory):
  """A Garden RetinaNet of 5 classes and its trainer-like checkpoint."""
  config = tiny_config.replace(num_classes=5)
  model = garden_factory.build_retinanet(
    tf.keras.layers.InputSpec(shape=[None, *config.input_size]), config
  )
  rng = np.random.default_rng(0)
  for variable in model.variables:
    variable.assign(rng.normal(size=variable.shape))
  checkpoint = tf.train.Checkpoint(model=model, **model.checkpoint_items)
  folder = tmp_path_factory.mktemp('garden')
  return model, checkpoint.save(str(folder / 'ckpt'))


@pytest.fixture
def model(scratch):
  return scratch


def _assert_equal(ours, theirs):
  assert len(ours.variables) == len(theirs.variables)
  for a, b in zip(ours.variables, theirs.variables):
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
  'modules', [['backbone', 'decoder'], 'backbone, decoder']
)
def test_backbone_and_decoder(model, garden, modules):
  theirs, path = garden
  head = model.head.get_weights()
  report = initialization.load_init_checkpoint(model, path, modules)
  _assert_equal(model.backbone, theirs.backbone)
  _assert_equal(model.decoder, theirs.decoder)
  for before, after in zip(head, model.head.get_weights()):
    np.testing.assert_array_equal(before, after)
  backbone = len(theirs.backbone.variables)
  decoder = len(theirs.decoder.variables)
  assert report.counts == {
    'backbone': (backbone, backbone),
    'decoder': (decoder, decoder),
  }
  assert report.num_loaded == backbone + decoder
  assert not report.not_loaded
  assert f'backbone {backbone} of {backbone}' in str(report)


def test_folder_and_a_module_it_lacks(model, garden):
  theirs, path = garden
  report = initialization.load_init_checkpoint(
    model, path.rpartition('/')[0], ['backbone', 'center_head']
  )
  _assert_equal(model.backbone, theirs.backbone)
  loaded, total = report.counts['center_head']
  assert (loaded, total) == (0, len(model.center_head.variables))
  assert len(report.not_loaded) == total


def test_a_head_of_other_classes_is_an_error(model, garden):
  with pytest.raises(ValueError, match='another shape.*number of classes'):
    initialization.load_init_checkpoint(model, garden[1], ['head'])


def test_all_of_our_own_checkpoint(model, build_tiny, tmp_path):
  other = build_tiny()
  path = tf.train.Checkpoint(**other.checkpoint_items).save(
    str(tmp_path / 'ckpt')
  )
  report = initialization.load_init_checkpoint(model, path, 'all')
  assert report.num_loaded == len(model.variables)
  _assert_equal(model, other)


@pytest.mark.parametrize('modules', ['all', ['head', 'pose_decoder']])
def test_a_packed_model(model, build_tiny, tmp_path, modules):
  other, folder = build_tiny(), str(tmp_path / 'packed')
  config = exp_factory.get_exp_config('mask2cad_tiny')
  model_folder.write_packed(other, config, folder)
  kept = model.embedding_head.get_weights()
  for part in model.branch_parts('detection'):  # what trains is not all of it
    part.trainable = False
  try:
    report = initialization.load_init_checkpoint(model, folder, modules)
  finally:
    for part in model.branch_parts('detection'):
      part.trainable = True
  for part in ('head', 'pose_decoder'):
    ours, theirs = getattr(model, part), getattr(other, part)
    assert len(ours.variables) == len(theirs.variables)
    for a, b in zip(ours.variables, theirs.variables):
      np.testing.assert_allclose(a, b, rtol=2.0**-11, atol=1e-7)
    assert report.counts[part] == (len(ours.variables),) * 2
  assert not report.not_loaded
  if modules != 'all':
    for before, after in zip(kept, model.embedding_head.get_weights()):
      np.testing.assert_array_equal(before, after)


def test_nothing_matched_is_an_error(model, tmp_path):
  path = tf.train.Checkpoint(x=tf.Variable(1.0)).save(str(tmp_path / 'ckpt'))
  with pytest.raises(ValueError, match='has none of the variables'):
    initialization.load_init_checkpoint(model, path, ['backbone'])


def test_unknown_module_is_named(model, garden):
  with pytest.raises(ValueError, match='no module bakbone; .*Did you mean'):
    initialization.load_init_checkpoint(model, garden[1], ['bakbone'])


def test_missing_checkpoint_is_named(model, tmp_path):
  for path in (str(tmp_path), str(tmp_path / 'ckpt-7')):
    with pytest.raises(FileNotFoundError, match=path):
      initialization.load_init_checkpoint(model, path, 'all')
