"""JPEG or PNG bytes -> pixels, in the graph; bytes that are no photo say why.

The size is read off the header before anything is decoded, so that a huge
photo costs no memory.
"""

import tensorflow as tf

MIN_SIDE = 8  # pixels
MAX_PIXELS = 64_000_000

_JPEG = b'\xff\xd8\xff'
_PNG = b'\x89PNG\r\n\x1a\n'
_PNG_SIZE = 16  # where width and height stand, 4 bytes each, big-endian


def decode(encoded: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
  """The pixels of a photo, as stored: an EXIF orientation is not applied.

  A JPEG's are the very ones that Pillow decodes.

  Args:
    encoded: string [], JPEG or PNG.
    index: int [], the photo's place in the batch, for the error.

  Returns:
    uint8 [H, W, 3].

  Raises:
    tf.errors.InvalidArgumentError: neither JPEG nor PNG, damaged, smaller than
      MIN_SIDE or larger than MAX_PIXELS.
  """
  name = tf.strings.join(['image_bytes[', tf.strings.as_string(index), ']: '])
  length = tf.strings.length(encoded)
  is_jpeg = tf.equal(tf.strings.substr(encoded, 0, len(_JPEG)), _JPEG)
  is_png = tf.equal(tf.strings.substr(encoded, 0, len(_PNG)), _PNG) & (
    length >= _PNG_SIZE + 8
  )
  encoded = _after(
    encoded,
    (length > 0, [name, 'no bytes. Send a JPEG or PNG file.']),
    (
      is_jpeg | is_png,
      [
        name,
        tf.strings.as_string(length),
        ' bytes that are neither JPEG nor PNG. Send a JPEG or PNG file.',
      ],
    ),
  )
  size = tf.cond(
    is_jpeg,
    lambda: tf.image.extract_jpeg_shape(encoded, tf.int64)[:2],
    lambda: _png_size(encoded),
  )
  found = [
    name,
    tf.strings.as_string(size[1]),
    ' x ',
    tf.strings.as_string(size[0]),
    ' pixels: ',
  ]
  encoded = _after(
    encoded,
    (
      tf.reduce_min(size) >= MIN_SIDE,
      [*found, f'too small, expected at least {MIN_SIDE} a side.'],
    ),
    (
      tf.reduce_prod(size) <= MAX_PIXELS,
      [
        *found,
        f'too large, expected at most {MAX_PIXELS // 10**6} megapixels. Scale '
        'the photo down.',
      ],
    ),
  )
  image = tf.cond(
    is_jpeg,
    lambda: tf.io.decode_jpeg(
      encoded, channels=3, dct_method='INTEGER_ACCURATE'
    ),
    lambda: tf.io.decode_png(encoded, channels=3),
  )
  return tf.ensure_shape(image, [None, None, 3])


def _png_size(encoded: tf.Tensor) -> tf.Tensor:
  """Height and width, int64 [2], of a PNG's header."""
  header = tf.strings.substr(encoded, _PNG_SIZE, 8)
  width_height = tf.io.decode_raw(header, tf.int32, little_endian=False)
  return tf.reverse(tf.cast(width_height, tf.int64), axis=[0])


def _after(encoded: tf.Tensor, *checks) -> tf.Tensor:
  """The bytes, once the conditions hold; (condition, parts of the message)."""
  asserts = [
    tf.debugging.Assert(condition, [tf.strings.join(message)])
    for condition, message in checks
  ]
  with tf.control_dependencies(asserts):
    return tf.identity(encoded)
