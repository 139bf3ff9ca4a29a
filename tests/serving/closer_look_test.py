"""Windows by hand on a fake inference path, then the real one."""

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.serving import closer_look
from tests import tiny_model

_IMAGE = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
_INTRINSICS = np.array([400.0, 410.0, 150.0, 100.0], np.float32)
_NUMBERS = {
  'detection_scores': (),
  'detection_outer_boxes': (4,),
  'detection_masks': (6, 6),
  'detection_embeddings': (3,),
  'detection_pose_bins': (),
  'detection_rotations': (4,),
  'detection_centers': (2,),
  'detection_cads': (2,),
  'detection_cad_scores': (2,),
}


class _Module:
  """Says 1 of everything at first, 7 at a closer look; remembers the calls."""

  def __init__(self, boxes):
    self._boxes = np.array(boxes, np.float32)
    self.crops, self.calls = [], []

  def _outputs(self, boxes, value):
    shape = boxes.shape[:2]
    cads = np.full((*shape, 2), f'cad{value}'.encode(), object)
    return {
      'num_detections': tf.fill([shape[0]], shape[1]),
      'detection_boxes': tf.constant(boxes),
      'detection_classes': tf.fill(shape, 2),
      'detection_cad_ids': tf.constant(cads.tolist()),
      'intrinsics': tf.constant([_INTRINSICS]),
      **{
        key: tf.fill([*shape, *rest], float(value))
        for key, rest in _NUMBERS.items()
      },
    }

  def predict(self, image, intrinsics):
    return self._outputs(self._boxes[np.newaxis], 1)

  def predict_boxes(self, image, intrinsics, boxes, classes=None):
    return self._outputs(np.asarray(boxes, np.float32)[np.newaxis], 1)

  def preprocess(self, images):
    self.crops.append(images[0])
    return tf.zeros([1, 8, 8, 3]), tf.zeros([1, 4, 2])

  def infer(self, images, image_info, intrinsics, boxes, classes):
    assert len(images) == len(image_info) == len(intrinsics) == len(boxes)
    self.calls.append([x.numpy() for x in (intrinsics, boxes, classes)])
    return self._outputs(boxes.numpy(), 7)


def test_a_window_by_hand():
  # 20 x 30 pixels about (90, 110): a window of 60 x 60, rows 60 to 120,
  # columns 80 to 140. The second fills the photo: its window would not be
  # smaller.
  module = _Module([[80, 95, 100, 125], [10, 20, 190, 280]])
  first = module.predict(_IMAGE, _INTRINSICS)
  found = closer_look.CloserLook(module).predict(_IMAGE, _INTRINSICS)
  np.testing.assert_array_equal(module.crops, [_IMAGE[60:120, 80:140]])
  [(cameras, boxes, classes)] = module.calls
  np.testing.assert_array_equal(cameras, [[400, 410, 150 - 80, 100 - 60]])
  np.testing.assert_array_equal(boxes, [[[20, 15, 40, 45]]])
  np.testing.assert_array_equal(classes, [[2]])
  np.testing.assert_array_equal(
    found['detection_outer_boxes'][0, 0], [67, 87, 67, 87]
  )
  np.testing.assert_array_equal(found['detection_centers'][0, 0], [87, 67])
  assert found['detection_cad_ids'].numpy()[0, 0].tolist() == [b'cad7'] * 2
  for key in (
    'detection_masks',
    'detection_embeddings',
    'detection_rotations',
    'detection_pose_bins',
    'detection_cads',
    'detection_cad_scores',
  ):
    assert (found[key].numpy()[0, 0] == 7).all(), key
  for key in ('num_detections', 'detection_classes', 'detection_scores'):
    np.testing.assert_array_equal(found[key], first[key], key)
  for key, value in first.items():  # the large object is as it was
    assert found[key].dtype == value.dtype, key
    if key.startswith('detection_'):
      np.testing.assert_array_equal(found[key][0, 1], value[0, 1], key)


def test_a_window_ends_with_the_photo():
  # 40 x 10 pixels in the corner: 80 x 80 about (180, 295), of which rows 140
  # to 200 and columns 255 to 300 are in the photo.
  module = _Module([[160, 290, 200, 300]])
  closer_look.CloserLook(module).predict(_IMAGE, _INTRINSICS)
  np.testing.assert_array_equal(module.crops, [_IMAGE[140:200, 255:300]])
  [(cameras, boxes, _)] = module.calls
  np.testing.assert_array_equal(cameras[0, 2:], [150 - 255, 100 - 140])
  np.testing.assert_array_equal(boxes, [[[20, 35, 60, 45]]])


@pytest.mark.parametrize(
  'box', [[0, 0, 20, 150], [10, 10, 10.5, 10.2], [10, 10, 10, 10]]
)
def test_no_window(box):
  # Twice its size is the photo's, or less than four pixels.
  module = _Module([box])
  first = module.predict(_IMAGE, _INTRINSICS)
  found = closer_look.CloserLook(module).predict(_IMAGE, _INTRINSICS)
  assert not module.calls
  for key, value in first.items():
    np.testing.assert_array_equal(found[key], value, key)


def test_nothing_found():
  module = _Module(np.zeros([0, 4]))
  found = closer_look.CloserLook(module).predict(_IMAGE, _INTRINSICS)
  assert found['num_detections'] == [0] and not module.calls


def test_given_boxes_stay():
  boxes = [[80, 95, 100, 125], [20, 30, 50, 40]]
  module = _Module(boxes)
  found = closer_look.CloserLook(module).predict_boxes(
    _IMAGE, _INTRINSICS, np.array(boxes), np.array([2, 2])
  )
  assert len(module.crops) == 2
  np.testing.assert_array_equal(found['detection_boxes'][0], boxes)


def test_as_a_photo_of_the_window(tmp_path_factory):
  # The real path: a small object is what a photo of its surroundings shows.
  world = tiny_model.make(str(tmp_path_factory.mktemp('world')))
  box = np.array([[80, 95, 100, 125]], np.float32)
  found = closer_look.CloserLook(world.module).predict_boxes(
    _IMAGE, _INTRINSICS, box, np.array([2])
  )
  expected = world.module.predict_boxes(
    _IMAGE[60:120, 80:140],
    _INTRINSICS - [0, 0, 80, 60],
    box - [60, 80, 60, 80],
    np.array([2]),
  )
  for key in ('masks', 'embeddings', 'rotations', 'cads', 'cad_scores'):
    key = f'detection_{key}'
    np.testing.assert_allclose(found[key], expected[key], atol=1e-4)
  np.testing.assert_allclose(
    found['detection_centers'],
    expected['detection_centers'] + [80, 60],
    atol=1e-3,
  )
  np.testing.assert_array_equal(
    found['detection_cad_ids'], expected['detection_cad_ids']
  )
