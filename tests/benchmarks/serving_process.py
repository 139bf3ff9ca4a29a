"""A fresh process that serves a SavedModel: how long, how much memory?

  python -m tests.benchmarks.serving_process SAVED_MODEL REQUESTS BATCH PHOTO...

Asks itself as a server would: bytes in, all outputs out, as NumPy. Prints one
line of JSON. The machine's limits are measured in turn with the requests, after
the peak of memory is read.
"""

import json
import sys
import time
from typing import Dict
from typing import List

import tensorflow as tf

from tests.benchmarks import machine_limits


def memory(field: str) -> float:
  """Of this process, MiB: VmRSS, resident now, or VmHWM, its peak."""
  with open('/proc/self/status', encoding='utf-8') as file:
    (line,) = (line for line in file if line.startswith(f'{field}:'))
  return int(line.split()[1]) / 1024


def _serve(folder: str, requests: int, batch: int, photos: List[bytes]):
  resident = {'import': memory('VmRSS')}
  start = time.perf_counter()
  model = tf.saved_model.load(folder)
  infer = model.signatures['serving_default']
  seconds = {'load': time.perf_counter() - start}
  resident['load'] = memory('VmRSS')

  def ask(contents: List[bytes]) -> float:
    begun = time.perf_counter()
    outputs = infer(image_bytes=tf.constant(contents))
    found = {key: value.numpy() for key, value in outputs.items()}
    assert len(found['detection_cad_ids']) == len(contents)
    return time.perf_counter() - begun

  seconds['first'] = ask(photos[:1])
  resident['first request'] = memory('VmRSS')
  for index in range(max(3, requests // 4)):  # sizes differ: all of them
    ask([photos[index % len(photos)]])
  resident['served'] = memory('VmRSS')
  peak = memory('VmHWM')
  limits = machine_limits.Limits()
  one, several, rates = [], [], []
  for index in range(requests):
    rates.append(limits.measure())
    one.append(ask([photos[index % len(photos)]]))
  for _ in range(max(2, requests // (2 * batch))):
    several.append(ask([photos[i % len(photos)] for i in range(batch)]))
  return {
    'seconds': seconds,
    'resident_mib': resident,
    'peak_mib': peak,
    'latencies': one,
    'batch': batch,
    'batch_latencies': several,
    'limits': rates,
  }


def main(arguments: List[str]) -> Dict[str, object]:
  """Serves the photos; returns what was measured."""
  folder, requests, batch, *paths = arguments
  photos = []
  for path in paths:
    with open(path, 'rb') as file:
      photos.append(file.read())
  return _serve(folder, int(requests), int(batch), photos)


if __name__ == '__main__':
  print(json.dumps(main(sys.argv[1:])))
