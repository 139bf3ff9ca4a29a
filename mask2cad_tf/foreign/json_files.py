"""JSON that somebody else wrote."""

import json
from typing import Any


def read(path: str, remedy: str = '') -> Any:
  """The content of a JSON file.

  Args:
    path: is there.
    remedy: a sentence that ends the message; '' for none.

  Raises:
    ValueError: not JSON in UTF-8, or nested deeper than Python reads.
  """
  with open(path, encoding='utf-8') as file:
    try:
      return json.load(file)
    except (ValueError, RecursionError) as error:
      raise ValueError(
        f'{path!r} is not JSON ({error}). {remedy}'.rstrip()
      ) from error
