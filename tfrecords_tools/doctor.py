r"""Finds what is wrong with a dataset before training does.

Example:
  python -m tfrecords_tools.doctor --dataset='records/train/images*' \
    --report_dir=runs/doctor

--dataset is a glob or folder of image records, or a Pix3D-like annotation JSON
with img/, mask/ and model/ beside it. Every CAD is drawn at its pose and
compared with mask, box and photo; rotations, intrinsics, classes, meshes and
image files are checked; with --train also whether photos or shapes are in the
training data, too.

Writes <report_dir>/verdict.json {"ok", "checked", "problems": [{"kind",
"where", "detail", "severity", "place"}], "mask_iou", ...} and report.html.
Exit status 0: sound; 1: something is broken (warnings do not count); 2: bad
flags, or no such dataset.
"""

import dataclasses
import json
import os
import sys
from typing import Any
from typing import Dict
from typing import Iterator
from typing import List
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np
from absl import flags

from mask2cad_tf import command_line
from mask2cad_tf import progress
from mask2cad_tf.data import worker_pool
from mask2cad_tf.geometry import view_medoids
from tfrecords_tools.diagnosis import dataset as dataset_lib
from tfrecords_tools.diagnosis import dataset_summary
from tfrecords_tools.diagnosis import examination
from tfrecords_tools.diagnosis import measurements
from tfrecords_tools.diagnosis import problem
from tfrecords_tools.diagnosis import projections
from tfrecords_tools.diagnosis import report
from tfrecords_tools.diagnosis import report_pictures
from tfrecords_tools.diagnosis import verdict as verdict_lib

FLAGS = flags.FlagValues()
flags.DEFINE_string(
  'dataset',
  None,
  'Image records (glob or folder), or an annotation JSON.',
  required=True,
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'report_dir', None, 'Folder for the report.', required=True, flag_values=FLAGS
)
flags.DEFINE_string(
  'library',
  '',
  'Folder of the CADs; by default the one that the records were made from, or '
  'model/ beside the JSON.',
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'train',
  '',
  'The training data, where --dataset is a test set: copies of its photos and '
  'shapes are looked for.',
  flag_values=FLAGS,
)
flags.DEFINE_list(
  'class_names',
  [],
  'Known classes in the order of their ids; by default those that the dataset '
  "names, or Pix3D's.",
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'medoids',
  '',
  'Pose medoids (.npz) that the poses should be close to; by default they are '
  "clustered from the dataset's own poses.",
  flag_values=FLAGS,
)
flags.DEFINE_integer(
  'max_samples',
  0,
  'Look at so many photos only, evenly spread; 0 for all.',
  lower_bound=0,
  flag_values=FLAGS,
)
flags.DEFINE_integer(
  'num_edge_photos',
  200,
  "Compare the CADs' outlines with the edges of so many photos, evenly spread.",
  lower_bound=0,
  flag_values=FLAGS,
)
flags.DEFINE_integer(
  'num_pictures', 24, 'Worst cases shown.', lower_bound=0, flag_values=FLAGS
)
flags.DEFINE_integer(
  'num_processes', 2, 'Photos at a time.', lower_bound=1, flag_values=FLAGS
)
flags.DEFINE_boolean(
  'json',
  False,
  'Print the content of verdict.json in place of lines.',
  flag_values=FLAGS,
)

VERDICT, REPORT = 'verdict.json', 'report.html'
_FEW = 100  # photos that are not worth the start of processes


def diagnose(
  dataset: dataset_lib.Dataset,
  report_dir: str,
  title: str,
  train: Optional[dataset_lib.Dataset] = None,
  medoids: str = '',
  max_samples: int = 0,
  num_edge_photos: int = 200,
  num_pictures: int = 24,
  num_processes: int = 1,
) -> Dict[str, Any]:
  """Examines a dataset and writes the report.

  Args:
    dataset: the dataset.
    report_dir: where verdict.json and report.html go.
    title: of the report.
    train: training data that should not hold the same photos.
    medoids: .npz of build_pose_medoids; '' clusters the dataset's own poses.
    max_samples: photos looked at, evenly spread; 0 for all.
    num_edge_photos: of these, photos whose edges are looked at.
    num_pictures: worst cases shown.
    num_processes: photos at a time.

  Returns:
    The content of verdict.json.

  Raises:
    FileNotFoundError, ValueError: there are no such medoids.
  """
  bins, frame = _read_medoids(medoids) if medoids else (None, 'allocentric')
  indices = _spread(len(dataset), max_samples)
  edge_photos = {indices[i] for i in _spread(len(indices), num_edge_photos)}
  facts = _look(
    _Look(dataset, frame, frozenset(edge_photos if num_edge_photos else ())),
    indices,
    num_processes,
  )
  projector = projections.Projector(dataset.library)
  problems = verdict_lib.find_problems(facts, dataset, projector)
  if train is not None:
    glances = _look(_Glance(train), range(len(train)), num_processes)
    problems = sorted(
      problems + verdict_lib.find_duplicates(facts, dataset, glances, train),
      key=lambda one: one.severity != problem.BROKEN,
    )
  verdict = verdict_lib.to_json(
    facts, problems, dataset_summary.summarise(facts, bins)
  )
  galleries = _galleries(facts, problems, dataset, projector, num_pictures)
  os.makedirs(report_dir, exist_ok=True)
  _write(report_dir, VERDICT, json.dumps(verdict, indent=1))
  _write(report_dir, REPORT, report.page(title, verdict, galleries))
  return verdict


@dataclasses.dataclass
class _Look:
  """Examines the photo of a number; sent to each process."""

  dataset: dataset_lib.Dataset
  rotation_frame: str
  edge_photos: frozenset
  _examiner: Optional[examination.Examiner] = None

  def __call__(self, index: int) -> measurements.Facts:
    if self._examiner is None:
      self._examiner = examination.Examiner(
        projections.Projector(self.dataset.library),
        self.dataset.class_names,
        self.rotation_frame,
      )
    try:
      sample = self.dataset.read(index)
    except ValueError as error:
      return _unreadable(index, str(error))
    return self._examiner.examine(index, sample, index in self.edge_photos)


@dataclasses.dataclass
class _Glance:
  """Takes the fingerprint of the photo of a number."""

  dataset: dataset_lib.Dataset

  def __call__(self, index: int) -> measurements.Facts:
    try:
      return examination.glance(index, self.dataset.read(index))
    except ValueError as error:
      return _unreadable(index, str(error))


def _unreadable(index: int, reason: str) -> measurements.Facts:
  return measurements.Facts(
    index,
    f'record {index}',
    '',
    None,
    (problem.Problem('broken_record', f'record {index}', reason),),
    (),
    None,
  )


def _look(
  work: Any, indices: Sequence[int], num_processes: int
) -> List[measurements.Facts]:
  """work(index) of all indices, in order."""
  if num_processes == 1 or len(indices) < _FEW:
    pairs = ((index, work(index)) for index in indices)
  else:
    pairs = worker_pool.map_unordered(work, indices, num_processes)
  found = {}
  with progress.Line('doctor', len(indices), 'photos') as line:
    for index, facts in pairs:
      found[index] = facts
      line.add()
  return [found[index] for index in indices]


def _spread(count: int, wanted: int) -> List[int]:
  """`wanted` of `count` numbers, evenly spread; all where wanted is 0."""
  if not wanted or wanted >= count:
    return list(range(count))
  return [index * count // wanted for index in range(wanted)]


def _read_medoids(path: str) -> Tuple[Dict[str, np.ndarray], str]:
  """Rotations [k, 4] by class, and their frame."""
  rotations, valid, meta = view_medoids.load(path)
  names = meta['class_names']
  return {
    name: rotations[1 + row][valid[1 + row]] for row, name in enumerate(names)
  }, meta['rotation_frame']


def _galleries(
  facts, problems, dataset, projector, count
) -> List[Tuple[str, str, List[report.Picture]]]:
  """The pictures of the report."""
  objects = [one for photo in facts for one in photo.objects]
  measured = [x for x in objects if x.iou is not None]
  worst = sorted(measured, key=lambda x: x.fit)[:count]
  with_edges = [x for x in measured if x.agreement is not None]
  least = sorted(with_edges, key=lambda x: x.agreement)[: count // 2]
  kinds = {one.where: one.kind for one in problems}

  def pictures(chosen) -> Iterator[report.Picture]:
    for one in chosen:
      picture = report_pictures.draw(dataset, projector, one)
      if picture is not None:
        yield report.Picture(
          report_pictures.data_uri(picture), one.where, _lines(one, kinds)
        )

  return [
    (
      'Worst fit',
      'Lowest IoU of mask or box with the projected CAD first.',
      list(pictures(worst)),
    ),
    (
      'Least support in the photo',
      "Where the fewest of the CAD's outline pixels lie on edges of the photo. "
      'Low where the object is covered or blends in, and where the pose or the '
      'CAD is wrong although the mask was drawn from it.',
      list(pictures(least)),
    ),
  ]


def _lines(one: measurements.ObjectFacts, kinds: Dict[str, str]) -> List[str]:
  scores = f'mask IoU {one.iou:.3f}'
  if one.box_iou is not None:
    scores += f', box IoU {one.box_iou:.3f}'
  if one.agreement is not None:
    scores += f', edges {one.agreement:.2f}'
  lines = [one.cad_id, scores]
  if one.where in kinds:
    lines.append(kinds[one.where])
  return lines


def _write(folder: str, name: str, text: str) -> None:
  temporary = os.path.join(folder, f'.{name}.{os.getpid()}.tmp')
  with open(temporary, 'w', encoding='utf-8') as file:
    file.write(text)
  os.replace(temporary, os.path.join(folder, name))


def _open(path: str, library: str) -> dataset_lib.Dataset:
  return dataset_lib.open_dataset(path, library, tuple(FLAGS.class_names))


def main(argv: Sequence[str]) -> None:
  """Runs the tool with its flags."""
  command_line.reject(argv[1:])
  dataset = _open(FLAGS.dataset, FLAGS.library)
  train = _open(FLAGS.train, FLAGS.library) if FLAGS.train else None
  verdict = diagnose(
    dataset,
    FLAGS.report_dir,
    FLAGS.dataset,
    train,
    FLAGS.medoids,
    FLAGS.max_samples,
    FLAGS.num_edge_photos,
    FLAGS.num_pictures,
    FLAGS.num_processes,
  )
  broken = [x for x in verdict['problems'] if x['severity'] == problem.BROKEN]
  if FLAGS.json:
    print(json.dumps(verdict, indent=1))
  else:
    _print_lines(verdict, broken)
  if broken:
    sys.exit(1)


def _print_lines(
  verdict: Dict[str, Any], broken: Sequence[Dict[str, Any]]
) -> None:
  for one in broken[:10]:
    print(f'{one["kind"]}: {one["where"]}: {one["detail"]}')
  print(
    f'{FLAGS.dataset}: {verdict["checked"]} photos, {len(broken)} broken, '
    f'{len(verdict["problems"]) - len(broken)} warnings, median mask IoU '
    f'{verdict["mask_iou"]["median"]}; see '
    f'{os.path.join(FLAGS.report_dir, REPORT)}'
  )


if __name__ == '__main__':
  command_line.run('tfrecords_tools.doctor', main, FLAGS)
