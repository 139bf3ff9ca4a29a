"""Objects without a CAD count for boxes and masks, and for nothing else."""

import dataclasses
import json

import numpy as np
import pytest
import trimesh

from mask2cad_tf import evaluate
from mask2cad_tf.evaluation import benchmark as benchmark_lib
from mask2cad_tf.evaluation import canonical_shape_evaluator
from mask2cad_tf.evaluation import photo as photo_lib
from mask2cad_tf.evaluation import photo_records
from mask2cad_tf.evaluation import surface_comparison
from mask2cad_tf.geometry import posed_cad
from tests import command_runner
from tests.tfrecords_tools import coco_photos
from tfrecords_tools import coco

_LIBRARY = {'cube': trimesh.creation.box([1.0, 1.0, 1.0])}


def _cad(left, mesh='cube', **changes):
  mask = np.zeros([20, 90], bool)
  mask[:, left : left + 20] = True
  return posed_cad.PosedCad(
    **{
      'label': 1,
      'cad_id': f'chair/{mesh}' if mesh else '',
      'mesh': mesh,
      'rotation': np.eye(3),
      'translation': np.array([0.0, 0.0, 5.0]),
      'box': np.array([0.0, left, 20.0, left + 20.0]),
      'mask': mask,
      **changes,
    }
  )


def _prediction(cads):
  return photo_lib.Prediction(cads, [[cad.cad_id] for cad in cads])


def _result(truths, detections, on_true_boxes, observer=None):
  benchmark = benchmark_lib.Benchmark(
    surface_comparison.SurfaceComparison(_LIBRARY.__getitem__),
    canonical_shape_evaluator.CanonicalShapeEvaluator(_LIBRARY.__getitem__),
    ('chair',),
    symmetry_order=lambda cad: 1,
    oracles=('shape', 'box'),
    observer=observer,
  )
  benchmark.add(
    photo_lib.Photo('1', np.zeros([20, 90, 3], np.uint8), np.ones(4), truths),
    _prediction(detections),
    _prediction(on_true_boxes),
  )
  return benchmark.result()


def test_half_of_the_objects_have_a_cad():
  truths = [_cad(0, ''), _cad(30)]
  found = [_cad(0, score=0.9), _cad(30, score=0.5)]
  result = _result(truths, found, found)
  assert result['num_objects'] == 2
  assert result['box_ap'].ap == pytest.approx(1.0)
  assert result['mask_ap'].ap == pytest.approx(1.0)
  # The detection of the object without a CAD, scored higher, is no error.
  for scores in (result['mesh_ap'], *result['oracle'].values()):
    assert scores['strict'].ap == pytest.approx(1.0)
    assert scores['meshrcnn'].ap == pytest.approx(1.0)
  assert result['surface']['num_objects'] == 1
  assert result['canonical_shape']['num_objects'] == 1
  assert result['retrieval']['num_objects'] == 1
  assert result['pose']['num_objects'] == 1


def test_an_observer_sees_what_has_a_cad():
  seen = []

  class Observer:
    def add(self, *photo):
      seen.append(photo)

  truths = [_cad(0, ''), _cad(30)]
  found = [_cad(0, score=0.9), _cad(30, score=0.5)]
  _result(truths, found, found, Observer())
  ((photo, detections, on_true_boxes),) = seen
  assert photo.objects == [truths[1]]
  assert detections.objects == on_true_boxes.objects == [found[1]]


def test_a_false_alarm_beside_stays_one():
  truths = [_cad(0, ''), _cad(30)]
  found = [_cad(0), _cad(30)]
  alarm = _cad(60, score=2.0)
  result = _result(truths, [*found, alarm], found)
  assert result['mesh_ap']['strict'].ap == pytest.approx(0.5, abs=0.01)
  assert result['mesh_ap']['meshrcnn'].ap == pytest.approx(1.0)


def test_a_missed_object_without_a_cad_costs_box_ap_alone():
  truths = [_cad(0, ''), _cad(30)]
  result = _result(truths, [_cad(30)], [_cad(0), _cad(30)])
  assert result['box_ap'].ap == pytest.approx(0.5, abs=0.01)
  assert result['mesh_ap']['strict'].ap == pytest.approx(1.0)


def test_no_cad_at_all_measures_nothing_but_boxes_and_masks():
  truths = [_cad(0, ''), _cad(30, '')]
  found = [dataclasses.replace(cad, mesh='cube') for cad in truths]
  result = _result(truths, found, found)
  assert result['box_ap'].ap == pytest.approx(1.0)
  for scores in (result['mesh_ap'], *result['oracle'].values()):
    assert np.isnan(scores['strict'].ap)
  assert result['surface'] == {}
  assert np.isnan(result['canonical_shape']['iou'])
  assert np.isnan(result['retrieval']['top1'])
  assert np.isnan(result['pose']['accuracy'])


@pytest.fixture(scope='module')
def records(tmp_path_factory):
  """Glob of two COCO photos' records."""
  folder = tmp_path_factory.mktemp('coco')
  coco.convert(
    str(folder / 'img'),
    coco_photos.write(folder),
    str(folder / 'out'),
    class_names=('bed', 'chair', 'sofa', 'table'),  # tests.tiny_model's
  )
  return str(folder / 'out' / 'images*')


def test_records_of_objects_without_cads(records):
  def refuse(*_):
    raise AssertionError('An object without a CAD has no mesh to be found.')

  a, b = photo_records.read(records, refuse)
  assert [(cad.cad_id, cad.mesh) for cad in a.objects] == [('', '')] * 2
  assert [cad.label for cad in a.objects] == [3, 2]
  assert b.objects == []  # a crowd is no one object
  assert len(b.crowds) == 1
  assert a.crowds == []


def test_ground_truth_command(records, tmp_path):
  (tmp_path / 'library').mkdir()
  result = command_runner.run(
    evaluate,
    '--ground_truth',
    f'--records={records}',
    f'--library={tmp_path}/library',
    f'--output_dir={tmp_path}/out',
  )
  assert result.status == 0, result
  tables = json.loads((tmp_path / 'out' / 'tables.json').read_text())
  assert (tables['num_photos'], tables['num_objects']) == (2, 2)
  assert tables['box_ap']['AP'] == pytest.approx(100.0)
  assert tables['mask_ap']['AP'] == pytest.approx(100.0)
  assert tables['mesh_ap']['strict']['AP'] is None


def test_a_models_command(records, tiny_world, tmp_path, monkeypatch):
  tiny_world.patch(monkeypatch)
  result = command_runner.run(
    evaluate,
    f'--model={tiny_world.model_dir}',
    f'--gallery={tiny_world.gallery_dir}',
    f'--records={records}',
    f'--output_dir={tmp_path}',
  )
  assert result.status == 0, result
  tables = json.loads((tmp_path / 'tables.json').read_text())
  assert 0.0 <= tables['box_ap']['AP'] <= 100.0
  assert 0.0 <= tables['mask_ap']['AP'] <= 100.0
  assert tables['mesh_ap']['strict']['AP'] is None
  assert tables['true_boxes']['surface'] == {}
