"""What a source file imports, read and not run."""

import ast
import pathlib
from typing import Iterator


def imports(path: pathlib.Path) -> Iterator[str]:
  """Dotted names, of what `from` imports with the module before them."""
  for node in ast.walk(ast.parse(path.read_text())):
    if isinstance(node, ast.Import):
      yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
      yield from (f'{node.module}.{alias.name}' for alias in node.names)
