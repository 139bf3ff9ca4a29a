"""Does the memory of a conversion grow with the number of its photos?

  python -m tests.benchmarks.conversion_memory --num_examples=10000

Converts the three Pix3D photos inside the tensorflow_graphics wheel again and
again, with the code and the process pool of tfrecords_tools.pix3d, and prints
examples a second and the peak resident memory of the parent and of its largest
child, for a tenth of the examples and for all. Each conversion is a process of
its own, so that its peak is its own.
"""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading

from absl import app
from absl import flags

from tests.benchmarks import process_memory

_NUM_EXAMPLES = flags.DEFINE_integer('num_examples', 10000, 'Of the long run.')
_NUM_PROCESSES = flags.DEFINE_integer('num_processes', 2, 'Of the pool.')
_FOLDER = flags.DEFINE_string('folder', None, 'Of one conversion; internal.')


def _link_photos(root, count):
  """A Pix3D folder with `count` photos, which are links to three."""
  from tests import toy

  wheel = toy.wheel_pix3d()
  os.symlink(os.path.join(wheel, 'model'), os.path.join(root, 'model'))
  with open(os.path.join(wheel, 'pix3d.json'), encoding='utf-8') as file:
    photos = json.load(file)
  entries = []
  for folder in ('img', 'mask'):
    os.makedirs(os.path.join(root, folder, 'bed'))
  for index in range(count):
    entry = dict(photos[index % len(photos)])
    for key in ('img', 'mask'):
      name = f'{key}/bed/{index:06d}.png'
      os.symlink(os.path.join(wheel, entry[key]), os.path.join(root, name))
      entry[key] = name
    entries.append(entry)
  with open(os.path.join(root, 'pix3d.json'), 'w', encoding='utf-8') as file:
    json.dump(entries, file)


def _peak(process):
  """Peak resident memory of a process, MiB; 0 once it has ended."""
  try:
    return process_memory.mib('VmHWM', process)
  except (FileNotFoundError, ValueError):
    return 0.0


def _watch(peaks, stop):
  while not stop.wait(0.2):
    for child in multiprocessing.active_children():
      peaks[child.pid] = max(peaks.get(child.pid, 0.0), _peak(child.pid))


def _convert(root):
  """One conversion; prints what it took."""
  from tfrecords_tools import clock as clock_lib
  from tfrecords_tools import pix3d

  clock, peaks, stop = clock_lib.Clock(), {}, threading.Event()
  watcher = threading.Thread(target=_watch, args=(peaks, stop))
  watcher.start()
  try:
    pix3d.convert(
      root,
      os.path.join(root, 'pix3d.json'),
      os.path.join(root, 'records'),
      num_processes=_NUM_PROCESSES.value,
    )
  finally:
    stop.set()
    watcher.join()
  seconds, cpu_seconds = clock.read()
  size = sum(item.stat().st_size for item in os.scandir(f'{root}/records'))
  print(
    f'{_NUM_EXAMPLES.value} examples, {size / 2**20:.0f} MiB: '
    f'{_NUM_EXAMPLES.value / seconds:.1f} examples/s, '
    f'{1000 * cpu_seconds / _NUM_EXAMPLES.value:.0f} CPU-ms each; peak memory '
    f'{_peak("self"):.0f} MiB parent, '
    f'{max(peaks.values(), default=0.0):.0f} MiB largest child'
  )


def main(argv):
  del argv
  if _FOLDER.value:
    _convert(_FOLDER.value)
    return
  for count in (_NUM_EXAMPLES.value // 10, _NUM_EXAMPLES.value):
    with tempfile.TemporaryDirectory() as root:
      _link_photos(root, count)
      subprocess.run(
        [
          sys.executable,
          '-m',
          'tests.benchmarks.conversion_memory',
          f'--folder={root}',
          f'--num_examples={count}',
          f'--num_processes={_NUM_PROCESSES.value}',
        ],
        check=True,
        env={**os.environ, 'TF_CPP_MIN_LOG_LEVEL': '3'},
      )


if __name__ == '__main__':
  app.run(main)
