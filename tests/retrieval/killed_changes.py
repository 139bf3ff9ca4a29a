"""Kills `gallery_changes.add` at moments spread over its run.

  python -m tests.retrieval.killed_changes WORK_DIR KILLS

Apart from the tests and without TensorFlow: it forks. Prints a line of JSON:
{"old": n, "new": n, "faults": [...]}, how often which gallery was left.
"""

import json
import os
import signal
import sys
import time

import numpy as np

from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import gallery_changes
from mask2cad_tf.retrieval import gallery_checks
from tests.retrieval import fake_encoder

_NEW = tuple(f'chair/n{i}' for i in range(6))


def main(work_dir, kills):
  encoder = fake_encoder.make()
  library = fake_encoder.write_library(f'{work_dir}/new', *_NEW)
  fake_encoder.build(
    f'{work_dir}/g',
    fake_encoder.write_library(f'{work_dir}/old', 'bed/a', 'chair/b'),
    encoder,
  )
  home = gallery_changes.Home(f'{work_dir}/g')
  old = gallery_lib.load(home.root).version

  def add():
    gallery_changes.add(home, encoder, library)

  whole = _seconds_of(add)
  gallery_changes.remove(home, _NEW)
  # Half of them at the end, where the folders change places.
  rng = np.random.default_rng(0)
  moments = np.concatenate(
    [
      rng.uniform(0.0, 1.0, kills - kills // 2),
      rng.uniform(0.8, 1.1, kills // 2),
    ]
  )
  left, faults = {True: 0, False: 0}, []
  for moment in moments:
    _kill_after(moment * whole, add)
    faults += gallery_checks.faults(home.root)
    gallery = gallery_lib.load(home.root)
    is_old = gallery.version == old
    left[is_old] += 1
    if not is_old:
      if len(gallery.cads) != 2 + len(_NEW):
        faults.append(f'{len(gallery.cads)} CADs')
      gallery_changes.remove(home, _NEW)
  # The next change sweeps what they left.
  gallery_changes.add(home, encoder, library)
  faults += [f'{name} stayed' for name in os.listdir(work_dir) if '.' in name]
  print(json.dumps({'old': left[True], 'new': left[False], 'faults': faults}))


def _seconds_of(run):
  start = time.monotonic()
  os.waitpid(_fork(run), 0)
  return time.monotonic() - start


def _kill_after(seconds, run):
  child = _fork(run)
  time.sleep(seconds)
  os.kill(child, signal.SIGKILL)
  os.waitpid(child, 0)


def _fork(run):
  child = os.fork()
  if child == 0:
    try:
      run()
    finally:
      os._exit(0)
  return child


if __name__ == '__main__':
  main(sys.argv[1], int(sys.argv[2]))
