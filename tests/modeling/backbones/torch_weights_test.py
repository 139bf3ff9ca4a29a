"""The tensor file reader: right numbers, and nothing else from a pickle."""

import io
import os
import pickle
import struct
import sys
import types

import numpy as np
import pytest

from mask2cad_tf.modeling.backbones import torch_weights

_MAGIC = 0x1950A86A20F9469CFC6C


@pytest.fixture(autouse=True)
def fake_torch(monkeypatch):
  """Just the names a tensor file mentions, so that the test can write one."""
  torch = types.ModuleType('torch')
  utils = types.ModuleType('torch._utils')

  class FloatStorage:
    pass

  def _rebuild_tensor_v2(*arguments):
    raise AssertionError('the reader must not call this')

  for value, module, target in (
    (FloatStorage, 'torch', torch),
    (_rebuild_tensor_v2, 'torch._utils', utils),
  ):
    value.__module__ = module
    value.__qualname__ = value.__name__
    setattr(target, value.__name__, value)
  monkeypatch.setitem(sys.modules, 'torch', torch)
  monkeypatch.setitem(sys.modules, 'torch._utils', utils)
  return torch, utils


class _Tensor:
  """Pickles as a PyTorch tensor does."""

  def __init__(self, torch, key, numel, offset, shape, strides):
    self.storage = _Storage(torch[0].FloatStorage, key, numel)
    self.rebuild = torch[1]._rebuild_tensor_v2
    self.arguments = (self.storage, offset, shape, strides, False, {})

  def __reduce__(self):
    return self.rebuild, self.arguments


class _Storage:
  def __init__(self, kind, key, numel):
    self.pid = ('storage', kind, key, 'cpu', numel, None)


class _Pickler(pickle.Pickler):
  def persistent_id(self, value):
    return value.pid if isinstance(value, _Storage) else None


def _write(path, state, storages, magic=_MAGIC):
  with open(path, 'wb') as file:
    pickle.dump(magic, file, protocol=2)
    pickle.dump(1001, file, protocol=2)
    pickle.dump({'little_endian': True}, file, protocol=2)
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=2).dump(state)
    file.write(buffer.getvalue())
    pickle.dump(list(storages), file, protocol=2)
    for array in storages.values():
      file.write(struct.pack('<q', array.size) + array.tobytes())
  return str(path)


def test_views_of_a_storage(tmp_path, fake_torch):
  # Storage 0..11. Offset 2, shape 2x3, strides (1, 4): 2 + i + 4 j.
  storage = np.arange(12, dtype='<f4')
  state = {
    'rows': _Tensor(fake_torch, 'a', 12, 0, (3, 4), (4, 1)),
    'view': _Tensor(fake_torch, 'a', 12, 2, (2, 3), (1, 4)),
  }
  path = _write(tmp_path / 'weights.pth', state, {'a': storage})
  tensors = torch_weights.load(path)
  assert list(tensors) == ['rows', 'view']
  np.testing.assert_array_equal(tensors['rows'], storage.reshape(3, 4))
  np.testing.assert_array_equal(tensors['view'], [[2, 6, 10], [3, 7, 11]])


def test_code_in_the_pickle_is_refused(tmp_path):
  class Attack:
    def __reduce__(self):
      return os.mkdir, (str(tmp_path / 'attacked'),)

  path = _write(tmp_path / 'weights.pth', {'a': Attack()}, {})
  with pytest.raises(pickle.UnpicklingError, match='mkdir.*was not run'):
    torch_weights.load(path)
  assert not (tmp_path / 'attacked').exists()


def test_a_tensor_outside_its_storage_is_refused(tmp_path, fake_torch):
  state = {'a': _Tensor(fake_torch, 'a', 4, 0, (100,), (1,))}
  path = _write(
    tmp_path / 'weights.pth', state, {'a': np.zeros(4, dtype='<f4')}
  )
  with pytest.raises(ValueError, match='reaches outside its storage'):
    torch_weights.load(path)


def test_a_short_file_is_refused(tmp_path, fake_torch):
  state = {'a': _Tensor(fake_torch, 'a', 4, 0, (4,), (1,))}
  path = _write(
    tmp_path / 'weights.pth', state, {'a': np.zeros(4, dtype='<f4')}
  )
  data = (tmp_path / 'weights.pth').read_bytes()
  (tmp_path / 'weights.pth').write_bytes(data[:-3])
  with pytest.raises(ValueError, match='ends early'):
    torch_weights.load(path)


@pytest.mark.parametrize('data', [b'PK\x03\x04zip', b'', b'\x80\x02K\x07.'])
def test_other_formats_are_named(tmp_path, data):
  path = tmp_path / 'weights.pth'
  path.write_bytes(data)
  with pytest.raises(ValueError, match='weights.pth.* before 1.6'):
    torch_weights.load(str(path))
