"""Arrays from elsewhere: as NumPy reads them, or refused before they cost."""

import io
import os
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies
from hypothesis.extra import numpy as hypothesis_numpy

from mask2cad_tf.foreign import array_files


class _Bomb:
  def __reduce__(self):
    return os.mkdir, ('was_run',)


def _npy(array):
  buffer = io.BytesIO()
  np.save(buffer, array)
  return buffer.getvalue()


def _npz(**members):
  buffer = io.BytesIO()
  with zipfile.ZipFile(buffer, 'w', zipfile.ZIP_DEFLATED) as archive:
    for name, data in members.items():
      archive.writestr(f'{name}.npy', data)
  buffer.seek(0)
  return buffer


def _claim(shape):
  """Four floats that claim to be of a shape."""
  data = _npy(np.ones(4, np.float32))
  text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
  return data[:10] + text.ljust(len(data) - 27).encode() + b'\n' + data[-16:]


@settings(max_examples=60, deadline=None, database=None)
@given(
  array=hypothesis_numpy.arrays(
    strategies.sampled_from(['<f4', '>i8', '?', 'u1', '<U3', 'f2']),
    hypothesis_numpy.array_shapes(min_dims=0, max_dims=3, min_side=0),
  ),
  fortran=strategies.booleans(),
)
def test_round_trip(array, fortran):
  array = np.asarray(array, order='F' if fortran else 'C')
  found = array_files.read_npz(_npz(a=_npy(array)))['a']
  assert found.dtype == array.dtype and found.shape == array.shape
  np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
  'shape', ['(1000000000000,)', '(-4,)', '(5,)', '(3,)', '(2, 2, 2**40)']
)
def test_a_header_that_lies(tmp_path, shape):
  (tmp_path / 'a.npy').write_bytes(_claim(shape))
  with pytest.raises(ValueError, match=r'a\.npy. is no \.npy file'):
    array_files.read_npy(str(tmp_path / 'a.npy'))
  with pytest.raises(ValueError, match=r'is no \.npz file'):
    array_files.read_npz(_npz(a=_claim(shape)))


def test_the_same_without_the_lie(tmp_path):
  (tmp_path / 'a.npy').write_bytes(_claim('(2, 2)'))
  np.testing.assert_array_equal(
    array_files.read_npy(str(tmp_path / 'a.npy')), np.ones([2, 2])
  )


def test_objects_are_not_made(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  np.save('a.npy', np.array([_Bomb()], object))
  np.savez('a.npz', a=np.array([_Bomb()], object))
  for read, name in (
    (array_files.read_npy, 'a.npy'),
    (array_files.read_npz, 'a.npz'),
  ):
    with pytest.raises(ValueError, match='Python objects'):
      read(name)
  assert not os.path.exists('was_run')


def test_a_bomb_is_not_unpacked(monkeypatch):
  monkeypatch.setattr(array_files, 'MAX_BYTES', 10_000)
  with pytest.raises(ValueError, match='expected at most 10000'):
    array_files.read_npz(_npz(a=_npy(np.zeros(20_000, np.uint8))))


def test_one_name_twice():
  data = _npy(np.ones(1))
  buffer = io.BytesIO()
  with zipfile.ZipFile(buffer, 'w') as archive:
    archive.writestr('a', data)
    archive.writestr('a.npy', data)
  with pytest.raises(ValueError, match="'a' is in it twice"):
    array_files.read_npz(buffer)


def test_only_what_is_asked_for():
  source = _npz(a=_npy(np.ones(1)), b=b'no array')
  assert list(array_files.read_npz(source, {'a'})) == ['a']


def test_another_version_of_the_format(tmp_path):
  path = tmp_path / 'a.npy'
  path.write_bytes(b'\x93NUMPY\x09\x00' + struct.pack('<H', 0))
  with pytest.raises(ValueError, match=r'a\.npy. is no \.npy file \(NPY form'):
    array_files.read_npy(str(path))
