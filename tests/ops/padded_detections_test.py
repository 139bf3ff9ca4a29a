"""Padding by hand."""

import numpy as np
import tensorflow as tf

from mask2cad_tf.ops import padded_detections


def test_most_of_an_image_and_one_where_there_is_none():
  assert padded_detections.most(tf.constant([2, 5, 0])) == 5
  assert padded_detections.most(tf.constant([0, 0])) == 1


def test_zeros_and_no_rotation():
  turn = [0.0, 0.0, 1.0, 0.0]
  padded = padded_detections.pad(
    {
      'detection_outer_boxes': tf.ones([1, 1, 4]),
      'detection_rotations': tf.constant([[turn]]),
      'detection_masks': tf.ones([1, 1, 2, 2]),
    },
    tf.zeros([1, 3, 4]),
  )
  np.testing.assert_array_equal(
    padded['detection_rotations'][0], [turn, [1, 0, 0, 0], [1, 0, 0, 0]]
  )
  masks = padded['detection_masks'].numpy()
  assert masks.shape == (1, 3, 2, 2)
  assert masks[0, 0].all() and not masks[0, 1:].any()


def test_what_scores_too_little_or_has_no_area_is_padding():
  boxes = [[0, 0, 2, 2], [0, 0, 0, 2], [1, 1, 3, 3], [0, 1, 2, 2], [4, 4, 6, 6]]
  kept = padded_detections.keep(
    {
      'detection_boxes': tf.constant([boxes], tf.float32),
      'detection_classes': tf.constant([[1.0, 2.0, 3.0, 4.0, 5.0]]),
      'detection_scores': tf.constant([[0.9, 0.8, 0.7, 0.2, 0.6]]),
      'num_detections': tf.constant([4]),  # the fifth is padding
    },
    min_score=0.5,
  )
  # Left are the first and the third: the second is 0 pixels high.
  assert kept['num_detections'].numpy().tolist() == [2]
  np.testing.assert_array_equal(kept['detection_classes'], [[1, 3, 0, 0, 0]])
  np.testing.assert_allclose(kept['detection_scores'], [[0.9, 0.7, 0, 0, 0]])
  np.testing.assert_array_equal(
    kept['detection_boxes'][0], [boxes[0], boxes[2], *[[0, 0, 0, 0]] * 3]
  )
