"""YAML that somebody else wrote: plain values, and no more than they are."""

import yaml

_MAX_BYTES = 1 << 20  # the shipped model's params.yaml has 8 KB
_MAX_DEPTH = 50
_PLAIN = 'tag:yaml.org,2002:'
# Garden writes tuples so; they hold nothing but values.
_TUPLE = f'{_PLAIN}python/tuple'


def check(path: str) -> None:
  """Refuses what Model Garden's reader would do more with than read it.

  Args:
    path: is there.

  Raises:
    ValueError: not YAML, larger than 1 MiB, deeply nested, with tags that make
      Python objects, or with aliases, by which few lines become many.
  """
  with open(path, 'rb') as file:
    data = file.read(_MAX_BYTES + 1)
  try:
    why = 'it is larger than 1 MiB' if len(data) > _MAX_BYTES else _fault(data)
  except (yaml.YAMLError, ValueError, RecursionError) as error:
    why = f'it is not YAML: {" ".join(str(error).split())}'
  if why:
    raise ValueError(f'{path!r} is not used: {why}.')


def _fault(data: bytes) -> str:
  depth = documents = 0
  for event in yaml.parse(data, Loader=yaml.SafeLoader):
    if isinstance(event, yaml.AliasEvent):
      return f'it repeats {event.anchor!r}; write the values out'
    documents += isinstance(event, yaml.DocumentStartEvent)
    depth += isinstance(event, yaml.CollectionStartEvent)
    depth -= isinstance(event, yaml.CollectionEndEvent)
    if depth > _MAX_DEPTH or documents > 1:
      return 'it is nested too deeply, or several documents'
    tag = getattr(event, 'tag', None) or _PLAIN
    if tag != _TUPLE and (not tag.startswith(_PLAIN) or 'python' in tag):
      return f'it asks for {tag!r}, which no configuration needs'
  return ''
