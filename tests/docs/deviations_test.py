"""Every deviation from the paper names tests that exist."""

import re

import pytest

from tests.docs import pages

_ROW = re.compile(r'^\|.*\| ((?:`[\w/]+(?:\.py)?`(?:, | )?)+) \|$', re.M)


def _missing(text):
  """Test files and functions of the tables' last column that are not there."""
  found, file = [], None
  for column in _ROW.findall(text):
    for name in re.findall(r'`([\w/.]+)`', column):
      if name.endswith('.py'):
        file = pages.ROOT / 'tests' / name.replace('tests/', '')
        if not file.is_file():
          found.append(name)
      elif not file.is_file() or f'def {name}(' not in file.read_text():
        found.append(name)
  return found


@pytest.mark.parametrize('name', ['README.md', 'docs/deviations.md'])
def test_tests_of_deviations_exist(name):
  assert not _missing((pages.ROOT / name).read_text())


def test_all_rows_are_read():
  text = (pages.ROOT / 'docs' / 'deviations.md').read_text()
  named = [x for x in text.splitlines() if re.match(r'\|.*_test\.py', x)]
  assert len(_ROW.findall(text)) == len(named) > 30


def test_missing_ones_are_seen():
  text = (
    '| a | b | `ops/no_test.py` `test_x` |\n'
    '| a | b | `ops/contrastive_test.py` `test_no`, '
    '`test_mean_over_positives` |\n'
  )
  assert _missing(text) == ['ops/no_test.py', 'test_x', 'test_no']
