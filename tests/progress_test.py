"""The line on stderr: where, when, and what it estimates."""

import io
import re

import pytest

from mask2cad_tf import progress


class _Terminal(io.StringIO):
  def isatty(self):
    return True


@pytest.fixture(name='clock')
def _clock(monkeypatch):
  """Seconds since the start, to be set; nothing waits."""
  now = [0.0]
  monkeypatch.setattr(progress.time, 'monotonic', lambda: now[0])
  return now


def test_a_log_gets_a_line_a_minute_with_the_time_left(clock, capsys):
  with progress.Line('evaluate', 100, 'photos') as line:
    for second in range(0, 151, 5):
      clock[0] = second
      line.add(2 if second else 0)
    clock[0] = 250
    line.add(40)
  printed = capsys.readouterr()
  assert not printed.out
  # After 65 s: 26 photos, 0.4/s, 74 left in 185 s. Then after 130 s: 52, 48 in
  # 120 s. At 250 s: 60 + 40 photos.
  assert printed.err.splitlines() == [
    'evaluate: 26 of 100 photos, 0.4/s, 03:05 left',
    'evaluate: 52 of 100 photos, 0.4/s, 02:00 left',
    'evaluate: 100 of 100 photos, 0.4/s',
  ]


def test_short_work_says_nothing_in_a_log(clock, capsys):
  with progress.Line('letters', 3, 'letters') as line:
    clock[0] = 59
    line.add(3)
  assert capsys.readouterr() == ('', '')


def test_what_earlier_runs_did_took_no_time(clock, capsys):
  with progress.Line('images', 1000, 'examples', done=900) as line:
    clock[0] = 100
    line.add(40)
    line.add(10)
    assert line.done == 950
  # 40 in 100 s: the other 60 take 150 s more. What came after that line is
  # told at the end, although no minute has passed.
  assert capsys.readouterr().err.splitlines() == [
    'images: 940 of 1000 examples, 0.4/s, 02:30 left',
    'images: 950 of 1000 examples, 0.5/s, 01:40 left',
  ]


def test_a_total_that_nobody_knows(clock, capsys):
  with progress.Line('images', None, 'photos') as line:
    clock[0] = 61
    line.add(122)
  assert capsys.readouterr().err.splitlines()[0] == 'images: 122 photos, 2/s'


def test_a_terminal_gets_one_line_rewritten(monkeypatch, capsys):
  terminal = _Terminal()
  monkeypatch.setattr(progress.sys, 'stderr', terminal)
  with progress.Line('evaluate', 4, 'photos') as line:
    line.add(3)
    line.say('a photo is done')
    line.add()
  text = terminal.getvalue()
  assert '\n' not in text.strip('\n') and text.count('\r') > 2
  assert re.search(r'evaluate: 100%.* 4/4 \[.*photos/s', text)
  assert capsys.readouterr().out == 'a photo is done\n'


def test_a_terminal_needs_no_line_for_one_unit(monkeypatch):
  terminal = _Terminal()
  monkeypatch.setattr(progress.sys, 'stderr', terminal)
  with progress.Line('predict', 1, 'photos') as line:
    line.add()
  assert not terminal.getvalue()
