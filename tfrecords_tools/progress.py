"""How far a long run is, and what it has cost."""

import resource
import sys
import time
from typing import Tuple

import tqdm

_SECONDS_BETWEEN_LINES = 60.0  # where stderr is a file


class Clock:
  """Wall and CPU time since it was made."""

  def __init__(self):
    self._start = self._now()

  def read(self) -> Tuple[float, float]:
    """Seconds, CPU seconds of this process and the children that ended."""
    now = self._now()
    return now[0] - self._start[0], now[1] - self._start[1]

  def _now(self) -> Tuple[float, float]:
    usages = [
      resource.getrusage(who)
      for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    return (
      time.perf_counter(),
      sum(usage.ru_utime + usage.ru_stime for usage in usages),
    )


class Line:
  """A line on stderr: moving on a terminal, now and then in a log."""

  def __init__(self, name: str, total: int, done: int):
    """Shows the line.

    Args:
      name: what is made.
      total: examples in all.
      done: examples that earlier runs made.
    """
    self._bar = tqdm.tqdm(
      desc=name, total=total, initial=done, unit=' examples', disable=None
    )
    self._name, self._total, self._done = name, total, done
    self._begun, self._before = time.monotonic(), done
    self._told = self._begun

  def __enter__(self) -> 'Line':
    return self

  def __exit__(self, *_) -> None:
    self._bar.close()

  def add(self, count: int) -> None:
    """Counts finished examples."""
    self._bar.update(count)
    self._done += count
    now = time.monotonic()
    if self._bar.disable and now - self._told > _SECONDS_BETWEEN_LINES:
      rate = (self._done - self._before) / (now - self._begun)
      print(
        f'{self._name}: {self._done} of {self._total}, {rate:.2f}/s',
        file=sys.stderr,
        flush=True,
      )
      self._told = now
