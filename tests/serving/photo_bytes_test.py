"""What is sent decodes to what `scene.photo` has loaded."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from mask2cad_tf.scene import photo as photo_lib
from mask2cad_tf.serving import photo_bytes
from mask2cad_tf.serving import photo_decoding

_ORIENTATION = 0x0112


def _write(path, kind, mode='RGB', orientation=None):
  rng = np.random.default_rng(0)
  small = rng.integers(0, 256, (6, 9, 3), np.uint8)
  image = Image.fromarray(small).resize((90, 60)).convert(mode)
  exif = Image.Exif()
  if orientation is not None:
    exif[_ORIENTATION] = orientation
  image.save(path, kind, exif=exif)
  return str(path)


def _served_pixels(encoded):
  return photo_decoding.decode(tf.constant(encoded), tf.constant(0)).numpy()


@pytest.mark.parametrize('orientation', [None, 0, 1])
@pytest.mark.parametrize('kind', ['JPEG', 'PNG'])
def test_a_plain_file_goes_as_it_is(tmp_path, kind, orientation):
  path = _write(tmp_path / 'photo', kind, orientation=orientation)
  photo = photo_lib.load(path)
  encoded = photo_bytes.encode(photo)
  assert encoded == (tmp_path / 'photo').read_bytes()
  np.testing.assert_array_equal(_served_pixels(encoded), photo.image)


@pytest.mark.parametrize(
  'kind, mode, orientation',
  [('JPEG', 'RGB', orientation) for orientation in range(2, 9)]
  + [('PNG', 'RGB', 6)]
  + [('JPEG', mode, None) for mode in ('L', 'CMYK')]
  + [('PNG', mode, None) for mode in ('L', 'P', 'RGBA', '1')]
  + [(kind, 'RGB', None) for kind in ('BMP', 'WEBP', 'TIFF')],
)
def test_all_else_is_sent_upright_and_as_rgb(tmp_path, kind, mode, orientation):
  path = _write(tmp_path / 'photo', kind, mode, orientation)
  photo = photo_lib.load(path)
  encoded = photo_bytes.encode(photo)
  assert Image.open(io.BytesIO(encoded)).format == 'PNG'
  np.testing.assert_array_equal(_served_pixels(encoded), photo.image)
  if orientation is not None and orientation >= 5:
    assert photo.image.shape[:2] == (90, 60)
