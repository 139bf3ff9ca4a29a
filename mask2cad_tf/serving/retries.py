"""Another try, later and later, of what may succeed by waiting."""

import random
import time
from typing import Callable
from typing import TypeVar

from mask2cad_tf.serving import served_errors

_Answer = TypeVar('_Answer')
_GROWTH = 2.0  # of the wait, from try to try


def until_available(
  ask: Callable[[], _Answer],
  tries: int = 5,
  first_wait: float = 0.25,
  sleep: Callable[[float], None] = time.sleep,
) -> _Answer:
  """The first answer; only `Unavailable` is tried again.

  Args:
    ask: raises `served_errors.Unavailable` where waiting may help.
    tries: in all.
    first_wait: seconds before the second try; each further wait is twice as
      long. Up to a half is taken off at random, so that clients that were
      turned away together do not come back together.
    sleep: takes seconds.

  Raises:
    Whatever the last try raises.
  """
  wait = first_wait
  for _ in range(tries - 1):
    try:
      return ask()
    except served_errors.Unavailable:
      sleep(wait * random.uniform(0.5, 1.0))
      wait *= _GROWTH
  return ask()
