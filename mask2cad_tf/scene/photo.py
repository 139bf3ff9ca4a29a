"""A photo and its camera: decoded, turned upright, with intrinsics."""

import dataclasses
import math
import os
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np
from PIL import ExifTags
from PIL import Image
from PIL import ImageOps

from mask2cad_tf import conventions
from mask2cad_tf.foreign import pictures

_CROPPED = 0.02  # of the sides' ratio; below it is rounding
_MAX_SHARE = 1e3  # diagonals; no lens is longer
_MILLIMETRES = {2: 25.4, 3: 10.0, 4: 1.0}  # EXIF's units of resolution


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

  The focal length is the flag's, else EXIF's (the 35 mm equivalent, or length
  and resolution of the sensor; a crop is noticed), else a phone's
  (`conventions.DEFAULT_FOCAL_35MM`); the principal point is the centre.

  Args:
    path: JPEG, PNG or another of the formats of `pictures`.
    intrinsics: (fx, fy, cx, cy), pixels of the upright photo.
    focal_length_px: pixels; not both.

  Raises:
    FileNotFoundError: there is no such file.
    ValueError: not a photo, or cut short.
  """
  if not os.path.isfile(path):
    raise FileNotFoundError(f'No photo at {path!r}. Check --image.')
  if path.lower().endswith(('.heic', '.heif')):
    _register_heif(path)
  try:
    with pictures.opened(path) as file:
      focal_share = _exif_focal_share(file)
      image = ImageOps.exif_transpose(file).convert('RGB')
  except (OSError, ValueError) as error:
    raise ValueError(
      f'{path!r} does not decode as a photo ({error}). Give a JPEG or PNG file.'
    ) from error
  width, height = image.size
  camera = _camera(width, height, intrinsics, focal_length_px, focal_share)
  return Photo(path, np.asarray(image), camera)


def _register_heif(path: str) -> None:
  try:
    import pillow_heif
  except ImportError as error:
    raise ValueError(
      f"{path!r} is HEIC: pip install 'mask2cad-tf[heif]', or save it as JPEG."
    ) from error
  pillow_heif.register_heif_opener()


def _camera(
  width: int,
  height: int,
  intrinsics: Optional[Tuple[float, ...]],
  focal_length_px: Optional[float],
  focal_share: Optional[float],
) -> Camera:
  if intrinsics is not None:
    return Camera(np.array(intrinsics, np.float64), width, height, 'flag')
  source = 'flag' if focal_length_px else 'exif' if focal_share else 'default'
  default = conventions.DEFAULT_FOCAL_35MM / conventions.DIAGONAL_35MM
  focal = focal_length_px or math.hypot(width, height) * (
    focal_share or default
  )
  return Camera(
    np.array([focal, focal, 0.5 * width, 0.5 * height]), width, height, source
  )


def _exif_focal_share(file: Image.Image) -> Optional[float]:
  """EXIF's focal length in diagonals of the photo as stored; None: unknown.

  From the 35 mm equivalent, else from the length and the sensor's resolution.
  A photo of another shape than EXIF's pixel dimensions was cropped: they are
  those of the whole picture then.
  """
  tags = file.getexif().get_ifd(ExifTags.IFD.Exif)

  def number(tag: ExifTags.Base) -> float:
    try:
      value = float(tags.get(tag) or 0.0)
    except (TypeError, ValueError, ZeroDivisionError):
      return 0.0
    return value if math.isfinite(value) and value > 0.0 else 0.0

  diagonal = math.hypot(*file.size)
  whole = (
    number(ExifTags.Base.ExifImageWidth),
    number(ExifTags.Base.ExifImageHeight),
  )
  scale = 1.0
  if all(whole) and abs(math.log(_shape(whole) / _shape(file.size))) > _CROPPED:
    scale = math.hypot(*whole) / diagonal
  share = number(ExifTags.Base.FocalLengthIn35mmFilm) / (
    conventions.DIAGONAL_35MM
  )
  if not share and all(whole):
    unit = _MILLIMETRES.get(tags.get(ExifTags.Base.FocalPlaneResolutionUnit, 2))
    per_unit = number(ExifTags.Base.FocalPlaneXResolution)
    if unit:
      pixels = number(ExifTags.Base.FocalLength) / unit * per_unit
      share = pixels / math.hypot(*whole)
  share *= scale
  return share if 0.0 < share < _MAX_SHARE else None


def _shape(size: Sequence[float]) -> float:
  """Longer side over shorter: turned or not."""
  return max(size) / min(size)
