"""Path traced pictures: a process of Blender's own Python draws them."""

import contextlib
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
import weakref
from typing import Any
from typing import Dict
from typing import Optional

import numpy as np

from tfrecords_tools.synthesis import cycles_scene
from tfrecords_tools.synthesis import folder_files
from tfrecords_tools.synthesis import scene as scene_lib
from tfrecords_tools.synthesis import texture_filter

WORKER = os.path.join(os.path.dirname(__file__), 'cycles_worker.py')
_START_SECONDS = 180.0  # Blender's first import on a slow disk
_RENDER_SECONDS = 900.0  # a large picture on a busy machine
_CLOSE_SECONDS = 5.0
_LOG_LINES = 8  # quoted when the process dies
_CHUNK = 65536
_HINT = (
  'Run `make cycles` once, or give the Python that has bpy by --blender_python.'
)


class CyclesRenderer:
  """Draws scenes; the process starts with the first and stays."""

  def __init__(
    self,
    blender_python: str,
    samples: int = 8,
    environments: str = '',
    worker: str = WORKER,
    render_seconds: float = _RENDER_SECONDS,
  ):
    """Starts nothing yet.

    Args:
      blender_python: path of the Python that has bpy.
      samples: paths a pixel.
      environments: folder of .exr and .hdr panoramas; '' for none.
      worker: the script that draws.
      render_seconds: after which a picture is given up.

    Raises:
      FileNotFoundError: `environments` has no panorama.
    """
    self._python = blender_python
    self._samples = samples
    self._panoramas = folder_files.list_files(
      environments, cycles_scene.PANORAMAS, 'environments'
    )
    self._script = worker
    self._render_seconds = render_seconds
    self._worker: Optional[_Worker] = None

  def render(self, scene: scene_lib.Scene) -> np.ndarray:
    """Draws a scene; equal scenes give equal pictures.

    Args:
      scene: what to draw.

    Returns:
      Float32 [height, width, 3], linear radiance; 1 is a white surface in
      full light.

    Raises:
      ValueError: no bpy, or the process died of this scene twice.
    """
    arrays = cycles_scene.pack(scene, self._panoramas)
    try:
      pixels = self._drawn(arrays)
    except _Died:  # of something else, perhaps; once
      self.close()
      try:
        pixels = self._drawn(arrays)
      except _Died as error:
        self.close()
        raise ValueError(
          f'Blender could not draw {_describe(scene)}, twice: {error}'
        ) from error
    shape = scene.camera.height, scene.camera.width, 4
    if pixels.shape != shape or not np.isfinite(pixels).all():
      raise ValueError(
        f'Blender drew {_describe(scene)} as {pixels.shape}; expected finite '
        f'numbers {shape}.'
      )
    behind = _background(scene)
    return pixels[..., :3] + (1.0 - pixels[..., 3:]) * behind

  def close(self) -> None:
    """Ends the process and removes its files; `render` starts another."""
    if self._worker is not None:
      self._worker.close()
      self._worker = None

  def __del__(self):
    if getattr(self, '_worker', None) is not None:
      self.close()

  def _drawn(self, arrays: Dict[str, Any]) -> np.ndarray:
    if self._worker is None:
      self._worker = _Worker(self._python, self._script)
    return self._worker.draw(arrays, self._samples, self._render_seconds)


class _Died(Exception):
  """The process ended, hung or answered nonsense."""


class _Worker:
  """One process and its folder."""

  def __init__(self, python: str, script: str):
    if shutil.which(python) is None:
      raise ValueError(f'There is no Python {python!r} to draw with. {_HINT}')
    self._folder = tempfile.mkdtemp(prefix='mask2cad_cycles_')
    self._log = os.path.join(self._folder, 'log.txt')
    with open(self._log, 'wb') as log:
      self._process = subprocess.Popen(
        # Isolated: this project's environment is not for that Python.
        [python, '-I', script, self._folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
      )
    self._finalizer = weakref.finalize(
      self, _end, self._process, self._folder, os.getpid()
    )
    self._received = b''
    self._wait_until_ready(python)

  def draw(
    self, arrays: Dict[str, Any], samples: int, seconds: float
  ) -> np.ndarray:
    """Float32 [height, width, 4]; raises _Died."""
    scene, output = (
      os.path.join(self._folder, name) for name in ('scene.npz', 'image.npy')
    )
    np.savez(scene, **arrays)
    request = {
      'scene': scene,
      'output': output,
      'samples': samples,
      'threads': 1,
    }
    try:
      self._process.stdin.write(json.dumps(request).encode() + b'\n')
      self._process.stdin.flush()
    except OSError as error:
      raise _Died(self._last_words('it has ended')) from error
    answer = self._answer(seconds)
    if 'ok' not in answer:
      raise _Died(self._last_words(answer.get('error', str(answer))))
    try:
      pixels = np.load(output)
    except (OSError, ValueError) as error:
      raise _Died(self._last_words(f'no picture ({error})')) from error
    os.remove(output)
    return pixels

  def close(self) -> None:
    """Ends it."""
    self._finalizer()

  def _wait_until_ready(self, python: str) -> None:
    try:
      answer = self._answer(_START_SECONDS)
      problem = '' if 'ready' in answer else answer.get('error', str(answer))
    except _Died as error:
      problem = str(error)
    if problem:
      self.close()
      raise ValueError(
        f'{python!r} cannot draw with Blender: {problem.rstrip(".")}. {_HINT}'
      )

  def _answer(self, seconds: float) -> Dict[str, Any]:
    """The next line, parsed."""
    line = self._line(seconds)
    try:
      answer = json.loads(line)
    except ValueError as error:
      raise _Died(self._last_words(f'it answered {line[:80]!r}')) from error
    if not isinstance(answer, dict):
      raise _Died(self._last_words(f'it answered {line[:80]!r}'))
    return answer

  def _line(self, seconds: float) -> bytes:
    descriptor = self._process.stdout.fileno()
    deadline = time.monotonic() + seconds
    while b'\n' not in self._received:
      left = max(deadline - time.monotonic(), 0.0)
      if not select.select([descriptor], [], [], left)[0]:
        raise _Died(self._last_words(f'no answer within {seconds:.0f} s'))
      chunk = os.read(descriptor, _CHUNK)
      if not chunk:
        status = self._process.wait()
        raise _Died(self._last_words(f'it ended with status {status}'))
      self._received += chunk
    line, self._received = self._received.split(b'\n', 1)
    return line

  def _last_words(self, problem: str) -> str:
    try:
      with open(self._log, encoding='utf-8', errors='replace') as file:
        lines = [line.strip() for line in file if line.strip()]
    except OSError:  # the process removed its folder when it ended
      lines = []
    if not lines:
      return f'{problem}.'
    return f'{problem}; its log ends: {" | ".join(lines[-_LOG_LINES:])}'


def _end(process: subprocess.Popen, folder: str, owner: int) -> None:
  """Ends a process and removes its folder, in the process that started it."""
  if os.getpid() != owner:
    return
  with contextlib.suppress(OSError):  # it may have ended by itself
    process.stdin.close()
  try:
    process.wait(_CLOSE_SECONDS if process.poll() is None else 0)
  except subprocess.TimeoutExpired:
    process.kill()
    process.wait()
  process.stdout.close()
  shutil.rmtree(folder, ignore_errors=True)


def _background(scene: scene_lib.Scene) -> np.ndarray:
  """Linear colours, [3] or [height, width, 3]."""
  if scene.background.dtype == np.uint8:
    return texture_filter.TO_LINEAR[scene.background]
  return np.asarray(scene.background, np.float32)


def _describe(scene: scene_lib.Scene) -> str:
  names = ', '.join(item.cad_id for item in scene.objects) or 'no object'
  return f'a scene of mode {scene.mode!r} with {names}'
