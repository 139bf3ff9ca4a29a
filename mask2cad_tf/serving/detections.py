"""Detections between the network's input and the photo."""

from typing import Dict
from typing import Mapping
from typing import Tuple

import tensorflow as tf
from official.vision.ops import box_ops

from mask2cad_tf.data import image_scaling
from mask2cad_tf.ops import roi_masks
from mask2cad_tf.retrieval import descriptors

# A user's box takes the class of a detection that overlaps it at least so.
_MIN_CLASS_OVERLAP = 0.3


def in_photo_pixels(
  network: Mapping[str, tf.Tensor], image_info: tf.Tensor
) -> Dict[str, tf.Tensor]:
  """The network's outputs with boxes and centres in the photo's pixels.

  Args:
    network: `Mask2CADModel`'s inference outputs, input pixels.
    image_info: float [B, 4, 2] of Garden.

  Returns:
    The same but for boxes clipped to the photo; outer boxes are not clipped.
  """
  scale = tf.tile(image_info[:, 2:3], [1, 1, 2])  # [B, 1, 4]
  offset = tf.tile(image_info[:, 3:4], [1, 1, 2])
  boxes = (network['detection_boxes'] + offset) / scale
  centers = network['detection_centers'] + tf.reverse(offset[..., :2], [-1])
  floats = {
    key: tf.cast(network[f'detection_{key}'], tf.float32)
    for key in ('scores', 'masks', 'embeddings', 'rotations')
  }
  integers = {
    key: tf.cast(network[f'detection_{key}'], tf.int32)
    for key in ('classes', 'pose_bins')
  }
  return {
    'num_detections': tf.cast(network['num_detections'], tf.int32),
    'detection_boxes': box_ops.clip_boxes(boxes, image_info[:, 0:1]),
    'detection_outer_boxes': (network['detection_outer_boxes'] + offset)
    / scale,
    'detection_centers': centers / tf.reverse(scale[..., :2], [-1]),
    **{
      f'detection_{key}': value for key, value in {**floats, **integers}.items()
    },
  }


def describe(
  outputs: Mapping[str, tf.Tensor], silhouette_weight: float
) -> tf.Tensor:
  """What a gallery is searched for: the objects' descriptors.

  Args:
    outputs: of `in_photo_pixels`: embeddings, masks and outer boxes.
    silhouette_weight: of `model.retrieval`.

  Returns:
    float [B, N, D], see `retrieval.descriptors`.
  """
  silhouettes = roi_masks.silhouettes(
    outputs['detection_masks'],
    outputs['detection_outer_boxes'],
    descriptors.SIDE,
    descriptors.FRAME,
  )
  return descriptors.join(
    outputs['detection_embeddings'], silhouettes, silhouette_weight
  )


def paste_masks(
  outputs: Mapping[str, tf.Tensor],
  image_info: tf.Tensor,
  input_size: Tuple[int, int],
) -> Dict[str, tf.Tensor]:
  """Masks in the frame of the photo, as the network sees it.

  Photos of a batch have different sizes, and large ones: their own pixels
  would neither batch nor fit a reply.

  Args:
    outputs: of `in_photo_pixels`.
    image_info: float [B, 4, 2] of Garden.
    input_size: (height, width) that photos are resized into.

  Returns:
    detection_masks uint8 [B, N, height, width], 1 = the object, 0 past the
      photo's bottom and right edge;
    mask_scales float [B, 2], (y, x): pixels of the masks per pixel of the
      photo. A photo of h x w pixels fills the first h y rows, w x columns.
  """
  outer = image_scaling.boxes_in_input(
    outputs['detection_outer_boxes'], image_info
  )
  masks = roi_masks.paste(outputs['detection_masks'], outer, input_size)
  scales = image_info[:, 2]
  filled = tf.cast(tf.round(image_info[:, 0] * scales), tf.int32)  # [B, 2]
  rows = tf.sequence_mask(filled[:, 0], input_size[0])
  columns = tf.sequence_mask(filled[:, 1], input_size[1])
  photo = (
    rows[:, tf.newaxis, :, tf.newaxis] & columns[:, tf.newaxis, tf.newaxis]
  )
  used = (outputs['detection_classes'] > 0)[..., tf.newaxis, tf.newaxis]
  return {
    'detection_masks': tf.cast((masks > 0.5) & photo & used, tf.uint8),
    'mask_scales': scales,
  }


def classes_of_boxes(
  boxes: tf.Tensor, detections: Mapping[str, tf.Tensor]
) -> tf.Tensor:
  """The class of each box: that of the best detection there.

  Args:
    boxes: float [B, N, 4], yxyx, input pixels.
    detections: the network's, input pixels.

  Returns:
    int32 [B, N], of the largest overlap x score; 0 where nothing overlaps.
  """
  overlaps = box_ops.bbox_overlap(
    tf.cast(detections['detection_boxes'], tf.float32), boxes
  )  # [B, D, N]
  votes = tf.where(
    overlaps >= _MIN_CLASS_OVERLAP,
    overlaps * detections['detection_scores'][..., tf.newaxis],
    0.0,
  )
  best = tf.argmax(votes, axis=1, output_type=tf.int32)  # [B, N]
  classes = tf.gather(
    tf.cast(detections['detection_classes'], tf.int32), best, batch_dims=1
  )
  return tf.where(tf.reduce_max(votes, axis=1) > 0.0, classes, 0)
