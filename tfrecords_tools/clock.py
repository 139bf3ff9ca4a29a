"""What a long run has cost."""

import resource
import time
from typing import Tuple


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
