"""From a photo to its scene's files: network, gallery, render-and-compare.

A client of a served model that does not refine needs no TensorFlow: what needs
it is imported where it is used.
"""

import os
from typing import Dict
from typing import List
from typing import Mapping
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np

import mask2cad_tf
from mask2cad_tf import conventions
from mask2cad_tf.geometry import ground_plane
from mask2cad_tf.refinement import confidence
from mask2cad_tf.retrieval import default_gallery
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.scene import assemble
from mask2cad_tf.scene import cad_meshes
from mask2cad_tf.scene import depth_map as depth_map_lib
from mask2cad_tf.scene import distinct
from mask2cad_tf.scene import grounding
from mask2cad_tf.scene import photo as photo_lib
from mask2cad_tf.scene import scene_folder
from mask2cad_tf.serving import client
from mask2cad_tf.serving import served_module


class ScenePredictor:
  """Predicts photos one by one; `load` and `connect` make one."""

  def __init__(
    self,
    module,
    gallery: gallery_lib.Gallery,
    refiner,
    model_dir: str,
    min_score: float,
    top_k: int,
  ):
    """Takes what finds objects.

    Args:
      module: a Mask2CADModule, CloserLook or ServedModule.
      gallery: the module's.
      refiner: a DetectionRefiner; None: the network's own answer.
      model_dir: the model's folder: its name, and its judge of `confident`.
      min_score: detections below are left out.
      top_k: hypotheses kept of an object.
    """
    self.gallery = gallery
    self._module = module
    self._refiner = refiner
    self._judge = confidence.load(model_dir)
    self._cads = cad_meshes.CadMeshes(gallery.mesh_path, gallery.credit)
    self._min_score = min_score
    self._top_k = top_k
    self._origin = {
      'name': os.path.basename(os.path.abspath(model_dir)),
      'gallery_version': gallery.version,
      'package_version': mask2cad_tf.__version__,
    }
    if isinstance(module, served_module.ServedModule):
      self._origin['server'] = module.address

  def predict(
    self,
    photo: photo_lib.Photo,
    depth: Optional[float] = None,
    depth_map: Optional[np.ndarray] = None,
    box: Optional[Sequence[float]] = None,
    label: Optional[int] = None,
  ) -> List[assemble.SceneObject]:
    """The objects of a photo, posed.

    Args:
      photo: the photo.
      depth: Z of every CAD's origin, CAD units; None: fitted to the box.
      depth_map: float [H, W] as `depth_map.load` gives it, in its place.
      box: (x0, y0, x1, y1), pixels: where the one object is; no detection.
      label: class id of the box; None: predicted.

    Raises:
      ValueError: the class of the box cannot be told.
    """
    detections = distinct.choose(
      self._infer(photo, box, label),
      0.0 if box else self._min_score,
      photo.image.shape[:2],
    )
    count = int(detections['num_detections'])
    depths: List[Optional[float]] = [depth] * count
    if depth_map is not None:
      unplaced = assemble.assemble(
        detections, self.gallery, self._cads, photo.camera
      )
      depths = depth_map_lib.origin_depths(
        depth_map, unplaced, count, self._cads, photo.camera
      )
    hypotheses = None
    if self._refiner is not None:
      hypotheses = self._refiner.refine(
        photo.image,
        photo.camera.intrinsics,
        detections,
        depths,
        self._top_k,
        exact_boxes=bool(box),
      )
    return assemble.assemble(
      detections,
      self.gallery,
      self._cads,
      photo.camera,
      depths=depths,
      depth_source='flag' if depth_map is None else 'depth_map',
      hypotheses=hypotheses,
      judge=self._judge,
    )

  def put_on_ground(
    self, objects: Sequence[assemble.SceneObject]
  ) -> Tuple[List[assemble.SceneObject], Optional[ground_plane.Plane]]:
    """The objects of `predict` on one plane: `grounding.put_on_ground`."""
    return grounding.put_on_ground(objects, self._cads)

  def write(
    self,
    folder: str,
    photo: photo_lib.Photo,
    objects: Sequence[assemble.SceneObject],
    plane: Optional[ground_plane.Plane] = None,
  ) -> None:
    """Writes the scene's files into a folder; the plane is put_on_ground's."""
    scene_folder.write(folder, photo, objects, self._cads, self._origin, plane)

  def _infer(
    self,
    photo: photo_lib.Photo,
    box: Optional[Sequence[float]],
    label: Optional[int],
  ) -> Mapping[str, np.ndarray]:
    """The module's outputs of one photo, without the batch axis."""
    if isinstance(self._module, served_module.ServedModule):
      return self._module.predict(photo)
    if box:
      x0, y0, x1, y1 = box
      outputs = self._module.predict_boxes(
        photo.image,
        photo.camera.intrinsics,
        np.array([[y0, x0, y1, x1]]),
        np.array([label]) if label else None,
      )
    else:
      outputs = self._module.predict(photo.image, photo.camera.intrinsics)
    found: Dict[str, np.ndarray] = {
      key: value.numpy()[0] for key, value in outputs.items()
    }
    if box and not found['num_detections']:
      raise ValueError(
        f'The class of --box in {photo.path!r} cannot be told: no detection '
        'overlaps it. Say it: --label=chair, for example.'
      )
    return found


def load(
  model_dir: Optional[str] = None,
  gallery_dir: Optional[str] = None,
  min_score: float = conventions.DEFAULT_MIN_SCORE,
  top_k: int = 5,
  refine_seconds: Optional[float] = 2.0,
  search: str = 'exact',
  any_box: bool = False,
  closer_look: bool = True,
) -> ScenePredictor:
  """A predictor that runs the network here.

  Args:
    model_dir: with params.yaml and weights; None: the package's.
    gallery_dir: of the model; None: the one that comes with it.
    min_score: detections below are left out.
    top_k: CADs tried per object.
    refine_seconds: work of render-and-compare, an object; None: none.
    search: 'exact' or 'approximate'.
    any_box: boxes will be given; their classes may be those of detections
      that score less.
    closer_look: small objects are seen again, larger.
  """
  from mask2cad_tf.modeling import model_folder
  from mask2cad_tf.retrieval import approximate_search
  from mask2cad_tf.serving import closer_look as closer_look_lib
  from mask2cad_tf.serving import detection_refiner
  from mask2cad_tf.serving import mask2cad_module

  model_dir, gallery_dir = default_gallery.choose(model_dir, gallery_dir)
  gallery_lib.load(gallery_dir)  # a missing one is told before the model loads
  model, config = model_folder.load(model_dir)
  gallery = gallery_lib.load(
    gallery_dir, model_folder.fingerprint(model), config.task.model.class_names
  )
  module = mask2cad_module.Mask2CADModule(
    model,
    config.task,
    gallery,
    top_k,
    min_score=0.0 if any_box else min_score,
    searcher=approximate_search.make(
      search, gallery, config.task.model.retrieval
    ),
  )
  if closer_look:
    module = closer_look_lib.CloserLook(module)
  refiner = None
  if refine_seconds is not None:
    refiner = detection_refiner.DetectionRefiner.of_encoder(
      model.view_encoder, config.task.model, gallery, refine_seconds
    )
  return ScenePredictor(module, gallery, refiner, model_dir, min_score, top_k)


def connect(
  server: str,
  timeout: float = 60.0,
  model_dir: Optional[str] = None,
  gallery_dir: Optional[str] = None,
  min_score: float = conventions.DEFAULT_MIN_SCORE,
  top_k: int = 5,
  refine_seconds: Optional[float] = 2.0,
) -> ScenePredictor:
  """As `load`, of a served model: the network is not built here.

  Args:
    server: grpc://HOST:PORT, HOST:PORT or http://HOST:PORT[/v1/models/NAME].
    timeout: seconds for an answer.
    model_dir: that was exported.
    gallery_dir: that was exported.
    min_score: detections below are left out; the server's bar may be higher.
    top_k: CADs tried per object.
    refine_seconds: work of render-and-compare, an object; None: none.
  """
  model_dir, gallery_dir = default_gallery.choose(model_dir, gallery_dir)
  gallery = gallery_lib.load(gallery_dir)
  try:
    connection = client.connect(server, timeout)
  except ImportError as error:
    raise ValueError(f'--server={server}: {error}') from error
  from mask2cad_tf.modeling import model_folder

  refiner = None
  if refine_seconds is None:
    config = model_folder.load_params(model_dir)
  else:
    from mask2cad_tf.serving import detection_refiner

    encoder, config = model_folder.load_view_encoder(model_dir)
    gallery = gallery_lib.load(
      gallery_dir,
      model_folder.encoder_fingerprint(encoder),
      config.task.model.class_names,
    )
    refiner = detection_refiner.DetectionRefiner.of_encoder(
      encoder, config.task.model, gallery, refine_seconds
    )
  module = served_module.ServedModule(
    connection, gallery, config.task.model.retrieval, top_k
  )
  return ScenePredictor(module, gallery, refiner, model_dir, min_score, top_k)
