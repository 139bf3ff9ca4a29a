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
from tests.benchmarks import process_memory


def _serve(folder: str, requests: int, batch: int, photos: List[bytes]):
  resident = {'import': process_memory.mib('VmRSS')}
  start = time.perf_counter()
  model = tf.saved_model.load(folder)
  infer = model.signatures['serving_default']
  seconds = {'load': time.perf_counter() - start}
  resident['load'] = process_memory.mib('VmRSS')

  def ask(contents: List[bytes]) -> float:
    begun = time.perf_counter()
    outputs = infer(image_bytes=tf.constant(contents))
    found = {key: value.numpy() for key, value in outputs.items()}
    assert len(found['detection_cad_ids']) == len(contents)
    return time.perf_counter() - begun

  seconds['first'] = ask(photos[:1])
  resident['first request'] = process_memory.mib('VmRSS')
  for index in range(max(3, requests // 4)):  # sizes differ: all of them
    ask([photos[index % len(photos)]])
  resident['served'] = process_memory.mib('VmRSS')
  peak = process_memory.mib('VmHWM')
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
