"""Training, evaluation and resumption through the real trainer's `main`."""

import glob
import json
import os
import shutil

import gin
import numpy as np
import pytest
import tensorflow as tf
import yaml
from absl import flags
from absl.testing import flagsaver
from official.common import flags as garden_flags
from tensorflow.core.util import event_pb2
from tensorflow.python.framework import config as tf_config

from mask2cad_tf import registry_imports  # noqa: F401
from mask2cad_tf.modeling import model_folder
from mask2cad_tf.tasks import training_run
from tests import toy
from tests import toy_training

FLAGS = flags.FLAGS


@pytest.fixture(scope='module', autouse=True)
def _trainer_flags():
  if 'experiment' not in FLAGS:
    garden_flags.define_flags()
  FLAGS.mark_as_parsed()
  yield
  tf_config.disable_op_determinism()


def _run(tmp_path, data, mode, model_dir, **trainer):
  override = tmp_path / 'override.yaml'
  seeded = {'seed': 7, 'deterministic': True}
  override.write_text(
    yaml.safe_dump(toy_training.overrides(data, seeded, **trainer))
  )
  with (
    flagsaver.flagsaver(
      experiment='mask2cad_tiny',
      mode=mode,
      model_dir=str(model_dir),
      config_file=[str(override)],
      params_override='',
    ),
    gin.unlock_config(),
  ):  # a process trains once; this one several times
    training_run.main('unused')


def _events(folder):
  """Tag -> values of a TensorBoard folder."""
  found = {}
  for path in sorted(glob.glob(os.path.join(folder, 'events*'))):
    for record in tf.data.TFRecordDataset(path):
      event = event_pb2.Event.FromString(record.numpy())
      for value in event.summary.value:
        found.setdefault(value.tag, []).append(tf.make_ndarray(value.tensor))
  return found


@pytest.fixture(scope='module')
def trained(toy_data, tmp_path_factory):
  """A model directory after 60 steps of training and an evaluation."""
  tmp_path = tmp_path_factory.mktemp('train')
  _run(
    tmp_path,
    toy_data,
    'train_and_eval',
    tmp_path / 'model',
    train_steps=60,
    steps_per_loop=20,
    summary_interval=20,
    checkpoint_interval=20,
    validation_interval=60,
    validation_steps=4,
    best_checkpoint_export_subdir='best',
    best_checkpoint_eval_metric='AP',
    best_checkpoint_metric_comp='higher',
  )
  return tmp_path / 'model'


def test_losses_fall(trained):
  scalars = _events(trained / 'train')
  for name in ('total_loss', 'cls', 'coarse_mask', 'fine_mask', 'pose_bin'):
    values = [float(value) for value in scalars[name]]
    assert len(values) == 3 and np.all(np.isfinite(values)), name
    assert values[-1] < values[0], (name, values)


def test_every_loss_is_logged(trained):
  scalars = _events(trained / 'train')
  assert {
    'cls',
    'box',
    'prior_mask',
    'coarse_mask',
    'fine_mask',
    'embedding',
    'pose_bin',
    'pose_delta',
    'center',
    'refined_share',
    'total_loss',
  } <= set(scalars)


def test_validation_writes_metrics_and_pictures(trained):
  events = _events(trained / 'validation')
  assert {'AP', 'mask_AP', 'detected_share', 'cad_top1'} <= set(events)
  width, height, *pictures = events['image/scenes'][0]
  assert (int(width), int(height)) == (512, 512)  # 4 x the input's 128
  assert len(pictures) == 4  # validation_steps photos
  assert tf.io.decode_png(pictures[0]).shape == (512, 512, 3)


def test_best_checkpoint_is_exported(trained):
  info = json.loads((trained / 'best' / 'info.json').read_text())
  assert 'AP' in info
  assert tf.train.latest_checkpoint(str(trained / 'best'))


def test_model_dir_is_a_model_folder(trained):
  model, config = model_folder.load(str(trained))
  assert config.task.model.class_names == list(toy.CLASS_NAMES)
  assert model.pose_bins.shape == (5, 16, 4)


def test_training_goes_on_with_the_same_bits(trained, toy_data, tmp_path):
  # As after a kill between steps 40 and 60; the newest checkpoint is damaged.
  cut_off = tmp_path / 'cut_off'
  cut_off.mkdir()
  for path in trained.glob('ckpt-40.*'):
    shutil.copy(path, cut_off)
  for path in trained.glob('ckpt-60.index'):
    shutil.copy(path, cut_off)
  _run(
    tmp_path,
    toy_data,
    'train',
    cut_off,
    train_steps=60,
    steps_per_loop=20,
    summary_interval=20,
    checkpoint_interval=20,
  )
  last = tf.train.latest_checkpoint(str(cut_off))
  assert last.endswith('ckpt-60')
  assert not toy_training.differences(last, str(trained / 'ckpt-60'))
  assert toy_training.differences(last, str(trained / 'ckpt-40'))
  scalars = _events(cut_off / 'train')
  assert scalars['total_loss'] == _events(trained / 'train')['total_loss'][2:]


def test_evaluation_alone(trained, toy_data, tmp_path):
  _run(
    tmp_path,
    toy_data,
    'eval',
    trained,
    validation_steps=2,
    validation_interval=1,
    train_steps=60,
  )


@pytest.mark.parametrize(
  'error, kind, words',
  [
    (
      tf.errors.ResourceExhaustedError(
        None, None, 'x; No space left on device'
      ),
      OSError,
      'is full.*ckpt-60',
    ),
    (OSError(28, 'No space left on device'), OSError, 'is full.*ckpt-60'),
    (
      tf.errors.PermissionDeniedError(None, None, 'x; Permission denied'),
      PermissionError,
      'Cannot write to.*--model_dir',
    ),
    (OSError(30, 'Read-only file system'), PermissionError, 'Cannot write to'),
    (
      tf.errors.AbortedError(None, None, 'lost'),
      tf.errors.AbortedError,
      'lost',
    ),
  ],
)
def test_write_errors_name_the_folder(trained, error, kind, words):
  with (
    pytest.raises(kind, match=words),
    training_run._clear_write_errors(str(trained)),
  ):
    raise error
