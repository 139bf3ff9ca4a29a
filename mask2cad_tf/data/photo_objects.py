"""The annotated objects of a photo, and what moves along with its pixels.

Objects are a dict of tensors [n, ...]: 'boxes' yxyx in pixels, 'classes',
'rotations' (w, x, y, z) and 'translations' in the camera frame, 'rows' in the
view store (-1 unknown), 'mirror_normals' (zeros: chiral or unknown), and PNG
strings 'masks' and 'views'.
"""

from typing import Any
from typing import Dict
from typing import Tuple

import tensorflow as tf
from official.vision.ops import box_ops
from official.vision.ops import preprocess_ops

from mask2cad_tf.data import view_store
from mask2cad_tf.ops import cameras
from mask2cad_tf.ops import mirror

Tensors = Dict[str, Any]


def from_decoded(
  data: Tensors, store: view_store.ViewStore, skip_crowd: bool
) -> Tensors:
  """Objects of a decoded record, boxes in pixels of the photo.

  Args:
    data: of data/decoder.py.
    store: all CADs.
    skip_crowd: leave out crowds.

  Returns:
    The objects.
  """
  rows = store.lookup(data['groundtruth_cad_ids'])
  objects = {
    'boxes': box_ops.denormalize_boxes(
      data['groundtruth_boxes'], tf.shape(data['image'])[:2]
    ),
    'classes': tf.cast(data['groundtruth_classes'], tf.int32),
    'rotations': data['groundtruth_rotations'],
    'translations': data['groundtruth_translations'],
    'rows': rows,
    'mirror_normals': store.mirror_normal_of(rows),
    'masks': data['groundtruth_instance_masks_png'],
    'views': data['groundtruth_views_png'],
  }
  if store.feature_shape:
    objects['views'] = data['groundtruth_view_features']
  if skip_crowd:
    objects = keep(objects, ~data['groundtruth_is_crowd'])
  return objects


def keep(objects: Tensors, mask: tf.Tensor) -> Tensors:
  """Only the objects where bool [n] is true."""
  return {key: tf.boolean_mask(value, mask) for key, value in objects.items()}


def flip_all(
  flip: tf.Tensor, image: tf.Tensor, intrinsics: tf.Tensor, objects: Tensors
) -> Tuple[tf.Tensor, tf.Tensor, Tensors]:
  """Photo, camera, boxes and poses, mirrored where `flip` says so.

  Args:
    flip: bool scalar.
    image: number [h, w, 3].
    intrinsics: float [4], pixels of the photo.
    objects: boxes in pixels of the photo.

  Returns:
    The three, mirrored. Masks and views stay PNG; who decodes them flips them.
  """
  width = tf.cast(tf.shape(image)[1], tf.float32)
  ymin, xmin, ymax, xmax = tf.unstack(objects['boxes'], axis=-1)
  flipped = {
    'boxes': tf.stack([ymin, width - xmax, ymax, width - xmin], axis=-1),
    'rotations': mirror.flip_rotation(
      objects['rotations'], objects['mirror_normals']
    ),
    'translations': mirror.flip_translation(objects['translations']),
  }
  moved = {key: tf.where(flip, flipped[key], objects[key]) for key in flipped}
  image = tf.cond(flip, lambda: tf.reverse(image, axis=[1]), lambda: image)
  intrinsics = tf.where(
    flip, mirror.flip_intrinsics(intrinsics, width), intrinsics
  )
  return image, intrinsics, {**objects, **moved}


def to_network(
  objects: Tensors, intrinsics: tf.Tensor, image_info: tf.Tensor
) -> Tuple[Tensors, tf.Tensor]:
  """Boxes and intrinsics in network pixels; objects cropped away are dropped.

  Args:
    objects: boxes in pixels of the photo.
    intrinsics: float [4], pixels of the photo.
    image_info: float [4, 2], of `image_scaling.resize_and_crop`.

  Returns:
    The remaining objects, boxes clipped to the network's image, and the
    intrinsics.
  """
  size, scale, offset = image_info[1], image_info[2], image_info[3]
  boxes = preprocess_ops.resize_and_crop_boxes(
    objects['boxes'], scale, size, offset
  )
  visible = tf.reduce_all(boxes[:, 2:] > boxes[:, :2], axis=-1)
  objects = keep({**objects, 'boxes': boxes}, visible)
  return objects, cameras.resize_intrinsics(intrinsics, scale, offset)
