"""Kills `mask2cad_tf.gallery add` at random moments: what is left?

  python -m tests.benchmarks.gallery_kills --library=LIB --work_dir=DIR

The command itself, with TensorFlow and its processes, on a copy of the
package's gallery, or of --saved_model. After each kill the gallery must be the
old or the new one and `verify` must find no fault. DIR must be new or empty.
Exit status 1 if anything else was left. The suite's own test of it, without
TensorFlow: tests/retrieval/killed_changes.py.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
from absl import app
from absl import flags

from mask2cad_tf.geometry import cad_folder
from mask2cad_tf.retrieval import default_gallery
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import gallery_changes
from mask2cad_tf.retrieval import gallery_checks
from mask2cad_tf.serving import gallery_assets
from tests.benchmarks import work_folder

_LIBRARY = flags.DEFINE_string('library', None, 'Folder <class>/<shape>/*.')
_WORK_DIR = flags.DEFINE_string('work_dir', None, 'New or empty folder.')
_SAVED_MODEL = flags.DEFINE_string(
  'saved_model', None, 'Of mask2cad_tf.export; is copied. Default: a gallery.'
)
_NUM_CADS = flags.DEFINE_integer('num_cads', 10, 'CADs added.')
_KILLS = flags.DEFINE_integer('kills', 10, 'How often.')
_SEED = flags.DEFINE_integer('seed', 0, 'Of the moments.')


def main(_):
  work_folder.claim(_WORK_DIR.value)
  home, command = _prepare()
  old = gallery_lib.load(home.gallery_dir)
  start = time.monotonic()
  subprocess.run(command, check=True)
  whole = time.monotonic() - start
  new = gallery_lib.load(home.gallery_dir)
  added = sorted(set(new.cad_ids) - set(old.cad_ids))
  versions = {old.version: 'old', new.version: 'new'}
  gallery_changes.remove(home, added)

  rng = np.random.default_rng(_SEED.value)
  left = {'old': 0, 'new': 0}
  faults = []
  for number in range(_KILLS.value):
    # Every other one late, where the folders change places.
    moment = whole * rng.uniform(0.9 if number % 2 else 0.0, 1.05)
    _kill_after(moment, command)
    found = (
      gallery_assets.faults(home.root)
      if _SAVED_MODEL.value
      else gallery_checks.faults(home.gallery_dir)
    )
    version = gallery_lib.load(home.gallery_dir).version
    state = versions.get(version, f'unknown {version}')
    print(f'killed after {moment:.2f} of {whole:.2f} s: {state}, {found}')
    faults += found
    left[state] = left.get(state, 0) + 1
    if state == 'new':
      gallery_changes.remove(home, added)
  print(json.dumps({'left': left, 'faults': faults}))
  if faults or set(left) != {'old', 'new'}:
    sys.exit(1)


def _prepare():
  """The home of a copied gallery, and the command that adds CADs to it."""
  target = os.path.join(_WORK_DIR.value, 'target')
  if _SAVED_MODEL.value:
    shutil.copytree(_SAVED_MODEL.value, target)
    home, flag = gallery_assets.home(target), f'--saved_model={target}'
  else:
    shutil.copytree(default_gallery.choose(None, None)[1], target)
    home, flag = gallery_changes.Home(target), f'--gallery={target}'
  entries = cad_folder.list_cads(_LIBRARY.value)
  picks = np.linspace(0, len(entries) - 1, _NUM_CADS.value).astype(int)
  path = os.path.join(_WORK_DIR.value, 'cads.json')
  with open(path, 'w') as file:
    json.dump({'added': [entries[pick].cad_id for pick in picks]}, file)
  return home, [
    sys.executable,
    '-m',
    'mask2cad_tf.gallery',
    'add',
    flag,
    f'--library={_LIBRARY.value}',
    f'--cad_list={path}:added',
  ]


def _kill_after(seconds, command):
  process = subprocess.Popen(
    command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
  )
  time.sleep(seconds)
  process.send_signal(signal.SIGKILL)
  process.wait()


if __name__ == '__main__':
  flags.mark_flags_as_required(['library', 'work_dir'])
  app.run(main)
