"""Makes many examples, here or elsewhere, and publishes them as records.

Work is cut into blocks of consecutive indices. Each finished block lies on
disk (`block_files`), so that a run that was killed goes on where it stopped;
when all are there, the shards are written in the order of the indices. The
records do not depend on who made which block, when, or how often it was
interrupted.
"""

import dataclasses
import hashlib
import json
import os
import sys
from typing import Any
from typing import Callable
from typing import Dict
from typing import Iterator
from typing import List
from typing import Optional
from typing import Sequence

import numpy as np
import threadpoolctl
from absl import flags

import mask2cad_tf
from mask2cad_tf import progress
from mask2cad_tf.data import record_files
from mask2cad_tf.data import worker_pool
from tfrecords_tools import block_files
from tfrecords_tools import block_job
from tfrecords_tools import clock as clock_lib
from tfrecords_tools import record_writer

Made = block_job.Made
LOCAL = 'local'


@dataclasses.dataclass(frozen=True)
class Summary:
  """What a run did.

  Attributes:
    num_examples: in the records.
    counts: sums of what `make` counted.
    skipped: why examples were left out, in order.
    num_made: examples that this run made or skipped; the others were on disk.
    seconds: of wall time.
    cpu_seconds: user and system time of this process and its children.
  """

  num_examples: int
  counts: Dict[str, int]
  skipped: List[str]
  num_made: int
  seconds: float
  cpu_seconds: float


Make = Callable[[int], Made]


def run(
  make: Make,
  num_examples: int,
  output_dir: str,
  name: str,
  num_shards: int,
  settings: Dict[str, Any],
  runner: str = LOCAL,
  num_processes: int = 2,
  skip_broken: bool = False,
  block_size: int = 16,
  restart: bool = False,
  beam_options: Sequence[str] = (),
  shuffle_seed: Optional[int] = None,
) -> Summary:
  """Makes the examples 0 .. num_examples - 1 and writes a record set.

  Args:
    make: picklable; make(index) depends on nothing but the index and itself.
      Heavy state is best loaded on the first call: it is per process. Where it
      has a method `close`, that is called before its process ends.
    num_examples: how many indices.
    output_dir: where <name>.tfrecord-* and manifest.json go.
    name: of the record set.
    num_shards: record files.
    settings: JSON; what determines the examples, for the manifest. Give the
      hashes of input files too (`file_hash`): blocks of an unfinished run are
      taken over when settings, num_examples, block_size and the package's
      version are equal.
    runner: 'local', or the name of a Beam runner.
    num_processes: local; 1 works in this process.
    skip_broken: where make raises ValueError or OSError, note it and go on.
    block_size: examples a block: what a killed run loses per process.
    restart: throw away an unfinished run's blocks, and finished records.
    beam_options: Beam's command line, e.g. '--direct_num_workers=2'.
    shuffle_seed: of the order in the records; None keeps that of the indices.
      So neighbours in `make` may share what is slow to load.

  Returns:
    The summary. Where the records are there already, nothing is done.

  Raises:
    ValueError: make failed on bad input; or unfinished blocks of other
      settings are there; or no example came out. Finished blocks stay.
    RuntimeError: make failed otherwise; with its traceback.
  """
  clock = clock_lib.Clock()
  files = block_files.BlockFiles(output_dir, name)
  job = block_job.BlockJob(
    make, name, num_examples, block_size, skip_broken, files
  )
  identity = _identity(name, settings, num_examples, block_size, shuffle_seed)
  writer = record_writer.RecordWriter(output_dir, name, num_shards, settings)
  with files.locked():
    try:
      section = None if restart else _finished(output_dir, identity, num_shards)
      unfinished = files.settings()
      if section and (unfinished in (None, identity)):
        files.remove()  # a run was killed after it had published
      if section:
        print(
          f'{name}: these records are in {output_dir!r} already. --restart '
          'makes them anew.',
          file=sys.stderr,
        )
        return _summary(section, 0, clock)
      if unfinished not in (None, identity):
        _require_restart(restart, output_dir, unfinished, identity)
      if restart:
        files.clear()
      files.open(identity)
      missing = [i for i in range(job.num_blocks) if files.read(i) is None]
      _make_blocks(job, missing, runner, num_processes, beam_options)
      section = _publish(job, writer, identity)
      files.remove()
    finally:
      if not files.has_blocks():
        files.remove()
  return _summary(section, sum(len(job.indices(i)) for i in missing), clock)


def define_flags(own: flags.FlagValues) -> None:
  """Adds the flags of `run` that every command with a runner has."""
  flags.DEFINE_string(
    'runner',
    LOCAL,
    f'Where the work is done: {LOCAL!r}, processes of this machine, or a '
    'runner of Apache Beam: DirectRunner, ...',
    flag_values=own,
  )
  flags.DEFINE_integer(
    'num_processes',
    2,
    'Processes of the local runner.',
    lower_bound=1,
    flag_values=own,
  )
  flags.DEFINE_list(
    'beam_options',
    [],
    "Beam's own flags, e.g. --beam_options=--direct_num_workers=2,...",
    flag_values=own,
  )
  flags.DEFINE_boolean(
    'restart',
    False,
    'Throw away an unfinished run of other settings, and make all anew.',
    flag_values=own,
  )


def file_hash(path: str) -> str:
  """sha256 of an input file, for `settings`.

  Raises:
    FileNotFoundError: there is no such file.
  """
  return record_writer.sha256(path)


def _identity(
  name: str,
  settings: Dict[str, Any],
  num_examples: int,
  block_size: int,
  shuffle_seed: Optional[int],
) -> Dict[str, Any]:
  """What the blocks belong to; as JSON reads it back."""
  identity = {
    'name': name,
    'settings': settings,
    'num_examples': num_examples,
    'block_size': block_size,
    'shuffle_seed': shuffle_seed,
    'package_version': mask2cad_tf.__version__,
  }
  text = json.dumps(identity, sort_keys=True)
  fingerprint = hashlib.sha256(text.encode()).hexdigest()
  return {**json.loads(text), 'fingerprint': fingerprint}


def _finished(
  output_dir: str, identity: Dict[str, Any], num_shards: int
) -> Optional[Dict[str, Any]]:
  """The manifest's section, where the very same records are there, whole."""
  paths = [
    os.path.join(
      output_dir, record_writer.shard_name(identity['name'], i, num_shards)
    )
    for i in range(num_shards)
  ]
  if not all(os.path.exists(path) for path in paths):
    return None
  section = record_files.manifest_section(paths[0]) or {}
  if section.get('fingerprint') != identity['fingerprint']:
    return None
  sizes = [shard['bytes'] for shard in section['shards']]
  return section if sizes == [os.path.getsize(p) for p in paths] else None


def _require_restart(
  restart: bool,
  output_dir: str,
  unfinished: Dict[str, Any],
  identity: Dict[str, Any],
) -> None:
  """Raises, unless the user wants to lose the unfinished blocks."""
  if restart:
    return
  flat = [
    {**entry['settings'], **{k: v for k, v in entry.items() if k != 'settings'}}
    for entry in (unfinished, identity)
  ]
  differing = sorted(
    key
    for key in set(flat[0]) | set(flat[1])
    if flat[0].get(key) != flat[1].get(key) and key != 'fingerprint'
  )
  raise ValueError(
    f'{output_dir!r} has an unfinished run of other settings (differing: '
    f'{", ".join(differing)}). Run it again with its own settings, throw it '
    'away with --restart, or give another --output_dir.'
  )


def _make_blocks(
  job: block_job.BlockJob,
  missing: Sequence[int],
  runner: str,
  num_processes: int,
  beam_options: Sequence[str],
) -> None:
  """Makes the missing blocks; raises at the first error."""
  if not missing:
    return
  if runner != LOCAL:
    from tfrecords_tools import beam_runner  # an extra of the package

    beam_runner.make_blocks(job, missing, runner, beam_options)
    return
  done = job.num_examples - sum(len(job.indices(i)) for i in missing)
  with progress.Line(job.name, job.num_examples, 'examples', done) as line:
    for report in _reports(job, missing, num_processes):
      if report.error:
        raise (RuntimeError if report.is_defect else ValueError)(report.error)
      line.add(report.num_indices)


def _reports(
  job: block_job.BlockJob, missing: Sequence[int], num_processes: int
) -> Iterator[block_job.BlockReport]:
  if num_processes > 1:
    for _, report in worker_pool.map_unordered(job, missing, num_processes):
      yield report
    return
  # As in the processes of the pool: threads change the order of sums.
  with threadpoolctl.threadpool_limits(1):
    try:
      yield from map(job, missing)
    finally:
      job.close()


def _publish(
  job: block_job.BlockJob,
  writer: record_writer.RecordWriter,
  identity: Dict[str, Any],
) -> Dict[str, Any]:
  """Writes the shards from the blocks; returns the manifest's section."""
  counts: Dict[str, int] = {}
  places = []  # (block, number in the block) of each example
  with writer:
    for index in range(job.num_blocks):
      block = job.files.read(index)
      if block is None:
        raise RuntimeError(f'Block {index} of {job.name!r} was not made.')
      for reason in block.skipped:
        writer.skip(reason)
      for key, count in block.counts.items():
        counts[key] = counts.get(key, 0) + count
      places.extend((index, number) for number in range(block.num_examples))
    if identity['shuffle_seed'] is not None:
      rng = np.random.default_rng(identity['shuffle_seed'])
      places = [places[i] for i in rng.permutation(len(places))]
    for index, number in places:
      writer.write_serialized(job.files.example(index, number))
    if not writer.num_examples:
      job.files.remove()
      raise ValueError(
        f'{job.name}: no usable example, {len(writer.skipped)} were left out'
        f'{"".join(f" ({reason})" for reason in writer.skipped[:1])}; nothing '
        'was written.'
      )
    writer.annotate(counts=counts, fingerprint=identity['fingerprint'])
  return writer.section


def _summary(
  section: Dict[str, Any], num_made: int, clock: clock_lib.Clock
) -> Summary:
  return Summary(
    section['num_examples'],
    section['counts'],
    section['skipped'],
    num_made,
    *clock.read(),
  )
