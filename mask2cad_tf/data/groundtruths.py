"""What evaluation compares with: all objects of a photo, padded."""

from typing import Any
from typing import Dict

import tensorflow as tf
from official.vision.dataloaders import utils
from official.vision.ops import box_ops

Tensors = Dict[str, Any]


def padded(data: Tensors, count: int) -> Tensors:
  """Ground truth of a decoded record, in pixels of the photo.

  Args:
    data: of data/decoder.py.
    count: rows that every list gets; further objects are cut off.

  Returns:
    Model Garden's keys (source_id, height, width, num_detections, boxes,
    classes, areas, is_crowds; 'masks' as PNG strings) and rotations [count, 4]
    (w, x, y, z) and translations [count, 3] in the camera frame, depths,
    cad_ids, cad_meshes.
  """
  truths = utils.pad_groundtruths_to_fixed_size(
    {
      'source_id': utils.process_source_id(data['source_id']),
      'height': data['height'],
      'width': data['width'],
      'num_detections': tf.shape(data['groundtruth_classes'])[0],
      'boxes': box_ops.denormalize_boxes(
        data['groundtruth_boxes'], tf.shape(data['image'])[:2]
      ),
      'classes': data['groundtruth_classes'],
      'areas': data['groundtruth_area'],
      'is_crowds': tf.cast(data['groundtruth_is_crowd'], tf.int32),
    },
    count,
  )
  for name, key, filler in (
    ('masks', 'instance_masks_png', ''),
    ('rotations', 'rotations', 0),
    ('translations', 'translations', 0),
    ('depths', 'depths', 0),
    ('cad_ids', 'cad_ids', ''),
    ('cad_meshes', 'cad_meshes', ''),
  ):
    truths[name] = _pad(data['groundtruth_' + key], count, filler)
  return truths


def _pad(values: tf.Tensor, count: int, filler: Any) -> tf.Tensor:
  """The first `count` rows, filled up to exactly so many."""
  values = values[:count]
  missing = count - tf.shape(values)[0]
  paddings = [[0, missing]] + [[0, 0]] * (values.shape.rank - 1)
  filled = tf.pad(values, paddings, constant_values=filler)
  return tf.ensure_shape(filled, [count] + values.shape[1:])
