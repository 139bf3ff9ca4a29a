r"""How long the search takes, beside one pass over the gallery's memory.

  python -m tests.benchmarks.search_speed --output_dir=runs/search_speed

Batches of 8 objects, 128 numbers each, 10 CADs found of each, in galleries of
6,320, 100,000 and 1,000,000 views. Exact: `retrieval.search` compiled, the
gallery in variables, as in an exported model. One pass: TensorFlow's sum of the
same float32 variable, all cores. Approximate: `retrieval.approximate_search`,
its recall the share of the exact ten that it finds. The three take turns on the
same batches, so that what else the machine does hits them alike; ratios are
medians over the turns. On a busy machine what takes two threads or long suffers
more: the least times of all turns stand beside the medians.

The views are made up: 32 hidden numbers, of a family of 50 CADs, of the CAD and
of the view (normal, deviations 1, 0.5, 0.5), spread over 128 by a random matrix
with noise of deviation 1 on each. An object is one more view of a CAD. Its
class is the CAD's; with one class the whole gallery is searched.

Writes search_speed.json and search_speed.md; about 4 GB, one to three minutes.
"""

import dataclasses
import json
import os
import pathlib
import time
from typing import Any
from typing import Callable
from typing import Dict
from typing import List
from typing import Optional
from typing import Sequence

import numpy as np
import tensorflow as tf
from absl import flags

from mask2cad_tf import command_line
from mask2cad_tf.retrieval import approximate_search
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import search

FLAGS = flags.FlagValues()
_OUTPUT_DIR = flags.DEFINE_string(
  'output_dir', None, 'Folder of the tables.', flag_values=FLAGS
)
_MAX_VIEWS = flags.DEFINE_integer(
  'max_views', 1_000_000, 'Leaves larger galleries out.', flag_values=FLAGS
)

_BATCH, _LENGTH, _K = 8, 128, 10
_HIDDEN, _FAMILY = 32, 50
_CHUNK = 4096  # CADs made at a time, a multiple of search.PANEL
_WARM_UP = 3


@dataclasses.dataclass(frozen=True)
class Case:
  """One row of the table.

  Attributes:
    views: of the gallery.
    views_a_cad: as many CADs as that makes.
    classes: of equal size, as chance has it.
    turns: batches that are timed.
    target: of the exact search; milliseconds, or passes over the memory.
    unit: 'ms' or 'passes'.
    approximate: whether that search takes its turns as well.
  """

  views: int
  views_a_cad: int
  classes: int
  turns: int
  target: float
  unit: str
  approximate: bool


_CASES = (
  Case(6_320, 16, 1, 200, 2.0, 'ms', False),
  Case(6_320, 16, 9, 200, 2.0, 'ms', False),
  Case(100_000, 16, 1, 100, 3.0, 'passes', False),
  Case(100_000, 64, 1, 100, 3.0, 'passes', False),
  Case(100_000, 16, 9, 100, 3.0, 'passes', False),
  Case(1_000_000, 16, 1, 40, 4.0, 'passes', True),
  Case(1_000_000, 64, 1, 40, 4.0, 'passes', True),
  Case(1_000_000, 16, 9, 40, 4.0, 'passes', True),
)


class World:
  """A gallery, its exact index in variables, and objects."""

  def __init__(self, case: Case, rng: np.random.Generator):
    num_cads = -(-case.views // case.views_a_cad)
    self._rng = rng
    self._basis = rng.normal(size=(_HIDDEN, _LENGTH)).astype(np.float32)
    families = rng.normal(size=(-(-num_cads // _FAMILY), _HIDDEN))
    self._cads = families[rng.integers(0, len(families), num_cads)]
    self._cads += 0.5 * rng.normal(size=self._cads.shape)
    self.labels = rng.integers(1, 1 + case.classes, num_cads).astype(np.int32)
    shape = (num_cads, case.views_a_cad, _LENGTH)
    self.embeddings = np.empty(shape, np.float32)
    num_panels = -(-num_cads // search.PANEL)
    views = np.empty((num_panels, *shape[1:], search.PANEL), np.float32)
    labels = np.empty((num_panels, search.PANEL), np.int32)
    for start in range(0, num_cads, _CHUNK):
      cads = slice(start, start + _CHUNK)
      made = self._views(self._cads[cads], case.views_a_cad)
      self.embeddings[cads] = made
      index = search.index(
        made, np.ones(made.shape[:2], bool), self.labels[cads]
      )
      panels = slice(
        start // search.PANEL, start // search.PANEL + len(index.labels.numpy())
      )
      views[panels], labels[panels] = index.views, index.labels
    # Not slice by slice: such a variable is copied at each read, for good.
    self.index = search.Index(
      tf.Variable(views, shape=[None, None, _LENGTH, search.PANEL]),
      tf.Variable(labels, shape=[None, search.PANEL]),
    )

  def _views(self, cads: np.ndarray, count: int) -> np.ndarray:
    hidden = cads[:, np.newaxis] + 0.5 * self._rng.normal(
      size=(len(cads), count, _HIDDEN)
    )
    views = hidden.astype(np.float32) @ self._basis
    return views + self._rng.standard_normal(views.shape, np.float32)

  def free(self) -> None:
    """Gives the memory back: compiled functions hold a world for good."""
    self.embeddings = self.embeddings[:0].copy()
    self.index.views.assign(tf.zeros((0, 0, _LENGTH, search.PANEL)))

  def objects(self) -> Dict[str, np.ndarray]:
    """One batch, [1, 8, 128] and [1, 8]."""
    cads = self._rng.integers(0, len(self._cads), _BATCH)
    return {
      'embeddings': self._views(self._cads[cads], 1)[np.newaxis, :, 0],
      'classes': self.labels[cads][np.newaxis],
    }

  def gallery(self) -> gallery_lib.Gallery:
    """What the approximate search reads; the rest is empty."""
    names = tuple(f'class{number}' for number in range(1, 10))
    cads = {
      label: gallery_lib.Cad('', names[label - 1], '', '')
      for label in np.unique(self.labels)
    }
    valid = np.ones(self.embeddings.shape[:2], bool)
    return gallery_lib.Gallery(
      path='',
      class_names=names,
      encoder='',
      cads=tuple(cads[label] for label in self.labels),
      embeddings=self.embeddings,
      rotations=np.zeros((0, 0, 4), np.float32),
      valid=valid,
      silhouettes=np.zeros((0, 0, 128), np.uint8),
    )


def _measure(case: Case) -> Dict[str, Any]:
  """One row of the table."""
  world = World(case, np.random.default_rng(0))
  exact = tf.function(
    lambda embeddings, classes: search.top_k(
      embeddings, classes, world.index, _K
    )
  )
  one_pass = tf.function(lambda: tf.reduce_sum(world.index.views))
  row = {**dataclasses.asdict(case), 'cads': len(world.labels)}
  approximate = None
  if case.approximate:
    start, start_cpu = time.perf_counter(), time.process_time()
    approximate = approximate_search.ApproximateSearch(world.gallery())
    row['build_seconds'] = time.perf_counter() - start
    row['build_cpu_seconds'] = time.process_time() - start_cpu
    row['approximate_mib'] = approximate.num_bytes / 2**20
  times: Dict[str, List[float]] = {'pass': [], 'exact': [], 'approximate': []}
  recalls = []
  for _ in range(_WARM_UP + case.turns):
    batch = world.objects()
    tensors = {key: tf.constant(value) for key, value in batch.items()}
    _timed(times['pass'], lambda: one_pass().numpy())
    found = _timed(
      times['exact'],
      lambda tensors=tensors: [x.numpy() for x in exact(**tensors)],
    )
    if approximate is not None:
      guessed = _timed(
        times['approximate'],
        lambda batch=batch: approximate.top_k(**batch, k=_K),
      )
      recalls.append(_recall(found[0], guessed[0]))
  seconds = {key: np.array(value[_WARM_UP:]) for key, value in times.items()}
  row['matrix_mib'] = world.embeddings.nbytes / 2**20
  world.free()
  row['pass_ms'] = _percentile(seconds['pass'], 50)
  row['pass_least_ms'] = _percentile(seconds['pass'], 0)
  row['exact_ms'] = _percentile(seconds['exact'], 50)
  row['exact_least_ms'] = _percentile(seconds['exact'], 0)
  row['exact_p95_ms'] = _percentile(seconds['exact'], 95)
  row['passes'] = float(np.median(seconds['exact'] / seconds['pass']))
  reached = row['exact_ms'] if case.unit == 'ms' else row['passes']
  row['exact_met'] = reached <= case.target
  if approximate is not None:
    row['approximate_ms'] = _percentile(seconds['approximate'], 50)
    row['approximate_least_ms'] = _percentile(seconds['approximate'], 0)
    row['approximate_p95_ms'] = _percentile(seconds['approximate'], 95)
    row['share'] = float(np.median(seconds['approximate'] / seconds['exact']))
    row['recall'] = float(np.mean(recalls))
  return row


def _timed(log: List[float], work: Callable[[], Any]) -> Any:
  start = time.perf_counter()
  result = work()
  log.append(time.perf_counter() - start)
  return result


def _percentile(seconds: np.ndarray, share: float) -> float:
  """Milliseconds."""
  return 1e3 * float(np.percentile(seconds, share))


def _recall(exact: np.ndarray, guessed: np.ndarray) -> float:
  """Share of the CADs found exactly, [1, N, k], that were found otherwise."""
  found = [
    np.isin(ours[ours >= 0], others).mean()
    for ours, others in zip(exact[0], guessed[0])
  ]
  return float(np.mean(found))


def _table(rows: Sequence[Dict[str, Any]]) -> str:
  lines = [
    '| views | a CAD | classes | one pass: least, p50 ms | exact: least, p50, '
    'p95 ms | passes | target | approximate: least, p50, p95 ms | of exact | '
    'recall@10 | build s (CPU s) | MiB |',
    '|---' * 12 + '|',
  ]
  for row in rows:
    unit = ' ms' if row['unit'] == 'ms' else 'x'
    target = f'{row["target"]:g}{unit}, {"met" if row["exact_met"] else "not"}'
    cells = [
      f'{row["views"]:,}',
      row['views_a_cad'],
      row['classes'],
      _cell(row, 'pass_least_ms', 'pass_ms'),
      _cell(row, 'exact_least_ms', 'exact_ms', 'exact_p95_ms'),
      f'{row["passes"]:.2f}',
      target,
    ]
    if row['approximate']:
      cells += [
        _cell(
          row, 'approximate_least_ms', 'approximate_ms', 'approximate_p95_ms'
        ),
        f'1/{1.0 / row["share"]:.1f}',
        f'{row["recall"]:.3f}',
        f'{row["build_seconds"]:.0f} ({row["build_cpu_seconds"]:.0f})',
        f'{row["approximate_mib"]:.0f} + {row["matrix_mib"]:.0f}',
      ]
    else:
      cells += [''] * 5
    lines.append(f'| {" | ".join(map(str, cells))} |')
  return '\n'.join(lines) + '\n'


def _cell(row: Dict[str, Any], *keys: str) -> str:
  return ', '.join(f'{row[key]:.2f}' for key in keys)


def _load() -> Optional[float]:
  """Processes that wanted a core in the last minute."""
  return os.getloadavg()[0] if hasattr(os, 'getloadavg') else None


def main(argv: Sequence[str]) -> None:
  """Measures all cases and writes the tables."""
  command_line.require(output_dir=_OUTPUT_DIR.value)
  command_line.reject(argv[1:])
  tf.config.set_visible_devices([], 'GPU')
  folder = pathlib.Path(_OUTPUT_DIR.value)
  folder.mkdir(parents=True, exist_ok=True)
  load, start = _load(), time.perf_counter()
  report = {
    'batch': _BATCH,
    'length': _LENGTH,
    'k': _K,
    'cores': os.cpu_count(),
    'load_before': load,
    'rows': [],
  }
  for case in _CASES:
    if case.views > _MAX_VIEWS.value:
      continue
    report['rows'].append(_measure(case))
    report['seconds'] = round(time.perf_counter() - start, 1)
    table = _table(report['rows'])
    # What is measured stays measured.
    (folder / 'search_speed.json').write_text(json.dumps(report, indent=1))
    (folder / 'search_speed.md').write_text(table)
    print(table.splitlines()[-1], flush=True)
  print(f'{os.cpu_count()} cores, load {load} before.')


if __name__ == '__main__':
  command_line.run('tests.benchmarks.search_speed', main, FLAGS)
