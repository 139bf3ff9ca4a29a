"""The one inference path: photo -> detections with CADs and poses.

`predict`, `evaluate` and `export` share it. Everything runs in the graph, with
a dynamic batch; the gallery is variables, which `gallery_assets` fills in a
SavedModel, so it can be replaced without touching the network.
"""

from typing import Any
from typing import Dict
from typing import Mapping
from typing import Optional
from typing import Tuple

import numpy as np
import tensorflow as tf
from official.vision.ops import anchor
from official.vision.ops import preprocess_ops

from mask2cad_tf import conventions
from mask2cad_tf.configs import mask2cad as mask2cad_config
from mask2cad_tf.data import image_scaling
from mask2cad_tf.modeling import mask2cad_model
from mask2cad_tf.ops import cameras
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.serving import detections
from mask2cad_tf.serving import photo_decoding
from mask2cad_tf.serving import request_cameras
from mask2cad_tf.serving import searched_gallery


class _Untracked:
  """Hides a value from the SavedModel.

  A Keras model that is tracked has each layer traced and saved once more; the
  signatures need its variables alone.
  """

  def __init__(self, value: Any):
    self.value = value


class Mask2CADModule(tf.Module):
  """Network, anchors, gallery and camera geometry around one `infer`."""

  def __init__(
    self,
    model: mask2cad_model.Mask2CADModel,
    config: mask2cad_config.Mask2CADTask,
    gallery: gallery_lib.Gallery,
    top_k: int = 5,
    pasted_masks: bool = False,
    min_score: float = 0.0,
    searcher: Optional[searched_gallery.Searcher] = None,
  ):
    """Puts the parts together.

    Args:
      model: with weights.
      config: the task's configuration that the model was trained with.
      gallery: made by the model's view encoder.
      top_k: CADs returned per detection, best first.
      pasted_masks: the signatures return masks in the frame of the photo, as
        `detections.paste_masks` defines it, in place of RoI masks.
      min_score: detections below are padding; masks, CADs and poses are worked
        out for the others alone.
      searcher: finds the CADs of the gallery in place of the exact search in
        the graph; such a module cannot be exported.

    Raises:
      ValueError: the configuration of the retrieval has no sense.
    """
    super().__init__(name='mask2cad')
    self._config = config
    self._top_k = top_k
    self._pasted_masks = pasted_masks
    self._min_score = min_score
    self._network = _Untracked(model)
    self._network_variables = model.variables
    self._input_size = list(config.model.input_size[:2])
    self._padded_size = self._input_size
    if config.train_data.parser.pad:
      self._padded_size = preprocess_ops.compute_padded_size(
        self._input_size, 2**config.model.max_level
      )
    # Compiled as in an exported model: op by op the last digits are others.
    self._preprocess = _Untracked(
      tf.function(
        self._preprocess_batch,
        [tf.TensorSpec([None, None, None, 3], tf.uint8)],
        autograph=False,
      )
    )
    self._detect, self._detect_in_boxes = self._compile()
    self.gallery = searched_gallery.SearchedGallery(
      gallery, config.model.retrieval, searcher
    )

  @property
  def silhouette_weight(self) -> float:
    """How much silhouettes count in the gallery's descriptors."""
    return self._config.model.retrieval.silhouette_weight

  def preprocess(self, images: tf.Tensor) -> Tuple[tf.Tensor, tf.Tensor]:
    """Resizes, normalizes and pads photos of one size, as in training.

    Args:
      images: uint8 [B, H, W, 3].

    Returns:
      float [B, h, w, 3], the network's input, and image_info [B, 4, 2] of
      Garden: original size, input size, scale, offset, each (y, x).
    """
    return self._preprocess.value(images)

  def _preprocess_batch(self, images: tf.Tensor) -> Tuple[tf.Tensor, tf.Tensor]:
    return tf.map_fn(
      self._preprocess_one, images, fn_output_signature=self._input_spec()
    )

  def _input_spec(self) -> Tuple[tf.TensorSpec, tf.TensorSpec]:
    return (
      tf.TensorSpec([*self._padded_size, 3], tf.float32),
      tf.TensorSpec([4, 2], tf.float32),
    )

  def _preprocess_one(self, image: tf.Tensor) -> Tuple[tf.Tensor, tf.Tensor]:
    image, info = image_scaling.resize_and_crop(
      tf.image.convert_image_dtype(image, tf.float32),
      self._input_size,
      1.0,
      tf.zeros(2),
    )
    return image_scaling.network_input(image, self._padded_size), info

  def infer(
    self,
    images: tf.Tensor,
    image_info: tf.Tensor,
    intrinsics: Optional[tf.Tensor] = None,
    boxes: Optional[tf.Tensor] = None,
    classes: Optional[tf.Tensor] = None,
  ) -> Dict[str, tf.Tensor]:
    """Detects objects, finds their CADs and rotations (Sec. 3).

    Args:
      images: float [B, h, w, 3], as `preprocess` or the parser gives them.
      image_info: float [B, 4, 2].
      intrinsics: float [B, 4], (fx, fy, cx, cy), original pixels; None: see
        `request_cameras.assumed`.
      boxes: float [B, N, 4], yxyx, original pixels: the objects are there,
        detection is skipped.
      classes: int [B, N], of the boxes, 0 = padding; None: predicted.

    Returns:
      Batch-major, N padded; all pixels are the original photo's:
      num_detections int32 [B];
      detection_boxes [B, N, 4] yxyx, clipped to the photo;
      detection_outer_boxes [B, N, 4], not clipped;
      detection_classes int32 [B, N], 0 = padding; detection_scores [B, N];
      detection_masks [B, N, m, m], probabilities inside the outer boxes;
      detection_embeddings [B, N, E];
      detection_pose_bins int32 [B, N];
      detection_rotations [B, N, 4], (w, x, y, z), CAD to camera;
      detection_centers [B, N, 2], (x, y) of the projected CAD origins;
      detection_cads int32 [B, N, k], gallery rows, -1 = none;
      detection_cad_ids string [B, N, k], '' = none;
      detection_cad_scores [B, N, k], similarities as `model.retrieval` says,
        -1 to 1, best first;
      intrinsics [B, 4], as used.
    """
    sizes = image_info[:, 0]  # [B, 2]
    if intrinsics is None:
      intrinsics = request_cameras.assumed(sizes)
    if boxes is None:
      network = self._detect.value(images, image_info)
    else:
      network_boxes = image_scaling.boxes_in_input(boxes, image_info)
      if classes is None:
        classes = detections.classes_of_boxes(
          network_boxes, self._detect.value(images, image_info)
        )
      network = self._detect_in_boxes.value(
        images, image_info, network_boxes, tf.cast(classes, tf.int32)
      )
    outputs = detections.in_photo_pixels(network, image_info)
    outputs.update(
      self.gallery.top_k(
        detections.describe(outputs, self.silhouette_weight),
        outputs['detection_classes'],
        self._top_k,
      )
    )
    if self._config.model.pose.rotation_frame == 'allocentric':
      outputs['detection_rotations'] = cameras.camera_from_allocentric(
        outputs['detection_rotations'],
        outputs['detection_centers'],
        intrinsics[:, tf.newaxis],
      )
    outputs['intrinsics'] = tf.identity(intrinsics)
    return outputs

  def _compile(self) -> Tuple[_Untracked, _Untracked]:
    """The network, traced once for all that call it: it is the slow part."""
    images = list(self._input_spec())
    images = [tf.TensorSpec([None, *spec.shape], spec.dtype) for spec in images]
    boxes = [
      tf.TensorSpec([None, None, 4], tf.float32),
      tf.TensorSpec([None, None], tf.int32),
    ]
    return (
      _Untracked(tf.function(self._call_network, images, autograph=False)),
      _Untracked(
        tf.function(self._call_network, [*images, *boxes], autograph=False)
      ),
    )

  def _call_network(
    self,
    images: tf.Tensor,
    image_info: tf.Tensor,
    boxes: Optional[tf.Tensor] = None,
    classes: Optional[tf.Tensor] = None,
  ) -> Mapping[str, tf.Tensor]:
    """The network's inference outputs, input pixels."""
    outputs = self._network.value(
      images,
      image_shape=image_info[:, 0] * image_info[:, 2],
      anchor_boxes=self._anchors(tf.shape(images)[0]),
      roi_boxes=boxes,
      roi_classes=classes,
      training=False,
      min_score=self._min_score,
    )
    return {
      key: value
      for key, value in outputs.items()
      if key.startswith(('detection_', 'num_'))
    }

  def _anchors(self, batch_size: tf.Tensor) -> Dict[str, tf.Tensor]:
    config = self._config.model
    generate = anchor.build_anchor_generator(
      min_level=config.min_level,
      max_level=config.max_level,
      num_scales=config.anchor.num_scales,
      aspect_ratios=config.anchor.aspect_ratios,
      anchor_size=config.anchor.anchor_size,
    )
    return {
      level: tf.tile(boxes[tf.newaxis], [batch_size, 1, 1, 1])
      for level, boxes in generate(image_size=self._padded_size).items()
    }

  def predict(
    self, image: np.ndarray, intrinsics: np.ndarray
  ) -> Dict[str, tf.Tensor]:
    """`infer` on one photo; the outputs keep a batch axis of 1.

    Args:
      image: uint8 [H, W, 3].
      intrinsics: float [4], (fx, fy, cx, cy), pixels.
    """
    images, image_info = self.preprocess(image[np.newaxis])
    return self.infer(images, image_info, tf.constant([intrinsics], tf.float32))

  def predict_boxes(
    self,
    image: np.ndarray,
    intrinsics: np.ndarray,
    boxes: np.ndarray,
    classes: Optional[np.ndarray] = None,
  ) -> Dict[str, tf.Tensor]:
    """As `predict`, of boxes that are known.

    Args:
      image: uint8 [H, W, 3].
      intrinsics: float [4], (fx, fy, cx, cy), pixels.
      boxes: float [N, 4], yxyx, pixels.
      classes: int [N]; None: predicted, 0 where none is found.
    """
    images, image_info = self.preprocess(image[np.newaxis])
    return self.infer(
      images,
      image_info,
      tf.constant([intrinsics], tf.float32),
      tf.constant([boxes], tf.float32),
      None if classes is None else tf.constant([classes], tf.int32),
    )

  @tf.function(
    input_signature=[tf.TensorSpec([None], tf.string, name='image_bytes')],
    autograph=False,
  )
  def serve(self, image_bytes: tf.Tensor) -> Dict[str, tf.Tensor]:
    """`infer` on JPEG or PNG bytes [B], a phone's camera assumed.

    An EXIF orientation is not applied: the pixels are taken as stored. One
    photo that cannot be used fails the whole batch, with an
    InvalidArgumentError that says which and why.
    """
    return self._serve(image_bytes)

  @tf.function(
    input_signature=[
      tf.TensorSpec([None], tf.string, name='image_bytes'),
      tf.TensorSpec([None, 4], tf.float32, name='intrinsics'),
    ],
    autograph=False,
  )
  def serve_with_intrinsics(
    self, image_bytes: tf.Tensor, intrinsics: tf.Tensor
  ) -> Dict[str, tf.Tensor]:
    """As `serve`, with (fx, fy, cx, cy) [B, 4], pixels as stored."""
    intrinsics = request_cameras.checked(intrinsics, tf.shape(image_bytes)[0])
    return self._serve(image_bytes, intrinsics)

  def _serve(
    self, image_bytes: tf.Tensor, intrinsics: Optional[tf.Tensor] = None
  ) -> Dict[str, tf.Tensor]:
    images, image_info = self._decode(image_bytes)
    outputs = self.infer(images, image_info, intrinsics)
    if self._pasted_masks:
      outputs.update(
        detections.paste_masks(outputs, image_info, self._input_size)
      )
    return outputs

  @tf.function(
    input_signature=[
      tf.TensorSpec(
        [None, conventions.VIEW_SIZE, conventions.VIEW_SIZE, 1],
        tf.float32,
        name='views',
      )
    ],
    autograph=False,
  )
  def embed_views(self, views: tf.Tensor) -> Dict[str, tf.Tensor]:
    """Embeddings [V, E] of grey renderings [V, 128, 128, 1], 0..1."""
    return {
      'embeddings': tf.cast(self._network.value.embed_views(views), tf.float32)
    }

  def _decode(self, image_bytes: tf.Tensor) -> Tuple[tf.Tensor, tf.Tensor]:
    def decode(
      indexed: Tuple[tf.Tensor, tf.Tensor],
    ) -> Tuple[tf.Tensor, tf.Tensor]:
      index, encoded = indexed
      return self._preprocess_one(photo_decoding.decode(encoded, index))

    with tf.device('cpu:0'):
      return tf.map_fn(
        decode,
        (tf.range(tf.shape(image_bytes)[0]), image_bytes),
        fn_output_signature=self._input_spec(),
      )

  def signatures(self) -> Dict[str, Any]:
    """The SavedModel's signatures by name.

    Raises:
      ValueError: a searcher stands in for the search in the graph.
    """
    if not self.gallery.is_searched_in_graph:
      raise ValueError(
        'A SavedModel searches exactly: make the module without a searcher.'
      )
    entries = {
      'serving_default': self.serve,
      'serve_with_intrinsics': self.serve_with_intrinsics,
      'embed_views': self.embed_views,
    }
    return {
      name: entry.get_concrete_function() for name, entry in entries.items()
    }
