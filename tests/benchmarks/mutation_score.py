"""Do the tests notice when the code is wrong? A sample of mutants.

  pip install cosmic-ray
  python -m tests.benchmarks.mutation_score --folders=ops,geometry \
    --sample=300 --work_dir=runs/mutants

Cosmic-ray lists every mutant of the modules (an operator, a number, a condition
changed); a sample of them, the same for the same seed, is run against the tests
of the module, in a clone, one after the other. Bit operators in place of
arithmetic ones are left out: floats refuse them, so any test kills them.
Prints the survivors, to be looked at, and the score with its 95 % interval.
Goes on where it was killed.
"""

import math
import os
import pathlib
import random
import sqlite3
import subprocess
import sys
from typing import List
from typing import Sequence
from typing import Tuple

from absl import app
from absl import flags

_FOLDERS = flags.DEFINE_list('folders', ['ops', 'geometry'], 'Of mask2cad_tf.')
_SAMPLE = flags.DEFINE_integer('sample', 300, 'Mutants run; 0: all.')
_SEED = flags.DEFINE_integer('seed', 0, 'Of the sample.')
_WORK_DIR = flags.DEFINE_string('work_dir', 'runs/mutants', 'Clone, sessions.')
_BITS = ('BitAnd', 'BitOr', 'BitXor', 'LShift', 'RShift', 'Invert')
_CONFIG = """[cosmic-ray]
module-path = ["{module}"]
timeout = 180.0
excluded-modules = []
test-command = "{python} -m pytest -x -q -p no:cacheprovider {test}"
[cosmic-ray.distributor]
name = "local"
"""


def _run(clone: pathlib.Path, *arguments: str) -> None:
  tool = str(pathlib.Path(sys.executable).parent / 'cosmic-ray')
  subprocess.run([tool, *arguments], cwd=clone, check=True)


def _sessions(clone: pathlib.Path, work: pathlib.Path) -> List[pathlib.Path]:
  """A session of all mutants for each module that has a test of its name."""
  sessions = []
  for folder in _FOLDERS.value:
    for module in sorted((clone / 'mask2cad_tf' / folder).glob('*.py')):
      test = clone / 'tests' / folder / f'{module.stem}_test.py'
      if not test.exists():
        continue
      session = work / f'{folder}.{module.stem}.sqlite'
      if not session.exists():
        config = session.with_suffix('.toml')
        config.write_text(
          _CONFIG.format(
            module=module.relative_to(clone),
            python=sys.executable,
            test=test.relative_to(clone),
          )
        )
        _run(clone, 'init', str(config), str(session))
      sessions.append(session)
  return sessions


def _choose(sessions: Sequence[pathlib.Path]) -> None:
  """Leaves the sample's mutants in the sessions."""
  mutants: List[Tuple[int, str]] = []
  for index, session in enumerate(sessions):
    with sqlite3.connect(session) as table:
      mutants += [
        (index, job)
        for job, operator in table.execute(
          'select job_id, operator_name from mutation_specs order by '
          'operator_name, start_pos_row, start_pos_col, occurrence'
        )
        if not operator.endswith(_BITS)
      ]
  count = _SAMPLE.value or len(mutants)
  chosen = set(random.Random(_SEED.value).sample(mutants, count))
  print(f'{len(mutants)} mutants of {len(sessions)} modules; {count} run')
  for index, session in enumerate(sessions):
    keep = [job for i, job in chosen if i == index]
    marks = ','.join('?' * len(keep))
    with sqlite3.connect(session) as table:
      for name in ('mutation_specs', 'work_items'):
        table.execute(f'delete from {name} where job_id not in ({marks})', keep)


def _results(session: pathlib.Path) -> List[Tuple[str, str, int, str]]:
  with sqlite3.connect(session) as table:
    return table.execute(
      'select test_outcome, module_path, start_pos_row, operator_name || '
      "char(10) || coalesce(diff, '') from work_results join mutation_specs "
      'using (job_id)'
    ).fetchall()


def _interval(killed: int, count: int) -> Tuple[float, float]:
  """Wilson's 95 % interval of a share."""
  z, share = 1.96, killed / count
  middle = share + z * z / (2 * count)
  half = z * math.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
  return (middle - half) / (1 + z * z / count), (middle + half) / (
    1 + z * z / count
  )


def main(argv: Sequence[str]) -> None:
  """Runs the sample's mutants and says which live."""
  del argv
  work = pathlib.Path(_WORK_DIR.value).resolve()
  clone = work / 'clone'
  if not clone.exists():
    subprocess.run(['git', 'clone', '--quiet', '.', str(clone)], check=True)
  ready = work / 'chosen'
  sessions = _sessions(clone, work)
  if not ready.exists():
    _choose(sessions)
    ready.touch()
  os.environ['PYTHONPATH'] = str(clone)
  for session in sessions:
    subprocess.run(['git', 'checkout', '--quiet', '.'], cwd=clone, check=True)
    _run(clone, 'exec', str(session.with_suffix('.toml')), str(session))
  killed = count = 0
  for session in sessions:
    for outcome, module, row, what in _results(session):
      count += 1
      killed += 'SURVIVED' not in outcome.upper()
      if 'SURVIVED' in outcome.upper():
        print(f'survived: {module}:{row} {what}')
  low, high = _interval(killed, count)
  print(
    f'killed {killed} of {count}: {killed / count:.3f} ({low:.3f}-{high:.3f})'
  )


if __name__ == '__main__':
  app.run(main)
