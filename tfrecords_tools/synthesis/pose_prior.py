"""How photos show one object: from where, how large, through what lens."""

import dataclasses
import json
import os
from typing import Dict
from typing import List
from typing import Optional
from typing import Tuple

import numpy as np

from tfrecords_tools import pix3d_annotations
from tfrecords_tools.synthesis import options as options_lib
from tfrecords_tools.synthesis import pix3d_views

_ANY_TURN = 0.12  # share of views from any side
_JITTER = 4.0  # degrees, of annotated views
_FOCAL_RANGE = (0.4, 12.0)  # longer sides; others are failed calibrations
_ASPECTS = (0.6, 1.8)


@dataclasses.dataclass(frozen=True)
class View:
  """Where a picture is taken from, relative to its main object.

  All angles are allocentric: those of a camera that looks at the object's
  centre, wherever in the picture that is.

  Attributes:
    azimuth: radians from the CAD's front (-z) towards its +x.
    elevation: radians above the horizon.
    roll: radians about the ray through the object; positive takes the
      object's top to +x of the camera (left).
    focal: focal length in longer sides of the picture.
    size: longer side of the object's projection, as a share of the picture.
    center: (x, y) of the object's box, shares of the picture.
  """

  azimuth: float
  elevation: float
  roll: float
  focal: float
  size: float
  center: Tuple[float, float]


class PosePrior:
  """Draws views: like Pix3D's, or those of an annotation file."""

  def __init__(self, poses: str = '', poses_exclude: str = ''):
    """Reads the annotations.

    Args:
      poses: pix3d.json or a split; '' for the built-in distribution.
      poses_exclude: JSON list of photos whose poses are not drawn; endings
        (.png, .jpg) do not matter.

    Raises:
      FileNotFoundError: a file is not there.
      ValueError: a file is of another format, or every photo is excluded.
    """
    self._annotated: Dict[str, List[View]] = {}
    if poses:
      self._annotated = _read_views(poses, _read_names(poses_exclude))

  def draw(self, label_name: str, rng: np.random.Generator) -> View:
    """A view of an object of the class."""
    annotated = self._annotated.get(label_name)
    if annotated:
      view = annotated[rng.integers(len(annotated))]
      jitter = np.radians(_JITTER) * rng.standard_normal(3)
      return dataclasses.replace(
        view,
        azimuth=view.azimuth + 2.0 * jitter[0],
        elevation=view.elevation + jitter[1],
        roll=view.roll + 0.5 * jitter[2],
        focal=view.focal * np.exp(0.1 * rng.standard_normal()),
        size=view.size * np.exp(0.15 * rng.standard_normal()),
      )
    usual = pix3d_views.BY_CLASS.get(label_name, pix3d_views.ANY_CLASS)
    azimuth = _draw(usual.azimuth, rng) * rng.choice((-1.0, 1.0))
    if rng.random() < _ANY_TURN:
      azimuth = rng.uniform(-180.0, 180.0)
    return View(
      float(np.radians(azimuth)),
      float(np.radians(_draw(usual.elevation, rng))),
      float(np.radians(_draw(usual.roll, rng))),
      _draw(usual.focal, rng),
      _draw(usual.size, rng),
      (
        0.5 + _draw(pix3d_views.CENTER_X, rng),
        0.5 + _draw(pix3d_views.CENTER_Y, rng),
      ),
    )


def draw_focal(rng: np.random.Generator) -> float:
  """Focal length in longer sides of the picture."""
  return _draw(pix3d_views.ANY_CLASS.focal, rng)


def picture_size(
  options: options_lib.Options, rng: np.random.Generator
) -> Tuple[int, int]:
  """(height, width) in pixels, the longer side as asked for."""
  aspect = options.aspect_ratio
  if not aspect:
    aspect = float(np.clip(_draw(pix3d_views.ASPECT, rng), *_ASPECTS))
  longer = options.image_size
  if aspect >= 1.0:
    return max(round(longer / aspect), 1), longer
  return longer, max(round(longer * aspect), 1)


def toward(ray: np.ndarray) -> np.ndarray:
  """The rotation [3, 3] that takes +z to a direction [3] the short way."""
  ray = np.asarray(ray, np.float64) / np.linalg.norm(ray)
  x, y, z = ray
  share = 1.0 / (1.0 + z)
  return np.array(
    [
      [1.0 - x * x * share, -x * y * share, x],
      [-x * y * share, 1.0 - y * y * share, y],
      [-x, -y, z],
    ]
  )


def _draw(quantiles, rng: np.random.Generator) -> float:
  levels = pix3d_views.LEVELS
  return float(np.interp(rng.uniform(levels[0], levels[-1]), levels, quantiles))


def _read_views(poses: str, excluded: frozenset) -> Dict[str, List[View]]:
  """Views of the annotation file by class."""
  views: Dict[str, List[View]] = {}
  for photo in pix3d_annotations.read(poses):
    if os.path.splitext(photo.image)[0] in excluded:
      continue
    for item in photo.objects:
      view = _view_of(item, photo.intrinsics)
      if view is not None:
        views.setdefault(item.label_name, []).append(view)
  if not views:
    raise ValueError(
      f'{poses!r} has no pose that is not excluded. Give another '
      '--poses file, or none for the built-in distribution.'
    )
  return views


def _view_of(item, intrinsics) -> Optional[View]:
  """What an annotation says; None where its camera is out of the ordinary."""
  width, height = 2.0 * intrinsics[2], 2.0 * intrinsics[3]
  focal = intrinsics[0] / max(width, height)
  distance = np.linalg.norm(item.translation)
  if not _FOCAL_RANGE[0] < focal < _FOCAL_RANGE[1] or distance < 1e-6:
    return None
  rotation = toward(item.translation).T @ item.rotation
  away = -rotation[2]
  up = rotation[:, 1]
  ymin, xmin, ymax, xmax = item.box
  return View(
    float(np.arctan2(away[0], -away[2])),
    float(np.arcsin(np.clip(away[1], -1.0, 1.0))),
    float(np.arctan2(up[0], up[1])),
    float(focal),
    float(max((xmax - xmin) / width, (ymax - ymin) / height)),
    (0.5 * (xmin + xmax) / width, 0.5 * (ymin + ymax) / height),
  )


def _read_names(path: str) -> frozenset:
  """The file names of a JSON list, without endings."""
  if not path:
    return frozenset()
  if not os.path.exists(path):
    raise FileNotFoundError(
      f'There is no file {path!r}. Give a JSON list of the photos whose poses '
      'must not be drawn.'
    )
  with open(path, encoding='utf-8') as file:
    try:
      names = json.load(file)
    except json.JSONDecodeError as error:
      raise ValueError(f'{path!r} is not JSON: {error}.') from error
  if not isinstance(names, list):
    raise ValueError(
      f'{path!r} is no JSON list of file names, as --poses_exclude takes it.'
    )
  return frozenset(os.path.splitext(name)[0] for name in names)
