"""The work of one process: makes a block of examples and stores it.

Imports no TensorFlow: processes start quickly where `make` needs none.
"""

import dataclasses
import math
import traceback
from typing import Callable
from typing import Dict
from typing import List
from typing import Optional

from tfrecords_tools import block_files

_BAD_INPUT = (ValueError, OSError)  # all else is a defect


@dataclasses.dataclass(frozen=True)
class Made:
  """What `make` returns for one index.

  Attributes:
    example: a serialized tf.train.Example, None to leave the index out.
    counts: summed over the set, for the manifest.
    skipped: why it is left out, for the manifest's list; '' says nothing.
  """

  example: Optional[bytes]
  counts: Dict[str, int] = dataclasses.field(default_factory=dict)
  skipped: str = ''


@dataclasses.dataclass(frozen=True)
class BlockReport:
  """What a process tells its parent.

  Attributes:
    num_indices: examples made or left out.
    error: what went wrong, with the example; '' where the block is finished.
    is_defect: not bad input; the error has a traceback.
  """

  num_indices: int
  error: str = ''
  is_defect: bool = False


@dataclasses.dataclass(frozen=True)
class BlockJob:
  """Calls `make` for a block's indices; picklable where `make` is.

  Attributes:
    make: index -> Made.
    name: of the record set.
    num_examples: of the record set.
    block_size: examples a block.
    skip_broken: note bad input and go on.
    files: where blocks go.
  """

  make: Callable[[int], Made]
  name: str
  num_examples: int
  block_size: int
  skip_broken: bool
  files: block_files.BlockFiles

  @property
  def num_blocks(self) -> int:
    """How many blocks the set has."""
    return math.ceil(self.num_examples / self.block_size)

  def indices(self, block: int) -> range:
    """The examples of a block."""
    first = block * self.block_size
    return range(first, min(first + self.block_size, self.num_examples))

  def __call__(self, block: int) -> BlockReport:
    """Makes a block and stores it; never raises for what `make` does."""
    examples: List[bytes] = []
    counts: Dict[str, int] = {}
    skipped: List[str] = []
    for index in self.indices(block):
      try:
        made = self.make(index)
      except _BAD_INPUT as error:
        if not self.skip_broken:
          return BlockReport(
            len(examples), f'{self.name}, example {index}: {error}'
          )
        skipped.append(str(error))
        continue
      except Exception:
        return BlockReport(
          len(examples),
          f'{self.name}, example {index}:\n{traceback.format_exc()}',
          is_defect=True,
        )
      if made.example is not None:
        examples.append(made.example)
      if made.skipped:
        skipped.append(made.skipped)
      for key, count in made.counts.items():
        counts[key] = counts.get(key, 0) + count
    self.files.write(block, examples, counts, skipped)
    return BlockReport(len(self.indices(block)))

  def close(self) -> None:
    """Lets `make` end what it started, where it can."""
    if hasattr(self.make, 'close'):
      self.make.close()
