"""Detections to posed CADs."""

import numpy as np
import pytest

from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import rotations
from mask2cad_tf.refinement import refiner
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.scene import assemble
from tests.scene import wheel_scene

_CADS = wheel_scene.cads()
_IDS = ('bed/IKEA_MALM_2', 'bed/IKEA_MALM_3')


def _gallery():
  return gallery_lib.Gallery(
    'G',
    ('bed', 'chair'),
    'encoder',
    tuple(
      gallery_lib.Cad(cad_id, 'bed', f'meshes/{cad_id}/model.obj', '')
      for cad_id in _IDS
    ),
    np.zeros((2, 1, 4)),
    np.zeros((2, 1, 4)),
    np.ones((2, 1), bool),
    np.zeros((2, 1, 128), np.uint8),
  )


def _detections(truth, scores=(0.9,), classes=None, rows=((0, 1, -1),)):
  count = len(scores)

  def repeat(value):  # and once more as padding
    return np.stack([value] * (count + 1))

  return {
    'num_detections': np.int32(count),
    'detection_boxes': repeat(truth.cad.box),
    'detection_outer_boxes': repeat(truth.cad.box),
    'detection_classes': np.array([*(classes or [1] * count), 0], np.int32),
    'detection_scores': np.array([*scores, 0.0], np.float32),
    'detection_masks': repeat(np.ones((8, 8), np.float32)),
    'detection_rotations': repeat(
      rotations.quaternion_from_matrix(truth.cad.rotation)
    ),
    'detection_centers': repeat(truth.cad.center),
    'detection_cads': np.array([*rows] * count + [[-1] * 3]),
    'detection_cad_scores': repeat(np.array([0.7, 0.4, -1.0], np.float32)),
    'intrinsics': np.zeros(4),
  }


def test_true_rotation_and_depth_give_the_true_pose():
  photo, truth = wheel_scene.load(0)
  (found,) = assemble.assemble(
    _detections(truth),
    _gallery(),
    _CADS,
    photo.camera,
    depths=[truth.cad.translation[2]],
  )
  np.testing.assert_allclose(found.cad.rotation, truth.cad.rotation, atol=1e-6)
  np.testing.assert_allclose(
    found.cad.translation, truth.cad.translation, atol=1e-6
  )
  assert (found.label_name, found.cad.cad_id, found.depth_source) == (
    'bed',
    _IDS[0],
    'flag',
  )
  assert found.cad.mesh == f'meshes/{_IDS[0]}/model.obj'
  assert found.similarity == pytest.approx(0.7)


def test_box_fit_finds_the_depth_of_a_whole_object():
  photo, truth = wheel_scene.load(2)  # the only bed that is not truncated
  (found,) = assemble.assemble(
    _detections(truth, rows=((1, 0, -1),)), _gallery(), _CADS, photo.camera
  )
  assert found.depth_source == 'box_fit'
  assert found.cad.depth == pytest.approx(truth.cad.translation[2], rel=0.02)


def test_each_candidate_fits_the_box_by_itself():
  photo, truth = wheel_scene.load(0)
  (found,) = assemble.assemble(
    _detections(truth), _gallery(), _CADS, photo.camera
  )
  assert [c.cad_id for c in found.candidates] == list(_IDS)
  top, left, bottom, right = truth.cad.box
  for candidate in found.candidates:
    points = cameras.project(
      meshes.transform(
        _CADS.mesh(candidate.cad_id), candidate.rotation, candidate.translation
      ).vertices,
      photo.camera.intrinsics,
    )
    width, height = np.ptp(points, axis=0)
    assert width * height == pytest.approx(
      (bottom - top) * (right - left), rel=1e-3
    )
    np.testing.assert_allclose(
      cameras.project(candidate.translation, photo.camera.intrinsics),
      truth.cad.center,
      atol=1e-6,
    )


def test_scores_select_and_order():
  photo, truth = wheel_scene.load(0)
  found = assemble.assemble(
    _detections(truth, scores=(0.3, 0.8, 0.6)),
    _gallery(),
    _CADS,
    photo.camera,
    min_score=0.5,
    depths=[1.0] * 3,
  )
  assert [f.cad.score for f in found] == pytest.approx([0.8, 0.6])


def test_a_class_without_cads_is_left_out_with_a_warning(caplog):
  photo, truth = wheel_scene.load(0)
  detections = _detections(truth, classes=[2], rows=((-1, -1, -1),))
  assert not assemble.assemble(detections, _gallery(), _CADS, photo.camera)
  assert 'no CAD of class chair' in caplog.text


def test_empty_boxes_are_left_out():
  photo, truth = wheel_scene.load(0)
  detections = _detections(truth)
  detections['detection_boxes'] = np.zeros((2, 4))
  assert not assemble.assemble(detections, _gallery(), _CADS, photo.camera)


@pytest.mark.parametrize('similarity, confident', [(0.5, True), (0.49, False)])
def test_confidence_has_a_threshold(similarity, confident):
  photo, truth = wheel_scene.load(0)
  detections = _detections(truth)
  detections['detection_cad_scores'][:, 0] = similarity
  (found,) = assemble.assemble(
    detections, _gallery(), _CADS, photo.camera, depths=[1.0] * 3
  )
  assert found.confident is confident


def test_mask_fills_the_outer_box():
  photo, truth = wheel_scene.load(0)
  (found,) = assemble.assemble(
    _detections(truth), _gallery(), _CADS, photo.camera, depths=[1.0] * 3
  )
  top, left, bottom, right = truth.cad.box.astype(int)
  expected = np.zeros(photo.image.shape[:2], bool)
  expected[top:bottom, left:right] = True
  np.testing.assert_array_equal(found.cad.mask, expected)


def test_hypotheses_take_the_networks_place():
  photo, truth = wheel_scene.load(0)
  mask = np.zeros((photo.camera.height, photo.camera.width), bool)
  mask[:9, :30] = True
  hypotheses = [
    refiner.Hypothesis(
      cad_id, 0.3, np.eye(3), np.array([0.0, 0.1, 2.0]), 0.8, cosine, 1.0, *seen
    )
    for cad_id, cosine, seen in zip(
      _IDS[::-1], (0.5, np.nan), ((mask, np.array([0.0, 0.0, 9.0, 30.0])), ())
    )
  ]
  arguments = _detections(truth), _gallery(), _CADS, photo.camera
  (found,) = assemble.assemble(*arguments, hypotheses=[hypotheses])
  assert found.cad.cad_id == _IDS[1]
  assert [each.cad_id for each in found.candidates] == [_IDS[1], _IDS[0]]
  assert [each.feature_similarity for each in found.candidates] == [0.5, None]
  np.testing.assert_array_equal(found.cad.rotation, np.eye(3))
  assert found.cad.depth == 2.0
  assert found.cad.mask is mask
  np.testing.assert_array_equal(found.cad.box, [0.0, 0.0, 9.0, 30.0])
  (plain,) = assemble.assemble(*arguments)
  # Mask and box stay where there was no mask to compare CADs with.
  blind = [hypotheses[1]]
  (found,) = assemble.assemble(*arguments, hypotheses=[blind])
  np.testing.assert_array_equal(found.cad.mask, plain.cad.mask)
  np.testing.assert_array_equal(found.cad.box, plain.cad.box)
