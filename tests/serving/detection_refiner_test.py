"""Detections rendered and compared: a photo whose answer is known."""

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.geometry import renderer
from mask2cad_tf.geometry import rotations
from mask2cad_tf.geometry import views
from mask2cad_tf.refinement import refiner as refiner_lib
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import view_silhouettes
from mask2cad_tf.serving import detection_refiner
from tests import mask_crop
from tests.refinement import scenes

_PLENTY = 1e3  # seconds: never runs out
_CADS = {
  'table/block': lambda: scenes.box((1.0, 0.65, 0.6)),
  'table/drawer': scenes.table,
}
_EMBEDDINGS = {'table/block': (1.0, 0.0), 'table/drawer': (0.9, 0.4359)}


@pytest.fixture(scope='module', name='gallery')
def _gallery(tmp_path_factory):
  """A block and the table, each at four turns about the upright axis."""
  folder = tmp_path_factory.mktemp('gallery')
  turns = [
    scenes.ROTATION @ _about_y(degrees) for degrees in (20, 110, 200, 290)
  ]
  silhouettes = []
  for cad_id, make in _CADS.items():
    path = folder / f'{cad_id}.ply'
    path.parent.mkdir(exist_ok=True)
    make().export(path)
    drawer = renderer.Renderer(make())
    silhouettes.append(
      view_silhouettes.pack(
        np.stack([views.render_view(drawer, turn) for turn in turns])
      )
    )
  quaternions = np.stack([rotations.quaternion_from_matrix(t) for t in turns])
  return gallery_lib.Gallery(
    path=str(folder),
    class_names=('lamp', 'table'),
    encoder='',
    cads=tuple(
      gallery_lib.Cad(cad_id, 'table', f'{cad_id}.ply', '', symmetry=symmetry)
      for cad_id, symmetry in zip(_CADS, (2, 1))
    ),
    embeddings=np.array(
      [[_EMBEDDINGS[cad_id]] * 4 for cad_id in _CADS], np.float32
    ),
    rotations=np.stack([quaternions] * 2).astype(np.float32),
    valid=np.ones((2, 4), bool),
    silhouettes=np.stack(silhouettes),
  )


def _about_y(degrees):
  half = np.radians(degrees) / 2.0
  return rotations.matrix_from_quaternion(
    [np.cos(half), 0.0, np.sin(half), 0.0]
  )


def _detections(masks, classes=None, rotation=None):
  """As the network has them: masks in outer boxes, a row of padding."""
  count = len(masks)
  boxes = np.stack([scenes.box_of(mask) for mask in masks] + [np.zeros(4)])
  margin = 0.125 * np.tile(boxes[:, 2:] - boxes[:, :2], 2) * [-1, -1, 1, 1]
  outer = (boxes + margin).astype(np.float32)
  crops = mask_crop.crop_masks(
    tf.constant(np.stack(masks).astype(np.float32)),
    tf.constant(outer[:count]),
    96,
  )
  quaternion = rotations.quaternion_from_matrix(
    scenes.turned(15.0) if rotation is None else rotation
  )
  center = scenes.INTRINSICS[2:] - (
    scenes.INTRINSICS[:2] * scenes.TRANSLATION[:2] / scenes.DEPTH
  )
  return {
    'num_detections': np.int32(count),
    'detection_boxes': boxes.astype(np.float32),
    'detection_outer_boxes': outer,
    'detection_classes': np.array([*(classes or [2] * count), 0], np.int32),
    'detection_scores': np.float32([*np.linspace(0.5, 0.9, count), 0.0]),
    'detection_masks': np.concatenate([crops, np.zeros([1, 96, 96])]),
    'detection_embeddings': np.tile(np.float32([1.0, 0.0]), [count + 1, 1]),
    'detection_rotations': np.tile(np.float32(quaternion), [count + 1, 1]),
    'detection_centers': np.tile(np.float32(center), [count + 1, 1]),
    'intrinsics': np.float32(scenes.INTRINSICS),
  }


def _image():
  return np.full([scenes.HEIGHT, scenes.WIDTH, 3], 90, np.uint8)


def _refine(gallery, detections, depths, **arguments):
  refiner = detection_refiner.DetectionRefiner(
    gallery, 'camera', seconds=_PLENTY
  )
  return refiner.refine(
    _image(), scenes.INTRINSICS, detections, depths, **arguments
  )


def test_the_rendered_cad_and_its_pose_are_found(gallery):
  # By its embedding the block is nearer; the network's rotation is 15 degrees
  # off and the views are 20.
  mask = scenes.silhouette(scenes.table())
  ((best, other),) = _refine(gallery, _detections([mask]), [scenes.DEPTH])
  assert (best.cad_id, other.cad_id) == ('table/drawer', 'table/block')
  assert best.similarity == pytest.approx(0.9, abs=1e-3)
  assert other.similarity == pytest.approx(1.0, abs=1e-3)
  # The mask has 96 cells a side, the table's legs are three of them wide.
  assert best.silhouette_iou > 0.93 > other.silhouette_iou
  assert scenes.degrees_between(best.rotation, scenes.ROTATION) < 2.0
  np.testing.assert_allclose(best.translation, scenes.TRANSLATION, atol=0.02)


def test_as_many_as_are_asked_for(gallery):
  mask = scenes.silhouette(scenes.table())
  ((only,),) = _refine(gallery, _detections([mask]), [scenes.DEPTH], top_k=1)
  assert only.cad_id == 'table/drawer'


class _Recorder:
  """A refiner that keeps what it is asked."""

  asked: list = []
  extra_rotations: list = []

  def __init__(self, load_shape, extra_rotations, features):
    self.extra_rotations.append(extra_rotations)

  def refine(self, target, candidates, seconds, top_k):
    self.asked.append((target, candidates))
    return [(seconds, top_k)]


@pytest.fixture(name='recorder')
def _recorder(monkeypatch):
  monkeypatch.setattr(refiner_lib, 'Refiner', _Recorder)
  monkeypatch.setattr(_Recorder, 'asked', [])
  monkeypatch.setattr(_Recorder, 'extra_rotations', [])
  return _Recorder


def _two_masks(left):
  """Twenty columns from 20 on, and twenty from `left` on, of rows 50-99."""
  masks = np.zeros((2, scenes.HEIGHT, scenes.WIDTH), bool)
  masks[0, 50:100, 20:40] = masks[1, 50:100, left : left + 20] = True
  return list(masks)


def test_behind_another_object_nothing_counts(gallery, recorder):
  # The boxes share 5 of 35 columns: two objects. Where both masks are equally
  # sure neither is behind the other's back: it does not count for either.
  masks = _two_masks(35)
  _refine(gallery, _detections(masks), [1.0, 1.0], given_masks=masks)
  (first, _), (second, _) = recorder.asked
  np.testing.assert_array_equal(first.countable, ~masks[1])
  np.testing.assert_array_equal(second.countable, ~masks[0])


def test_the_surer_mask_is_in_front(gallery, recorder):
  masks = _two_masks(35)
  soft = [1.0 * masks[0], 0.8 * masks[1]]
  _refine(gallery, _detections(masks), [1.0, 1.0], given_masks=soft)
  (first, _), (second, _) = recorder.asked
  np.testing.assert_array_equal(first.countable, ~masks[1] | masks[0])
  np.testing.assert_array_equal(second.countable, ~masks[0])
  np.testing.assert_array_equal(second.mask, np.float32(soft[1]))


def test_the_same_object_twice_does_not_hide_itself(gallery, recorder):
  # The boxes share 17 of 23 columns: 0.74.
  masks = _two_masks(23)
  _refine(gallery, _detections(masks), [1.0, 1.0], given_masks=masks)
  assert all(target.countable.all() for target, _ in recorder.asked)


def test_what_scores_next_to_nothing_hides_nothing(gallery, recorder):
  masks = _two_masks(35)
  detections = _detections(masks)
  detections['detection_scores'] = np.float32([0.14, 0.9, 0.0])
  _refine(gallery, detections, [1.0, 1.0], given_masks=masks)
  (first, _), (second, _) = recorder.asked
  np.testing.assert_array_equal(first.countable, ~masks[1])
  assert second.countable.all()


def test_what_is_handed_over(gallery, recorder):
  mask = scenes.silhouette(scenes.table())
  detections = _detections([mask])
  found = _refine(gallery, detections, [None], top_k=7)
  assert found == [[(_PLENTY, 7)]]
  ((target, candidates),) = recorder.asked
  assert target.depth is None
  assert target.mask.dtype == np.float32
  assert ((target.mask > 0.5) != mask).mean() < 0.01
  np.testing.assert_allclose(target.box, scenes.box_of(mask))
  # The block's embedding is nearer, the table's silhouette is the mask.
  assert [c.cad_id for c in candidates] == ['table/drawer', 'table/block']
  assert [c.symmetry for c in candidates] == [1, 2]
  for row, candidate in zip((1, 0), candidates):
    # The network's rotation first, then views of the gallery.
    np.testing.assert_allclose(
      candidate.rotations[0], scenes.turned(15.0), atol=1e-6
    )
    views_ = rotations.matrix_from_quaternion(gallery.rotations[row])
    for rotation in candidate.rotations[1:]:
      assert np.abs(views_ - rotation).max(axis=(1, 2)).min() < 1e-6
  assert recorder.extra_rotations == [None]


def test_allocentric_views_are_turned_to_the_objects_ray(gallery, recorder):
  mask = scenes.silhouette(scenes.table())
  detections = _detections([mask])
  detection_refiner.DetectionRefiner(gallery, 'allocentric').refine(
    _image(), scenes.INTRINSICS, detections, [None]
  )
  ((_, candidates),) = recorder.asked
  ray = rotations.ray_rotation(
    detections['detection_centers'][0], scenes.INTRINSICS
  )
  views_ = ray @ rotations.matrix_from_quaternion(gallery.rotations[0])
  for rotation in candidates[0].rotations[1:]:
    assert np.abs(views_ - rotation).max(axis=(1, 2)).min() < 1e-6
  # The refiner turns these itself.
  np.testing.assert_allclose(
    recorder.extra_rotations[0]('table/drawer'),
    rotations.matrix_from_quaternion(gallery.rotations[1]),
    atol=1e-6,
  )


def test_a_class_without_cads(gallery, recorder):
  mask = scenes.silhouette(scenes.table())
  detections = _detections([mask, mask], classes=[1, 2])
  found = _refine(gallery, detections, [None, None])
  assert found[0] == [] and found[1]


def test_a_limit_of_objects_takes_the_highest_scores(gallery, recorder):
  masks = [np.roll(_two_masks(35)[0], 30 * i, axis=1) for i in range(3)]
  detections = _detections(masks)
  detections['detection_scores'] = np.float32([0.5, 0.9, 0.7, 0.0])
  refiner = detection_refiner.DetectionRefiner(gallery, 'camera')
  found = refiner.refine(
    _image(),
    scenes.INTRINSICS,
    detections,
    [None] * 3,
    given_masks=masks,
    max_objects=2,
  )
  assert [bool(hypotheses) for hypotheses in found] == [False, True, True]
  # The one left out stands in the way all the same.
  (second, _), (third, _) = recorder.asked
  np.testing.assert_array_equal(second.countable, ~masks[0] & ~masks[2])
  np.testing.assert_array_equal(third.countable, ~masks[0] & ~masks[1])


def test_nothing_found(gallery, recorder):
  detections = _detections([scenes.silhouette(scenes.table())])
  detections['num_detections'] = np.int32(0)
  assert _refine(gallery, detections, []) == []


def test_more_objects_than_a_camera_has_numbers(gallery, recorder):
  masks = [scenes.silhouette(scenes.table())] * 6
  assert len(_refine(gallery, _detections(masks), [None] * 6)) == 6
