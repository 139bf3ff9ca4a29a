"""Searches with atheris, or replays; see the package."""

import argparse
import os
import pathlib
import random
import resource
import shutil
import sys
import tempfile
import time

_SECONDS, _MEGABYTES = 5, 2048  # of an input; of the process
_EXECUTIONS = 1_000_000
_MAX_BYTES = 1 << 16


def main() -> None:
  """Runs the command line."""
  parser = argparse.ArgumentParser(prog='python -m tests.fuzz')
  parser.add_argument('target', nargs='?')
  parser.add_argument('files', nargs='*', help='inputs to replay')
  parser.add_argument('--list', action='store_true')
  parser.add_argument('--minutes', type=float, default=10.0)
  parser.add_argument('--crashes', default='runs/fuzz', help='where they go')
  options = parser.parse_args()
  if options.target and not options.files:
    import atheris

    with atheris.instrument_imports(
      include=['mask2cad_tf', 'tfrecords_tools', 'trimesh', 'PIL', 'zipfile'],
      enable_loader_override=False,
    ):
      from tests.fuzz import targets
    _search(atheris, targets.TARGETS[options.target], options)
    return
  from tests.fuzz import targets

  if options.list or not options.target:
    for target in targets.TARGETS.values():
      print(f'{target.name:18}{target.takes}')
    return
  for path in options.files:
    start = time.monotonic()
    taken = targets.TARGETS[options.target].check(
      pathlib.Path(path).read_bytes()
    )
    print(
      f'{path}: {"taken" if taken else "refused"}, '
      f'{time.monotonic() - start:.2f} s'
    )


def _search(atheris, target, options) -> None:
  corpus = tempfile.mkdtemp(prefix='fuzz_')
  for index, seed in enumerate(target.seeds()):
    assert target.check(seed), f'{target.name} refuses its seed {index}'
    pathlib.Path(corpus, f'seed_{index}').write_bytes(seed)
  os.makedirs(options.crashes, exist_ok=True)
  state = {'executions': 0, 'taken': 0, 'slowest': 0.0}
  begin = time.monotonic()

  def one(data: bytes) -> None:
    start = time.monotonic()
    try:
      state['taken'] += target.check(data)
    finally:
      state['slowest'] = max(state['slowest'], time.monotonic() - start)
      state['executions'] += 1

  def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    rng = random.Random(seed)
    if rng.random() < 0.5:
      return atheris.Mutate(data, max_size)
    return target.mutate(data, rng)[:max_size]

  def report() -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
      f'\nFUZZ {target.name}: {state["executions"]} executions, '
      f'{state["taken"]} taken, {time.monotonic() - begin:.0f} s, slowest '
      f'{state["slowest"]:.2f} s, peak {peak:.0f} MB, '
      f'{time.strftime("%Y-%m-%d")}',
      flush=True,
    )
    shutil.rmtree(corpus, ignore_errors=True)

  atheris.Setup(
    [
      sys.argv[0],
      f'-max_total_time={round(60 * options.minutes)}',
      f'-runs={_EXECUTIONS}',
      f'-timeout={_SECONDS}',
      f'-rss_limit_mb={_MEGABYTES}',
      f'-max_len={_MAX_BYTES}',
      f'-artifact_prefix={os.path.join(options.crashes, target.name)}-',
      '-print_final_stats=1',
      corpus,
    ],
    one,
    custom_mutator=mutate,
  )
  # libFuzzer ends the process itself: no `finally` would be run.
  import atexit

  atexit.register(report)
  atheris.Fuzz()


if __name__ == '__main__':
  main()
