"""Every evaluator sees every photo, in the role that it should."""

import dataclasses

import numpy as np
import pytest
import trimesh

from mask2cad_tf.evaluation import benchmark as benchmark_lib
from mask2cad_tf.evaluation import canonical_shape_evaluator
from mask2cad_tf.evaluation import photo as photo_lib
from mask2cad_tf.evaluation import surface_comparison
from mask2cad_tf.geometry import posed_cad
from mask2cad_tf.geometry import rotations

_NAMES = ('chair', 'table')
_LIBRARY = {
  'cube': trimesh.creation.box([1.0, 1.0, 1.0]),
  'plate': trimesh.creation.box([1.0, 0.1, 1.0]),
}
_TURN = rotations.matrix_from_quaternion([1.0, 0.0, 1.0, 0.0])  # 90 about y
_ORACLES = ('shape', 'rotation', 'translation', 'box')


def _cad(mesh='cube', label=1, left=0, **changes):
  mask = np.zeros([20, 60], bool)
  mask[:, left : left + 20] = True
  fields = {
    'label': label,
    'cad_id': f'{_NAMES[label - 1]}/{mesh}',
    'mesh': mesh,
    'rotation': np.eye(3),
    'translation': np.array([0.0, 0.0, 5.0]),
    'box': np.array([0.0, left, 20.0, left + 20.0]),
    'mask': mask,
    **changes,
  }
  return posed_cad.PosedCad(**fields)


def _photo(objects, source_id='1'):
  return photo_lib.Photo(
    source_id, np.zeros([20, 60, 3], np.uint8), np.ones(4), objects
  )


def _prediction(cads):
  return photo_lib.Prediction(cads, [[cad.cad_id] for cad in cads])


def _benchmark(oracles=_ORACLES):
  return benchmark_lib.Benchmark(
    surface_comparison.SurfaceComparison(_LIBRARY.get),
    canonical_shape_evaluator.CanonicalShapeEvaluator(_LIBRARY.get),
    _NAMES,
    symmetry_order=lambda cad: 4 if cad.mesh == 'cube' else 1,
    oracles=oracles,
  )


def test_perfect_predictions():
  benchmark = _benchmark()
  truths = [_cad(), _cad('plate', 2, left=40)]
  benchmark.add(_photo(truths), _prediction(truths), _prediction(truths))
  result = benchmark.result()
  assert result['num_photos'] == 1
  assert result['num_objects'] == 2
  for summary in (
    result['mesh_ap']['strict'],
    result['box_ap'],
    result['mask_ap'],
    *(result['oracle'][part]['meshrcnn'] for part in _ORACLES),
  ):
    assert summary.ap == pytest.approx(1.0)
  assert result['surface']['f1_0.5'] > 0.95
  assert result['canonical_shape']['num_objects'] == 1  # chairs alone
  assert result['canonical_shape']['iou'] == 1.0
  assert result['retrieval']['top1'] == 1.0
  assert result['pose']['median_degrees'] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
  'changes,repaired',
  [
    ({'mesh': 'plate', 'cad_id': 'chair/plate'}, 'shape'),
    ({'translation': np.array([0.0, 0.0, 6.0])}, 'translation'),
  ],
)
def test_an_oracle_repairs_the_part_that_is_wrong(changes, repaired):
  benchmark = _benchmark(oracles=('shape', 'rotation', 'translation'))
  truth = _cad()
  wrong = _prediction([dataclasses.replace(truth, **changes)])
  benchmark.add(_photo([truth]), wrong, wrong)
  result = benchmark.result()
  assert result['mesh_ap']['strict'].ap == 0.0
  assert result['box_ap'].ap == pytest.approx(1.0)
  for part, by_mode in result['oracle'].items():
    assert (by_mode['strict'].ap > 0.9) == (part == repaired)


def test_rotation_oracle():
  benchmark = _benchmark(oracles=('rotation', 'shape'))
  truth = _cad('plate')
  about_z = rotations.matrix_from_quaternion([1.0, 0.0, 0.0, 1.0])
  wrong = _prediction([dataclasses.replace(truth, rotation=about_z)])
  benchmark.add(_photo([truth]), wrong, wrong)
  result = benchmark.result()
  assert result['oracle']['rotation']['strict'].ap > 0.9
  assert result['oracle']['shape']['strict'].ap == 0.0
  assert result['pose']['median_degrees'] == pytest.approx(90.0)


def test_box_oracle_takes_the_pass_on_true_boxes():
  benchmark = _benchmark()
  truth = _cad()
  shifted = dataclasses.replace(
    truth, translation=np.array([0.5, 0.0, 5.0]), score=0.8
  )
  benchmark.add(_photo([truth]), _prediction([shifted]), _prediction([truth]))
  result = benchmark.result()
  assert result['mesh_ap']['meshrcnn'].ap == 0.0
  assert result['oracle']['box']['meshrcnn'].ap > 0.9
  # Table 2 and the rest read the pass on true boxes.
  assert result['surface']['f1_0.5'] > 0.95


def test_detections_alone():
  benchmark = _benchmark(oracles=('shape',))
  truth = _cad()
  benchmark.add(_photo([truth]), _prediction([truth]), None)
  result = benchmark.result()
  for summary in (
    result['mesh_ap']['meshrcnn'],
    result['box_ap'],
    result['mask_ap'],
    result['oracle']['shape']['meshrcnn'],
  ):
    assert summary.ap == pytest.approx(1.0)
  assert result['first_detections']['num_photos'] == 1
  assert result['retrieval']['num_objects'] == 0
  assert result['pose']['num_objects'] == 0
  assert np.isnan(result['depth_error'])
  assert np.isnan(result['good_shapes'])


def test_box_oracle_needs_the_pass_on_true_boxes():
  benchmark = _benchmark(oracles=('shape', 'box'))
  truth = _cad()
  with pytest.raises(ValueError, match="'1'.*'box' needs.*on true boxes"):
    benchmark.add(_photo([truth]), _prediction([truth]), None)
  assert benchmark.result()['num_photos'] == 0


def test_masks_depth_and_good_shapes_on_true_boxes():
  # The cube's mask is right, the second one's half of it; z is 10 % too far
  # and 20 % too near: the median of the errors is 15 %. The plate in place of
  # the cube is no good shape, the cube is.
  benchmark = _benchmark()
  truths = [_cad(), _cad(label=2, left=40)]
  half = truths[1].mask.copy()
  half[10:] = False
  predicted = [
    dataclasses.replace(truths[0], translation=np.array([0.0, 0.0, 5.5])),
    dataclasses.replace(
      truths[1], mesh='plate', mask=half, translation=np.array([0.0, 0.0, 4.0])
    ),
  ]
  benchmark.add(_photo(truths), _prediction([]), _prediction(predicted))
  result = benchmark.result()
  assert result['masks']['mean_iou'] == pytest.approx(0.75)
  assert result['masks']['per_class']['table']['mean_iou'] == 0.5
  assert result['depth_error'] == pytest.approx(0.15)
  assert result['good_shapes'] == 0.0  # both stand where they do not belong
  benchmark.add(_photo(truths, '2'), _prediction([]), _prediction(truths))
  assert benchmark.result()['good_shapes'] == 0.5


def test_first_detections_are_those_of_each_photo():
  benchmark = _benchmark()
  truth = [_cad()]
  found = [_cad(left=40, score=0.9), _cad(score=0.5)]
  benchmark.add(_photo(truth), _prediction(found), _prediction(truth))
  benchmark.add(_photo([], '2'), _prediction(found), _prediction([]))
  first = benchmark.result()['first_detections']
  assert first['num_photos'] == 1
  assert (first['first_right'], first['ten_right']) == (0, 1)


def test_symmetry_and_retrieval_of_the_wrong_cad():
  benchmark = _benchmark()
  truths = [_cad(), _cad(left=40)]
  predicted = [
    dataclasses.replace(truths[0], rotation=_TURN),
    dataclasses.replace(truths[1], cad_id='chair/plate', mesh='plate'),
  ]
  on_true_boxes = photo_lib.Prediction(
    predicted, [['chair/cube'], ['chair/plate', 'chair/cube']]
  )
  benchmark.add(_photo(truths), _prediction([]), on_true_boxes)
  result = benchmark.result()
  pose = result['pose']
  assert (pose['accuracy'], pose['symmetric_accuracy']) == (0.5, 1.0)
  assert (result['retrieval']['top1'], result['retrieval']['top5']) == (0.5, 1)
  assert result['mesh_ap']['strict'].ap == 0.0


def test_a_photo_without_objects_counts():
  benchmark = _benchmark()
  false_alarm = _prediction([_cad(score=0.9)])
  truth = [_cad(score=0.5)]
  benchmark.add(_photo([], '1'), false_alarm, _prediction([]))
  benchmark.add(_photo(truth, '2'), _prediction(truth), _prediction(truth))
  result = benchmark.result()
  assert result['mesh_ap']['meshrcnn'].ap > 0.9
  assert result['mesh_ap']['strict'].ap == pytest.approx(
    result['mesh_ap']['meshrcnn'].ap / 2
  )
  assert result['oracle']['box']['strict'].ap > 0.9


def test_predictions_must_answer_every_true_box():
  with pytest.raises(ValueError, match="'1' has 1 true objects.*are 0"):
    _benchmark().add(_photo([_cad()]), _prediction([]), _prediction([]))


def test_nothing_added_is_nan():
  result = _benchmark().result()
  assert np.isnan(result['mesh_ap']['strict'].ap)
  assert result['surface'] == {}
  assert result['first_detections'] == {}
  assert result['masks']['num_objects'] == 0
  assert np.isnan(result['good_shapes']) and np.isnan(result['depth_error'])


def test_frames_of_a_scan_are_aligned():
  # The camera of the second frame stands 2 to the side: there the cube is seen
  # at x - 2, and both frames show one object.
  benchmark = _benchmark()
  for source_id, shift in (('1', 0.0), ('2', 2.0)):
    to_world = np.eye(4)
    to_world[0, 3] = shift
    truth = _cad(translation=np.array([1.0 - shift, 0.0, 5.0]))
    found = dataclasses.replace(truth, rotation=_TURN, score=0.9)
    frame = dataclasses.replace(
      _photo([truth], source_id), scene_id='s', camera_to_world=to_world
    )
    benchmark.add(frame, _prediction([found]), _prediction([truth]))
  alignment = benchmark.result()['alignment']
  assert alignment['num_objects'] == 1
  assert alignment['accuracy'] == 1.0  # the cube's quarter turn
  assert _benchmark().result()['alignment'] == {}


def test_curves_of_a_perfect_run():
  benchmark = _benchmark()
  truths = [_cad(), _cad('plate', 2, left=40)]
  benchmark.add(_photo(truths), _prediction(truths), _prediction(truths))
  curves = benchmark.curves()
  for by_class in (curves.mesh, curves.box):
    assert list(by_class) == list(_NAMES)
    for precision in by_class.values():
      np.testing.assert_allclose(precision, np.ones(101))
  np.testing.assert_allclose(curves.rotation_degrees, [0.0, 0.0], atol=1e-6)
