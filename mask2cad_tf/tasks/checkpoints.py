"""The checkpoint that a training goes on from: the last one that is whole."""

import os
import re
from typing import List
from typing import Optional

import tensorflow as tf
from absl import logging

_STEP = 'global_step/.ATTRIBUTES/VARIABLE_VALUE'
_NAME = re.compile(r'ckpt-(\d+)\.index$')


def choose_last_good(model_dir: str) -> Optional[str]:
  """Finds the newest checkpoint that can be read from end to end.

  A checkpoint that a full disk or a lost machine has cut short is passed over
  with a warning, and its files stay. TensorFlow's own list of checkpoints, the
  file `checkpoint`, is written anew where its last entry is another one: a
  damaged list would make the trainer begin at step 0 without a word.

  Args:
    model_dir: of the training.

  Returns:
    Its path, or None where there is no checkpoint yet.

  Raises:
    ValueError: there are checkpoints, and none can be read.
  """
  paths = _newest_first(model_dir)
  for path in paths:
    fault = _fault(path)
    if fault is None:
      if _listed(model_dir) != path:
        _write_list(model_dir, _whole_before(path, paths))
      return path
    logging.warning('Passed over the checkpoint %s: %s', path, fault)
  if paths:
    raise ValueError(
      f'None of the {len(paths)} checkpoints in {model_dir!r} can be read, the '
      f'newest because: {_fault(paths[0])} To train from the start, give '
      'another --model_dir.'
    )
  return None


def _listed(model_dir: str) -> Optional[str]:
  """What TensorFlow would go on from."""
  try:
    return tf.train.latest_checkpoint(model_dir)
  except ValueError:  # an empty list
    return None


def _write_list(model_dir: str, oldest_first: List[str]) -> None:
  """TensorFlow's CheckpointState, names relative to the folder; atomically."""
  names = [os.path.basename(path) for path in oldest_first]
  lines = [f'model_checkpoint_path: "{names[-1]}"']
  lines += [f'all_model_checkpoint_paths: "{name}"' for name in names]
  path = os.path.join(model_dir, 'checkpoint')
  with tf.io.gfile.GFile(path + '.new', 'w') as file:
    file.write('\n'.join(lines) + '\n')
  tf.io.gfile.rename(path + '.new', path, overwrite=True)


def step_of(path: str) -> int:
  """The step at which a checkpoint of the trainer was written."""
  return int(tf.train.load_variable(path, _STEP))


def _newest_first(model_dir: str) -> List[str]:
  """All that look like checkpoints, whatever the list of them says."""
  if not tf.io.gfile.isdir(model_dir):
    return []
  steps = [
    int(match[1])
    for match in map(_NAME.fullmatch, tf.io.gfile.listdir(model_dir))
    if match
  ]
  return [
    os.path.join(model_dir, f'ckpt-{step}')
    for step in sorted(steps, reverse=True)
  ]


def _whole_before(path: str, newest_first: List[str]) -> List[str]:
  """The readable checkpoints up to `path`, oldest first."""
  older = newest_first[newest_first.index(path) + 1 :]
  return [p for p in reversed(older) if _fault(p) is None] + [path]


def _fault(path: str) -> Optional[str]:
  """What is wrong with a checkpoint; None where all of it can be read.

  Reading compares every tensor with its checksum.
  """
  try:
    reader = tf.train.load_checkpoint(path)
    for name in reader.get_variable_to_shape_map():
      reader.get_tensor(name)
  except (tf.errors.OpError, LookupError, ValueError, RuntimeError) as error:
    return ' '.join(str(error).split())
  return None
