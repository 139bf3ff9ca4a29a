"""Own pixels: an object alone on a plain ground, and nothing else."""

import numpy as np

from tests.benchmarks import annotation_limit


def _photo():
  image = np.full((60, 80, 3), 240, np.uint8)
  image[20:50, 10:40] = 30
  annotated = np.zeros((60, 80), bool)
  annotated[22:50, 10:40] = True  # two rows short
  return image, annotated


def test_the_objects_pixels_not_the_annotated_ones():
  image, annotated = _photo()
  image[10:30, 60:70] = 90  # another thing, apart
  own = annotation_limit.own_pixels(image, annotated)
  expected = np.zeros((60, 80), bool)
  expected[20:50, 10:40] = True
  np.testing.assert_array_equal(own, expected)


def test_none_where_something_touches_it():
  image, annotated = _photo()
  image[30:40, 40:60] = 90  # boxes: 28 * 30 of 30 * 50 pixels, IoU 0.56
  assert annotation_limit.own_pixels(image, annotated) is None


def test_none_where_the_ground_is_not_plain():
  image, annotated = _photo()
  image[::2] = 255 - image[::2]
  assert annotation_limit.own_pixels(image, annotated) is None
