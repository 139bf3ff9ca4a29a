"""Outputs of the inference path as posed CADs of a photo."""

import dataclasses
from typing import Any
from typing import Callable
from typing import List
from typing import Mapping
from typing import Optional
from typing import Sequence

import numpy as np

from mask2cad_tf.evaluation import given_depth
from mask2cad_tf.evaluation import photo as photo_lib
from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import posed_cad
from mask2cad_tf.geometry import rotations

# Probabilities [m, m], outer box [4] yxyx, height, width -> bool [h, w].
MaskPaster = Callable[[np.ndarray, np.ndarray, int, int], np.ndarray]


class OutputReader:
  """Poses the first CAD of each detection at the given depth."""

  def __init__(
    self,
    mesh_of: Callable[[str], str],
    depth: given_depth.GivenDepth,
    paste_mask: MaskPaster,
  ):
    """Keeps how to find a CAD's mesh, an object's depth, a full-size mask."""
    self._mesh_of = mesh_of
    self._depth = depth
    self._paste_mask = paste_mask

  def read(
    self,
    outputs: Mapping[str, np.ndarray],
    photo: photo_lib.Photo,
    on_true_boxes: bool = False,
  ) -> photo_lib.Prediction:
    """The prediction of one photo.

    Args:
      outputs: of `Mask2CADModule.infer`, NumPy, without the batch axis.
      photo: its camera, and the true depths.
      on_true_boxes: the boxes were given. They have no detection score, and
        AP needs an order: the similarity of the first CAD is the score.

    Returns:
      Translation = unprojected centre at the given depth (decisions: 5 dof).
    """
    count = int(outputs['num_detections'])
    candidates: List[List[str]] = []
    objects, retrieved = [], []
    for i in range(count):
      candidates.append(
        [
          cad_id.decode()
          for cad_id in outputs['detection_cad_ids'][i]
          if cad_id
        ]
      )
      retrieved.append(
        photo_lib.Retrieved(
          outputs['detection_embeddings'][i],
          dict(
            zip(candidates[-1], outputs['detection_cad_scores'][i].tolist())
          ),
        )
      )
      score = (
        outputs['detection_cad_scores'][i, 0]
        if on_true_boxes
        else outputs['detection_scores'][i]
      )
      objects.append(
        self._object(
          {
            key: value[i]
            for key, value in outputs.items()
            if key.startswith('detection_')
          },
          photo,
          candidates[-1][0] if candidates[-1] else '',
          float(score),
        )
      )
    return photo_lib.Prediction(objects, candidates, retrieved)

  def depths(
    self, objects: Sequence[posed_cad.PosedCad]
  ) -> List[Optional[float]]:
    """What a refinement may know of each object's depth; None: nothing."""
    if self._depth.is_given:
      return [cad.depth for cad in objects]
    return [None] * len(objects)

  def refined(
    self,
    prediction: photo_lib.Prediction,
    hypotheses: Sequence[Sequence[Any]],
    photo: photo_lib.Photo,
  ) -> photo_lib.Prediction:
    """The prediction with the best hypothesis of each object in its place.

    Args:
      prediction: of `read`.
      hypotheses: refinement.refiner.Hypothesis of each object, best first.
      photo: its camera.
    """
    objects, candidates, retrieved = [], [], []
    for cad, found, ranked, known in zip(
      prediction.objects,
      hypotheses,
      prediction.candidates,
      prediction.retrieved,
    ):
      if found:
        best = found[0]
        cad = best.in_place_of(
          cad, self._mesh_of(best.cad_id), photo.intrinsics
        )
        ranked = list(
          dict.fromkeys([*(hypothesis.cad_id for hypothesis in found), *ranked])
        )
        similarities = {
          hypothesis.cad_id: hypothesis.similarity for hypothesis in found
        }
        known = dataclasses.replace(
          known,
          similarities={**known.similarities, **similarities},
          hypothesis=best,
        )
      objects.append(cad)
      candidates.append(ranked)
      retrieved.append(known)
    return photo_lib.Prediction(objects, candidates, retrieved)

  def _object(
    self,
    output: Mapping[str, np.ndarray],
    photo: photo_lib.Photo,
    cad_id: str,
    score: float,
  ) -> posed_cad.PosedCad:
    mesh = self._mesh_of(cad_id) if cad_id else ''
    rotation = rotations.matrix_from_quaternion(output['detection_rotations'])
    box = np.asarray(output['detection_boxes'], np.float64)
    center = np.asarray(output['detection_centers'], np.float64)
    depth = self._depth(box, rotation, mesh, photo, center)
    return posed_cad.PosedCad(
      label=int(output['detection_classes']),
      cad_id=cad_id,
      mesh=mesh,
      rotation=rotation,
      translation=cameras.unproject(center, depth, photo.intrinsics),
      box=box,
      score=score,
      mask=self._paste_mask(
        output['detection_masks'], output['detection_outer_boxes'], *photo.size
      ),
      center=center,
      depth=depth,
      scale=given_depth.given_scale(box, photo.objects),
    )
