"""A sheet of photos with their annotations, for a look at a record set."""

import io
import itertools
import os
from typing import Dict
from typing import List

import numpy as np
import tensorflow as tf
from PIL import Image
from PIL import ImageDraw

from mask2cad_tf.data import record_files
from mask2cad_tf.data import schema

_TILE = 320  # pixels, side
_COLUMNS = 6
_BACKGROUND = (24, 26, 32)
_COLORS = (
  (255, 99, 72),
  (46, 204, 113),
  (52, 152, 255),
  (255, 205, 50),
  (190, 100, 255),
  (60, 220, 220),
  (255, 130, 200),
  (160, 160, 160),
)
_TINT = 0.25  # of a mask over the photo


def make(pattern: str, output: str, count: int) -> None:
  """Writes the sheet.

  Args:
    pattern: glob of image records.
    output: PNG; appears whole or not at all.
    count: photos, the first of the set.

  Raises:
    FileNotFoundError: if nothing matches.
  """
  records = record_files.read(record_files.match(pattern))
  tiles = [_tile(record) for record in itertools.islice(records, count)]
  rows = -(-len(tiles) // _COLUMNS)
  columns = min(len(tiles), _COLUMNS)
  sheet = Image.new('RGB', (_TILE * columns, _TILE * rows), _BACKGROUND)
  for index, tile in enumerate(tiles):
    row, column = divmod(index, _COLUMNS)
    left = column * _TILE + (_TILE - tile.width) // 2
    sheet.paste(tile, (left, row * _TILE + (_TILE - tile.height) // 2))
  temporary = f'{output}.{os.getpid()}.tmp'
  sheet.save(temporary, format='PNG')
  os.replace(temporary, output)


def _tile(record: bytes) -> Image.Image:
  """One photo with masks, boxes and CAD ids."""
  feature = tf.train.Example.FromString(record).features.feature
  encoded = feature[schema.IMAGE_ENCODED].bytes_list.value[0]
  photo = Image.open(io.BytesIO(encoded)).convert('RGB')
  pixels = np.asarray(photo, np.float32).copy()
  for index, png in enumerate(feature[schema.MASK].bytes_list.value):
    mask = np.asarray(Image.open(io.BytesIO(png))) > 127
    color = np.array(_COLORS[index % len(_COLORS)], np.float32)
    pixels[mask] += _TINT * (color - pixels[mask])
    pixels[mask & ~_inner(mask)] = color
  picture = Image.fromarray(pixels.astype(np.uint8))
  zoom = _TILE / max(picture.size)
  picture = picture.resize(
    (max(round(picture.width * zoom), 1), max(round(picture.height * zoom), 1))
  )
  draw = ImageDraw.Draw(picture)
  names = feature[schema.CAD_ID].bytes_list.value
  for index, (box, name) in enumerate(zip(_boxes(feature), names)):
    ymin, xmin, ymax, xmax = box
    color = _COLORS[index % len(_COLORS)]
    corners = np.array([xmin, ymin, xmax, ymax])
    corners *= [picture.width, picture.height] * 2
    draw.rectangle(corners.tolist(), outline=color)
    place = (corners[0] + 2, max(corners[1] - 11, 0))
    draw.text(place, name.decode()[:34], fill=color)
  return picture


def _inner(mask: np.ndarray) -> np.ndarray:
  """Pixels of the mask whose four neighbours are in it too."""
  padded = np.pad(mask, 1)
  return (
    padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
  )


def _boxes(feature: Dict) -> List:
  """(ymin, xmin, ymax, xmax) of each object, shares of the picture."""
  keys = (schema.BOX_YMIN, schema.BOX_XMIN, schema.BOX_YMAX, schema.BOX_XMAX)
  return list(zip(*(feature[key].float_list.value for key in keys)))
