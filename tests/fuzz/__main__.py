"""Searches with atheris, or replays; see the package."""

import argparse
import pathlib
import random
import sys
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
      include=['mask2cad_tf', 'tfrecords_tools', 'trimesh.exchange', 'PIL'],
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
  """Ends the process; what was found lies in the folder of crashes."""
  corpus = pathlib.Path(options.crashes, f'{target.name}-corpus')
  corpus.mkdir(parents=True, exist_ok=True)
  seeds = target.seeds()
  for index, seed in enumerate(seeds):
    assert target.check(seed), f'{target.name} refuses its seed {index}'
    (corpus / f'seed_{index}').write_bytes(seed)

  def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    # libFuzzer forgets good inputs where smaller ones run the same lines of
    # Python, and all of them where there are none: native readers.
    rng = random.Random(seed)
    if rng.random() < 0.4:
      data = rng.choice(seeds)
    if rng.random() < 0.5:
      return atheris.Mutate(data, max_size)
    return target.mutate(data, rng)[:max_size]

  atheris.Setup(
    [
      sys.argv[0],
      f'-max_total_time={round(60 * options.minutes)}',
      f'-runs={_EXECUTIONS}',
      f'-timeout={_SECONDS}',
      f'-rss_limit_mb={_MEGABYTES}',
      f'-max_len={_MAX_BYTES}',
      f'-artifact_prefix={options.crashes}/{target.name}-',
      '-print_final_stats=1',
      str(corpus),
    ],
    lambda data: target.check(data) and None,
    custom_mutator=mutate,
  )
  atheris.Fuzz()


if __name__ == '__main__':
  main()
