"""Java's .properties files: key = value, Latin-1, escapes by backslash."""

import re
from typing import Dict

_ESCAPE = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|(.))', re.DOTALL)
_CONTINUED = re.compile(r'(?<!\\)((?:\\\\)*)\\(?:\r\n|\r|\n)[ \t\f]*')
_KEY = re.compile(r'((?:\\.|[^\\=:\s])+)\s*[=:]?\s*(.*)', re.DOTALL)
_CONTROL = {'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f'}


def parse(data: bytes) -> Dict[str, str]:
  """Reads a .properties file.

  Args:
    data: the file.

  Returns:
    Key -> value; of a key given twice the later value, as Java does.
  """
  text = _CONTINUED.sub(r'\1', data.decode('latin-1'))
  found = {}
  for line in re.split(r'\r\n|\r|\n', text):
    line = line.strip(' \t\f')
    if not line or line[0] in '#!':
      continue
    match = _KEY.match(line)
    if match:
      found[_unescaped(match[1])] = _unescaped(match[2])
  return found


def _unescaped(text: str) -> str:
  return _ESCAPE.sub(
    lambda match: (
      chr(int(match[1], 16)) if match[1] else _CONTROL.get(match[2], match[2])
    ),
    text,
  )
