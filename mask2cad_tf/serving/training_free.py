"""The baseline without training: ImageNet features of masked crops.

Gallery views and the photo's crop, grey outside the mask, go through the same
frozen network; level 3, averaged into 4 x 4 cells, minus the mean over the
gallery, is compared as the trained embedding is (`model.retrieval`). The first
CAD's nearest view gives the rotation.
"""

from typing import Dict
from typing import Mapping
from typing import Optional

import numpy as np
import tensorflow as tf

from mask2cad_tf.configs import mask2cad as mask2cad_config
from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import renderer
from mask2cad_tf.geometry import rotations
from mask2cad_tf.geometry import views
from mask2cad_tf.modeling import fine_features
from mask2cad_tf.modeling import mask2cad_model
from mask2cad_tf.ops import cameras
from mask2cad_tf.refinement import fine_features as crops_lib
from mask2cad_tf.retrieval import descriptors
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import search
from mask2cad_tf.scene import masks as masks_lib
from mask2cad_tf.serving import detections
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
    config: mask2cad_config.Mask2CAD,
    top_k: int,
  ):
    """Renders and describes all views of the gallery, which takes minutes.

    Args:
      module: that finds the objects.
      gallery: its CADs.
      model: whose frozen stem describes the crops.
      config: the model's; its frame of rotations is that of the gallery's
        views.
      top_k: CADs returned per object.

    Raises:
      ValueError: the model has no frozen stem.
    """
    self._module = module
    self._gallery = gallery
    self._allocentric = config.pose.rotation_frame == 'allocentric'
    self._retrieval = config.retrieval
    self._top_k = top_k
    self._extract = fine_features.extractor(model.view_encoder)
    if self._extract is None:
      raise ValueError(
        'The training-free baseline needs a model with a frozen view stem '
        '(model.view_encoder.type=efficientnet_lite).'
      )
    features = np.stack([self._of_cad(cad.id) for cad in gallery.cads])
    self._mean = features[gallery.valid].mean(axis=0)
    self._views = descriptors.of_views(
      features - self._mean,
      gallery.silhouettes,
      self._retrieval.silhouette_weight,
    )
    self._index = search.index(self._views, gallery.valid, gallery.labels)

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
    objects = self._objects(image, found)
    rows, similarities = search.top_k(
      objects[np.newaxis],
      outputs['detection_classes'],
      self._index,
      self._top_k,
      self._retrieval.num_views,
    )
    ids = np.array([cad_id.encode() for cad_id in self._gallery.cad_ids])
    quaternions = found['detection_rotations'].copy()
    for i, row in enumerate(rows.numpy()[0, :, 0]):
      if row >= 0:
        rotation = self._nearest_view(objects[i], row)
        quaternions[i] = self._in_camera(rotation, outputs, i)
    return {
      **outputs,
      'detection_cad_ids': tf.constant(
        np.where(rows < 0, b'', ids[np.maximum(rows, 0)])
      ),
      'detection_cad_scores': similarities,
      'detection_rotations': tf.constant([quaternions], tf.float32),
    }

  def _objects(
    self, image: np.ndarray, found: Mapping[str, np.ndarray]
  ) -> np.ndarray:
    """Descriptors [N, d] of a photo's objects; of padding, of nothing."""
    features = np.zeros(
      (len(found['detection_classes']), len(self._mean)), np.float32
    )
    for i in range(int(found['num_detections'])):
      crop = self._crop(image, found, i)
      features[i] = self._describe(crop[np.newaxis])[0] - self._mean
    return detections.describe(
      {**found, 'detection_embeddings': features},
      self._retrieval.silhouette_weight,
    ).numpy()

  def _nearest_view(self, query: np.ndarray, row: int) -> np.ndarray:
    """Rotation [4] of the CAD's view that looks most like the object."""
    views = self._views[row]
    cosines = views @ query / np.maximum(np.linalg.norm(views, axis=-1), 1e-12)
    cosines = np.where(self._gallery.valid[row], cosines, -np.inf)
    return self._gallery.rotations[row, cosines.argmax()]

  def _in_camera(self, rotation, outputs, index) -> np.ndarray:
    """A view's rotation [4] as the camera sees it at the object's place."""
    if not self._allocentric:
      return rotation
    return cameras.camera_from_allocentric(
      tf.constant(rotation, tf.float32),
      outputs['detection_centers'][0, index],
      outputs['intrinsics'][0],
    ).numpy()

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
