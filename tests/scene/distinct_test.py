"""Which detections are objects of their own."""

import numpy as np

from mask2cad_tf.scene import distinct


def test_one_object_has_one_class():
  # IoU of the first two boxes: 90 / 100; of the third with both: 0.
  found = distinct.choose(
    {
      'num_detections': np.int32(4),
      'detection_boxes': np.array(
        [[0, 0, 10, 9], [0, 0, 10, 10], [20, 20, 30, 30], [40, 0, 50, 9]]
        + [[0.0] * 4]
      ),
      'detection_scores': np.array([0.6, 0.8, 0.7, 0.4, 0.0]),
      'detection_classes': np.array([4, 8, 3, 3, 0]),
      'detection_masks': np.ones((5, 4, 4)),
      'detection_outer_boxes': np.zeros((5, 4)),
      'intrinsics': np.ones(4),
    },
    0.5,
    (40, 60),
  )
  assert found['num_detections'] == 2
  np.testing.assert_array_equal(found['detection_classes'], [8, 3])
  np.testing.assert_array_equal(found['detection_scores'], [0.8, 0.7])
  np.testing.assert_array_equal(found['intrinsics'], np.ones(4))


def test_most_of_an_object_is_no_other_of_another_class():
  # Masks fill their boxes: IoU 22 / 40 = .55 is one object, 18 / 40 = .45 not.
  boxes = np.array([[0, 0, 10, 40], [0, 0, 10, 22], [0, 0, 10, 18.0]])
  found = distinct.choose(
    {
      'num_detections': np.int32(3),
      'detection_boxes': boxes,
      'detection_scores': np.array([0.9, 0.8, 0.7]),
      'detection_classes': np.array([1, 2, 3]),
      'detection_masks': np.ones((3, 4, 4)),
      'detection_outer_boxes': boxes,
    },
    0.5,
    (40, 60),
  )
  np.testing.assert_array_equal(found['detection_scores'], [0.9, 0.7])


def test_half_of_an_object_is_no_other():
  # Boxes of IoU .5: the second mask lies in the first one. The third is of
  # another class, the fourth's left half alone is covered.
  boxes = np.array(
    [[0, 0, 20, 40], [0, 0, 20, 20], [0, 0, 20, 20], [0, 30, 20, 50.0]]
  )
  found = distinct.choose(
    {
      'num_detections': np.int32(4),
      'detection_boxes': boxes,
      'detection_scores': np.array([0.9, 0.8, 0.7, 0.6]),
      'detection_classes': np.array([1, 1, 2, 1]),
      'detection_masks': np.ones((4, 4, 4)),
      'detection_outer_boxes': boxes,
    },
    0.5,
    (40, 60),
  )
  np.testing.assert_array_equal(found['detection_scores'], [0.9, 0.7, 0.6])
