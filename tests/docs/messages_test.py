"""Every message of docs/troubleshooting.md is one of the source's."""

import ast
import functools
import re

import pytest

from tests.docs import pages

_PAGE = (pages.ROOT / 'docs' / 'troubleshooting.md').read_text()
_OURS = _PAGE.split('## Messages of others')[0]
_ROWS = re.findall(r'^\| `(.+?)` \|', _OURS, re.M)
_FEWEST = 9  # letters that must be constant: fewer would fit anything


@functools.cache
def _templates():
  """Text that the code can say, what differs left out."""
  found = [(pages.ROOT / 'Makefile').read_text()]
  for folder in ('mask2cad_tf', 'tfrecords_tools'):
    for path in (pages.ROOT / folder).rglob('*.py'):
      for node in ast.walk(ast.parse(path.read_text())):
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        texts = [getattr(x, 'value', None) for x in parts]
        found.append('\0'.join(x for x in texts if isinstance(x, str)))
  return [text for text in found if len(text) >= _FEWEST]


def _is_said(message):
  """Whether one text holds the message's constant parts, in their order."""
  parts = [re.escape(x.strip()) for x in message.split('...') if x.strip()]
  if sum(map(len, parts)) < _FEWEST:
    return False
  pattern = re.compile('.*?'.join(parts), re.S)
  return any(pattern.search(text) for text in _templates())


@pytest.mark.parametrize('message', _ROWS)
def test_the_message_is_in_the_source(message):
  assert _is_said(message)


def test_all_rows_are_read():
  tables = [x for x in _OURS.splitlines() if x.startswith('| ')]
  headings = sum(x.startswith('| message') for x in tables)
  assert len(_ROWS) == len(tables) - headings > 40


@pytest.mark.parametrize(
  'message',
  [
    'No photograph at ...',
    'Gallery ... has no classes ...; the model has ...',
    '... the model has ... Gallery ... has the classes ...',
    'No ...',
  ],
)
def test_other_messages_are_not(message):
  assert not _is_said(message)
