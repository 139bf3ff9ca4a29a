"""Finished work on disk: blocks of consecutive examples, until published.

  OUT/.<name>.blocks/settings.json   what is being made, with its fingerprint
                     00012.examples  the examples of block 12: of each, its
                                     length (uint64, little-endian), its bytes
                     00012.json      its counts; there when the block is whole
                     00012.error     why block 12 failed (Beam only)
                     lock            held by the run that works here

Every file appears whole or not at all, so a run may be killed at any moment.
"""

import contextlib
import dataclasses
import fcntl
import glob
import json
import os
import struct
from typing import Any
from typing import Dict
from typing import Iterator
from typing import List
from typing import Optional
from typing import Sequence
from typing import Tuple

_SETTINGS = 'settings.json'
_LOCK = 'lock'
_LENGTH = struct.Struct('<Q')


@dataclasses.dataclass(frozen=True)
class Block:
  """What a finished block holds.

  Attributes:
    num_examples: records in its file.
    num_bytes: size of its file.
    counts: what `make` counted, summed.
    skipped: why examples were left out.
  """

  num_examples: int
  num_bytes: int
  counts: Dict[str, int]
  skipped: Tuple[str, ...]


class BlockFiles:
  """The block folder of one record set; picklable, holds no open file."""

  def __init__(self, output_dir: str, name: str):
    """Touches nothing yet.

    Args:
      output_dir: folder of the records.
      name: of the record set.
    """
    self._output_dir = output_dir
    self._name = name
    self.folder = os.path.join(output_dir, f'.{name}.blocks')

  def settings(self) -> Optional[Dict[str, Any]]:
    """What the blocks here belong to; None where there are none."""
    path = os.path.join(self.folder, _SETTINGS)
    if not os.path.exists(path):
      return None
    with open(path, encoding='utf-8') as file:
      return json.load(file)

  def open(self, settings: Dict[str, Any]) -> None:
    """Makes the folder and says what it is for; clears a killed run's rests.

    Args:
      settings: JSON; to be compared by whoever comes next.
    """
    os.makedirs(self.folder, exist_ok=True)
    for pattern in (
      os.path.join(glob.escape(self.folder), '*.tmp'),
      os.path.join(glob.escape(self.folder), '*.error'),
      # RecordWriter's, from a run that was killed while publishing.
      os.path.join(
        glob.escape(self._output_dir), f'.{self._name}.tfrecord-*.tmp'
      ),
      os.path.join(
        glob.escape(self._output_dir), f'manifest.json.{self._name}.*.tmp'
      ),
    ):
      for path in glob.glob(pattern):
        os.remove(path)
    self._write_text(_SETTINGS, json.dumps(settings, indent=1, sort_keys=True))

  @contextlib.contextmanager
  def locked(self) -> Iterator[None]:
    """Keeps a second run out; the lock dies with its process.

    Raises:
      ValueError: another run works here.
    """
    os.makedirs(self.folder, exist_ok=True)
    with open(os.path.join(self.folder, _LOCK), 'w', encoding='utf-8') as file:
      try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
      except BlockingIOError as error:
        raise ValueError(
          f'Another run is writing {self._name!r} to {self._output_dir!r}. '
          'Wait for it, stop it, or give another --output_dir.'
        ) from error
      yield

  def write(
    self,
    index: int,
    examples: Sequence[bytes],
    counts: Dict[str, int],
    skipped: Sequence[str],
  ) -> None:
    """Stores a finished block.

    Args:
      index: of the block.
      examples: serialized, in order.
      counts: of its examples.
      skipped: reasons, in order.
    """
    temporary = self._temporary(f'{index:05d}.examples')
    with open(temporary, 'wb') as file:
      for example in examples:
        file.write(_LENGTH.pack(len(example)) + example)
    size = os.path.getsize(temporary)
    _flush_to_disk(temporary)
    os.replace(temporary, self._path(index))
    summary = {
      'num_examples': len(examples),
      'num_bytes': size,
      'counts': counts,
      'skipped': list(skipped),
    }
    self._write_text(f'{index:05d}.json', json.dumps(summary, sort_keys=True))

  def read(self, index: int) -> Optional[Block]:
    """The block's summary; None where it is not finished."""
    path = os.path.join(self.folder, f'{index:05d}.json')
    if not os.path.exists(path):
      return None
    with open(path, encoding='utf-8') as file:
      entry = json.load(file)
    path = self._path(index)
    if not os.path.exists(path) or os.path.getsize(path) != entry['num_bytes']:
      return None
    return Block(
      entry['num_examples'],
      entry['num_bytes'],
      entry['counts'],
      tuple(entry['skipped']),
    )

  def example(self, index: int, number: int) -> bytes:
    """One serialized example of a finished block."""
    with open(self._path(index), 'rb') as file:
      for _ in range(number):
        file.seek(_LENGTH.unpack(file.read(_LENGTH.size))[0], os.SEEK_CUR)
      return file.read(_LENGTH.unpack(file.read(_LENGTH.size))[0])

  def _path(self, index: int) -> str:
    return os.path.join(self.folder, f'{index:05d}.examples')

  def write_error(self, index: int, message: str) -> None:
    """Notes why a block failed, for a parent that cannot be told."""
    self._write_text(f'{index:05d}.error', message)

  def errors(self) -> List[str]:
    """Messages of failed blocks, in the blocks' order."""
    messages = []
    pattern = os.path.join(glob.escape(self.folder), '*.error')
    for path in sorted(glob.glob(pattern)):
      with open(path, encoding='utf-8') as file:
        messages.append(file.read())
    return messages

  def has_blocks(self) -> bool:
    """Is any block finished?"""
    return bool(
      glob.glob(os.path.join(glob.escape(self.folder), '[0-9]*.json'))
    )

  def clear(self) -> None:
    """Deletes all blocks, then what they belonged to."""
    names = sorted(set(os.listdir(self.folder)) - {_SETTINGS, _LOCK})
    for name in [*names, _SETTINGS]:
      with contextlib.suppress(FileNotFoundError):
        os.remove(os.path.join(self.folder, name))

  def remove(self) -> None:
    """Deletes the folder with everything in it."""
    if os.path.isdir(self.folder):
      self.clear()
      with contextlib.suppress(FileNotFoundError):
        os.remove(os.path.join(self.folder, _LOCK))
      os.rmdir(self.folder)

  def _temporary(self, name: str) -> str:
    return os.path.join(self.folder, f'.{name}.{os.getpid()}.tmp')

  def _write_text(self, name: str, text: str) -> None:
    temporary = self._temporary(name)
    with open(temporary, 'w', encoding='utf-8') as file:
      file.write(text)
    _flush_to_disk(temporary)
    os.replace(temporary, os.path.join(self.folder, name))


def _flush_to_disk(path: str) -> None:
  """So that a name on disk always means content on disk."""
  descriptor = os.open(path, os.O_RDONLY)
  try:
    os.fsync(descriptor)
  finally:
    os.close(descriptor)
