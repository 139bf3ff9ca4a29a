"""A few processes that each work off indices, one at a time.

Processes are spawned, with one thread for BLAS, OpenMP and TensorFlow, so that
their number changes nothing but the time. They end when their parent ends,
however it ends.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
from multiprocessing import connection
from multiprocessing import util
from typing import Any
from typing import Callable
from typing import Iterator
from typing import Sequence
from typing import Tuple

_ENVIRONMENT = {
  'OMP_NUM_THREADS': '1',
  'OPENBLAS_NUM_THREADS': '1',
  'MKL_NUM_THREADS': '1',
  'TF_NUM_INTRAOP_THREADS': '1',
  'TF_NUM_INTEROP_THREADS': '1',
  'TF_CPP_MIN_LOG_LEVEL': '3',
  'PYTHONWARNINGS': 'ignore::FutureWarning',  # of libraries at their import
  'CUDA_VISIBLE_DEVICES': '-1',  # the accelerator is for training
}
_SECONDS_TO_END = 30.0  # that a worker gets to end by itself


def map_unordered(
  work: Callable[[int], Any], indices: Sequence[int], num_processes: int
) -> Iterator[Tuple[int, Any]]:
  """Calls work(index) for each index, several at a time.

  Args:
    work: picklable, is sent to each process once; must not raise. Where it has
      a method `close`, that is called before its process ends.
    indices: in the order in which they are begun.
    num_processes: how many processes.

  Yields:
    (index, result) as they come. Leaving the loop early stops the processes.

  Raises:
    ChildProcessError: a process died, for instance for lack of memory.
  """
  queue = list(reversed(indices))
  workers = {}
  try:
    for _ in range(min(num_processes, len(queue))):
      process, pipe = _start(work)
      workers[pipe] = process
      pipe.send(queue.pop())
    while workers:
      for pipe in connection.wait(list(workers)):
        yield _receive(pipe, workers[pipe])
        if queue:
          pipe.send(queue.pop())
        else:
          _finish(pipe, workers.pop(pipe))
  finally:
    for process in workers.values():
      process.terminate()
    for process in workers.values():
      process.join()


def _start(work):
  """A process and our end of its pipe."""
  context = multiprocessing.get_context('spawn')
  ours, theirs = context.Pipe()
  process = context.Process(target=_serve, args=(work, theirs), name='worker')
  with _environment():
    process.start()
  theirs.close()  # so that a dead worker is an end of file here
  return process, ours


def _receive(pipe, process) -> Tuple[int, Any]:
  try:
    return pipe.recv()
  except (EOFError, ConnectionError) as error:
    process.join()
    raise ChildProcessError(
      f'A worker process ended with exit code {process.exitcode} (-9: killed, '
      'often for lack of memory). Run the command again, perhaps with fewer '
      '--num_processes.'
    ) from error


def _finish(pipe, process) -> None:
  pipe.send(None)
  process.join(_SECONDS_TO_END)
  if process.is_alive():
    process.terminate()
    process.join()


def _serve(work, pipe) -> None:
  """The life of a worker process."""
  signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
  threading.Thread(target=_end_with_parent, daemon=True).start()
  if hasattr(work, 'close'):
    util.Finalize(None, work.close, exitpriority=10)
  with contextlib.suppress(EOFError, ConnectionError):
    for index in iter(pipe.recv, None):
      pipe.send((index, work(index)))


def _end_with_parent() -> None:
  multiprocessing.parent_process().join()
  os._exit(1)


@contextlib.contextmanager
def _environment() -> Iterator[None]:
  """What a child finds in its environment when it starts."""
  before = {key: os.environ.get(key) for key in _ENVIRONMENT}
  os.environ.update(_ENVIRONMENT)
  try:
    yield
  finally:
    for key, value in before.items():
      if value is None:
        del os.environ[key]
      else:
        os.environ[key] = value
