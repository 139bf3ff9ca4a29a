"""The project's Markdown pages: their code, their prose, their anchors."""

import pathlib
import re
from typing import List
from typing import Set

ROOT = pathlib.Path(__file__).parents[2]
GUIDES = tuple(sorted((ROOT / 'docs').glob('*.md')))
PAGES = (
  *(ROOT / name for name in ('README.md', 'ARCHITECTURE.md', 'CHANGELOG.md')),
  ROOT / 'tfrecords_tools' / 'README.md',
  *GUIDES,
)
_BLOCK = re.compile(r'^```(\w*)\n(.*?)^```', re.M | re.S)
_SPAN = re.compile(r'(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)', re.S)


def name(page: pathlib.Path) -> str:
  """Path inside the project."""
  return str(page.relative_to(ROOT))


def shell_blocks(text: str) -> List[str]:
  """Content of the fenced blocks of shell commands, or of no language."""
  found = _BLOCK.findall(text)
  return [code for language, code in found if language in ('', 'bash')]


def spans(text: str) -> List[str]:
  """Content of the code between backquotes, line breaks as spaces."""
  found = _SPAN.findall(_BLOCK.sub('', text))
  return [' '.join(code.split()) for _, code in found]


def prose(text: str) -> str:
  """The text without code."""
  return _SPAN.sub('', _BLOCK.sub('', text))


def anchors(text: str) -> Set[str]:
  """What GitHub makes of the headings: words in small letters, hyphens."""
  found = set()
  for heading in re.findall(r'^#+ (.+)$', _BLOCK.sub('', text), re.M):
    slug = re.sub(r'[^\w\- ]', '', heading.strip().lower()).replace(' ', '-')
    count, again = 0, slug
    while again in found:
      count += 1
      again = f'{slug}-{count}'
    found.add(again)
  return found
