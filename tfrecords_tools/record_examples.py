"""Builds tf.train.Examples of data/schema.py, and refuses bad input.

Every converter passes through here, so the checks stand here: a rotation that
is none, a box outside its image, a mask of another size, an unknown class.
"""

import dataclasses
import io
from typing import Any
from typing import Dict
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np
import tensorflow as tf

from mask2cad_tf import conventions
from mask2cad_tf.data import schema
from mask2cad_tf.foreign import pictures
from mask2cad_tf.geometry import rotations
from mask2cad_tf.geometry import views as views_lib

_BOX_TOLERANCE = 1.0  # pixels; annotators' boxes round outwards


@dataclasses.dataclass(frozen=True)
class ObjectRecord:
  """One annotated object.

  Attributes:
    label: class id, 1 .. C - 1.
    label_name: the class's name.
    box: (ymin, xmin, ymax, xmax), pixels, maxima exclusive.
    mask: bool [h, w], the object's pixels.
    cad_id: '<class>/<shape>'; '' where nobody knows a CAD: its mesh is '' too,
      its pose any valid one.
    mesh: path of the mesh inside the CAD library.
    rotation: [3, 3], CAD to camera.
    translation: [3], CAD origin in the camera frame.
    jittered_view: PNG bytes, 128 x 128, grey.
    depth: the z given at test time; the translation's by default.
    occluded, slightly_occluded, truncated: Pix3D's flags.
    is_crowd: COCO's flag.
    amodal_mask: bool [h, w], the pixels it would have with nothing before it;
      None where nobody knows.
    occluded_share: of the amodal mask's pixels, those that something hides.
    scale: (x, y, z) factors on the CAD's vertices, X = R (scale v) + t; None
      for a dataset whose CADs have one size.
    symmetry: annotated order about the CAD's +y, 0 = any angle; None where
      nobody annotated it.
  """

  label: int
  label_name: str
  box: Tuple[float, float, float, float]
  mask: np.ndarray
  cad_id: str
  mesh: str
  rotation: np.ndarray
  translation: np.ndarray
  jittered_view: bytes
  depth: Optional[float] = None
  occluded: bool = False
  slightly_occluded: bool = False
  truncated: bool = False
  is_crowd: bool = False
  amodal_mask: Optional[np.ndarray] = None
  occluded_share: Optional[float] = None
  scale: Optional[Tuple[float, float, float]] = None
  symmetry: Optional[int] = None

  @property
  def name(self) -> str:
    """What error messages call it."""
    return self.cad_id or self.label_name


def image_example(
  encoded: bytes,
  filename: str,
  source_id: int,
  intrinsics: Sequence[float],
  objects: Sequence[ObjectRecord],
  scene_id: str = '',
  camera_to_world: Optional[np.ndarray] = None,
) -> tf.train.Example:
  """An image record.

  Args:
    encoded: the image file's bytes; JPEG and PNG are kept, others become PNG.
    filename: path inside the dataset; names the photo in error messages.
    source_id: unique in the set, not negative.
    intrinsics: fx, fy, cx, cy, pixels.
    objects: its annotated objects; there may be none.
    scene_id: of the scan that the photo is a frame of.
    camera_to_world: [4, 4], from the camera (Pix3D's axes) to the scan's own
      axes, metres.

  Returns:
    The example, complete as data/schema.py lists it.

  Raises:
    ValueError: on an undecodable image or a bad object; says which and why.
  """
  encoded, image_format, width, height = _checked_image(encoded, filename)
  if len(intrinsics) != 4 or min(intrinsics[:2]) <= 0:
    raise ValueError(
      f'{filename}: intrinsics are {list(intrinsics)}; expected fx, fy, cx, '
      'cy in pixels with positive focal lengths.'
    )
  for item in objects:
    _check_label_and_place(item, filename)
  boxes = np.array(
    [_checked_box(item, filename, height, width) for item in objects]
  ).reshape(-1, 4) / [height, width, height, width]
  quaternions = [_checked_rotation(item, filename) for item in objects]
  masks = [_checked_mask(item, filename, height, width) for item in objects]
  translations = np.array([item.translation for item in objects], np.float64)
  optional = _optional(objects, filename, height, width)
  if scene_id:
    optional[schema.SCENE_ID] = scene_id
  if camera_to_world is not None:
    optional[schema.CAMERA_TO_WORLD] = np.asarray(
      camera_to_world, np.float64
    ).reshape(16)
  return _example(
    {
      schema.IMAGE_ENCODED: encoded,
      schema.IMAGE_FORMAT: image_format,
      schema.IMAGE_FILENAME: filename,
      schema.IMAGE_SOURCE_ID: str(source_id),
      schema.IMAGE_HEIGHT: height,
      schema.IMAGE_WIDTH: width,
      schema.INTRINSICS: np.asarray(intrinsics, np.float64),
      schema.BOX_YMIN: boxes[:, 0],
      schema.BOX_XMIN: boxes[:, 1],
      schema.BOX_YMAX: boxes[:, 2],
      schema.BOX_XMAX: boxes[:, 3],
      schema.CLASS_LABEL: [item.label for item in objects],
      schema.CLASS_TEXT: [item.label_name for item in objects],
      schema.IS_CROWD: [int(item.is_crowd) for item in objects],
      schema.AREA: [float(mask.sum()) for mask in masks],
      schema.MASK: [
        views_lib.encode_png(mask.astype(np.uint8) * 255) for mask in masks
      ],
      schema.CAD_ID: [item.cad_id for item in objects],
      schema.CAD_MESH: [item.mesh for item in objects],
      schema.ROTATION: np.array(quaternions, np.float64).reshape(-1),
      schema.TRANSLATION: translations.reshape(-1),
      schema.DEPTH: [
        float(item.translation[2] if item.depth is None else item.depth)
        for item in objects
      ],
      schema.OCCLUDED: [int(item.occluded) for item in objects],
      schema.SLIGHTLY_OCCLUDED: [
        int(item.slightly_occluded) for item in objects
      ],
      schema.TRUNCATED: [int(item.truncated) for item in objects],
      schema.JITTERED_VIEW: [item.jittered_view for item in objects],
      **optional,
    }
  )


def view_example(
  cad_id: str,
  group: str,
  label: int,
  views: Sequence[bytes],
  quaternions: np.ndarray,
  symmetry: int,
  mirror_normal: Sequence[float],
) -> tf.train.Example:
  """A view record: one CAD and its canonical renderings.

  Args:
    cad_id: '<class>/<shape>'.
    group: cad_id of the first of its near-duplicates; its own without any.
    label: class id.
    views: NUM_VIEWS PNGs, 128 x 128, grey.
    quaternions: [NUM_VIEWS, 4], (w, x, y, z), what each view shows.
    symmetry: order about +y; 0 = any angle.
    mirror_normal: [3], unit normal of its mirror plane; zeros when chiral.

  Returns:
    The example.

  Raises:
    ValueError: if the numbers of views and rotations are not NUM_VIEWS.
  """
  if not len(views) == len(quaternions) == conventions.NUM_VIEWS:
    raise ValueError(
      f'{cad_id}: {len(views)} views and {len(quaternions)} rotations; '
      f'expected {conventions.NUM_VIEWS} of each.'
    )
  return _example(
    {
      schema.VIEW_CAD_ID: cad_id,
      schema.VIEW_CAD_GROUP: group,
      schema.VIEW_CLASS_LABEL: label,
      schema.VIEW_ENCODED: list(views),
      schema.VIEW_ROTATION: np.asarray(quaternions, np.float64).reshape(-1),
      schema.SYMMETRY: symmetry,
      schema.MIRROR_NORMAL: np.asarray(mirror_normal, np.float64),
    }
  )


def _checked_image(
  encoded: bytes, filename: str
) -> Tuple[bytes, str, int, int]:
  try:
    with pictures.opened(io.BytesIO(encoded)) as image:
      image.load()
      if image.format not in ('JPEG', 'PNG'):
        return (
          views_lib.encode_png(np.asarray(image.convert('RGB'))),
          'png',
          image.width,
          image.height,
        )
      return encoded, image.format.lower(), image.width, image.height
  except (OSError, ValueError) as error:
    raise ValueError(
      f'{filename}: the image does not decode ({error}). Fetch it again, or '
      'leave it out with --skip_broken.'
    ) from error


def _check_label_and_place(item: ObjectRecord, filename: str) -> None:
  if item.label < 1:
    raise ValueError(
      f'{filename}: label {item.label} of {item.name}; classes count from '
      '1, 0 is the background.'
    )
  if not item.translation[2] > 0:
    raise ValueError(
      f'{filename}: {item.name} lies behind the camera, its translation '
      f'is {list(item.translation)}; z must be positive. Correct the '
      'annotation, or leave it out with --skip_broken.'
    )


def _checked_box(
  item: ObjectRecord, filename: str, height: int, width: int
) -> np.ndarray:
  ymin, xmin, ymax, xmax = item.box
  inside = (
    -_BOX_TOLERANCE <= ymin < ymax <= height + _BOX_TOLERANCE
    and -_BOX_TOLERANCE <= xmin < xmax <= width + _BOX_TOLERANCE
  )
  if not inside:
    raise ValueError(
      f'{filename}: the box (xmin {xmin}, ymin {ymin}, xmax {xmax}, ymax '
      f'{ymax}) is empty or outside the image of {width} x {height} pixels. '
      'Correct the annotation, or leave it out with --skip_broken.'
    )
  return np.clip(item.box, 0, [height, width, height, width])


def _checked_rotation(item: ObjectRecord, filename: str) -> np.ndarray:
  rotation = np.asarray(item.rotation, np.float64)
  rotations.check_rotation(rotation, f'{filename}, {item.name}')
  return rotations.quaternion_from_matrix(rotation)


def _checked_mask(
  item: ObjectRecord, filename: str, height: int, width: int
) -> np.ndarray:
  mask = np.asarray(item.mask, bool)
  if mask.shape != (height, width) or not mask.any():
    raise ValueError(
      f'{filename}: the mask of {item.name} has shape {mask.shape} and '
      f'{int(mask.sum())} pixels set; expected {(height, width)} and some. '
      'Correct the mask, or leave the photo out with --skip_broken.'
    )
  return mask


def _optional(
  objects: Sequence[ObjectRecord], filename: str, height: int, width: int
) -> Dict[str, Any]:
  """The keys that every object of the photo has a value for."""
  values: Dict[str, Any] = {}
  if not objects:
    return values
  if all(item.amodal_mask is not None for item in objects):
    values[schema.AMODAL_MASK] = [
      views_lib.encode_png(
        _checked_mask(
          dataclasses.replace(item, mask=item.amodal_mask),
          filename,
          height,
          width,
        ).astype(np.uint8)
        * 255
      )
      for item in objects
    ]
  if all(item.occluded_share is not None for item in objects):
    values[schema.OCCLUDED_SHARE] = np.array(
      [item.occluded_share for item in objects], np.float64
    )
  if all(item.scale is not None for item in objects):
    values[schema.CAD_SCALE] = np.array(
      [item.scale for item in objects], np.float64
    ).reshape(-1)
  if all(item.symmetry is not None for item in objects):
    values[schema.OBJECT_SYMMETRY] = [int(item.symmetry) for item in objects]
  return values


def _example(values: Dict[str, Any]) -> tf.train.Example:
  return tf.train.Example(
    features=tf.train.Features(
      feature={key: _feature(value) for key, value in values.items()}
    )
  )


def _feature(value: Any) -> tf.train.Feature:
  if isinstance(value, np.ndarray):
    return tf.train.Feature(float_list=tf.train.FloatList(value=value))
  items = value if isinstance(value, list) else [value]
  if not items:  # without a kind it parses as an empty list of any kind
    return tf.train.Feature()
  if isinstance(items[0], (str, bytes)):
    items = [x.encode() if isinstance(x, str) else x for x in items]
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=items))
  if isinstance(items[0], float):
    return tf.train.Feature(float_list=tf.train.FloatList(value=items))
  return tf.train.Feature(int64_list=tf.train.Int64List(value=items))
