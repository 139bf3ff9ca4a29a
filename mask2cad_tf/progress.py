"""How far long work is, and how long it will still take: one line on stderr.

On a terminal the line is rewritten; elsewhere, a log for instance, one is
written now and then. Nothing goes to stdout, which scripts read.
"""

import sys
import time
from typing import Optional

import tqdm

_SECONDS_BETWEEN_LINES = 60.0  # where stderr is no terminal


class Line:
  """The line of one piece of work; a context manager."""

  def __init__(self, name: str, total: Optional[int], unit: str, done: int = 0):
    """Shows the line; of one unit it would tell nothing.

    Args:
      name: what is done, e.g. 'evaluate'.
      total: units in all; None where nobody knows.
      unit: plural, e.g. 'photos'.
      done: units that earlier runs did: they took this one no time.
    """
    self._bar = tqdm.tqdm(
      desc=name,
      total=total,
      initial=done,
      unit=f' {unit}',
      disable=total == 1 or None,  # None: where stderr is no terminal
    )
    self._name, self._total, self._unit = name, total, unit
    self._done, self._before = done, done
    self._begun = self._told_at = time.monotonic()
    self._told = done  # what the last line said

  def __enter__(self) -> 'Line':
    return self

  def __exit__(self, *_) -> None:
    self._bar.close()
    if self._told_at > self._begun and self._told < self._done:
      self._tell(time.monotonic())  # ends what has begun

  @property
  def done(self) -> int:
    """Units so far, those of earlier runs among them."""
    return self._done

  def add(self, count: int = 1) -> None:
    """Counts finished units."""
    self._bar.update(count)
    self._done += count
    now = time.monotonic()
    if self._bar.disable and now - self._told_at > _SECONDS_BETWEEN_LINES:
      self._tell(now)

  def say(self, text: str) -> None:
    """Prints a line on stdout; the progress stays whole."""
    if self._bar.disable:
      print(text, flush=True)
    else:
      tqdm.tqdm.write(text)

  def _tell(self, now: float) -> None:
    self._told_at, self._told = now, self._done
    rate = (self._done - self._before) / (now - self._begun)
    of_all = '' if self._total is None else f' of {self._total}'
    text = f'{self._name}: {self._done}{of_all} {self._unit}, {rate:.2g}/s'
    if self._total is not None and rate and self._done < self._total:
      left = tqdm.tqdm.format_interval((self._total - self._done) / rate)
      text += f', {left} left'
    print(text, file=sys.stderr, flush=True)
