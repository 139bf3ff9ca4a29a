"""Detections of one photo -> objects: CADs at rotation and translation."""

import dataclasses
import logging
from typing import List
from typing import Mapping
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np

from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import posed_cad
from mask2cad_tf.geometry import rotations
from mask2cad_tf.refinement import confidence
from mask2cad_tf.refinement import refiner
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.scene import cad_meshes
from mask2cad_tf.scene import masks
from mask2cad_tf.scene import photo as photo_lib

# Below this cosine the best CAD of the gallery is called no good fit.
CONFIDENT_SIMILARITY = 0.5


@dataclasses.dataclass(frozen=True, eq=False)
class Candidate:
  """One hypothesis for an object: a CAD, posed.

  Attributes:
    cad_id: '<class>/<shape>'.
    mesh: path of the mesh used, relative to the gallery.
    similarity: cosine of the embeddings.
    rotation: float [3, 3], CAD to camera.
    translation: float [3], CAD units.
    scale: of the CAD: X = scale R v + t.
    ground: whether it was put on the ground plane; None: nobody asked.
    silhouette_iou: overlap of the posed CAD with the mask; None: not compared.
    feature_similarity: cosine of photo and rendering; None: not compared.
  """

  cad_id: str
  mesh: str
  similarity: float
  rotation: np.ndarray
  translation: np.ndarray
  silhouette_iou: Optional[float] = None
  feature_similarity: Optional[float] = None
  scale: float = 1.0
  ground: Optional[bool] = None


@dataclasses.dataclass(frozen=True, eq=False)
class SceneObject:
  """A detected object with its best CAD and the runners-up.

  Attributes:
    cad: label, box, mask, score, and the best hypothesis's CAD and pose.
    label_name: the class.
    candidates: hypotheses, best first; the first is `cad`'s.
    depth_source: 'flag', 'depth_map' or 'box_fit'.
    row: of the detection that it comes from.
    confidence: that the best CAD fits, [0, 1]; None: not compared with the
      photo, or never calibrated.
  """

  cad: posed_cad.PosedCad
  label_name: str
  candidates: Tuple[Candidate, ...]
  depth_source: str
  row: int = 0
  confidence: Optional[float] = None

  @property
  def similarity(self) -> float:
    """Of the best hypothesis."""
    return self.candidates[0].similarity

  @property
  def scale(self) -> float:
    """Of the best hypothesis."""
    return self.candidates[0].scale

  @property
  def ground(self) -> Optional[bool]:
    """Of the best hypothesis."""
    return self.candidates[0].ground

  @property
  def confident(self) -> bool:
    """False: no CAD of the gallery fits well, more likely than not.

    Without a confidence: none is similar (CONFIDENT_SIMILARITY).
    """
    if self.confidence is not None:
      return self.confidence >= 0.5
    return self.similarity >= CONFIDENT_SIMILARITY


def assemble(
  detections: Mapping[str, np.ndarray],
  gallery: gallery_lib.Gallery,
  cads: cad_meshes.CadMeshes,
  camera: photo_lib.Camera,
  min_score: float = 0.0,
  depths: Optional[Sequence[Optional[float]]] = None,
  depth_source: str = 'flag',
  hypotheses: Optional[Sequence[Sequence[refiner.Hypothesis]]] = None,
  judge: Optional[confidence.Confidence] = None,
) -> List[SceneObject]:
  """Poses every detection of a photo that scores enough.

  Args:
    detections: `Mask2CADModule.infer`'s outputs of one photo, without the
      batch axis, original pixels.
    gallery: that the detections' rows point into.
    cads: its meshes.
    camera: of the photo.
    min_score: detections below it are left out.
    depths: Z of the CAD's origin, CAD units, of each detection; None: fitted
      to the box.
    depth_source: of the depths that are given.
    hypotheses: of each detection, best first, where renderings were compared
      with the photo; they take the place of what the network alone says.
    judge: of the best hypotheses.

  Returns:
    Objects in descending score. A detection is left out, with a warning, when
    the gallery has no CAD of its class.
  """
  objects = []
  for index in range(int(detections['num_detections'])):
    score = float(detections['detection_scores'][index])
    if score < min_score or _is_empty(detections['detection_boxes'][index]):
      continue
    detection = {
      key: value[index]
      for key, value in detections.items()
      if key.startswith('detection_')
    }
    label_name = gallery.class_names[detection['detection_classes'] - 1]
    if detection['detection_cads'][0] < 0:
      logging.warning(
        'Gallery %r has no CAD of class %s: a detection of score %.2f is '
        'left out.',
        gallery.path,
        label_name,
        score,
      )
      continue
    depth = None if depths is None else depths[index]
    found = dataclasses.replace(
      _pose(detection, label_name, gallery, cads, camera, depth),
      depth_source='box_fit' if depth is None else depth_source,
      row=index,
    )
    if hypotheses is not None and hypotheses[index]:
      found = _refined(found, hypotheses[index], gallery, camera)
      if judge is not None:
        found = dataclasses.replace(
          found, confidence=judge.probability(hypotheses[index][0])
        )
    objects.append(found)
  return sorted(objects, key=lambda found: -found.cad.score)


def _refined(
  found: SceneObject,
  hypotheses: Sequence[refiner.Hypothesis],
  gallery: gallery_lib.Gallery,
  camera: photo_lib.Camera,
) -> SceneObject:
  """The object with the best hypothesis in place of the network's."""
  candidates = tuple(
    Candidate(
      hypothesis.cad_id,
      gallery.cad(hypothesis.cad_id).mesh,
      hypothesis.similarity,
      hypothesis.rotation,
      hypothesis.translation,
      hypothesis.silhouette_iou,
      None
      if np.isnan(hypothesis.feature_similarity)
      else hypothesis.feature_similarity,
    )
    for hypothesis in hypotheses
  )
  cad = hypotheses[0].in_place_of(
    found.cad, candidates[0].mesh, camera.intrinsics
  )
  return dataclasses.replace(found, cad=cad, candidates=candidates)


def _is_empty(box: Sequence[float]) -> bool:
  return box[2] - box[0] < 1.0 or box[3] - box[1] < 1.0


def _pose(
  detection: Mapping[str, np.ndarray],
  label_name: str,
  gallery: gallery_lib.Gallery,
  cads: cad_meshes.CadMeshes,
  camera: photo_lib.Camera,
  depth: Optional[float],
) -> SceneObject:
  rotation = rotations.matrix_from_quaternion(
    np.asarray(detection['detection_rotations'], np.float64)
  )
  box = np.asarray(detection['detection_boxes'], np.float64)
  center = np.asarray(detection['detection_centers'], np.float64)
  candidates = []
  for row, similarity in zip(
    detection['detection_cads'], detection['detection_cad_scores']
  ):
    if row < 0:
      break
    cad = gallery.cads[row]
    z = (
      depth
      if depth is not None
      else cameras.box_fit_depth(
        cads.hull(cad.id),
        rotation,
        center,
        box,
        camera.intrinsics,
        (camera.height, camera.width),
      )
    )
    candidates.append(
      Candidate(
        cad.id,
        cad.mesh,
        float(similarity),
        rotation,
        cameras.unproject(center, z, camera.intrinsics),
      )
    )
  best = candidates[0]
  mask = masks.paste(
    detection['detection_masks'],
    detection['detection_outer_boxes'],
    camera.height,
    camera.width,
  )
  return SceneObject(
    cad=posed_cad.PosedCad(
      label=int(detection['detection_classes']),
      cad_id=best.cad_id,
      mesh=best.mesh,
      rotation=rotation,
      translation=best.translation,
      box=box,
      score=float(detection['detection_scores']),
      mask=mask,
      center=center,
      depth=float(best.translation[2]),
    ),
    label_name=label_name,
    candidates=tuple(candidates),
    depth_source='',
  )
