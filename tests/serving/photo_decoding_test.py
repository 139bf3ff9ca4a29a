"""Bytes to pixels in the graph: Pillow's pixels, and errors that say why."""

import glob
import io
import os

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from mask2cad_tf.serving import photo_decoding
from tests import bad_photos
from tests import toy

_DECODE = tf.function(
  photo_decoding.decode,
  input_signature=[tf.TensorSpec([], tf.string), tf.TensorSpec([], tf.int32)],
)


def _pixels():
  """A real photo."""
  (path, *_) = sorted(
    glob.glob(os.path.join(toy.wheel_pix3d(), 'img', '*', '*.png'))
  )
  return np.asarray(Image.open(path).convert('RGB'))


@pytest.mark.parametrize(
  'options',
  [
    {'format': 'PNG'},
    {'format': 'JPEG', 'quality': 95, 'subsampling': 0},
    {'format': 'JPEG', 'quality': 75, 'subsampling': 1},
    {'format': 'JPEG', 'quality': 50, 'subsampling': 2, 'progressive': True},
  ],
)
def test_the_pixels_are_pillows(options):
  file = io.BytesIO()
  Image.fromarray(_pixels()).save(file, **options)
  expected = np.asarray(Image.open(file))
  np.testing.assert_array_equal(_DECODE(file.getvalue(), 0), expected)


@pytest.mark.parametrize('mode', ['L', 'P', 'RGBA'])
def test_any_colours_come_out_as_rgb(mode):
  file = io.BytesIO()
  Image.fromarray(_pixels()).convert(mode).save(file, 'PNG')
  assert _DECODE(file.getvalue(), 0).shape == _pixels().shape


@pytest.mark.parametrize('fault', bad_photos.FAULTS)
def test_a_bad_photo_says_why(fault):
  photo, message = bad_photos.FAULTS[fault]
  with pytest.raises(tf.errors.InvalidArgumentError, match=message):
    _DECODE(photo(), 3)


def test_eager_says_the_same():
  with pytest.raises(tf.errors.InvalidArgumentError, match=r'\[2\]: no bytes'):
    photo_decoding.decode(tf.constant(b''), tf.constant(2))


def test_the_smallest_photo_is_one():
  assert _DECODE(bad_photos.photo(8, 8), 0).shape == [8, 8, 3]
  with pytest.raises(tf.errors.InvalidArgumentError, match='20 x 7 pixels'):
    _DECODE(bad_photos.photo(20, 7), 0)


@pytest.mark.parametrize('side, fine', [(8000, True), (8001, False)])
def test_the_header_alone_decides(side, fine):
  # 8000 x 8000 = 64 megapixels. Of a photo that is cut behind its header the
  # small enough one is told to be damaged: the size was accepted.
  message = 'Invalid PNG' if fine else '8001 x 8001 pixels: too large'
  header = bad_photos.png_header(side, side)
  with pytest.raises(tf.errors.InvalidArgumentError, match=message):
    _DECODE(header, 0)


def test_a_size_beyond_32_bits_is_refused():
  header = bad_photos.png_header(2**32 - 1, 100)
  with pytest.raises(tf.errors.InvalidArgumentError, match='too small'):
    _DECODE(header, 0)
  header = bad_photos.png_header(2**31 - 1, 2**31 - 1)
  with pytest.raises(tf.errors.InvalidArgumentError, match='too large'):
    _DECODE(header, 0)
