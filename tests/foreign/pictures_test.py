"""Pictures from elsewhere: known formats, bounded, one kind of error."""

import io

import numpy as np
import pytest
from PIL import Image

from mask2cad_tf.foreign import pictures


def _file(kind):
  file = io.BytesIO()
  Image.new('RGB', (8, 4), (200, 100, 50)).save(file, kind)
  file.seek(0)
  return file


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'WEBP', 'TIFF', 'BMP', 'AVIF'])
def test_photos_are_read(kind):
  with pictures.opened(_file(kind)) as image:
    assert np.asarray(image.convert('RGB')).shape == (4, 8, 3)


@pytest.mark.parametrize('kind', ['EPS', 'PCX', 'SGI'])
def test_readers_that_nobody_needs_are_not_asked(kind):
  Image.open(_file(kind))  # Pillow would
  with pytest.raises(OSError), pictures.opened(_file(kind)):
    pass


def test_a_bomb_is_refused_by_its_header(monkeypatch):
  monkeypatch.setattr(pictures, 'MAX_PIXELS', 31)
  with (
    pytest.raises(ValueError, match='8 x 4 pixels'),
    pictures.opened(_file('PNG')),
  ):
    pytest.fail('it was opened')


def test_whatever_a_reader_raises():
  with (
    pytest.raises(ValueError, match='damaged: IndexError'),
    pictures.opened(_file('PNG')),
  ):
    raise IndexError('of a reader')
