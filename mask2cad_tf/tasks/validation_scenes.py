"""What validation shows beside COCO's numbers: retrieval and pictures."""

from typing import Any
from typing import Dict
from typing import List
from typing import Mapping
from typing import Tuple

import numpy as np
import tensorflow as tf
from official.vision.ops import preprocess_ops
from PIL import ImageDraw

from mask2cad_tf.configs import mask2cad as config_lib
from mask2cad_tf.data import view_pool
from mask2cad_tf.data import view_store
from mask2cad_tf.geometry import box_overlap
from mask2cad_tf.geometry import cad_folder
from mask2cad_tf.geometry import rotations
from mask2cad_tf.modeling import mask2cad_model
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import search
from mask2cad_tf.scene import assemble
from mask2cad_tf.scene import cad_meshes
from mask2cad_tf.scene import overlay
from mask2cad_tf.scene import photo as photo_lib

_MAX_PICTURES = 8
_MIN_PICTURE_SIDE = 512  # pixels
_VIEWS_PER_BATCH = 256
_MIN_OVERLAP = 0.5  # box IoU at which a detection speaks for a true object
_MIN_SCORE = 0.3  # of detections in the pictures


class ValidationScenes:
  """Retrieval accuracy over a validation run; pictures of its first photos.

  The CADs searched are those of `validation_data.views_path`, embedded anew at
  the end of the run. Pictures need `library_path` too: their CADs' meshes.
  """

  name = 'scenes'

  def __init__(
    self, config: config_lib.Mask2CADTask, model: mask2cad_model.Mask2CADModel
  ):
    """Takes the task's config and the model whose view encoder embeds."""
    self._config = config
    self._model = model
    self._store = None
    if config.validation_data.views_path:
      self._store = view_store.ViewStore.load(config.validation_data.views_path)
    self.reset_states()

  def reset_states(self) -> None:
    """Forgets all photos."""
    self._photos: List[Dict[str, np.ndarray]] = []

  def step_outputs(
    self,
    images: tf.Tensor,
    labels: Mapping[str, Any],
    detections: Mapping[str, tf.Tensor],
  ) -> Dict[str, tf.Tensor]:
    """What `update_state` wants of one validation step, batch-major."""
    truths = labels['groundtruths']
    return {
      'image': images,
      'image_info': labels['image_info'],
      'intrinsics': labels['intrinsics'],
      'true_boxes': truths['boxes'],
      'true_classes': truths['classes'],
      'true_cad_ids': truths['cad_ids'],
      **{
        key: value
        for key, value in detections.items()
        if key.startswith('detection_') or key == 'num_detections'
      },
    }

  def update_state(self, step: Mapping[str, Any]) -> None:
    """Adds the photos of one step; values are tuples, one entry a replica."""
    columns = {}
    for key, values in step.items():
      values = values if isinstance(values, tuple) else (values,)
      columns[key] = np.concatenate([value.numpy() for value in values])
    for row in range(len(columns['num_detections'])):
      photo = {key: values[row] for key, values in columns.items()}
      if len(self._photos) >= _MAX_PICTURES:
        del photo['image'], photo['detection_masks']
      self._photos.append(photo)

  def result(self) -> Dict[str, Any]:
    """Retrieval accuracy and, under 'image/scenes', the pictures."""
    logs = {}
    if self._store and self._photos:
      gallery = self._gallery()
      index = search.index(gallery.embeddings, gallery.valid, gallery.labels)
      found = [self._retrieve(photo, index) for photo in self._photos]
      logs.update(self._accuracy(found, gallery))
      if self._config.allow_image_summary and self._config.library_path:
        logs['image/scenes'] = self._pictures(found, gallery)
    return logs

  def _gallery(self) -> gallery_lib.Gallery:
    """The view store's CADs, embedded by the model as it is now."""
    class_names = tuple(self._config.model.class_names)
    store = self._store
    num_cads, num_views = store.views.shape
    flat = tf.reshape(store.views, [-1])
    embeddings = np.concatenate(
      [
        self._model.embed_views(
          view_pool.decode(flat[start : start + _VIEWS_PER_BATCH])
        ).numpy()
        for start in range(0, num_cads * num_views, _VIEWS_PER_BATCH)
      ]
    )
    meshes = self._mesh_paths()
    cads = tuple(
      gallery_lib.Cad(
        id=cad_id.decode(),
        label_name=class_names[label - 1],
        mesh=meshes.get(cad_id.decode(), ''),
        sha256='',
      )
      for cad_id, label in zip(store.cad_ids.numpy(), store.labels.numpy())
    )
    return gallery_lib.Gallery(
      path=self._config.library_path,
      class_names=class_names,
      encoder='',
      cads=cads,
      embeddings=embeddings.reshape(num_cads, num_views, -1),
      rotations=store.rotations.numpy(),
      valid=np.ones((num_cads, num_views), bool),
      silhouettes=np.zeros((num_cads, num_views, 128), np.uint8),
    )

  def _mesh_paths(self) -> Dict[str, str]:
    root = self._config.library_path
    if not root:
      return {}
    return {
      cad.cad_id: cad_folder.representative(root, cad)
      for cad in cad_folder.list_cads(root)
    }

  def _retrieve(
    self, photo: Mapping[str, np.ndarray], index: search.Index
  ) -> Dict[str, np.ndarray]:
    """The photo with `detection_cads` and `detection_cad_scores`."""
    rows, similarities = search.top_k(
      photo['detection_embeddings'][np.newaxis],
      photo['detection_classes'][np.newaxis],
      index,
      k=1,
    )
    return {
      **photo,
      'detection_cads': rows[0].numpy(),
      'detection_cad_scores': similarities[0].numpy(),
    }

  def _accuracy(
    self, found: List[Dict[str, np.ndarray]], gallery: gallery_lib.Gallery
  ) -> Dict[str, float]:
    """Share of true objects that are found, and whose CAD is found."""
    detected, retrieved, total = 0, 0, 0
    cad_ids = np.array(gallery.cad_ids)
    for photo in found:
      boxes = photo['detection_boxes'] / np.tile(photo['image_info'][2], 2)
      for label, box, cad_id in zip(
        photo['true_classes'], photo['true_boxes'], photo['true_cad_ids']
      ):
        if label <= 0:
          continue
        total += 1
        overlaps = box_overlap.box_iou(boxes, box[np.newaxis])[:, 0]
        overlaps[photo['detection_classes'] != label] = 0.0
        best = int(overlaps.argmax())
        if overlaps[best] >= _MIN_OVERLAP:
          detected += 1
          row = photo['detection_cads'][best, 0]
          retrieved += row >= 0 and cad_ids[row] == cad_id.decode()
    total = max(total, 1)
    return {'detected_share': detected / total, 'cad_top1': retrieved / total}

  def _pictures(
    self, found: List[Dict[str, np.ndarray]], gallery: gallery_lib.Gallery
  ) -> np.ndarray:
    """uint8 [n, h, w, 3] of the first photos."""
    cads = cad_meshes.CadMeshes(gallery.mesh_path)
    return np.stack(
      [
        self._picture(photo, gallery, cads)
        for photo in found
        if 'image' in photo
      ]
    )

  def _picture(
    self,
    photo: Mapping[str, np.ndarray],
    gallery: gallery_lib.Gallery,
    cads: cad_meshes.CadMeshes,
  ) -> np.ndarray:
    photo = _enlarged(photo)
    image = _denormalize(photo['image'])
    camera = _input_camera(photo, image.shape[:2])
    scene = photo_lib.Photo(path='', image=image, camera=camera)
    objects = assemble.assemble(
      _camera_frame(photo, camera, self._config.model.pose.rotation_frame),
      gallery,
      cads,
      camera,
      min_score=_MIN_SCORE,
    )
    picture = overlay.draw(scene, objects, cads)
    pen = ImageDraw.Draw(picture)
    for found in objects:
      ymin, xmin, ymax, xmax = found.cad.box
      pen.rectangle((xmin, ymin, xmax, ymax), outline='white')
    return np.asarray(picture)


def _enlarged(photo: Mapping[str, np.ndarray]) -> Dict[str, np.ndarray]:
  """The photo in so many pixels that labels leave something to see."""
  zoom = -(-_MIN_PICTURE_SIDE // min(photo['image'].shape[:2]))
  pixels = {
    key: zoom * photo[key]
    for key in ('detection_boxes', 'detection_outer_boxes', 'detection_centers')
  }
  image = photo['image'].repeat(zoom, axis=0).repeat(zoom, axis=1)
  # Scale and offset, rows 2 and 3, lead from the photo to the picture.
  info = photo['image_info'] * np.array([1, 1, zoom, zoom])[:, np.newaxis]
  return {**photo, **pixels, 'image': image, 'image_info': info}


def _denormalize(image: np.ndarray) -> np.ndarray:
  """uint8 photo of a normalized one."""
  image = image * preprocess_ops.STDDEV_RGB + preprocess_ops.MEAN_RGB
  return np.clip(np.round(image), 0, 255).astype(np.uint8)


def _input_camera(
  photo: Mapping[str, np.ndarray], size: Tuple[int, int]
) -> photo_lib.Camera:
  """The camera in pixels of the network's input."""
  scale, offset = photo['image_info'][2], photo['image_info'][3]
  fx, fy, cx, cy = photo['intrinsics']
  intrinsics = np.array(
    [
      fx * scale[1],
      fy * scale[0],
      cx * scale[1] - offset[1],
      cy * scale[0] - offset[0],
    ]
  )
  return photo_lib.Camera(intrinsics, size[1], size[0], source='flag')


def _camera_frame(
  photo: Mapping[str, np.ndarray], camera: photo_lib.Camera, frame: str
) -> Dict[str, np.ndarray]:
  """The photo's detections with rotations in the camera frame."""
  if frame == 'camera':
    return dict(photo)
  turned = [
    rotations.quaternion_from_matrix(
      rotations.camera_from_allocentric(
        rotations.matrix_from_quaternion(rotation), center, camera.intrinsics
      )
    )
    for rotation, center in zip(
      photo['detection_rotations'], photo['detection_centers']
    )
  ]
  return {**photo, 'detection_rotations': np.array(turned)}
