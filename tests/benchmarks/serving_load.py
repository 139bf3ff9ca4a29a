"""Does a served model stand its load? Every answer comes, no memory is lost.

  python -m tests.benchmarks.serving_load --minutes=3 --clients=8

The stand-in server, a process of its own with an exported model (the shipped
one, unless --saved_model is given), is asked without a pause by clients over
gRPC and REST, one after the other of each kind: good photos and, nearly as
often, requests that it must refuse. A good one's answer must be the one that it
got before anybody else asked; a bad one's error must name its fault. Prints
counts, latencies, and the server's resident memory, open files, threads and
temporary files; exit status 1 when an answer is missing or wrong, or when
between start and end of the steady phase, which begins after a quarter of the
time, memory grew by more than 3 %, or anything of the others grew.
"""

import collections
import contextlib
import dataclasses
import io
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from typing import Dict
from typing import List
from typing import NamedTuple
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np
from absl import app
from absl import flags
from PIL import Image

from mask2cad_tf.retrieval import default_gallery
from mask2cad_tf.serving import client as client_lib
from tests import bad_photos
from tests.benchmarks import process_memory

_MINUTES = flags.DEFINE_float('minutes', 3.0, 'Of load.', lower_bound=0.05)
_CLIENTS = flags.DEFINE_integer('clients', 8, 'At a time.', lower_bound=1)
_SAVED_MODEL = flags.DEFINE_string(
  'saved_model', None, 'Exported folder. Default: the shipped model, exported.'
)
_SEED = flags.DEFINE_integer('seed', 0, 'Of the order of the requests.')

_BAD_SHARE = 0.45
_GROWTH = 1.03  # of the resident memory, at most
_CAMERA = (700.0, 700.0, 300.0, 200.0)
_NAN_CAMERA = (float('nan'), 700.0, 300.0, 200.0)
_TRIES = 5
_TIMEOUT = 120.0  # seconds of a request: longer is no answer


@dataclasses.dataclass(frozen=True, eq=False)
class Request:
  """What is sent, and what must come back.

  Attributes:
    kind: for the table.
    photo: the bytes.
    camera: (fx, fy, cx, cy).
    fault: what the error must say; None: an answer is due.
  """

  kind: str
  photo: bytes
  camera: Tuple[float, ...] = _CAMERA
  fault: Optional[str] = None


class Log:
  """What came of the requests; for many threads."""

  def __init__(self):
    self._lock = threading.Lock()
    self.seconds: Dict[str, List[float]] = collections.defaultdict(list)
    self.asked: Dict[str, int] = collections.Counter()
    self.wrong: Dict[str, int] = collections.Counter()

  def start(self, kind: str) -> None:
    with self._lock:
      self.asked[kind] += 1

  def end(self, kind: str, seconds: float, problem: str) -> None:
    with self._lock:
      self.seconds[kind].append(seconds)
      if problem:
        self.wrong[f'{kind}: {problem}'] += 1


def _good_requests() -> List[Request]:
  """The real photos of the wheel, as PNG and as JPEG."""
  found = []
  for path in sorted(default_gallery.sample_photos().glob('img/*/*.png')):
    found.append(Request('good PNG', path.read_bytes()))
    file = io.BytesIO()
    Image.open(path).convert('RGB').save(file, 'JPEG', quality=90)
    found.append(Request('good JPEG', file.getvalue()))
  return found


def _bad_requests(good: Request) -> List[Request]:
  faults = [
    Request(kind, photo(), _CAMERA, message)
    for kind, (photo, message) in bad_photos.FAULTS.items()
  ]
  nan = Request(
    'nan_camera', good.photo, _NAN_CAMERA, r'intrinsics\[0\]: .*expected finite'
  )
  return [*faults, nan]


def _problem(client, request: Request, expected) -> str:
  """Sends a request; '' where what comes back is what must."""
  try:
    outputs = client.infer([request.photo], np.array([request.camera]))
  except ValueError as error:
    if request.fault is None:
      return f'refused: {error}'
    named = re.search(request.fault, str(error))
    return '' if named else f'another fault: {error}'
  except (ConnectionError, TimeoutError) as error:
    return f'no answer: {error}'
  if request.fault is not None:
    return 'answered'
  same_cads = np.array_equal(
    outputs['detection_cad_ids'], expected['detection_cad_ids']
  )
  same_boxes = np.allclose(
    outputs['detection_boxes'], expected['detection_boxes'], atol=0.5
  )
  return (
    '' if same_cads and same_boxes else 'another answer than before the load'
  )


def _ask(client, good, bad, expected, seed, end, log) -> None:
  """One client's work until the end; good and bad as the dice fall."""
  rng = random.Random(seed)
  while time.monotonic() < end:
    request = rng.choice(bad if rng.random() < _BAD_SHARE else good)
    log.start(request.kind)
    start = time.monotonic()
    problem = _problem(client, request, expected.get(request))
    log.end(request.kind, time.monotonic() - start, problem)


class Holdings(NamedTuple):
  """What a process holds."""

  memory: float  # resident, MiB
  open_files: float
  threads: float
  temporary_files: float


def _watch(process: int, temporary: str, end: float) -> List[Holdings]:
  """What the server holds, every half second."""
  found = []
  while time.monotonic() < end:
    found.append(
      Holdings(
        process_memory.mib('VmRSS', process),
        len(os.listdir(f'/proc/{process}/fd')),
        len(os.listdir(f'/proc/{process}/task')),
        sum(len(files) for _, _, files in os.walk(temporary)),
      )
    )
    time.sleep(0.5)
  return found


def _phases(values: Sequence[float]) -> Tuple[float, ...]:
  """Medians of start, middle and end of the steady phase: a tenth each."""
  steady = values[len(values) // 4 :]
  width = max(1, len(steady) // 10)
  middle = (len(steady) - width) // 2
  return tuple(
    float(np.median(steady[start : start + width]))
    for start in (0, middle, len(steady) - width)
  )


@contextlib.contextmanager
def _server(saved_model: str, temporary: str, seconds: float):
  """The stand-in as its own process, and its addresses."""
  command = [
    sys.executable,
    '-m',
    'tests.stand_in_server',
    f'--saved_model={saved_model}',
    f'--seconds={seconds}',
    f'--num_threads={_CLIENTS.value}',
  ]
  # With an arena of malloc's for every thread the resident memory is a fifth
  # larger and goes up and down by as much: no leak could be told.
  environment = {
    **os.environ,
    'MALLOC_ARENA_MAX': '2',
    'TMPDIR': temporary,
    'TF_CPP_MIN_LOG_LEVEL': '3',
  }
  with subprocess.Popen(
    command,
    stdout=subprocess.PIPE,
    stderr=subprocess.DEVNULL,
    env=environment,
    text=True,
  ) as process:
    try:
      yield process, json.loads(process.stdout.readline())
    finally:
      process.terminate()


def _export(folder: str) -> str:
  """The shipped model as a SavedModel."""
  subprocess.run(
    [sys.executable, '-m', 'mask2cad_tf.export', f'--export_dir={folder}'],
    check=True,
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
  )
  return folder


def _load(
  saved_model: str, temporary: str
) -> Tuple[Log, List[Holdings], Optional[int]]:
  """Log, holdings, and the server's exit status (None: it still runs)."""
  seconds = 60.0 * _MINUTES.value
  good = _good_requests()
  bad = _bad_requests(good[0])
  log = Log()
  server = _server(saved_model, temporary, seconds + 600.0)
  with server as (process, addresses):
    clients = [
      client_lib.connect(
        addresses['rest' if index % 2 else 'grpc'], _TIMEOUT, _TRIES
      )
      for index in range(_CLIENTS.value)
    ]
    expected = {
      request: clients[0].infer([request.photo], np.array([request.camera]))
      for request in good
    }
    end = time.monotonic() + seconds
    threads = [
      threading.Thread(
        target=_ask,
        args=(client, good, bad, expected, _SEED.value + index, end, log),
      )
      for index, client in enumerate(clients)
    ]
    for thread in threads:
      thread.start()
    holdings = _watch(process.pid, temporary, end)
    for thread in threads:
      thread.join()
    for client in clients:
      client.close()
    return log, holdings, process.poll()


def _print(log: Log, phases: Dict[str, Tuple[float, ...]]) -> None:
  print(
    '| request | asked | answered | p50 ms | p95 ms |\n|---|---|---|---|---|'
  )
  for kind in sorted(log.asked, key=lambda k: (not k.startswith('good'), k)):
    seconds = log.seconds[kind] or [float('nan')]
    p50, p95 = 1000.0 * np.percentile(seconds, [50, 95])
    print(
      f'| {kind} | {log.asked[kind]} | {len(log.seconds[kind])} | {p50:.0f} | '
      f'{p95:.0f} |'
    )
  total = sum(log.asked.values())
  print(
    f'\n{_CLIENTS.value} clients, {_MINUTES.value:g} minutes: {total} '
    'requests. The server at start, middle and end of the steady phase:'
  )
  for name, values in phases.items():
    print(f'{name}: {", ".join(f"{value:.0f}" for value in values)}')


def main(argv):
  """Loads the server and judges it."""
  del argv
  for name in ('no_proxy', 'NO_PROXY', 'no_grpc_proxy'):
    os.environ[name] = '127.0.0.1'
  with tempfile.TemporaryDirectory() as folder:
    saved_model = _SAVED_MODEL.value or _export(os.path.join(folder, '1'))
    temporary = os.path.join(folder, 'temporary')
    os.mkdir(temporary)
    log, holdings, status = _load(saved_model, temporary)
  phases = {
    name: _phases(values)
    for name, values in zip(Holdings._fields, zip(*holdings))
  }
  _print(log, phases)
  problems = [f'{count} x {what}' for what, count in sorted(log.wrong.items())]
  for kind, count in log.asked.items():
    if len(log.seconds[kind]) != count:
      problems.append(f'{count - len(log.seconds[kind])} x {kind}: lost')
  if status is not None:
    problems.append(f'the server ended with status {status}')
  for name, (start, _, end) in phases.items():
    if end > start * (_GROWTH if name == 'memory' else 1.0):
      problems.append(f'{name}: {start:.0f} -> {end:.0f}')
  print('\n'.join(['FAILED', *problems] if problems else ['passed']))
  sys.exit(bool(problems))


if __name__ == '__main__':
  app.run(main)
