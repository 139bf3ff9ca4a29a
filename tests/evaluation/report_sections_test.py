"""Sections of hand-made runs: numbers, counts, and what is missing."""

import dataclasses
import re
import types

import numpy as np
import pytest
import trimesh

from mask2cad_tf.evaluation import ap_summary
from mask2cad_tf.evaluation import benchmark as benchmark_lib
from mask2cad_tf.evaluation import photo as photo_lib
from mask2cad_tf.evaluation import report
from mask2cad_tf.evaluation import report_examples
from mask2cad_tf.evaluation import report_run
from mask2cad_tf.evaluation import report_sections
from mask2cad_tf.geometry import posed_cad

_NAN = float('nan')
_SETTINGS = {
  'predictions': 'runs/<m>',
  'gallery': 'runs/g',
  'gallery_cads': 2,
  'records': 'r/images*',
  'boxes': 'detected',
  'f1_distance': 0.3,
}


class _Comparison:
  def f1(self, predicted, true, threshold):
    del true, threshold
    return predicted.depth


def _ap(value):
  return ap_summary.ApSummary(
    value,
    value,
    value,
    {'chair': value, 'bed': _NAN},
    {'chair': value, 'bed': _NAN},
  )


def _content(num_objects=2, oracle=True):
  value = 0.25 if num_objects else _NAN
  by_mode = {'meshrcnn': _ap(value), 'strict': _ap(value / 2)}
  part = {'num_objects': num_objects}
  ranks = dict.fromkeys(('top1', 'top5', 'top10', 'f1_at_true_pose'), value)
  pose = dict.fromkeys(
    (
      'median_degrees',
      'accuracy',
      'symmetric_median_degrees',
      'symmetric_accuracy',
    ),
    value,
  )

  def with_classes(row):
    row = {**row, **part}
    return {**row, 'per_class': {'chair': row} if num_objects else {}}

  return report.tables(
    {
      'num_photos': 7,
      'num_objects': num_objects,
      'mesh_ap': by_mode,
      'box_ap': _ap(value),
      'mask_ap': _ap(value),
      'oracle': {'shape': by_mode} if oracle else {},
      'surface': {},
      'canonical_shape': {'iou': _NAN, 'chamfer': _NAN, 'num_objects': 0},
      'retrieval': with_classes(ranks),
      'pose': with_classes(pose),
      'masks': with_classes({'mean_iou': value}),
      'good_shapes': _NAN,
      'depth_error': _NAN,
      'first_detections': {},
      'alignment': {},
    },
    _SETTINGS,
  )


@pytest.fixture(scope='module')
def meshes(tmp_path_factory):
  folder = tmp_path_factory.mktemp('meshes')
  for name, sides in (('a', [1, 1, 1]), ('b', [1, 2, 1]), ('c', [3, 1, 1])):
    trimesh.creation.box(sides).export(folder / f'{name}.ply')
  return folder


def _gallery(meshes):
  rng = np.random.default_rng(0)
  quaternions = rng.normal(size=[2, 4, 4])
  quaternions /= np.linalg.norm(quaternions, axis=-1, keepdims=True)
  return types.SimpleNamespace(
    cads=[
      types.SimpleNamespace(id=f'chair/{name}', label_name='chair')
      for name in 'ab'
    ],
    valid=np.array([[True] * 4, [True, True, True, False]]),
    embeddings=rng.normal(size=[2, 4, 3]),
    rotations=quaternions,
    mesh_path=lambda cad_id: str(meshes / f'{cad_id[-1]}.ply'),
  )


def _cad(meshes, name, f1=0.7):
  return posed_cad.PosedCad(
    label=1,
    cad_id=f'chair/{name}',
    mesh=str(meshes / f'{name}.ply'),
    rotation=np.eye(3),
    translation=np.array([0.0, 0.0, 5.0]),
    box=np.array([2.0, 2.0, 30.0, 30.0]),
    mask=np.ones([40, 50], bool),
    depth=f1,
  )


def _run(meshes, true_cads='ac', judge=None, **changes):
  examples = report_examples.Examples(
    _Comparison(), ['chair', 'bed'], judge=judge
  )
  for i, name in enumerate(true_cads):
    truth = _cad(meshes, name)
    photo = photo_lib.Photo(
      f'<img src=x> {i}',
      np.zeros([40, 50, 3], np.uint8),
      np.array([50.0, 50.0, 25.0, 20.0]),
      [truth],
    )
    known = photo_lib.Retrieved(
      np.ones(3), {'chair/a': 0.75, 'chair/b': 0.5}, 0.1 + 0.8 * i
    )
    found = photo_lib.Prediction(
      [_cad(meshes, 'b', 0.2 + 0.5 * i)], [['chair/a', 'chair/b']], [known]
    )
    examples.add(photo, found, found)
  falling = np.linspace(1.0, 0.0, 101)
  run = report_run.Run(
    _content(),
    benchmark_lib.Curves(
      {'chair': falling}, {'chair': falling}, np.array([10.0, 40.0])
    ),
    examples,
    _gallery(meshes),
    lambda example: example.image,
  )
  return dataclasses.replace(run, **changes)


def _section(page, title):
  (found,) = [
    part for part in page.split('<section') if f'<h2>{title}</h2>' in part
  ]
  return found


def test_numbers_and_counts_of_a_small_run(meshes):
  page = report_sections.html(_run(meshes, judge=float, refined=True))
  bars = _section(page, 'AP by class')
  assert 'chair (n=2): meshrcnn 25.0, strict 12.5' in bars
  assert 'bed' not in bars  # has no true object
  curves = _section(page, 'Precision and recall')
  assert curves.count('area 50.0') == 2  # of a line from 1 down to 0
  angles = _section(page, 'Rotation errors')
  assert 'median 25.0 degrees, 1 of 2 within pi/6' in angles
  oracle = _section(page, 'Oracle: true parts swapped in')
  assert 'as predicted 25.0, true shape 25.0' in oracle
  # 0.1 does not fit (F1 0.2), 0.9 does (0.7): both are 0.1 off.
  judged = _section(page, 'Calibration of &quot;confident&quot;')
  assert '0.00 at 0.10 (n=1), 1.00 at 0.90 (n=1)' in judged
  assert 'gap is 0.10' in judged
  assert '2 judged objects, 1 fit' in judged


def test_every_figure_says_its_data(meshes):
  page = report_sections.html(_run(meshes))
  captions = re.findall('<span class="data">(.*?)</span>', page)
  # Bars 2, curves 2, best photos, 2 strips, errors, oracle, map.
  assert len(captions) == 10
  for caption in captions:
    assert '7 photos, 2 true objects in all; records r/images*;' in caption
    assert 'predictions: runs/&lt;m&gt;' in caption
    assert 'gallery runs/g (2 CADs)' in caption
  assert '2 of 2 objects, 7 of 7 views of 2 CADs' in page


def test_the_true_cad_is_marked_wherever_it_ranks(meshes):
  page = _section(report_sections.html(_run(meshes)), 'Retrieval neighbours')
  first, second = page.split('green frame')[:2]
  assert 'tile marked' in first and '1. true CAD' in first
  assert 'cosine 0.75' in first and 'cosine 0.50' in first
  # c is in no gallery: it comes after the two that were found.
  assert ': rank 1.' in second and 'true CAD<br>c<' in second
  assert 'not among the 2 candidates' in page
  assert page.count('tile marked') == 2


def test_names_do_no_harm_and_nothing_is_fetched(meshes):
  page = report_sections.html(_run(meshes))
  assert '<img src=x>' not in page
  assert 'photo &lt;img src=x&gt; 1<br>F1 70.0; true: chair' in page
  sources = re.findall('src="([^"]{5})', page)
  assert len(sources) == page.count('<img ') and set(sources) == {'data:'}
  assert not re.search('(src|href)="http', page)


def test_without_objects_every_section_says_why(meshes):
  nothing = benchmark_lib.Curves({}, {}, np.zeros(0))
  run = _run(meshes, '', content=_content(0), curves=nothing)
  page = report_sections.html(run)
  assert '<img' not in page
  assert page.count('class="missing"') == 8
  assert 'there is no AP' in _section(page, 'AP by class')
  assert 'nan' not in page


def test_the_ground_truth_has_nothing_retrieved(meshes):
  run = _run(meshes, content=_content(oracle=False), gallery=None)
  page = report_sections.html(run)
  for title in (
    'Retrieval neighbours',
    'Oracle: true parts swapped in',
    'Embeddings of photos and shapes',
  ):
    section = _section(page, title)
    assert 'The ground truth was evaluated' in section
    assert '<img' not in section
  assert '--refine' in _section(page, 'Calibration of &quot;confident&quot;')


def test_refined_without_a_judge(meshes):
  page = report_sections.html(_run(meshes, refined=True))
  section = _section(page, 'Calibration of &quot;confident&quot;')
  assert 'never calibrated' in section
