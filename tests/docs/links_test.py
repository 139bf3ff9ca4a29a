"""Links, images and anchors of the pages lead somewhere; none is forgotten."""

import re

import pytest

from tests.docs import pages

_LINK = re.compile(r'\]\(<?([^)\s>]+)|(?:src|href)="([^"]+)"')


def _faults(page, text):
  """Targets of the text that do not exist."""
  broken = []
  for groups in _LINK.findall(pages.prose(text)):
    target = ''.join(groups)
    if re.match(r'https?://|mailto:', target):
      continue
    path, _, anchor = target.partition('#')
    place = (page.parent / path).resolve() if path else page
    inside = place.exists() and pages.ROOT in (place, *place.parents)
    known = not anchor or inside and anchor in pages.anchors(place.read_text())
    if not inside or not known:
      broken.append(target)
  return broken


@pytest.mark.parametrize('page', pages.PAGES, ids=pages.name)
def test_every_link_leads_somewhere(page):
  assert not _faults(page, page.read_text())


@pytest.mark.parametrize(
  'text, broken',
  [
    ('[a](no/such.md)', ['no/such.md']),
    ('![a](../docs/no.svg "title")', ['../docs/no.svg']),
    ('<img src="images/no.png">', ['images/no.png']),
    ('[a](results.md#no-such-heading)', ['results.md#no-such-heading']),
    ('[a](#nowhere)', ['#nowhere']),
    ('[a](../../outside.md)', ['../../outside.md']),
    ('[a](results.md#own-cads) [b](https://example.org/x) `[c](no.md)`', []),
  ],
)
def test_broken_links_are_seen(text, broken):
  page = pages.ROOT / 'docs' / 'results.md'
  assert _faults(page, text) == broken


def test_anchors_by_hand():
  text = (
    "# A `b`, c_d!\n## How fast, and what's it\n```\n# no\n```\n# a b c_d\n"
  )
  expected = {'a-b-c_d', 'how-fast-and-whats-it', 'a-b-c_d-1'}
  assert pages.anchors(text) == expected


def test_the_index_lists_every_guide():
  index = (pages.ROOT / 'docs' / 'index.md').read_text()
  linked = {a or b for a, b in _LINK.findall(pages.prose(index))}
  guides = {page.name for page in pages.GUIDES}
  assert guides - linked == {'index.md'}


def test_every_drawing_is_shown():
  text = '\n'.join(page.read_text() for page in pages.PAGES)
  drawings = (pages.ROOT / 'docs' / 'images').glob('*.svg')
  assert not [path.name for path in drawings if path.name not in text]
