"""Pictures of single objects: the photo, the mask's and the CAD's outline."""

import base64
import io
from typing import Optional
from typing import Tuple

import numpy as np
from PIL import Image
from scipy import ndimage

from mask2cad_tf.geometry import meshes
from tfrecords_tools.diagnosis import dataset as dataset_lib
from tfrecords_tools.diagnosis import mask_overlap
from tfrecords_tools.diagnosis import measurements
from tfrecords_tools.diagnosis import projections
from tfrecords_tools.diagnosis import sample as sample_lib

_SIDE = 360  # pixels
_MARGIN = 0.12  # of the object's longer side
_GREEN, _RED = (40, 220, 90), (255, 40, 60)


def draw(
  dataset: dataset_lib.Dataset,
  projector: projections.Projector,
  one: measurements.ObjectFacts,
) -> Optional[Image.Image]:
  """The cut-out of a photo around an object.

  Args:
    dataset: to read the photo again.
    projector: of its library.
    one: the object.

  Returns:
    The photo, with the outline of the mask in green and of the posed CAD in
    red; None where photo or mask do not decode.
  """
  sample = dataset.read(one.sample)
  item = sample.objects[one.number]
  encoded = item.mask if item.amodal_mask is None else item.amodal_mask
  try:
    photo = sample_lib.decode_image(sample.encoded or b'')
    mask = sample_lib.decode_mask(encoded or b'')
  except sample_lib.ImageError:
    return None
  view = projections.View(sample.intrinsics, photo.height, photo.width)
  mask = mask_overlap.shrink(mask, photo.height, photo.width)
  silhouette = _silhouette(projector, item, view)
  top, left, bottom, right = _window(mask | silhouette)
  scale = _SIDE / max(bottom - top, right - left)
  size = (
    max(1, round((right - left) * scale)),
    max(1, round((bottom - top) * scale)),
  )
  picture = photo.crop((left, top, right, bottom)).resize(
    size, Image.Resampling.LANCZOS
  )
  pixels = np.array(picture)
  # The mask's line is thinner and lies on top: where both agree, both show.
  window = np.s_[top:bottom, left:right]
  pixels[_outline(silhouette[window], size, 2)] = _RED
  pixels[_outline(mask[window], size, 1)] = _GREEN
  return Image.fromarray(pixels)


def data_uri(picture: Image.Image) -> str:
  """A picture as the address of an <img>."""
  buffer = io.BytesIO()
  picture.save(buffer, format='JPEG', quality=88)
  encoded = base64.b64encode(buffer.getvalue()).decode('ascii')
  return f'data:image/jpeg;base64,{encoded}'


def _silhouette(projector, item, view) -> np.ndarray:
  """Bool [h, w]; empty where the CAD cannot be drawn."""
  pose = projections.Pose(item.rotation, item.translation)
  drawable = (
    np.isfinite(item.rotation).all()
    and np.isfinite(item.translation).all()
    and item.translation[2] > 0
    and min(view.intrinsics[:2]) > 0
  )
  try:
    drawer = projector.renderer(item.mesh, item.scale) if drawable else None
  except meshes.MeshError:
    drawer = None
  if drawer is None:
    return np.zeros((view.height, view.width), bool)
  small = view.shrunk(2 * _SIDE)
  drawn = projections.silhouette(drawer, pose, small)
  return mask_overlap.shrink(drawn, view.height, view.width)


def _window(shape: np.ndarray):
  """(top, left, bottom, right) around a mask, with a margin."""
  found = mask_overlap.box(shape)
  if found is None:
    return 0, 0, *shape.shape
  margin = _MARGIN * (found[2:] - found[:2]).max() + 2
  low = np.maximum(found[:2] - margin, 0).astype(int)
  high = np.minimum(found[2:] + margin, shape.shape).astype(int)
  return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _outline(
  shape: np.ndarray, size: Tuple[int, int], reach: int
) -> np.ndarray:
  """Bool [height, width]: a line along a mask's border, `reach` inwards."""
  image = Image.fromarray(shape.astype(np.uint8) * 255)
  shown = np.asarray(image.resize(size, Image.Resampling.BILINEAR)) > 127
  inside = ndimage.binary_erosion(
    np.pad(shown, reach, mode='edge'), iterations=reach
  )
  return shown & ~inside[reach:-reach, reach:-reach]
