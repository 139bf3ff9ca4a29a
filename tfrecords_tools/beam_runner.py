"""Makes blocks of examples in Apache Beam, in place of the process pool.

Needs the extra: pip install 'mask2cad-tf[beam]'. Each block is one element; the
workers write the blocks to the output folder, which therefore has to be on a
file system that all of them mount. Publishing is the caller's, as always.

Tested with Beam's DirectRunner, in this process and with several workers
(--beam_options=--direct_num_workers=2,--direct_running_mode=multi_processing).
Not run: FlinkRunner, SparkRunner, DataflowRunner. They get the same pipeline
and their own options through --beam_options, no more is known.
"""

from typing import Any
from typing import Sequence

from tfrecords_tools import block_job

_RUNNERS = {
  # Beam's newer DirectRunner may look for a program that it has to fetch; this
  # is the part of it that the package brings along.
  'DirectRunner': 'FnApiRunner'
}


def make_blocks(
  job: block_job.BlockJob,
  blocks: Sequence[int],
  runner: str,
  options: Sequence[str],
) -> None:
  """Makes blocks; returns when all are on disk.

  Args:
    job: picklable, is sent to the workers.
    blocks: which.
    runner: Beam's name of it: DirectRunner, FlinkRunner, DataflowRunner, ...
    options: Beam's command line, e.g. ('--direct_num_workers=2',).

  Raises:
    ValueError: Beam is not installed, or an example's input is bad.
    RuntimeError: an example failed otherwise.
  """
  beam, pipeline_options = _import_beam()
  try:
    with beam.Pipeline(
      options=pipeline_options.PipelineOptions(
        [*options, f'--runner={_RUNNERS.get(runner, runner)}']
      )
    ) as pipeline:
      _ = (
        pipeline
        | 'Blocks' >> beam.Create(list(blocks))
        | 'Spread' >> beam.Reshuffle()
        | 'Make' >> beam.Map(_Maker(job))
      )
  finally:
    job.close()
  for message in job.files.errors()[:1]:
    raise (RuntimeError if 'Traceback' in message else ValueError)(message)


class _Maker:
  """Makes a block, and leaves an error on disk: workers cannot tell us."""

  def __init__(self, job: block_job.BlockJob):
    self._job = job

  def __call__(self, block: int) -> int:
    report = self._job(block)
    if report.error:
      self._job.files.write_error(block, report.error)
    return report.num_indices


def _import_beam() -> Any:
  try:
    import apache_beam
    from apache_beam.options import pipeline_options
  except ImportError as error:
    raise ValueError(
      "Apache Beam is not installed. pip install 'mask2cad-tf[beam]', or use "
      '--runner=local.'
    ) from error
  return apache_beam, pipeline_options
