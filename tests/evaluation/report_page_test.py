import html.parser
import os

import pytest

from mask2cad_tf.evaluation import report_page

_PICTURE = report_page.Picture('data:image/png;base64,AAAA', 'two "dots" <b>')


class _Elements(html.parser.HTMLParser):
  """Elements of a page, their attributes and texts."""

  def __init__(self, page):
    super().__init__()
    self.elements, self.texts = [], []
    self.feed(page)

  def handle_starttag(self, tag, attrs):
    self.elements.append((tag, dict(attrs)))

  def handle_data(self, data):
    self.texts.append(data)

  def of(self, tag):
    return [attributes for name, attributes in self.elements if name == tag]


def _page():
  return report_page.page(
    'A & <B>',
    'one <i> photo',
    [
      report_page.Section('No <data>', 'Nothing & nobody.'),
      report_page.Section(
        'Some',
        figures=[
          report_page.Figure('a <chart>', 'n=7 <records>', _PICTURE),
          report_page.Figure(
            'tiles',
            'n=1',
            tiles=[
              report_page.Tile(
                [_PICTURE], ['<script>.jpg', 'F1 3.0'], 'tile marked'
              )
            ],
          ),
        ],
      ),
    ],
  )


def test_texts_come_out_as_they_went_in():
  found = _Elements(_page())
  for text in (
    'A & <B>',
    'one <i> photo',
    'No <data>',
    'Nothing & nobody.',
    'a <chart>',
    'n=7 <records>',
    '<script>.jpg',
  ):
    assert text in found.texts
  assert not found.of('script') and not found.of('i') and not found.of('b')
  assert [image['alt'] for image in found.of('img')] == ['two "dots" <b>'] * 2


def test_the_page_asks_for_nothing():
  found = _Elements(_page())
  assert all(image['src'].startswith('data:') for image in found.of('img'))
  assert not found.of('link') and not found.of('iframe')
  assert all(link['href'].startswith('#s') for link in found.of('a'))
  assert 'url(' not in _page() and '://' not in _page()


def test_a_picture_from_elsewhere_is_refused():
  with pytest.raises(ValueError, match='data URL'):
    report_page.Picture('https://example.com/a.png', '')


def test_every_link_has_its_section():
  found = _Elements(_page())
  targets = [f'#{section["id"]}' for section in found.of('section')]
  assert [link['href'] for link in found.of('a')] == targets == ['#s0', '#s1']


def test_tables_of_markdown():
  found = _Elements(
    report_page.tables(
      '# Title\n\n3 photos.\n\n- model: <m>\n- b: 2\n\n## AP <1>\n\n'
      '| mode | AP |\n| --- | --- |\n| strict |  |\n| a<b | 1.0 |\n\n'
      '`strict` is harder\n'
    )
  )
  names = [tag for tag, _ in found.elements]
  assert 'h1' not in names
  assert (names.count('th'), names.count('td'), names.count('tr')) == (2, 4, 3)
  assert names.count('li') == 2
  assert names.count('code') == 1
  for text in ('3 photos.', 'model: <m>', 'AP <1>', 'mode', 'a<b', '1.0'):
    assert text in found.texts
  assert '---' not in found.texts


def test_written_whole_or_not_at_all(tmp_path, monkeypatch):
  folder = tmp_path / 'new'
  path = report_page.write(str(folder), 'old \udcff')
  assert path == str(folder / 'report.html')
  assert os.listdir(folder) == ['report.html']
  assert (folder / 'report.html').read_text() == 'old ?'

  def fail(source, target):
    raise OSError('disk is gone')

  monkeypatch.setattr(os, 'replace', fail)
  with pytest.raises(OSError, match='gone'):
    report_page.write(str(folder), 'new')
  assert (folder / 'report.html').read_text() == 'old ?'
