"""A reader of foreign bytes, and what it may do with them."""

import dataclasses
import os
import tempfile
from typing import Callable
from typing import Tuple
from typing import Type

from tests.fuzz import mutations


@dataclasses.dataclass(frozen=True)
class Target:
  """What is fuzzed.

  Attributes:
    name: on the command line.
    takes: what the bytes are.
    read: reads them.
    seeds: inputs that `read` takes, by the project's own writers.
    allowed: what `read` may raise; every other exception is a defect.
    says: each of these must stand in the message of what it raises; '' for
      the parts that cannot be known.
    mutate: makes an input that is near to one and not what it was.
  """

  name: str
  takes: str
  read: Callable[[bytes], object]
  seeds: Callable[[], Tuple[bytes, ...]]
  allowed: Tuple[Type[Exception], ...] = (ValueError,)
  says: str = ''
  mutate: mutations.Mutation = mutations.bytes_changed

  def check(self, data: bytes) -> bool:
    """Whether `read` takes the bytes. Raises AssertionError on a defect."""
    try:
      self.read(data)
      return True
    except self.allowed as error:
      # A subclass such as UnicodeDecodeError was meant for somebody else.
      assert type(error) in self.allowed, f'{error!r} came through'
      assert self.says in str(error), f'{error} does not name {self.says}'
      return False


def folder() -> str:
  """A folder for this process, in memory where there is such a thing."""
  shared = '/dev/shm' if os.path.isdir('/dev/shm') else None
  path = os.path.join(
    shared or tempfile.gettempdir(), f'mask2cad_fuzz_{os.getpid()}'
  )
  os.makedirs(path, exist_ok=True)
  return path


def in_file(name: str, read: Callable[[str], object]):
  """A function of bytes that puts them into a file and reads that."""

  def of_bytes(data: bytes) -> object:
    path = os.path.join(folder(), name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as file:
      file.write(data)
    return read(path)

  return of_bytes
