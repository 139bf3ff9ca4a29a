"""Photos, their EXIF, depth maps; photos in the graph of a served model."""

import functools
import io

import numpy as np
import tensorflow as tf
from PIL import ExifTags
from PIL import Image

from mask2cad_tf.scene import depth_map
from mask2cad_tf.scene import photo
from mask2cad_tf.serving import photo_bytes
from mask2cad_tf.serving import photo_decoding
from mask2cad_tf.serving import request_cameras
from tests.fuzz import target

_SIZE = (16, 12)


def picture(kind, mode='RGB', **options):
  rng = np.random.default_rng(0)
  pixels = rng.integers(0, 256, (_SIZE[1], _SIZE[0], 3), np.uint8)
  file = io.BytesIO()
  Image.fromarray(pixels).convert(mode).save(file, kind, **options)
  return file.getvalue()


def _exif():
  exif = Image.Exif()
  exif[ExifTags.Base.Orientation] = 6
  exif.get_ifd(ExifTags.IFD.Exif).update(
    {
      ExifTags.Base.FocalLengthIn35mmFilm: 26,
      ExifTags.Base.FocalLength: 4.2,
      ExifTags.Base.FocalPlaneXResolution: 3000.0,
      ExifTags.Base.ExifImageWidth: _SIZE[0],
      ExifTags.Base.ExifImageHeight: _SIZE[1],
    }
  )
  return exif.tobytes()


def _photos():
  return (
    picture('JPEG', exif=_exif()),
    picture('JPEG', progressive=True),
    picture('PNG', exif=_exif()),
    picture('PNG', 'P'),
    picture('WEBP'),
    picture('TIFF', compression='tiff_lzw'),
    picture('BMP'),
    picture('GIF', 'P'),
  )


def _load_photo(path):
  loaded = photo.load(path)
  assert np.isfinite(loaded.camera.intrinsics).all()
  assert (loaded.camera.intrinsics[:2] > 0).all()
  photo_bytes.encode(loaded)


def _read_exif(data):
  """The bytes as the EXIF of a photo that is sound otherwise."""
  body = b'Exif\0\0' + data[:60000]
  jpeg = picture('JPEG')
  length = (len(body) + 2).to_bytes(2, 'big')
  with_exif = jpeg[:2] + b'\xff\xe1' + length + body + jpeg[2:]
  target.in_file('photo.jpg', _load_photo)(with_exif)


def _depths():
  file = io.BytesIO()
  np.save(file, np.ones([12, 16], np.float32))
  png = io.BytesIO()
  Image.fromarray(np.full([12, 16], 1500, np.uint16)).save(png, 'PNG')
  return file.getvalue(), png.getvalue()


def _read_depth(data):
  name = 'depth.png' if data.startswith(b'\x89PNG') else 'depth.npy'
  target.in_file(name, lambda path: depth_map.load(path, (12, 16)))(data)


@functools.cache
def _graph():
  @tf.function(
    input_signature=[
      tf.TensorSpec([], tf.string),
      tf.TensorSpec([None, 4], tf.float32),
    ]
  )
  def serve(encoded, intrinsics):
    image = photo_decoding.decode(encoded, tf.constant(0))
    return image, request_cameras.checked(intrinsics, tf.constant(1))

  return serve


def _serve(data):
  """A photo whose last 16 bytes are its camera."""
  camera = np.frombuffer(data[-16:].ljust(16, b'\0'), '<f4')
  _graph()(tf.constant(data), tf.constant(camera[np.newaxis]))


def _served():
  camera = np.array([500, 500, 8, 6], '<f4').tobytes()
  return picture('JPEG') + camera, picture('PNG') + camera


TARGETS = (
  target.Target(
    'photo',
    'a photo of predict',
    target.in_file('photo.jpg', _load_photo),
    _photos,
    says='photo.jpg',
  ),
  target.Target(
    'exif',
    'the EXIF of a photo',
    _read_exif,
    lambda: (_exif().removeprefix(b'Exif\0\0'),),
    says='photo.jpg',
  ),
  target.Target(
    'depth_map',
    'a depth map of predict, NPY or PNG',
    _read_depth,
    _depths,
    says='depth.',
  ),
  target.Target(
    'served_photo',
    'a request of a served model: photo and camera',
    _serve,
    _served,
    allowed=(tf.errors.InvalidArgumentError,),
  ),
)
