"""The baseline without training: ImageNet features of masked crops.

Gallery views and the photo's crop, grey outside the mask, go through the same
frozen network; level 3, averaged into 4 x 4 cells, minus the mean over the
gallery, is compared by its cosine. The nearest view gives CAD and rotation.
"""

from typing import Any
from typing import Dict
from typing import List
from typing import Mapping
from typing import Optional

import numpy as np
import tensorflow as tf

from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import renderer
from mask2cad_tf.geometry import rotations
from mask2cad_tf.geometry import views
from mask2cad_tf.modeling import fine_features
from mask2cad_tf.modeling import mask2cad_model
from mask2cad_tf.ops import cameras
from mask2cad_tf.refinement import fine_features as crops_lib
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.scene import masks as masks_lib
from mask2cad_tf.serving import mask2cad_module

_SIZE, _GREY = crops_lib.CROP_SIZE, crops_lib.GREY
_GRID = 4  # cells a side that the features are averaged into
_FRAME = 1.25  # side of a crop in the mask's longer sides, as of a view


class TrainingFreeModule:
  """`Mask2CADModule` with CADs and rotations of the baseline.

  Boxes, classes, masks and centres are the model's.
  """

  def __init__(
    self,
    module: mask2cad_module.Mask2CADModule,
    gallery: gallery_lib.Gallery,
    model: mask2cad_model.Mask2CADModel,
    rotation_frame: str,
    top_k: int,
  ):
    """Renders and describes all views of the gallery, which takes minutes.

    Args:
      module: that finds the objects.
      gallery: its CADs.
      model: whose frozen stem describes the crops.
      rotation_frame: of the gallery's views, 'camera' or 'allocentric'.
      top_k: CADs returned per object.

    Raises:
      ValueError: the model has no frozen stem.
    """
    self._module = module
    self._gallery = gallery
    self._allocentric = rotation_frame == 'allocentric'
    self._top_k = top_k
    self._extract = fine_features.extractor(model.view_encoder)
    if self._extract is None:
      raise ValueError(
        'The training-free baseline needs a model with a frozen view stem '
        '(model.view_encoder.type=efficientnet_lite).'
      )
    features = np.stack([self._of_cad(cad.id) for cad in gallery.cads])
    self._mean = features[gallery.valid].mean(axis=0)
    self._views = _unit(features - self._mean)

  def predict(
    self, image: np.ndarray, intrinsics: np.ndarray
  ) -> Dict[str, tf.Tensor]:
    """As Mask2CADModule's."""
    return self._replace(image, self._module.predict(image, intrinsics))

  def predict_boxes(
    self,
    image: np.ndarray,
    intrinsics: np.ndarray,
    boxes: np.ndarray,
    classes: Optional[np.ndarray] = None,
  ) -> Dict[str, tf.Tensor]:
    """As Mask2CADModule's."""
    outputs = self._module.predict_boxes(image, intrinsics, boxes, classes)
    return self._replace(image, outputs)

  def _of_cad(self, cad_id: str) -> np.ndarray:
    """Descriptors [V, d] of a CAD's views."""
    drawer = renderer.Renderer(meshes.load(self._gallery.mesh_path(cad_id)))
    pictures = []
    for quaternion in self._gallery.rotations[self._gallery.row(cad_id)]:
      view = views.render_view(
        drawer, rotations.matrix_from_quaternion(quaternion)
      )
      pictures.append(np.where(view > 0, view, _GREY))
    return self._describe(np.repeat(np.stack(pictures)[..., None], 3, axis=-1))

  def _describe(self, crops: np.ndarray) -> np.ndarray:
    """Descriptors [n, d] of crops uint8 [n, 128, 128, 3]."""
    maps = self._extract(crops.astype(np.uint8))
    count, side, _, channels = maps.shape
    step = side // _GRID
    cells = maps.reshape(count, _GRID, step, _GRID, step, channels)
    return cells.mean(axis=(2, 4)).reshape(count, -1)

  def _replace(
    self, image: np.ndarray, outputs: Mapping[str, tf.Tensor]
  ) -> Dict[str, tf.Tensor]:
    """The outputs with the baseline's CADs and rotations."""
    found = {key: value.numpy()[0] for key, value in outputs.items()}
    rows: List[Any] = []
    for i in range(int(found['num_detections'])):
      rows.append(self._retrieve(image, found, i))
    count = found['detection_classes'].shape[0]
    ids = np.full((count, self._top_k), b'', object)
    scores = np.full((count, self._top_k), -1.0, np.float32)
    quaternions = found['detection_rotations'].copy()
    for i, (cad_ids, similarities, rotation) in enumerate(rows):
      ids[i, : len(cad_ids)] = [cad_id.encode() for cad_id in cad_ids]
      scores[i, : len(similarities)] = similarities
      if rotation is not None:
        quaternions[i] = self._in_camera(rotation, outputs, i)
    return {
      **outputs,
      'detection_cad_ids': tf.constant([ids.tolist()]),
      'detection_cad_scores': tf.constant([scores]),
      'detection_rotations': tf.constant([quaternions], tf.float32),
    }

  def _in_camera(self, rotation, outputs, index) -> np.ndarray:
    """A view's rotation [4] as the camera sees it at the object's place."""
    if not self._allocentric:
      return rotation
    return cameras.camera_from_allocentric(
      tf.constant(rotation, tf.float32),
      outputs['detection_centers'][0, index],
      outputs['intrinsics'][0],
    ).numpy()

  def _retrieve(self, image, found, index):
    """CAD ids and cosines, best first, and the best view's rotation."""
    rows = np.flatnonzero(
      self._gallery.labels == found['detection_classes'][index]
    )
    if not len(rows):
      return [], [], None
    query = self._describe(self._crop(image, found, index)[np.newaxis])[0]
    cosines = self._views[rows] @ _unit(query - self._mean)
    cosines = np.where(self._gallery.valid[rows], cosines, -1.0)
    order = np.argsort(-cosines.max(axis=1), kind='stable')[: self._top_k]
    best = order[0]
    return (
      [self._gallery.cads[rows[i]].id for i in order],
      cosines[order].max(axis=1),
      self._gallery.rotations[rows[best], cosines[best].argmax()],
    )

  def _crop(self, image, found, index) -> np.ndarray:
    """The object as a gallery view shows its CAD, grey outside the mask."""
    mask = masks_lib.paste(
      found['detection_masks'][index],
      found['detection_outer_boxes'][index],
      *image.shape[:2],
    )
    box = np.asarray(found['detection_boxes'][index], np.float64)
    if mask.any():
      y, x = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
      box = np.array([y[0], x[0], y[-1] + 1, x[-1] + 1], np.float64)
    side = _FRAME * max((box[2:] - box[:2]).max(), 1.0)
    start = 0.5 * (box[:2] + box[2:] - side)
    cut = (image.astype(np.float32) - _GREY) * mask[..., np.newaxis]
    corners = np.concatenate([start, start + side])
    extent = np.tile(np.array(image.shape[:2], np.float64), 2)
    crop = tf.image.crop_and_resize(
      cut[np.newaxis], [corners / extent], [0], [_SIZE, _SIZE]
    )
    return np.clip(np.round(crop[0].numpy() + _GREY), 0, 255)


def _unit(vectors: np.ndarray) -> np.ndarray:
  lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
  return vectors / np.maximum(lengths, 1e-12)
