"""Photos and where their focal length comes from."""

import sys

import numpy as np
import pillow_heif
import pytest
from PIL import ExifTags
from PIL import Image

from mask2cad_tf.scene import photo as photo_lib


def _save(path, size=(40, 30), orientation=None, focal_35mm=None):
  exif = Image.Exif()
  if orientation:
    exif[ExifTags.Base.Orientation] = orientation
  if focal_35mm is not None:
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = (
      focal_35mm
    )
  pixels = np.zeros((size[1], size[0], 3), np.uint8)
  pixels[:10, :10] = 255  # a white top left corner
  Image.fromarray(pixels).save(path, exif=exif)
  return str(path)


def test_default_is_a_phone(tmp_path):
  camera = photo_lib.load(_save(tmp_path / 'a.png')).camera
  # 40 x 30: the diagonal is 50 px; 27 / 43.267 of it.
  np.testing.assert_allclose(
    camera.intrinsics, [31.2016, 31.2016, 20, 15], rtol=1e-4
  )
  assert (camera.width, camera.height, camera.source) == (40, 30, 'default')


def test_exif_before_default(tmp_path):
  path = _save(tmp_path / 'a.jpg', focal_35mm=50)
  camera = photo_lib.load(path).camera
  np.testing.assert_allclose(camera.intrinsics[0], 50 * 50 / 43.267, rtol=1e-4)
  assert camera.source == 'exif'


def test_exif_zero_means_unknown(tmp_path):
  path = _save(tmp_path / 'a.jpg', focal_35mm=0)
  assert photo_lib.load(path).camera.source == 'default'


def test_flags_before_exif(tmp_path):
  path = _save(tmp_path / 'a.jpg', focal_35mm=50)
  by_focal = photo_lib.load(path, focal_length_px=77.0).camera
  np.testing.assert_array_equal(by_focal.intrinsics, [77, 77, 20, 15])
  by_all = photo_lib.load(path, intrinsics=(70.0, 71.0, 19.0, 16.0)).camera
  np.testing.assert_array_equal(by_all.intrinsics, [70, 71, 19, 16])
  assert (by_focal.source, by_all.source) == ('flag', 'flag')


def test_turned_upright(tmp_path):
  # Orientation 6: the camera was turned, show it rotated by 90 clockwise.
  photo = photo_lib.load(_save(tmp_path / 'a.jpg', orientation=6))
  assert photo.image.shape == (40, 30, 3)
  assert (photo.camera.width, photo.camera.height) == (30, 40)
  assert photo.image[5, 25].min() > 200  # the corner is now top right


def test_transparency_and_grey_become_rgb(tmp_path):
  for mode in ('L', 'RGBA', 'P'):
    path = str(tmp_path / f'{mode}.png')
    Image.new(mode, (5, 4)).save(path)
    assert photo_lib.load(path).image.shape == (4, 5, 3)


def test_missing_and_broken_are_named(tmp_path):
  with pytest.raises(FileNotFoundError, match='No photo at .*nowhere.jpg'):
    photo_lib.load(str(tmp_path / 'nowhere.jpg'))
  whole = _save(tmp_path / 'a.png', size=(400, 300))
  with open(whole, 'rb') as file:
    content = file.read()
  for name, wrong in (('text.jpg', b'no photo'), ('cut.png', content[:200])):
    (tmp_path / name).write_bytes(wrong)
    with pytest.raises(ValueError, match=f'{name}.*does not decode'):
      photo_lib.load(str(tmp_path / name))


def _with_exif(path, size, **tags):
  exif = Image.Exif()
  for name, value in tags.items():
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base[name]] = value
  Image.new('RGB', size).save(path, exif=exif)
  return photo_lib.load(str(path)).camera


def test_a_crop_keeps_the_whole_pictures_focal_length(tmp_path):
  # 400 x 300, of which 300 x 300 are left: 500 px of diagonal, not 424.
  camera = _with_exif(
    tmp_path / 'a.jpg',
    (300, 300),
    FocalLengthIn35mmFilm=50,
    ExifImageWidth=400,
    ExifImageHeight=300,
  )
  np.testing.assert_allclose(camera.intrinsics[0], 500 * 50 / 43.267, rtol=1e-4)


@pytest.mark.parametrize('whole', [(4000, 3000), (3000, 4000)])
def test_a_smaller_copy_scales_it(tmp_path, whole):
  camera = _with_exif(
    tmp_path / 'a.jpg',
    (400, 300),
    FocalLengthIn35mmFilm=50,
    ExifImageWidth=whole[0],
    ExifImageHeight=whole[1],
  )
  np.testing.assert_allclose(camera.intrinsics[0], 500 * 50 / 43.267, rtol=1e-4)


def test_focal_length_from_the_sensors_resolution(tmp_path):
  # 5 mm at 2540 pixels an inch: 500 px of 400 x 300; half of it in half the
  # size.
  camera = _with_exif(
    tmp_path / 'a.jpg',
    (200, 150),
    FocalLength=5.0,
    FocalPlaneXResolution=2540.0,
    FocalPlaneResolutionUnit=2,
    ExifImageWidth=400,
    ExifImageHeight=300,
  )
  np.testing.assert_allclose(camera.intrinsics[0], 250.0, rtol=1e-4)
  assert camera.source == 'exif'


@pytest.mark.parametrize('suffix', ['png', 'webp', 'tif', 'heic'])
def test_formats_with_the_same_pixels(tmp_path, suffix):
  pillow_heif.register_heif_opener()
  pixels = np.arange(16 * 24 * 3, dtype=np.uint8).reshape(16, 24, 3)
  pixels = np.kron(pixels[:4, :6], np.ones((4, 4, 1), np.uint8))
  options = {'webp': {'lossless': True}, 'heic': {'quality': -1}}
  path = str(tmp_path / f'a.{suffix}')
  Image.fromarray(pixels).save(path, **options.get(suffix, {}))
  found = photo_lib.load(path).image.astype(int)
  # HEIC is lossless in its own colours only.
  assert np.abs(found - pixels).max() <= (3 if suffix == 'heic' else 0)


def test_heic_without_the_extra_says_how_to_install_it(tmp_path, monkeypatch):
  (tmp_path / 'a.heic').write_bytes(b'any')
  monkeypatch.setitem(sys.modules, 'pillow_heif', None)
  with pytest.raises(ValueError, match=r'pip install .mask2cad-tf\[heif\]'):
    photo_lib.load(str(tmp_path / 'a.heic'))


@pytest.mark.parametrize('suffix', ['png', 'jpg', 'webp', 'tif'])
def test_turned_copies_have_the_same_pixels(tmp_path, suffix):
  """Four rotations of one picture, each with the tag that undoes it."""
  pixels = np.zeros((32, 48, 3), np.uint8)
  pixels[:16, :24], pixels[16:, 24:] = (250, 20, 20), (20, 20, 250)
  turns = {1: 0, 6: 1, 3: 2, 8: 3}  # quarters, against the clock
  found = []
  for orientation, quarters in turns.items():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    path = str(tmp_path / f'{orientation}.{suffix}')
    options = {'jpg': {'quality': 95, 'subsampling': 0}}
    Image.fromarray(np.rot90(pixels, quarters)).save(
      path, exif=exif, lossless=True, **options.get(suffix, {})
    )
    found.append(photo_lib.load(path))
  for photo in found:
    assert np.abs(photo.image.astype(int) - pixels).max() <= (
      12 if suffix == 'jpg' else 0
    )
    np.testing.assert_array_equal(
      photo.camera.intrinsics, found[0].camera.intrinsics
    )
