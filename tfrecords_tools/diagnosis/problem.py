"""What is wrong, where, and how bad it is."""

import dataclasses
from typing import Any
from typing import Dict

BROKEN = 'broken'  # training on it teaches something false, or stops
WARNING = 'warning'  # worth a look


@dataclasses.dataclass(frozen=True)
class Problem:
  """One finding.

  Attributes:
    kind: what, e.g. 'focal_length'.
    where: '<photo>', or '<photo>#<number of the object, from 0>'.
    detail: what was found and what to do, for people.
    severity: BROKEN or WARNING.
    place: file, or file and record number, that the annotation stands in.
  """

  kind: str
  where: str
  detail: str
  severity: str = BROKEN
  place: str = ''

  def to_json(self) -> Dict[str, Any]:
    """As verdict.json lists it."""
    return dataclasses.asdict(self)
