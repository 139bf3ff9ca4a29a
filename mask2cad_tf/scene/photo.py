"""A photo and its camera: decoded, turned upright, with intrinsics."""

import dataclasses
import math
import os
from typing import Optional
from typing import Tuple

import numpy as np
from PIL import ExifTags
from PIL import Image
from PIL import ImageOps

from mask2cad_tf import conventions


@dataclasses.dataclass(frozen=True, eq=False)
class Camera:
  """A pinhole camera.

  Attributes:
    intrinsics: float [4], (fx, fy, cx, cy), pixels.
    width: pixels.
    height: pixels.
    source: of the focal length: 'flag', 'exif' or 'default'.
  """

  intrinsics: np.ndarray
  width: int
  height: int
  source: str


@dataclasses.dataclass(frozen=True, eq=False)
class Photo:
  """A photo: its path as given, uint8 [H, W, 3], its camera."""

  path: str
  image: np.ndarray
  camera: Camera


def load(
  path: str,
  intrinsics: Optional[Tuple[float, ...]] = None,
  focal_length_px: Optional[float] = None,
) -> Photo:
  """Reads a photo, turned as its EXIF orientation says.

  The focal length is the flag's, else EXIF's 35 mm equivalent, else a phone's
  (`conventions.DEFAULT_FOCAL_35MM`); the principal point is the centre.

  Args:
    path: JPEG, PNG or whatever Pillow reads.
    intrinsics: (fx, fy, cx, cy), pixels of the upright photo.
    focal_length_px: pixels; not both.

  Raises:
    FileNotFoundError: there is no such file.
    ValueError: not a photo, or cut short.
  """
  if not os.path.isfile(path):
    raise FileNotFoundError(f'No photo at {path!r}. Check --image.')
  try:
    with Image.open(path) as file:
      focal_35mm = _exif_focal_35mm(file)
      image = ImageOps.exif_transpose(file).convert('RGB')
  except (
    OSError,
    SyntaxError,
    ValueError,
    Image.DecompressionBombError,
  ) as error:
    raise ValueError(
      f'{path!r} does not decode as a photo ({error}). Give a JPEG or PNG file.'
    ) from error
  width, height = image.size
  camera = _camera(width, height, intrinsics, focal_length_px, focal_35mm)
  return Photo(path, np.asarray(image), camera)


def _camera(
  width: int,
  height: int,
  intrinsics: Optional[Tuple[float, ...]],
  focal_length_px: Optional[float],
  focal_35mm: Optional[float],
) -> Camera:
  if intrinsics is not None:
    return Camera(np.array(intrinsics, np.float64), width, height, 'flag')
  source = 'flag' if focal_length_px else 'exif' if focal_35mm else 'default'
  focal = (
    focal_length_px
    or math.hypot(width, height)
    * (focal_35mm or conventions.DEFAULT_FOCAL_35MM)
    / conventions.DIAGONAL_35MM
  )
  return Camera(
    np.array([focal, focal, 0.5 * width, 0.5 * height]), width, height, source
  )


def _exif_focal_35mm(file: Image.Image) -> Optional[float]:
  """EXIF's FocalLengthIn35mmFilm, mm; None where it is absent or 0."""
  value = (
    file.getexif()
    .get_ifd(ExifTags.IFD.Exif)
    .get(ExifTags.Base.FocalLengthIn35mmFilm)
  )
  try:
    return float(value) or None
  except (TypeError, ValueError, ZeroDivisionError):
    return None
