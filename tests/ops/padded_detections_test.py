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
