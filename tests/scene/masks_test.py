"""RoI masks in the photo; RLE."""

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.scene import masks
from tests import mask_crop


def test_each_cell_becomes_its_pixels():
  # A 2 x 2 mask over a box of 4 x 8 pixels: cells of 2 x 4 pixels.
  mask = masks.paste(np.array([[1.0, 0.0], [0.0, 1.0]]), [1, 2, 5, 10], 6, 12)
  expected = np.zeros((6, 12), bool)
  expected[1:3, 2:6] = expected[3:5, 6:10] = True
  np.testing.assert_array_equal(mask, expected)


def test_bilinear_between_cell_centres():
  # Cell centres at 1, 3, 5, 7; the ramp 0, 1/3, 2/3, 1 exceeds 1/2 past x = 4.
  row = np.tile(np.linspace(0, 1, 4), (4, 1))
  mask = masks.paste(row, [0, 0, 8, 8], 8, 8)
  np.testing.assert_array_equal(mask.all(axis=0), np.arange(8) >= 4)


def test_beyond_the_photo_is_cut_off():
  mask = masks.paste(np.ones((4, 4)), [-10, -10, 5, 30], 8, 6)
  expected = np.zeros((8, 6), bool)
  expected[:5] = True
  np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize(
  'box', [[20, 20, 30, 30], [-9, -9, -1, -1], [3, 3, 3, 3]]
)
def test_no_pixel_no_mask(box):
  assert not masks.paste(np.ones((4, 4)), np.array(box), 8, 8).any()


def test_probabilities_before_the_threshold():
  # Cell centres at 1 and 3: pixel centres 0.5, 1.5, 2.5, 3.5 lie 0, 1/4, 3/4
  # and all of the way from 0.2 to 0.6; one row and one column are outside.
  row = np.tile([0.2, 0.6], (2, 1))
  found = masks.paste_probabilities(row, np.array([0, 0, 4, 4]), 5, 5)
  assert found.dtype == np.float32
  expected = np.zeros((5, 5))
  expected[:4, :4] = [0.2, 0.3, 0.5, 0.6]
  np.testing.assert_allclose(found, expected, atol=1e-6)
  for threshold in (0.25, 0.4, 0.55):
    np.testing.assert_array_equal(
      masks.paste(row, np.array([0, 0, 4, 4]), 5, 5, threshold),
      found > threshold,
    )


def test_inverse_of_the_training_crop():
  rows, columns = np.mgrid[:60, :80] + 0.5
  disc = np.hypot(rows - 30, columns - 37) < 17
  box = np.array([[9.3, 15.8, 51.1, 58.4]], np.float32)
  crop = mask_crop.crop_masks(
    tf.constant(disc[None].astype(np.float32)), tf.constant(box), 64
  )
  pasted = masks.paste(crop.numpy()[0], box[0], 60, 80)
  assert (pasted & disc).sum() / (pasted | disc).sum() > 0.98


@pytest.mark.parametrize('seed', range(3))
def test_rle_round_trip(seed):
  mask = np.random.default_rng(seed).random((13, 7)) > 0.6
  rle = masks.encode_rle(mask)
  assert rle['size'] == [13, 7]
  assert isinstance(rle['counts'], str)
  np.testing.assert_array_equal(masks.decode_rle(rle), mask)
