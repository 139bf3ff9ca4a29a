"""COCO's segmentations, polygons or run lengths, as masks."""

from typing import Any
from typing import Dict
from typing import Sequence

import numpy as np
from pycocotools import mask as mask_lib

from mask2cad_tf.foreign import pictures

_MIN_POLYGON = 6  # numbers: x and y of three corners


def decode(
  segmentation: Any, photo: str, height: int, width: int
) -> np.ndarray:
  """A segmentation's mask, bool [height, width].

  Args:
    segmentation: polygons, or run lengths.
    photo: how messages name the photo.
    height: pixels.
    width: pixels.

  Raises:
    ValueError: it is none of this photo; says which photo.
  """
  size = [height, width]
  if height * width > pictures.MAX_PIXELS:
    raise ValueError(f'{photo}: {size} pixels are too many.')
  if isinstance(segmentation, dict):
    if segmentation.get('size') != size:
      raise ValueError(
        f'{photo}: a mask has the size {segmentation.get("size")}; '
        f'expected {size}, height and width. Correct the annotations.'
      )
    encode, parts = _run_lengths, segmentation
  else:
    polygons = segmentation if isinstance(segmentation, list) else []
    if not polygons or any(
      not isinstance(p, list) or len(p) < _MIN_POLYGON or len(p) % 2
      for p in polygons
    ):
      raise ValueError(
        f'{photo}: a segmentation is neither RLE nor a list of polygons '
        '[[x, y, x, y, x, y, ...], ...]. Correct the annotations, or leave '
        'the photo out with --skip_broken.'
      )
    encode, parts = _outline, polygons
  try:
    return mask_lib.decode(encode(parts, size)).astype(bool)
  except Exception as error:  # pycocotools raises anything.
    raise ValueError(
      f'{photo}: a segmentation does not decode ({error!r}). Correct the '
      'annotations, or leave the photo out with --skip_broken.'
    ) from error


def _run_lengths(rle: Dict[str, Any], size: Sequence[int]) -> Dict[str, Any]:
  counts = rle['counts']
  if not isinstance(counts, list):
    return rle
  if not all(isinstance(x, int) and x >= 0 for x in counts) or (
    sum(counts) != size[0] * size[1]
  ):
    raise ValueError(f'its run lengths do not add up to {size}')
  return mask_lib.frPyObjects(rle, *size)


def _outline(polygons: Sequence[Any], size: Sequence[int]) -> Dict[str, Any]:
  # Outlines are drawn point by point, wherever they go.
  far = 4 * max(size)
  if not all(abs(x) <= far for polygon in polygons for x in polygon):
    raise ValueError(f'a corner lies far outside of {size}')
  return mask_lib.merge(mask_lib.frPyObjects(polygons, *size))
