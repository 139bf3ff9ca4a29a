"""A COCO file of three photos, made by hand."""

import json

import numpy as np
from PIL import Image

# Column-major: 10 zeros, then 5 ones, then 25 zeros of 8 x 5 pixels.
_UNCOMPRESSED_RLE = {'size': [8, 5], 'counts': [10, 5, 25]}


def content() -> dict:
  """A file of COCO's format: two photos with objects of ours, one without.

  a.jpg, 12 x 10 pixels: a sofa (called couch) of two polygons, a dog, a chair.
  b.png, 5 x 8: a crowd of chairs, as RLE. c.jpg: a dog.
  """
  return {
    'images': [
      {'id': 7, 'file_name': 'b.png', 'width': 5, 'height': 8},
      {'id': 3, 'file_name': 'a.jpg', 'width': 12, 'height': 10},
      {'id': 9, 'file_name': 'c.jpg', 'width': 12, 'height': 10},
    ],
    'categories': [
      {'id': 63, 'name': 'couch'},
      {'id': 62, 'name': 'chair'},
      {'id': 18, 'name': 'dog'},
    ],
    'annotations': [
      _annotation(
        1,
        3,
        63,
        [2, 3, 8, 4],
        [_rectangle(2, 3, 4, 7), _rectangle(8, 3, 10, 7)],
      ),
      _annotation(2, 3, 18, [0, 0, 2, 2], [_rectangle(0, 0, 2, 2)]),
      _annotation(3, 3, 62, [1, 1, 3, 2], [_rectangle(1, 1, 4, 3)]),
      _annotation(4, 7, 62, [1, 2, 1, 5], _UNCOMPRESSED_RLE, iscrowd=1),
      _annotation(5, 9, 18, [0, 0, 2, 2], [_rectangle(0, 0, 2, 2)]),
    ],
  }


def write(folder, changed=None) -> str:
  """Writes img/ and instances.json; returns the latter's path."""
  (folder / 'img').mkdir(parents=True, exist_ok=True)
  rng = np.random.default_rng(0)
  for name, size in (
    ('a.jpg', (10, 12, 3)),
    ('b.png', (8, 5, 3)),
    ('c.jpg', (10, 12, 3)),
  ):
    pixels = rng.integers(0, 255, size, np.uint8)
    Image.fromarray(pixels).save(folder / 'img' / name)
  path = folder / 'instances.json'
  path.write_text(json.dumps(changed or content()))
  return str(path)


def _annotation(number, image, category, box, segmentation, iscrowd=0):
  return {
    'id': number,
    'image_id': image,
    'category_id': category,
    'bbox': box,
    'segmentation': segmentation,
    'iscrowd': iscrowd,
  }


def _rectangle(left, top, right, bottom):
  return [left, top, right, top, right, bottom, left, bottom]
