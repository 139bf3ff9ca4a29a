"""Arrays in .npy and .npz files that somebody else wrote.

No pickles, and no memory for arrays that a header claims but the file does not
hold: NumPy would allocate first and read then.
"""

import math
import os
import tokenize
import warnings
import zipfile
import zlib
from typing import BinaryIO
from typing import Container
from typing import Dict
from typing import Optional
from typing import Union

import numpy as np

MAX_BYTES = 1 << 30  # of an .npz, unpacked; the shipped model's has 45 MB

# What NumPy and zipfile raise for bytes that they do not like.
_BROKEN = (
  OSError,
  EOFError,
  KeyError,
  MemoryError,
  NotImplementedError,
  OverflowError,
  RecursionError,
  RuntimeError,
  SyntaxError,
  TypeError,
  ValueError,
  tokenize.TokenError,
  zipfile.BadZipFile,
  zlib.error,
)
_VERSIONS = {
  (1, 0): np.lib.format.read_array_header_1_0,
  (2, 0): np.lib.format.read_array_header_2_0,
}


def read_npy(path: str) -> np.ndarray:
  """The array of an .npy file.

  Raises:
    FileNotFoundError: there is none.
    ValueError: damaged, of Python objects, or not as long as its header says.
  """
  with open(path, 'rb') as file:
    try:
      return _array(file, os.path.getsize(path))
    except _BROKEN as error:
      raise ValueError(f'{path!r} is no .npy file ({error}).') from error


def read_npz(
  source: Union[str, BinaryIO], names: Optional[Container[str]] = None
) -> Dict[str, np.ndarray]:
  """The arrays of an .npz file, by name.

  Args:
    source: the file or its path.
    names: which arrays to read; None reads all.

  Raises:
    FileNotFoundError: there is none.
    ValueError: damaged, of Python objects, an array is not as long as its
      header says, or they have more than MAX_BYTES together.
  """
  arrays = {}
  try:
    with zipfile.ZipFile(source) as archive:
      members = archive.infolist()
      size = sum(member.file_size for member in members)
      if size > MAX_BYTES:
        raise ValueError(f'{size} bytes unpacked, expected at most {MAX_BYTES}')
      for member in members:
        name = member.filename.removesuffix('.npy')
        if name in arrays:
          raise ValueError(f'{name!r} is in it twice')
        if names is None or name in names:
          with archive.open(member) as file:
            arrays[name] = _array(file, member.file_size)
  except FileNotFoundError:
    raise
  except _BROKEN as error:
    place = repr(source) if isinstance(source, str) else 'the file'
    raise ValueError(f'{place} is no .npz file ({error}).') from error
  return arrays


def _array(file: BinaryIO, size: int) -> np.ndarray:
  """The array of a stream of `size` bytes, once its header fits them."""
  version = np.lib.format.read_magic(file)
  if version not in _VERSIONS:
    raise ValueError(f'NPY format {version}')
  with warnings.catch_warnings():
    warnings.simplefilter('ignore')  # headers as Python 2 wrote them
    shape, fortran_order, dtype = _VERSIONS[version](file)
  if dtype.hasobject:
    raise ValueError('Python objects, which are not read')
  claimed = math.prod(shape) * dtype.itemsize
  if min(shape, default=0) < 0 or claimed != size - file.tell():
    raise ValueError(
      f'{size - file.tell()} bytes for an array of shape {list(shape)} and '
      f'type {dtype}'
    )
  data = bytearray(claimed)
  if file.readinto(data) != claimed:
    raise ValueError('it ends early')
  order = 'F' if fortran_order else 'C'
  return np.ndarray(shape, dtype, data, order=order)
