"""Network outputs -> posed CADs; the inference path is a stand-in."""

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.evaluation import photo as photo_lib
from mask2cad_tf.evaluation import predicted_cads
from mask2cad_tf.evaluation import predictors
from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import posed_cad
from mask2cad_tf.refinement import refiner

_INTRINSICS = np.array([100.0, 100.0, 20.0, 15.0])


def _photo(num_objects=1):
  cad = posed_cad.PosedCad(
    label=2,
    cad_id='chair/true',
    mesh='m',
    rotation=np.eye(3),
    translation=np.array([0.0, 0.0, 4.0]),
    box=np.array([1.0, 2.0, 11.0, 12.0]),
    scale=np.array([1.0, 2.0, 3.0]),
  )
  return photo_lib.Photo(
    '7', np.zeros([30, 40, 3], np.uint8), _INTRINSICS, [cad] * num_objects
  )


def _outputs():
  """Two detections and a row of padding."""
  return {
    'num_detections': np.int32(2),
    'detection_boxes': np.array([[1, 2, 11, 12], [0, 0, 5, 5], [0] * 4], 'f4'),
    'detection_outer_boxes': np.zeros([3, 4], np.float32),
    'detection_classes': np.array([2, 1, 0], np.int32),
    'detection_scores': np.array([0.9, 0.4, 0.0], np.float32),
    'detection_masks': np.zeros([3, 8, 8], np.float32),
    'detection_rotations': np.array(
      [[1, 0, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0]], np.float32
    ),
    'detection_centers': np.array([[30, 10], [20, 15], [0, 0]], np.float32),
    'detection_cad_ids': np.array(
      [[b'chair/a', b'chair/b'], [b'', b''], [b'', b'']], object
    ),
    'detection_embeddings': np.eye(3, 4, dtype=np.float32),
    'detection_cad_scores': np.array(
      [[0.8, 0.1], [-1.0, -1.0], [-1.0, -1.0]], np.float32
    ),
    'intrinsics': _INTRINSICS,
  }


def _reader(asked=None):
  def paste(probabilities, outer_box, height, width):
    assert probabilities.shape == (8, 8)
    assert outer_box.shape == (4,)
    return np.ones([height, width], bool)

  def depth(box, rotation, mesh, photo, center):
    if asked is not None:
      asked.append((box.tolist(), rotation, mesh, photo, center.tolist()))
    return 2.0

  depth.is_given = True
  return predicted_cads.OutputReader(
    lambda cad_id: f'/gallery/{cad_id}.glb', depth, paste
  )


def test_detections_are_posed_at_the_given_depth():
  asked, photo = [], _photo()
  prediction = _reader(asked).read(_outputs(), photo)
  first, second = prediction.objects
  assert (first.label, first.cad_id) == (2, 'chair/a')
  assert first.mesh == '/gallery/chair/a.glb'
  # (cx - u) / f * z = (20 - 30) / 100 * 2; (15 - 10) / 100 * 2.
  np.testing.assert_allclose(first.translation, [-0.2, 0.1, 2.0])
  np.testing.assert_allclose(
    cameras.project(first.translation, _INTRINSICS), first.center
  )
  assert first.score == pytest.approx(0.9)
  assert first.mask.shape == (30, 40)
  assert first.scale.tolist() == [1.0, 2.0, 3.0]  # the true object's
  np.testing.assert_allclose(second.rotation, np.diag([-1.0, 1.0, -1.0]))
  assert asked[0][0] == [1, 2, 11, 12]
  assert asked[0][2:] == ('/gallery/chair/a.glb', photo, [30.0, 10.0])


def test_candidates_and_a_class_without_cads():
  prediction = _reader().read(_outputs(), _photo())
  assert prediction.candidates == [['chair/a', 'chair/b'], []]
  assert prediction.objects[1].cad_id == prediction.objects[1].mesh == ''


def test_true_boxes_are_scored_by_similarity():
  prediction = _reader().read(_outputs(), _photo(), on_true_boxes=True)
  assert [cad.score for cad in prediction.objects] == pytest.approx([0.8, -1.0])


class _InferencePath:
  """Records what it is asked; answers with a batch of one."""

  def __init__(self):
    self.calls = []

  def predict(self, image, intrinsics):
    self.calls.append((image.shape, intrinsics.dtype))
    return self._answer()

  def predict_boxes(self, image, intrinsics, boxes, classes):
    self.calls.append((boxes.tolist(), classes.tolist()))
    return self._answer()

  def _answer(self):
    return {
      key: tf.constant(np.asarray(value)[np.newaxis])
      for key, value in _outputs().items()
    }


def test_model_hands_over_photo_and_true_boxes():
  path = _InferencePath()
  model = predictors.Model(path, _reader())
  assert len(model.detections(_photo()).objects) == 2
  assert len(model.on_true_boxes(_photo(2)).objects) == 2
  box = [1.0, 2.0, 11.0, 12.0]
  assert path.calls == [((30, 40, 3), np.float32), ([box, box], [2, 2])]


def test_model_is_not_asked_about_no_boxes():
  path = _InferencePath()
  prediction = predictors.Model(path, _reader()).on_true_boxes(_photo(0))
  assert prediction.objects == prediction.candidates == path.calls == []


_JOINT_MASK = np.eye(30, 40, dtype=bool)


class _Refinement:
  """Finds chair/b first, then chair/c, of the first object; else nothing."""

  def __init__(self):
    self.asked, self.limits = [], []

  def refine(
    self,
    image,
    intrinsics,
    detections,
    depths,
    top_k,
    masks=None,
    max_objects=None,
    exact_boxes=False,
  ):
    self.asked.append((image.shape, len(detections), depths, top_k, masks))
    self.limits.append(max_objects)
    hypotheses = [
      refiner.Hypothesis(
        cad_id=cad_id,
        similarity=0.25,
        rotation=np.diag([-1.0, -1.0, 1.0]),
        translation=np.array([0.4, 0.0, 4.0]),
        silhouette_iou=0.5,
        feature_similarity=0.5,
        score=1.0,
        mask=mask,
        box=None if mask is None else np.array([0.0, 0.0, 30.0, 30.0]),
      )
      for cad_id, mask in (('chair/b', _JOINT_MASK), ('chair/c', None))
    ]
    return [hypotheses, []]


def test_refined_hypotheses_take_the_predictions_place():
  refinement = _Refinement()
  model = predictors.Model(_InferencePath(), _reader(), refinement)
  prediction = model.detections(_photo())
  first, second = prediction.objects
  assert (first.cad_id, first.mesh) == ('chair/b', '/gallery/chair/b.glb')
  np.testing.assert_array_equal(first.rotation, np.diag([-1.0, -1.0, 1.0]))
  np.testing.assert_array_equal(first.translation, [0.4, 0.0, 4.0])
  assert first.depth == 4.0
  assert first.mask is _JOINT_MASK
  np.testing.assert_array_equal(first.box, [0.0, 0.0, 30.0, 30.0])
  # cx - f x / z = 20 - 100 * 0.4 / 4.
  np.testing.assert_allclose(first.center, [10.0, 15.0])
  assert first.score == pytest.approx(0.9)  # the detection's, still
  assert first.label == 2
  # None twice: the network's first choice comes after the compared ones.
  assert prediction.candidates == [['chair/b', 'chair/c', 'chair/a'], []]
  known, unknown = prediction.retrieved
  assert known.similarities == {
    'chair/a': pytest.approx(0.8),
    'chair/b': 0.25,
    'chair/c': 0.25,
  }
  assert known.hypothesis.cad_id == 'chair/b'
  assert unknown.hypothesis is None
  assert second.cad_id == ''
  np.testing.assert_allclose(second.rotation, np.diag([-1.0, 1.0, -1.0]))
  assert refinement.asked == [
    ((30, 40, 3), len(_outputs()), [2.0, 2.0], 10, None)
  ]


def test_refinement_may_see_true_masks_and_no_depth():
  for true_masks, is_given in ((True, False), (False, True)):
    refinement, reader = _Refinement(), _reader()
    reader._depth.is_given = is_given
    model = predictors.Model(_InferencePath(), reader, refinement, true_masks)
    photo = _photo(2)
    photo.objects[0] = photo.objects[1] = predicted_cads.dataclasses.replace(
      photo.objects[0], mask=np.ones([30, 40], bool)
    )
    model.on_true_boxes(photo)
    ((_, _, depths, _, masks),) = refinement.asked
    assert depths == ([2.0, 2.0] if is_given else [None, None])
    if true_masks:
      assert [mask is photo.objects[0].mask for mask in masks] == [True, True]
    else:
      assert masks is None
    # Detections have no true mask.
    model.detections(photo)
    assert refinement.asked[1][-1] is None


def test_true_boxes_are_all_refined_detections_the_best():
  refinement = _Refinement()
  model = predictors.Model(
    _InferencePath(), _reader(), refinement, max_refined=3
  )
  model.on_true_boxes(_photo(2))
  model.detections(_photo())
  assert refinement.limits == [None, 3]


def test_ground_truth_predicts_itself():
  photo = _photo(2)
  prediction = predictors.GroundTruth().on_true_boxes(photo)
  assert prediction.objects == list(photo.objects)
  assert prediction.candidates == [['chair/true']] * 2
