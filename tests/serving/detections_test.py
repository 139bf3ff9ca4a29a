"""Masks in the frame of the photo; boxes are tested with the module."""

import numpy as np
import tensorflow as tf

from mask2cad_tf.scene import masks
from mask2cad_tf.serving import detections


def _paste(roi_masks, outer, classes, sizes, scales):
  image_info = np.zeros([len(sizes), 4, 2], np.float32)
  image_info[:, 0], image_info[:, 2] = sizes, scales
  return detections.paste_masks(
    {
      'detection_masks': tf.constant(roi_masks, tf.float32),
      'detection_outer_boxes': tf.constant(outer, tf.float32),
      'detection_classes': tf.constant(classes),
    },
    tf.constant(image_info),
    [8, 8],
  )


def test_photos_of_two_sizes_by_hand():
  # 8 x 16 photo at half its size: 4 x 8; 4 x 4 photo at its double: 8 x 8.
  outputs = _paste(
    np.ones([2, 2, 4, 4]),
    [[[2, 4, 6, 8], [0, 0, 99, 99]], [[1, -5, 3, 2], [0, 0, 9, 9]]],
    [[3, 1], [2, 0]],
    [[8, 16], [4, 4]],
    [[0.5, 0.5], [2.0, 2.0]],
  )
  pasted = outputs['detection_masks'].numpy()
  assert pasted.dtype == np.uint8
  assert pasted.shape == (2, 2, 8, 8)
  expected = np.zeros_like(pasted)
  expected[0, 0, 1:3, 2:4] = 1
  expected[0, 1, :4] = 1  # ends with the photo
  expected[1, 0, 2:6, :4] = 1  # [1, 1]: a padded slot
  np.testing.assert_array_equal(pasted, expected)
  np.testing.assert_array_equal(outputs['mask_scales'], [[0.5] * 2, [2.0] * 2])


def test_the_scenes_mask_at_another_scale():
  rng = np.random.default_rng(0)
  blob = np.pad(np.ones([16, 16]), 8) + 0.2 * rng.random([32, 32]) - 0.1
  box = np.array([30.0, 10.0, 300.0, 250.0])
  (pasted,) = _paste([[blob]], [[box]], [[1]], [[320, 320]], [[1 / 40] * 2])[
    'detection_masks'
  ].numpy()[0]
  own = masks.paste(blob, box, 320, 320)
  # Each pixel of the small mask is what stands at its centre.
  np.testing.assert_array_equal(pasted, own[20::40, 20::40])


def test_objects_are_described_by_embedding_and_silhouette():
  # Left half of a square box of 10 pixels: 5 x 10 in a square of 12.5; columns
  # 2.4 to 5.6 of 8, rows .8 to 7.2.
  masks = np.zeros((1, 1, 4, 4), np.float32)
  masks[..., :2] = 0.9
  outputs = {
    'detection_embeddings': np.array([[[3.0, 4.0]]], np.float32),
    'detection_masks': masks,
    'detection_outer_boxes': np.array([[[0, 0, 10, 10]]], np.float32),
  }
  found = detections.describe(outputs, 0.25).numpy()
  assert found.shape == (1, 1, 2 + 64)
  np.testing.assert_allclose(found[0, 0, :2], [0.6, 0.8], atol=1e-6)
  cells = found[0, 0, 2:].reshape(8, 8)
  np.testing.assert_allclose(np.linalg.norm(cells), 0.5, atol=1e-6)
  across = np.array([0, 0, 0.6, 1, 1, 0.6, 0, 0])
  down = np.array([0.2, 1, 1, 1, 1, 1, 1, 0.2])
  expected = np.outer(down, across)
  np.testing.assert_allclose(
    cells, 0.5 * expected / np.linalg.norm(expected), atol=1e-6
  )
  np.testing.assert_array_equal(
    detections.describe(outputs, 0.0), outputs['detection_embeddings']
  )
