"""One annotated photo as the doctor sees it: nothing is checked yet."""

import dataclasses
import io
from typing import Optional
from typing import Tuple

import numpy as np
from PIL import Image

from mask2cad_tf.foreign import pictures


class ImageError(ValueError):
  """An image file that does not decode."""


class TruncatedImageError(ImageError):
  """An image file whose end is missing."""


@dataclasses.dataclass(frozen=True, eq=False)
class SampleObject:
  """One annotated object; poses are X = R (scale v) + t in Pix3D's camera.

  Attributes:
    label: class id; None where the dataset has names only.
    label_name: the class.
    box: (ymin, xmin, ymax, xmax), pixels, maxima exclusive.
    mask: the mask file's bytes; None where the file is missing.
    mask_name: what to call the mask in messages.
    amodal_mask: bytes of the unoccluded mask; None where nobody knows it.
    occluded_share: of the amodal mask; None where nobody knows it.
    cad_id: '<class>/<shape>'.
    mesh: path of the mesh in the CAD library.
    rotation: [3, 3] as annotated, perhaps no rotation.
    translation: [3].
    scale: (x, y, z) factors on the CAD's vertices.
    occluded, truncated: the dataset's flags.
  """

  label: Optional[int]
  label_name: str
  box: np.ndarray
  mask: Optional[bytes]
  mask_name: str
  amodal_mask: Optional[bytes]
  occluded_share: Optional[float]
  cad_id: str
  mesh: str
  rotation: np.ndarray
  translation: np.ndarray
  scale: Tuple[float, float, float] = (1.0, 1.0, 1.0)
  occluded: bool = False
  truncated: bool = False


@dataclasses.dataclass(frozen=True, eq=False)
class Sample:
  """One photo.

  Attributes:
    name: the photo's path inside the dataset.
    place: file (and record) that the annotation stands in.
    encoded: the image file's bytes; None where the file is missing.
    size: (height, width) as annotated, pixels; None where not annotated.
    intrinsics: fx, fy, cx, cy, pixels.
    objects: its objects.
  """

  name: str
  place: str
  encoded: Optional[bytes]
  size: Optional[Tuple[int, int]]
  intrinsics: np.ndarray
  objects: Tuple[SampleObject, ...]


def decode_image(encoded: bytes) -> Image.Image:
  """The photo in RGB.

  Args:
    encoded: an image file's bytes.

  Returns:
    The image, loaded.

  Raises:
    TruncatedImageError: the file ends early.
    ImageError: it is no image, or broken otherwise.
  """
  return _decode(encoded, 'RGB')


def decode_mask(encoded: bytes) -> np.ndarray:
  """Bool [height, width] of a mask file's bytes.

  Raises:
    TruncatedImageError: the file ends early.
    ImageError: it is no image, or broken otherwise.
  """
  return np.asarray(_decode(encoded, 'L')) > 127


def _decode(encoded: bytes, mode: str) -> Image.Image:
  try:
    with pictures.opened(io.BytesIO(encoded)) as image:
      return image.convert(mode)
  except (OSError, ValueError) as error:
    # Pillow has no type for it: "image file is truncated (n bytes not
    # processed)" of JPEG, "broken PNG file" where a chunk is cut.
    if 'truncated' in str(error) or 'broken PNG' in str(error):
      raise TruncatedImageError(str(error)) from error
    raise ImageError(str(error)) from error
