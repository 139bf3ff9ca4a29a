"""Which known name a user may have meant by an unknown one."""

import difflib
from typing import Iterable


def hint(name: str, known: Iterable[str]) -> str:
  """The end of an error's sentence about an unknown name.

  Args:
    name: that is not known.
    known: the names that are; case does not keep them apart from `name`.

  Returns:
    E.g. " Did you mean 'sofa'?", or '' where none is close.
  """
  by_folded = {other.casefold(): other for other in known}
  close = difflib.get_close_matches(name.casefold(), by_folded, n=1)
  return ''.join(f' Did you mean {by_folded[key]!r}?' for key in close)
