"""Which CADs of a collection go into a library, by lists of their ids."""

import sys
from typing import List
from typing import NamedTuple
from typing import Optional
from typing import Sequence
from typing import Set

from tfrecords_tools.cad_sources import source_cad


class IdLists(NamedTuple):
  """The ids to take and those to leave out."""

  only: Optional[Set[str]]  # None: all
  leave_out: Set[str]

  @classmethod
  def load(cls, only: str, leave_out: str) -> 'IdLists':
    """Reads text files of ids, one a line; # begins a comment.

    Args:
      only: path of the ids to take, '' for all.
      leave_out: path of the ids to leave out, '' for none.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: a file names no CAD.
    """
    return cls(
      _read(only) if only else None, _read(leave_out) if leave_out else set()
    )

  def filter(
    self, cads: Sequence[source_cad.SourceCad]
  ) -> List[source_cad.SourceCad]:
    """The chosen ones; says on stderr which listed ids are not there."""
    known = {cad.cad_id for cad in cads}
    missing = ((self.only or set()) | self.leave_out) - known
    if missing:
      print(
        f'listed, but not in the collection: {", ".join(sorted(missing))}',
        file=sys.stderr,
      )
    wanted = (known if self.only is None else self.only) - self.leave_out
    return [cad for cad in cads if cad.cad_id in wanted]


def _read(path: str) -> Set[str]:
  with open(path, encoding='utf-8') as file:
    lines = (line.partition('#')[0].strip() for line in file)
    ids = {line for line in lines if line}
  if not ids:
    raise ValueError(f'{path} names no CAD: expected <class>/<shape> a line.')
  return ids
