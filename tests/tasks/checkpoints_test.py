import os
import pathlib

import pytest
import tensorflow as tf

from mask2cad_tf.tasks import checkpoints


@pytest.fixture(name='folder')
def _folder(tmp_path):
  """Checkpoints of steps 10, 20 and 30, as the trainer writes them."""
  step = tf.Variable(0, dtype=tf.int64)
  manager = tf.train.CheckpointManager(
    tf.train.Checkpoint(global_step=step, weights=tf.Variable(tf.ones([1000]))),
    str(tmp_path),
    max_to_keep=5,
    step_counter=step,
  )
  for number in (10, 20, 30):
    step.assign(number)
    manager.save(checkpoint_number=number)
  return str(tmp_path)


def _data(folder, step):
  return os.path.join(folder, f'ckpt-{step}.data-00000-of-00001')


def test_the_newest_whole_one(folder):
  listed = pathlib.Path(folder, 'checkpoint')
  before = listed.read_text()
  path = checkpoints.choose_last_good(folder)
  assert path == os.path.join(folder, 'ckpt-30')
  assert checkpoints.step_of(path) == 30
  assert listed.read_text() == before


def _cut_short(path):
  os.truncate(path, os.path.getsize(path) // 2)


def _one_bit(path):
  with open(path, 'r+b') as file:
    file.seek(100)
    byte = file.read(1)[0]
    file.seek(100)
    file.write(bytes([byte ^ 1]))


@pytest.mark.parametrize('damage', [_cut_short, _one_bit, os.remove])
def test_a_damaged_one_is_passed_over_with_a_warning(folder, damage, caplog):
  damage(_data(folder, 30))
  path = checkpoints.choose_last_good(folder)
  assert path == os.path.join(folder, 'ckpt-20')
  assert 'ckpt-30' in caplog.text
  # The trainer, which asks TensorFlow, goes on from there; nothing is deleted.
  assert tf.train.latest_checkpoint(folder) == path
  state = tf.train.get_checkpoint_state(folder)
  assert [os.path.basename(p) for p in state.all_model_checkpoint_paths] == [
    'ckpt-10',
    'ckpt-20',
  ]
  assert os.path.exists(os.path.join(folder, 'ckpt-30.index'))


@pytest.mark.parametrize('content', [None, '', 'not a list'])
def test_a_lost_list_is_written_anew(folder, content):
  # Without the list, TensorFlow says that there is no checkpoint.
  path = os.path.join(folder, 'checkpoint')
  os.remove(path)
  if content is not None:
    with open(path, 'w') as file:
      file.write(content)
  checkpoints.choose_last_good(folder)
  assert tf.train.latest_checkpoint(folder) == os.path.join(folder, 'ckpt-30')


def test_none_that_can_be_read(folder):
  for step in (10, 20, 30):
    _cut_short(_data(folder, step))
  with pytest.raises(ValueError, match='None of the 3 checkpoints.*model_dir'):
    checkpoints.choose_last_good(folder)


def test_a_new_training_has_none(tmp_path):
  assert checkpoints.choose_last_good(str(tmp_path)) is None
  assert checkpoints.choose_last_good(str(tmp_path / 'missing')) is None
