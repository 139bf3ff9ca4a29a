"""Every reader of foreign bytes: good ones are taken, near ones never crash."""

import random
import time

import pytest

from tests.fuzz import targets

_SECONDS = 0.15  # of a target; the search proper is `python -m tests.fuzz`


@pytest.mark.parametrize('name', targets.TARGETS)
def test_only_documented_errors(name):
  target = targets.TARGETS[name]
  seeds = target.seeds()
  for seed in seeds:
    assert target.check(seed), f'{name} refuses what the project wrote'
  for case in (b'', b'\0', b'{', b'[' * 5000, seeds[0][: len(seeds[0]) // 2]):
    target.check(case)
  rng = random.Random(name)
  end = time.monotonic() + _SECONDS
  while time.monotonic() < end:
    data = target.mutate(rng.choice(seeds), rng)
    try:
      target.check(data)
    except BaseException as error:
      raise AssertionError(f'{name}: {error!r} of {data[:2000]!r}') from error
