"""Java's .properties files."""

import pytest

from tfrecords_tools.cad_sources import java_properties


@pytest.mark.parametrize(
  'line, key, value',
  [
    ('name#1=Chair', 'name#1', 'Chair'),
    ('  name#1 = Chair ', 'name#1', 'Chair'),
    ('name#1: Chair', 'name#1', 'Chair'),
    ('name#1 Chair', 'name#1', 'Chair'),
    ('name#1=', 'name#1', ''),
    ('name=a=b:c', 'name', 'a=b:c'),
    (r'name=H\u00f4i An', 'name', 'Hôi An'),
    (r'a\:b=c\\d\te', 'a:b', 'c\\d\te'),
    ('name=one \\\n   two', 'name', 'one two'),
    ('name=ends in \\\\', 'name', 'ends in \\'),
  ],
)
def test_one_line(line, key, value):
  assert java_properties.parse(line.encode('latin-1')) == {key: value}


def test_latin_1_comments_blank_lines_and_line_ends():
  data = '# a=1\r\n! b=2\r\n\r\nc=©\rd=4\n'.encode('latin-1')
  assert java_properties.parse(data) == {'c': '©', 'd': '4'}


def test_an_even_number_of_backslashes_continues_nothing():
  assert java_properties.parse(b'a=1\\\\\nb=2') == {'a': '1\\', 'b': '2'}
