"""How photos show one object: from where, how large, through what lens."""

import dataclasses
import functools
import json
from typing import Dict
from typing import List
from typing import Optional
from typing import Tuple

import numpy as np

from tfrecords_tools import pix3d_annotations
from tfrecords_tools.synthesis import options as options_lib

_LEVELS = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
# Quantiles at _LEVELS over the 4,340 photos of Pix3D's S1 and S2 test splits,
# without the 67 that models are measured on. Degrees; sizes are shares of the
# picture; the focal length is in picture widths.
_FOCAL = (0.58, 0.82, 1.01, 1.20, 1.77, 3.17, 6.0)
_ROLL = (-11.6, -5.4, -1.8, -0.1, 1.2, 3.6, 10.2)
_CENTER_X = (0.22, 0.38, 0.46, 0.50, 0.53, 0.59, 0.74)
_CENTER_Y = (0.31, 0.44, 0.48, 0.52, 0.59, 0.70, 0.79)
_ASPECT = (0.56, 0.75, 0.75, 1.00, 1.33, 1.52, 1.88)
_SIZE = (0.30, 0.46, 0.62, 0.79, 0.91, 0.97, 1.15)
# |azimuth| from the CAD's front (-z), and elevation.
_AZIMUTH: Dict[str, Tuple[float, ...]] = {
  'bed': (0, 3, 22, 30, 46, 59, 90),
  'bookcase': (1, 3, 10, 27, 33, 50, 64),
  'chair': (1, 7, 25, 50, 111, 147, 174),
  'desk': (0, 3, 25, 45, 149, 171, 179),
  'misc': (12, 20, 25, 46, 85, 116, 159),
  'sofa': (0, 1, 5, 23, 38, 52, 76),
  'table': (1, 4, 19, 34, 61, 96, 150),
  'tool': (6, 10, 36, 84, 121, 150, 177),
  'wardrobe': (0, 2, 8, 27, 32, 44, 64),
}
_ELEVATION: Dict[str, Tuple[float, ...]] = {
  'bed': (1, 5, 8, 11, 19, 24, 34),
  'bookcase': (-4, 1, 4, 8, 12, 19, 34),
  'chair': (4, 10, 20, 30, 39, 49, 60),
  'desk': (1, 8, 11, 20, 28, 35, 45),
  'misc': (19, 23, 31, 38, 46, 52, 61),
  'sofa': (3, 7, 10, 16, 26, 33, 40),
  'table': (7, 10, 12, 20, 29, 36, 46),
  'tool': (2, 10, 23, 35, 49, 60, 68),
  'wardrobe': (-2, 2, 5, 8, 14, 17, 21),
}
_ANY_AZIMUTH = (1, 5, 22, 45, 90, 140, 175)
_ANY_ELEVATION = (1, 7, 11, 21, 32, 42, 55)
_ANY_TURN = 0.12  # share of views from any side
_JITTER = 4.0  # degrees, of annotated views


@dataclasses.dataclass(frozen=True)
class View:
  """Where a picture is taken from, relative to its main object.

  Attributes:
    azimuth: radians from the CAD's front (-z) towards its +x.
    elevation: radians above the horizon.
    roll: radians about the optical axis.
    focal: focal length in picture widths.
    size: longer side of the object's box, as a share of the picture's.
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
    """Reads nothing yet.

    Args:
      poses: pix3d.json or a split; '' for the built-in distribution.
      poses_exclude: JSON list of photos whose poses are not drawn.
    """
    self._poses = poses
    self._exclude = poses_exclude

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
    azimuth = _draw(_AZIMUTH.get(label_name, _ANY_AZIMUTH), rng)
    azimuth *= rng.choice((-1.0, 1.0))
    if rng.random() < _ANY_TURN:
      azimuth = rng.uniform(-180.0, 180.0)
    elevation = _draw(_ELEVATION.get(label_name, _ANY_ELEVATION), rng)
    return View(
      np.radians(azimuth),
      np.radians(elevation),
      np.radians(_draw(_ROLL, rng)),
      _draw(_FOCAL, rng),
      _draw(_SIZE, rng),
      (_draw(_CENTER_X, rng), _draw(_CENTER_Y, rng)),
    )

  @functools.cached_property
  def _annotated(self) -> Dict[str, List[View]]:
    """Views of the annotation file by class."""
    if not self._poses:
      return {}
    excluded = _read_names(self._exclude)
    views: Dict[str, List[View]] = {}
    for photo in pix3d_annotations.read(self._poses):
      if photo.image in excluded:
        continue
      for item in photo.objects:
        view = _view_of(item, photo.intrinsics)
        if view is not None:
          views.setdefault(item.label_name, []).append(view)
    return views


def draw_focal(rng: np.random.Generator) -> float:
  """Focal length in picture widths."""
  return _draw(_FOCAL, rng)


def picture_size(
  options: options_lib.Options, rng: np.random.Generator
) -> Tuple[int, int]:
  """(height, width) in pixels, the longer side as asked for."""
  aspect = options.aspect_ratio or float(np.clip(_draw(_ASPECT, rng), 0.6, 1.8))
  longer = options.image_size
  if aspect >= 1.0:
    return max(round(longer / aspect), 1), longer
  return longer, max(round(longer * aspect), 1)


def _draw(quantiles, rng: np.random.Generator) -> float:
  return float(
    np.interp(rng.uniform(_LEVELS[0], _LEVELS[-1]), _LEVELS, quantiles)
  )


def _view_of(item, intrinsics) -> Optional[View]:
  """What an annotation says; None where its camera is out of the ordinary."""
  width, height = 2.0 * intrinsics[2], 2.0 * intrinsics[3]
  camera = -item.rotation.T @ item.translation
  distance = np.linalg.norm(camera)
  up = item.rotation @ [0.0, 1.0, 0.0]
  ymin, xmin, ymax, xmax = item.box
  focal = intrinsics[0] / width
  if not 0.4 < focal < 12.0 or distance < 1e-6:
    return None
  return View(
    float(np.arctan2(camera[0], -camera[2])),
    float(np.arcsin(camera[1] / distance)),
    float(np.arctan2(-up[0], up[1])),
    float(focal),
    float(max((xmax - xmin) / width, (ymax - ymin) / height)),
    (0.5 * (xmin + xmax) / width, 0.5 * (ymin + ymax) / height),
  )


def _read_names(path: str) -> frozenset:
  if not path:
    return frozenset()
  with open(path, encoding='utf-8') as file:
    names = json.load(file)
  if not isinstance(names, list):
    raise ValueError(
      f'{path!r} is no JSON list of file names, as --poses_exclude takes it.'
    )
  return frozenset(names)
