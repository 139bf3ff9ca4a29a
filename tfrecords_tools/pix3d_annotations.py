"""Reads pix3d.json and the COCO-like splits of Mesh R-CNN, to one form."""

import collections
import dataclasses
import math
import os
from typing import Any
from typing import Dict
from typing import List
from typing import Sequence
from typing import Tuple

import numpy as np

from mask2cad_tf.foreign import json_files
from mask2cad_tf.foreign import paths

_SENSOR_MM = 32.0  # Pix3D gives the focal length for a sensor this wide
# Masks that do not belong to their photos; Mesh R-CNN leaves them out too.
# The first is one of S2's 2,357 test photos; S1's test photos hold neither.
DEFECTIVE = ('img/table/1749.jpg', 'img/table/0045.png')


@dataclasses.dataclass(frozen=True)
class Annotation:
  """One object: paths inside the dataset, box yxyx in pixels, camera pose."""

  mask: str
  model: str
  label_name: str
  box: Tuple[float, float, float, float]
  rotation: np.ndarray
  translation: np.ndarray
  occluded: bool
  slightly_occluded: bool
  truncated: bool

  @property
  def mesh(self) -> str:
    """Path of the mesh inside model/, which is the CAD library."""
    return os.path.relpath(self.model, 'model')

  @property
  def cad_id(self) -> str:
    """'<class>/<shape>'."""
    return os.path.dirname(self.mesh)


@dataclasses.dataclass(frozen=True)
class Photo:
  """One photo, its intrinsics (fx, fy, cx, cy; pixels) and its objects."""

  image: str
  source_id: int
  intrinsics: Tuple[float, float, float, float]
  objects: Tuple[Annotation, ...]


# File name, intrinsics and an object of a photo.
_Pair = Tuple[str, Tuple[float, float, float, float], Annotation]


def read(path: str) -> List[Photo]:
  """Reads pix3d.json or a Mesh R-CNN split; both give the same photos.

  Photos whose masks are known to be another's (DEFECTIVE) are left out.

  Args:
    path: the JSON file.

  Returns:
    Photos sorted by file name; source ids number them from 1.

  Raises:
    FileNotFoundError: if there is no such file.
    ValueError: if it is neither of the two formats, a key is missing, or an
      object is annotated twice; says where.
  """
  return read_with_defects(path)[0]


def read_with_defects(path: str) -> Tuple[List[Photo], List[str]]:
  """As `read`, and the file names of the defective photos left out."""
  content = _content(path)
  try:
    if isinstance(content, list):
      pairs = [_pair_of_pix3d(entry) for entry in content]
    else:
      pairs = _pairs_of_split(content)
  except KeyError as error:
    raise ValueError(
      f'{path!r}: an entry has no {error.args[0]!r}. Expected the list of '
      'pix3d.json or the COCO-like splits of Mesh R-CNN.'
    ) from error
  except (AttributeError, OverflowError, TypeError, ValueError) as error:
    raise ValueError(f'{path!r}: {error}') from error
  photos = _photos(path, pairs)
  kept = [photo for photo in photos if photo.image not in DEFECTIVE]
  return (
    [
      dataclasses.replace(photo, source_id=1 + index)
      for index, photo in enumerate(kept)
    ],
    [photo.image for photo in photos if photo.image in DEFECTIVE],
  )


def count_by_class(photos: Sequence[Photo]) -> Dict[str, int]:
  """Objects of each class, classes sorted by name."""
  names = sorted(item.label_name for photo in photos for item in photo.objects)
  return dict(collections.Counter(names))


def _content(path: str) -> Any:
  if not os.path.exists(path):
    raise FileNotFoundError(
      f'There is no annotation file {path!r}. Give pix3d.json or a Mesh '
      'R-CNN split (pix3d_s1_train.json, ...).'
    )
  return json_files.read(path)


def _photos(path: str, pairs: Sequence[_Pair]) -> List[Photo]:
  """Photos with all their objects, sorted by file name."""
  photos: Dict[str, Photo] = {}
  for image, intrinsics, item in pairs:
    photo = photos.setdefault(image, Photo(image, 0, intrinsics, ()))
    if photo.intrinsics != intrinsics:
      raise ValueError(
        f'{path!r}: {image} has two cameras, {photo.intrinsics} and '
        f'{intrinsics}. Correct the annotations.'
      )
    if any(
      (other.model, other.box) == (item.model, item.box)
      for other in photo.objects
    ):
      raise ValueError(
        f'{path!r}: {image} has the same object twice, {item.model} with the '
        f'box {item.box} (ymin, xmin, ymax, xmax). Remove one of them.'
      )
    photos[image] = dataclasses.replace(photo, objects=(*photo.objects, item))
  return [photos[image] for image in sorted(photos)]


def _pair_of_pix3d(entry: Dict[str, Any]) -> _Pair:
  width, height = entry['img_size']
  focal = _number(entry['focal_length']) / _SENSOR_MM * _number(width)
  xmin, ymin, xmax, ymax = entry['bbox']
  item = _annotation(
    entry, entry['mask'], entry['category'], (ymin, xmin, ymax, xmax)
  )
  image = paths.below(entry['img'], 'img')
  return image, (focal, focal, width / 2.0, _number(height) / 2.0), item


def _pairs_of_split(content: Dict[str, Any]) -> List[_Pair]:
  names = {entry['id']: entry['name'] for entry in content['categories']}
  images = {
    entry['id']: paths.below(entry['file_name'], 'file_name')
    for entry in content['images']
  }
  if len(images) != len(content['images']):
    raise ValueError('two images have the same id. Number them anew.')
  pairs = []
  for entry in content['annotations']:
    for key, known in (('image_id', images), ('category_id', names)):
      if entry[key] not in known:
        raise ValueError(
          f'annotation {entry.get("id")} has {key} {entry[key]!r}, which the '
          'file does not list. Correct the annotations.'
        )
    image = images[entry['image_id']]
    if not isinstance(entry['segmentation'], str):
      raise ValueError(
        f"{image}: the segmentation is no path of a mask file, as Mesh R-CNN's "
        'splits have it. Write the mask to a PNG and give its path.'
      )
    left, top, width, height = entry['bbox']
    focal, center_x, center_y = map(_number, entry['K'])
    item = _annotation(
      entry,
      entry['segmentation'],
      names[entry['category_id']],
      (top, left, top + height, left + width),
    )
    pairs.append((image, (focal, focal, center_x, center_y), item))
  return pairs


def _annotation(
  entry: Dict[str, Any],
  mask: str,
  label_name: str,
  box: Tuple[float, float, float, float],
) -> Annotation:
  rotation = np.array(entry['rot_mat'], np.float64)
  translation = np.array(entry['trans_mat'], np.float64)
  if rotation.shape != (3, 3) or translation.shape != (3,):
    raise ValueError(
      f'{mask}: rot_mat and trans_mat have the shapes {rotation.shape} and '
      f'{translation.shape}; expected (3, 3) and (3,).'
    )
  if not isinstance(label_name, str):
    raise ValueError(f'{mask}: the class {label_name!r} is no text.')
  return Annotation(
    mask=paths.below(mask, 'mask'),
    model=paths.below(entry['model'], 'model'),
    label_name=label_name,
    box=tuple(map(_number, box)),
    rotation=rotation,
    translation=translation,
    occluded=bool(entry.get('occluded', False)),
    slightly_occluded=bool(entry.get('slightly_occluded', False)),
    truncated=bool(entry.get('truncated', False)),
  )


def _number(value: Any) -> float:
  if isinstance(value, bool) or not isinstance(value, (int, float)):
    raise ValueError(f'{value!r} where a number belongs.')
  if not math.isfinite(value):
    raise ValueError(f'{value!r} where a finite number belongs.')
  return value
