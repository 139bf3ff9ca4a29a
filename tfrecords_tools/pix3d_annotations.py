"""Reads pix3d.json and the COCO-like splits of Mesh R-CNN, to one form."""

import dataclasses
import json
import os
from typing import Any
from typing import Dict
from typing import List
from typing import Tuple

import numpy as np

_SENSOR_MM = 32.0  # Pix3D gives the focal length for a sensor this wide
# Masks that do not belong to their photos; Mesh R-CNN leaves them out too.
_DEFECTIVE = ('img/table/1749.jpg', 'img/table/0045.png')


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


def read(path: str) -> List[Photo]:
  """Reads pix3d.json or a Mesh R-CNN split; both give the same photos.

  Args:
    path: the JSON file.

  Returns:
    Photos sorted by file name; source ids number them from 1.

  Raises:
    FileNotFoundError: if there is no such file.
    ValueError: if it is neither of the two formats, or a key is missing.
  """
  if not os.path.exists(path):
    raise FileNotFoundError(
      f'There is no annotation file {path!r}. Give pix3d.json or a Mesh '
      'R-CNN split (pix3d_s1_train.json, ...).'
    )
  with open(path, encoding='utf-8') as file:
    try:
      content = json.load(file)
    except json.JSONDecodeError as error:
      raise ValueError(f'{path!r} is not JSON: {error}.') from error
  try:
    if isinstance(content, list):
      photos = [_photo_of_pix3d(entry) for entry in content]
    else:
      photos = _photos_of_split(content)
  except KeyError as error:
    raise ValueError(
      f'{path!r}: an entry has no {error.args[0]!r}. Expected the list of '
      'pix3d.json or the COCO-like splits of Mesh R-CNN.'
    ) from error
  photos = [photo for photo in photos if photo.image not in _DEFECTIVE]
  photos.sort(key=lambda photo: photo.image)
  return [
    dataclasses.replace(photo, source_id=1 + index)
    for index, photo in enumerate(photos)
  ]


def _photo_of_pix3d(entry: Dict[str, Any]) -> Photo:
  width, height = entry['img_size']
  focal = entry['focal_length'] / _SENSOR_MM * width
  xmin, ymin, xmax, ymax = entry['bbox']
  item = _annotation(
    entry, entry['mask'], entry['category'], (ymin, xmin, ymax, xmax)
  )
  return Photo(
    entry['img'], 0, (focal, focal, width / 2.0, height / 2.0), (item,)
  )


def _photos_of_split(content: Dict[str, Any]) -> List[Photo]:
  names = {entry['id']: entry['name'] for entry in content['categories']}
  images = {entry['id']: entry['file_name'] for entry in content['images']}
  objects: Dict[int, List[Annotation]] = {key: [] for key in images}
  intrinsics = {}
  for entry in content['annotations']:
    left, top, width, height = entry['bbox']
    objects[entry['image_id']].append(
      _annotation(
        entry,
        entry['segmentation'],
        names[entry['category_id']],
        (top, left, top + height, left + width),
      )
    )
    focal, center_x, center_y = entry['K']
    intrinsics[entry['image_id']] = (focal, focal, center_x, center_y)
  return [
    Photo(images[key], 0, intrinsics[key], tuple(objects[key]))
    for key in images
    if objects[key]
  ]


def _annotation(
  entry: Dict[str, Any],
  mask: str,
  label_name: str,
  box: Tuple[float, float, float, float],
) -> Annotation:
  return Annotation(
    mask=mask,
    model=entry['model'],
    label_name=label_name,
    box=box,
    rotation=np.array(entry['rot_mat'], np.float64),
    translation=np.array(entry['trans_mat'], np.float64),
    occluded=bool(entry.get('occluded', False)),
    slightly_occluded=bool(entry.get('slightly_occluded', False)),
    truncated=bool(entry.get('truncated', False)),
  )
