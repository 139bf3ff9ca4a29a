"""Tensors of a PyTorch file, read without PyTorch and without running it.

The format is `torch.save`'s before version 1.6: pickles of a magic number, a
protocol version, system facts, the state dict and the list of storage keys,
then each storage's bytes. A pickle can run code, so the unpickler here knows
four names and refuses every other one.
"""

import collections
import pickle
import struct
from typing import Any
from typing import BinaryIO
from typing import Dict
from typing import List
from typing import NamedTuple
from typing import Tuple

import numpy as np

_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_STORAGE_DTYPES = {
  ('torch', 'FloatStorage'): np.dtype('<f4'),
  ('torch', 'LongStorage'): np.dtype('<i8'),
}


class _Storage(NamedTuple):
  """A flat buffer the file stores after its pickles."""

  dtype: np.dtype
  key: str
  size: int


class _TensorView(NamedTuple):
  """A tensor as a strided view of a storage; strides in elements."""

  storage: _Storage
  offset: int
  shape: Tuple[int, ...]
  strides: Tuple[int, ...]


def _tensor_view(storage, offset, shape, strides, *_) -> _TensorView:
  """Stands in for torch._utils._rebuild_tensor_v2."""
  return _TensorView(storage, offset, shape, strides)


class _RestrictedUnpickler(pickle.Unpickler):
  """Unpickles dicts, numbers, strings and tensor records, nothing else."""

  def find_class(self, module: str, name: str) -> Any:
    if (module, name) in _STORAGE_DTYPES:
      return _STORAGE_DTYPES[module, name]
    if (module, name) == ('collections', 'OrderedDict'):
      return collections.OrderedDict
    if (module, name) == ('torch._utils', '_rebuild_tensor_v2'):
      return _tensor_view
    raise pickle.UnpicklingError(
      f'The weights ask for {module}.{name}, which a file of float tensors '
      'does not need. It was not run. Use the published weights.'
    )

  def persistent_load(self, pid: Tuple[Any, ...]) -> _Storage:
    kind, dtype, key, _, size, view = pid
    if kind != 'storage' or view is not None:
      raise pickle.UnpicklingError(
        f'Expected whole storages in the weights, found {pid!r}.'
      )
    return _Storage(dtype, key, size)


def _read_storages(
  file: BinaryIO, keys: List[str], storages: Dict[str, _Storage]
) -> Dict[str, np.ndarray]:
  buffers = {}
  for key in keys:
    (size,) = struct.unpack('<q', file.read(8))
    dtype = storages[key].dtype
    data = file.read(size * dtype.itemsize)
    if size != storages[key].size or len(data) != size * dtype.itemsize:
      raise ValueError(
        f'The weights file {file.name!r} ends early or is damaged: storage '
        f'{key} should hold {storages[key].size} numbers. Install its package '
        'again.'
      )
    buffers[key] = np.frombuffer(data, dtype)
  return buffers


def load(path: str) -> Dict[str, np.ndarray]:
  """Reads a state dict.

  Args:
    path: a file written by `torch.save(state_dict)` before PyTorch 1.6, or
      with `_use_new_zipfile_serialization=False`.

  Returns:
    Tensor name to array, in the file's order and PyTorch's layouts.

  Raises:
    ValueError: the file has another format or is damaged.
    pickle.UnpicklingError: the file asks for anything but float and integer
      tensors.
  """
  with open(path, 'rb') as file:
    if file.peek(4)[:1] != b'\x80' or (
      _RestrictedUnpickler(file).load() != _MAGIC_NUMBER
    ):
      raise ValueError(
        f'{path!r} is not in the tensor format of PyTorch before 1.6 (a newer '
        'file is a zip archive).'
      )
    _RestrictedUnpickler(file).load()  # protocol version
    _RestrictedUnpickler(file).load()  # byte order and type sizes
    views = _RestrictedUnpickler(file).load()
    keys = _RestrictedUnpickler(file).load()
    storages = {view.storage.key: view.storage for view in views.values()}
    buffers = _read_storages(file, keys, storages)
  return {name: _strided(view, buffers) for name, view in views.items()}


def _strided(view: _TensorView, buffers: Dict[str, np.ndarray]) -> np.ndarray:
  buffer = buffers[view.storage.key][view.offset :]
  last = sum((n - 1) * s for n, s in zip(view.shape, view.strides))
  if min(view.shape, default=1) > 0 and not 0 <= last < buffer.size:
    raise ValueError(
      f'A tensor of shape {view.shape} reaches outside its storage of '
      f'{buffer.size} numbers: the weights file is damaged.'
    )
  strides = [stride * buffer.itemsize for stride in view.strides]
  return np.lib.stride_tricks.as_strided(buffer, view.shape, strides).copy()
