"""Folders of several workers; the trainer itself: e2e/train_eval_test.py."""

import os
import types

import tensorflow as tf

from mask2cad_tf.tasks import checkpoints
from mask2cad_tf.tasks import training_run


def _worker(is_chief):
  return types.SimpleNamespace(
    extended=types.SimpleNamespace(should_checkpoint=is_chief)
  )


def _checkpoint(folder, step):
  checkpoint = tf.train.Checkpoint(
    global_step=tf.Variable(step, dtype=tf.int64)
  )
  return tf.train.CheckpointManager(
    checkpoint, str(folder), max_to_keep=2
  ).save(checkpoint_number=step)


def test_the_first_worker_has_the_models_folder(tmp_path):
  start = _checkpoint(tmp_path, 40)
  with training_run._own_folder(_worker(True), str(tmp_path), start) as folder:
    assert folder == str(tmp_path)
  assert os.path.exists(f'{start}.index')


def test_others_find_the_same_checkpoint_in_a_folder_of_their_own(tmp_path):
  start = _checkpoint(tmp_path, 40)
  before = sorted(os.listdir(tmp_path))
  with training_run._own_folder(_worker(False), str(tmp_path), start) as folder:
    assert folder != str(tmp_path)
    found = tf.train.latest_checkpoint(folder)
    assert os.path.dirname(found) == folder
    assert checkpoints.step_of(found) == 40
  assert not os.path.exists(folder)
  assert sorted(os.listdir(tmp_path)) == before


def test_others_begin_where_nothing_was_trained(tmp_path):
  with training_run._own_folder(_worker(False), str(tmp_path), None) as folder:
    assert os.listdir(folder) == []
