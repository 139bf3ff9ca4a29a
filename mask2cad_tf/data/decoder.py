"""Image record -> tensors: Model Garden's decoder plus poses and CADs."""

from typing import Dict
from typing import Optional

import tensorflow as tf
from official.vision.dataloaders import tf_example_decoder

from mask2cad_tf.data import cached_features
from mask2cad_tf.data import schema

_OBJECT_KEYS = {
  schema.MASK: tf.string,
  schema.CAD_ID: tf.string,
  schema.CAD_MESH: tf.string,
  schema.ROTATION: tf.float32,
  schema.TRANSLATION: tf.float32,
  schema.DEPTH: tf.float32,
  schema.OCCLUDED: tf.int64,
  schema.SLIGHTLY_OCCLUDED: tf.int64,
  schema.TRUNCATED: tf.int64,
  schema.JITTERED_VIEW: tf.string,
}
# Of photos that are frames of a scan; other records lack them.
_SCAN_KEYS = {
  schema.CAD_SCALE: tf.float32,
  schema.OBJECT_SYMMETRY: tf.int64,
  schema.SCENE_ID: tf.string,
  schema.CAMERA_TO_WORLD: tf.float32,
}


class TfExampleDecoder(tf_example_decoder.TfExampleDecoder):
  """Decodes data/schema.py's image records.

  Masks stay PNG: the parser decodes only those of the objects it samples.
  """

  def __init__(
    self,
    with_scan: bool = False,
    feature_shapes: Optional[cached_features.Shapes] = None,
  ):
    """Keeps what to read.

    Args:
      with_scan: read what records of scans have more, too.
      feature_shapes: of cached features to read; None reads none.
    """
    super().__init__(include_mask=False)
    self._with_scan = with_scan
    self._feature_shapes = feature_shapes
    keys = {**_OBJECT_KEYS, **(_SCAN_KEYS if with_scan else {})}
    self._more_features = {
      key: tf.io.RaggedFeature(dtype) for key, dtype in keys.items()
    }
    self._more_features[schema.INTRINSICS] = tf.io.FixedLenFeature(
      [4], tf.float32
    )
    self._more_features[schema.IMAGE_FILENAME] = tf.io.FixedLenFeature(
      [], tf.string
    )

  def decode(self, serialized_example: tf.Tensor) -> Dict[str, tf.Tensor]:
    """Decodes one record.

    Args:
      serialized_example: string scalar.

    Returns:
      The tensors of the parent class, boxes in fractions of the image, and:
        filename: string.
        intrinsics: float [4], fx, fy, cx, cy, pixels of the photo.
        groundtruth_instance_masks_png: string [n], full size, 0 or 255.
        groundtruth_rotations: float [n, 4], (w, x, y, z), camera frame.
        groundtruth_translations: float [n, 3], CAD units.
        groundtruth_depths: float [n].
        groundtruth_cad_ids, groundtruth_cad_meshes: string [n].
        groundtruth_occluded, _slightly_occluded, _truncated: bool [n].
        groundtruth_views_png: string [n], the jittered view.
      With `with_scan` also these, of no elements where the record lacks them:
        groundtruth_cad_scales: float [n, 3].
        groundtruth_symmetries: int64 [n].
        scene_id: string [1].
        camera_to_world: float [1, 4, 4], from Pix3D's camera axes.
      With `feature_shapes` also these:
        features: level to float16 [H_l, W_l, C_l].
        groundtruth_view_features: string [n], of the jittered views.
    """
    decoded = super().decode(serialized_example)
    parsed = tf.io.parse_single_example(serialized_example, self._more_features)
    decoded.update(
      {
        'filename': parsed[schema.IMAGE_FILENAME],
        'intrinsics': parsed[schema.INTRINSICS],
        'groundtruth_instance_masks_png': parsed[schema.MASK],
        'groundtruth_rotations': tf.reshape(parsed[schema.ROTATION], [-1, 4]),
        'groundtruth_translations': tf.reshape(
          parsed[schema.TRANSLATION], [-1, 3]
        ),
        'groundtruth_depths': parsed[schema.DEPTH],
        'groundtruth_cad_ids': parsed[schema.CAD_ID],
        'groundtruth_cad_meshes': parsed[schema.CAD_MESH],
        'groundtruth_views_png': parsed[schema.JITTERED_VIEW],
      }
    )
    for key in (schema.OCCLUDED, schema.SLIGHTLY_OCCLUDED, schema.TRUNCATED):
      name = 'groundtruth_' + key.rsplit('/', maxsplit=1)[-1]
      decoded[name] = tf.cast(parsed[key], tf.bool)
    if self._feature_shapes:
      features, views = cached_features.parse(
        serialized_example, self._feature_shapes
      )
      decoded.update(features=features, groundtruth_view_features=views)
    if self._with_scan:
      decoded.update(
        {
          'groundtruth_cad_scales': tf.reshape(
            parsed[schema.CAD_SCALE], [-1, 3]
          ),
          'groundtruth_symmetries': parsed[schema.OBJECT_SYMMETRY],
          'scene_id': parsed[schema.SCENE_ID],
          'camera_to_world': tf.reshape(
            parsed[schema.CAMERA_TO_WORLD], [-1, 4, 4]
          ),
        }
      )
    return decoded
