"""Something to run: quick examples without TensorFlow, and a killed run.

  python -m tests.tfrecords_tools.fake_maker OUT KILLS

makes OUT/undisturbed in one go, and OUT/killed0, killed1, ... in many, KILLS of
which SIGKILL ends at a random moment.
"""

import os
import random
import signal
import sys
import time

import numpy as np

from tfrecords_tools import block_job

NUM_EXAMPLES = 60
BLOCK_SIZE = 4


class Maker:
  """Made from the index alone; 13 is left out, `broken` are bad input."""

  def __init__(self, delay=0.0, broken=(), defect=None, dies=None):
    self._delay = delay
    self._broken = broken
    self._defect = defect
    self._dies = dies

  def __call__(self, index):
    time.sleep(self._delay)
    if index in self._broken:
      raise ValueError(f'photo {index} is broken')
    if index == self._defect:
      raise ZeroDivisionError('a defect of ours')
    if index == self._dies:
      os._exit(3)
    if index == 13:
      return block_job.Made(None, {'unlucky': 1}, 'photo 13: unlucky')
    rng = np.random.default_rng([1, index])
    # A sum that threads would change in the last digits.
    total = (rng.normal(size=(300, 300)) @ rng.normal(size=(300, 300))).sum()
    text = f'photo {index} {total!r}'.encode() + rng.bytes(1000)
    return block_job.Made(_example(text), {'even': 1 - index % 2})


class Closing(Maker):
  """Leaves a file when it is closed."""

  def __init__(self, path):
    super().__init__()
    self._path = path

  def close(self):
    with open(self._path, 'a', encoding='utf-8') as file:
      file.write('closed\n')


def _field(number, payload):
  """A length-delimited protobuf field."""
  size, varint = len(payload), b''
  while size > 127:
    varint, size = varint + bytes([size & 127 | 128]), size >> 7
  return bytes([number << 3 | 2]) + varint + bytes([size]) + payload


def _example(text):
  """tf.train.Example with the bytes feature image/filename."""
  feature = _field(1, _field(1, text))
  entry = _field(1, b'image/filename') + _field(2, feature)
  return _field(1, _field(1, entry))


def _run(output_dir):
  from tfrecords_tools import example_runner

  example_runner.run(
    Maker(delay=0.02),
    NUM_EXAMPLES,
    output_dir,
    'images',
    3,
    {'seed': 1},
    block_size=BLOCK_SIZE,
  )


def _start(output_dir):
  """A run in a process of its own, forked: TensorFlow is imported already."""
  pid = os.fork()
  if not pid:
    _run(output_dir)
    os._exit(0)
  return pid


def _main(root, kills):
  from tfrecords_tools import example_runner  # noqa: F401

  begun = time.monotonic()
  os.waitpid(_start(os.path.join(root, 'undisturbed')), 0)
  seconds = time.monotonic() - begun
  chance = random.Random(kills)
  died = attempt = 0
  while died < kills:
    pid = _start(os.path.join(root, f'killed{attempt}'))
    time.sleep(chance.uniform(0.05, 1.0) * seconds)
    os.kill(pid, signal.SIGKILL)
    if os.waitpid(pid, 0)[1] == signal.SIGKILL:
      died += 1
    else:  # came to its end before; the next starts from nothing
      attempt += 1
  _run(os.path.join(root, f'killed{attempt}'))


if __name__ == '__main__':
  _main(sys.argv[1], int(sys.argv[2]))
