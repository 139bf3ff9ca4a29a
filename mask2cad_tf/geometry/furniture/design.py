"""Designs: a builder and the options that fix a shape's structure."""

import ast
from typing import Any
from typing import Callable
from typing import Dict
from typing import List
from typing import NamedTuple
from typing import Tuple

from mask2cad_tf.geometry.furniture import assembly

Builder = Callable[..., assembly.Assembly]


class Design(NamedTuple):
  """One shape of the library."""

  builder: Builder
  options: Dict[str, Any]


Designs = List[Tuple[str, Design]]  # (name within the class, design)


def _value(text: str) -> Any:
  """'yes', 'no', numbers and words."""
  if text in ('yes', 'no'):
    return text == 'yes'
  try:
    return ast.literal_eval(text)
  except (ValueError, SyntaxError):
    return text


def rows(builder: Builder, pattern: str, keys: str, table: str) -> Designs:
  """Designs from a table.

  Args:
    builder: makes them all.
    pattern: of their names, with the keys in braces between underscores; what
      is 'none' or 'no' is left out, 'yes' becomes the key.
    keys: the table's columns: the builder's options.
    table: one design a line.

  Returns:
    (name, design) pairs.
  """
  found = []
  for line in table.strip().splitlines():
    options = dict(zip(keys.split(), map(_value, line.split())))
    words = {
      key: (key if value else 'none') if isinstance(value, bool) else value
      for key, value in options.items()
    }
    name = [w for w in pattern.format(**words).split('_') if w != 'none']
    found.append(('_'.join(name), Design(builder, options)))
  return found


def named(builder: Builder, lines: str) -> Designs:
  """Designs from lines 'name option=value option=value'."""
  found = []
  for line in lines.strip().splitlines():
    name, *pairs = line.split()
    options = dict(pair.split('=') for pair in pairs)
    found.append(
      (name, Design(builder, {k: _value(v) for k, v in options.items()}))
    )
  return found
