"""Inputs near to one that is good."""

import copy
import json
import random
from typing import Any
from typing import Callable

Mutation = Callable[[bytes, random.Random], bytes]

# What JSON has where something else belongs.
_ODD = (
  *(None, True, 0, -1, 1e308, -0.0, 2**63, 10**30, 1e999, float('nan')),
  *('', '..', '../../x', '/etc/passwd', 'C:/x', 'a\\b', 'a\0b', '\ud800'),
  *([], {}, [[]], [0], [None], ['a'], {'a': 0}, 'x' * 300),
)
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF)


def bytes_changed(data: bytes, rng: random.Random) -> bytes:
  """Bytes replaced, removed, doubled, cut off; numbers made extreme."""
  changed = bytearray(data)
  for _ in range(rng.choice((1, 1, 2, 8))):
    at = rng.randrange(len(changed) + 1)
    length = rng.choice((1, 1, 2, 4, 8, 64))
    kind = rng.randrange(6)
    if kind == 0:
      changed[at : at + length] = rng.randbytes(length)
    elif kind == 1:
      del changed[at : at + length]
    elif kind == 2:
      changed[at:at] = changed[at : at + length] * rng.choice((1, 2, 50))
    elif kind == 3:
      changed[at : at + length] = bytes([rng.choice(_NUMBERS)]) * length
    elif kind == 4:
      changed[at : at + 1] = str(rng.choice(_ODD)).encode('utf-8', 'replace')
    elif rng.random() < 0.2:
      del changed[at:]
  return bytes(changed)


def json_changed(data: bytes, rng: random.Random) -> bytes:
  """A value of a JSON text replaced, removed or doubled; or its bytes."""
  try:
    content = json.loads(data)
  except (ValueError, RecursionError):
    content = None
  if not isinstance(content, (dict, list)) or rng.random() < 0.2:
    return bytes_changed(data, rng)
  for _ in range(rng.choice((1, 1, 2))):
    _change(content, rng)
  return json.dumps(content).encode()


def _change(content: Any, rng: random.Random) -> None:
  """Changes a value somewhere below a list or an object."""
  while content:
    keys = list(content) if isinstance(content, dict) else range(len(content))
    key = rng.choice(keys)
    inner = content[key]
    if isinstance(inner, (dict, list)) and inner and rng.random() < 0.8:
      content = inner
      continue
    kind = rng.randrange(5)
    if kind == 0:
      del content[key]
    elif kind == 1 and isinstance(content, list):
      content.append(copy.deepcopy(inner))
    elif kind == 2 and isinstance(content, dict):
      content[rng.choice(keys)] = copy.deepcopy(inner)
    else:
      content[key] = copy.deepcopy(rng.choice(_ODD))
    return
