import numpy as np
import pytest
import tensorflow as tf
from official.vision.ops import preprocess_ops

from mask2cad_tf.data import image_scaling


def _image(height, width):
  """Rows and columns written into the pixels."""
  rows, columns = np.indices((height, width), np.float32)
  return tf.constant(np.stack([rows, columns, 0 * rows], axis=-1))


@pytest.mark.parametrize('size', [(40, 60), (123, 77), (64, 64), (40, 300)])
def test_fits_as_model_garden_does(size):
  # Away from the border, where a wider filter sees the border's value more.
  image, info = image_scaling.resize_and_crop(
    _image(*size), [64, 64], 1.0, tf.zeros(2)
  )
  expected, expected_info = preprocess_ops.resize_and_crop_image(
    _image(*size), [64, 64], None
  )
  assert image.shape == expected.shape
  inner = slice(2, -2)
  np.testing.assert_allclose(
    image[inner, inner], expected[inner, inner], atol=0.2
  )
  np.testing.assert_array_equal(info, expected_info)


def test_large_photos_are_averaged():
  # Stripes of 0 and 1, one pixel each, to a quarter: grey, not either.
  stripes = tf.constant(np.indices((256, 256))[1] % 2, tf.float32)
  image, _ = image_scaling.resize_and_crop(
    tf.stack([stripes] * 3, axis=-1), [64, 64], 1.0, tf.zeros(2)
  )
  np.testing.assert_allclose(image[2:-2, 2:-2], 0.5, atol=0.02)


@pytest.mark.parametrize('place', [(0.0, 0.0), (1.0, 1.0), (0.3, 0.8)])
def test_info_says_where_each_pixel_came_from(place):
  # u' = scale u - offset, pixel centres at + 0.5, away from the borders.
  image, info = image_scaling.resize_and_crop(
    _image(100, 200), [50, 80], 1.5, tf.constant(place)
  )
  assert image.shape == [50, 80, 3]
  _, _, scale, offset = info.numpy()
  rows = (np.arange(50) + 0.5 + offset[0]) / scale[0] - 0.5
  columns = (np.arange(80) + 0.5 + offset[1]) / scale[1] - 0.5
  inner = image[2:-2, 2:-2].numpy()
  np.testing.assert_allclose(inner[:, 20, 0], rows[2:-2], atol=0.2)
  np.testing.assert_allclose(inner[20, :, 1], columns[2:-2], atol=0.2)


def test_offset_is_where_asked():
  # 100 x 200 at 1.5 x 80 / 200 = 0.6: 60 x 120; 10 and 40 px stick out.
  _, info = image_scaling.resize_and_crop(
    _image(100, 200), [50, 80], 1.5, tf.constant([0.5, 0.25])
  )
  np.testing.assert_allclose(info[2], [0.6, 0.6], rtol=1e-6)
  np.testing.assert_array_equal(info[3], [5, 10])


def test_small_scale_leaves_the_rest_to_padding():
  image, info = image_scaling.resize_and_crop(
    _image(100, 200), [50, 80], 0.5, tf.constant([0.9, 0.9])
  )
  assert image.shape == [20, 40, 3]
  np.testing.assert_array_equal(info[3], [0, 0])


def test_traced_equals_eager():
  arguments = (
    _image(33, 47),
    [32, 32],
    tf.constant(1.3),
    tf.constant([0.2, 0.7]),
  )
  traced = tf.function(image_scaling.resize_and_crop)(*arguments)
  for a, b in zip(image_scaling.resize_and_crop(*arguments), traced):
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
