"""Windows: rays, samples and pictures, computed by hand."""

import numpy as np
import pytest

from mask2cad_tf.geometry import cameras
from mask2cad_tf.refinement import window as window_lib

_K = np.array([100.0, 200.0, 10.0, 20.0])


def test_around_a_box():
  # 40 x 20 pixels about (30, 20): side 1.5 x 40 = 60, from (0, -10).
  window = window_lib.around((10, 10, 30, 50), 1.5, 16)
  assert window == (0.0, -10.0, 60.0, 16)


def test_rays_project_to_the_centres():
  window = window_lib.Window(4.0, 8.0, 6.0, 3)
  image = cameras.project(window.rays(_K), _K).reshape(3, 3, 2)
  # Three pixels of 2 photo pixels each: centres at +1, +3, +5.
  np.testing.assert_allclose(image[0, :, 0], [5, 7, 9], atol=1e-4)
  np.testing.assert_allclose(image[:, 0, 1], [9, 11, 13], atol=1e-4)


def test_sample_takes_the_pixel_under_the_centre():
  image = np.arange(16.0).reshape(4, 4)
  # Centres at 1 and 3 of rows and columns 0..4: pixels 1 and 3.
  np.testing.assert_array_equal(
    window_lib.Window(0.0, 0.0, 4.0, 2).sample(image), [[5, 7], [13, 15]]
  )
  # From (-2, -2): the first centre lies outside, the second is pixel 1.
  np.testing.assert_array_equal(
    window_lib.Window(-2.0, -2.0, 4.0, 2).sample(image + 1), [[0, 0], [0, 6]]
  )


def test_resample_at_scale_one_copies():
  image = np.random.default_rng(0).uniform(0, 255, (6, 7, 3))
  picture = window_lib.Window(2.0, 1.0, 4.0, 4).resample(image, 0.0)
  np.testing.assert_allclose(picture, image[1:5, 2:6], rtol=1e-5)


def test_resample_smooths_what_it_shrinks():
  # Stripes of one pixel, shrunk four times: grey, not stripes.
  image = np.tile(np.array([0.0, 200.0]), (32, 16))[..., np.newaxis]
  picture = window_lib.Window(0.0, 0.0, 32.0, 8).resample(image, 100.0)
  np.testing.assert_allclose(picture[:, 1:-1], 100.0, atol=1.0)


@pytest.mark.parametrize('left', [-100.0, 100.0])
def test_outside_the_photo_is_fill(left):
  image = np.zeros((8, 8, 3), np.uint8)
  picture = window_lib.Window(left, 0.0, 8.0, 4).resample(image, 127.0)
  np.testing.assert_array_equal(picture, 127.0)


@pytest.mark.parametrize('side', [3.0, 11.0, 40.0])
def test_cut_keeps_the_picture(side):
  image = np.random.default_rng(0).uniform(0, 255, (30, 50, 3))
  window = window_lib.Window(20.3, 9.6, side, 8)
  rows, columns, inner = window.cut(30, 50)
  assert image[rows, columns].size < image.size
  np.testing.assert_allclose(
    inner.resample(image[rows, columns], 9.0),
    window.resample(image, 9.0),
    atol=1e-3,
  )


def test_nothing_to_cut():
  rows, columns, inner = window_lib.Window(90.0, 0.0, 8.0, 4).cut(8, 8)
  assert columns == slice(8, 8)
  picture = inner.resample(np.zeros((8, 8, 3))[rows, columns], 5.0)
  np.testing.assert_array_equal(picture, 5.0)
