import io
import pathlib

import numpy as np
from PIL import Image
from PIL import ImageFilter

from tests import toy
from tfrecords_tools.diagnosis import photo_hash


def _wheel_photos():
  root = pathlib.Path(toy.wheel_pix3d(), 'img', 'bed')
  return [Image.open(path).convert('RGB') for path in sorted(root.iterdir())]


def _recompressed(photo, scale, quality):
  size = (int(photo.width * scale), int(photo.height * scale))
  buffer = io.BytesIO()
  photo.resize(size).save(buffer, format='JPEG', quality=quality)
  return Image.open(buffer).convert('RGB')


def test_distances_count_bits():
  first = np.array([[0, 255], [1, 3]], np.uint8)
  second = np.array([[0, 0], [3, 3]], np.uint8)
  # 8 ones; 2 + 6 bits; 1 + 2; 1.
  assert photo_hash.distances(first, second).tolist() == [[8, 8], [3, 1]]


def test_copies_are_found_and_other_photos_are_not():
  photos = _wheel_photos()
  prints = [photo_hash.fingerprint(x) for x in photos]
  copies = [
    photo_hash.fingerprint(_recompressed(x, 0.5, 40)) for x in photos[::-1]
  ]
  last = len(photos) - 1
  assert list(photo_hash.copies(prints, copies)) == [
    (i, last - i) for i in range(len(photos))
  ]
  assert not list(photo_hash.copies(prints, []))


def test_a_mirrored_photo_is_another_photo():
  photo = _wheel_photos()[0].filter(ImageFilter.GaussianBlur(1))
  mirrored = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
  prints = [photo_hash.fingerprint(x) for x in (photo, mirrored)]
  assert not list(photo_hash.copies(prints[:1], prints[1:]))
