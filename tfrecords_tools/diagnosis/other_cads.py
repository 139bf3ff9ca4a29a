"""Does another CAD of the class fit the mask at the annotated pose?"""

import os
from typing import List
from typing import NamedTuple
from typing import Optional
from typing import Tuple

import numpy as np

from mask2cad_tf.geometry import cad_folder
from mask2cad_tf.geometry import meshes
from tfrecords_tools.diagnosis import explanations
from tfrecords_tools.diagnosis import projections

_GLANCE, _SIDE = 96, 256  # pixels, of the pictures that are compared
_FINALISTS = 4
_FITS = 0.90
_GAIN = 0.10  # of the IoU, over the annotated CAD's
_MOST = 400  # CADs that are tried


class OtherCad(NamedTuple):
  """A CAD that fits better than the annotated one."""

  cad_id: str
  iou: float


class OtherCads:
  """The CADs of a library, tried in the place of annotated ones."""

  def __init__(self, library: str, projector: projections.Projector):
    """Lists the library.

    Args:
      library: folder of the CADs.
      projector: of the library.
    """
    self._projector = projector
    try:
      self._cads = cad_folder.list_cads(library)
    except FileNotFoundError:  # ShapeNet's layout: its CADs have no class here
      self._cads = []

  def best(
    self,
    target: explanations.Target,
    pose: projections.Pose,
    label_name: str,
    mesh: str,
    scale: Tuple[float, float, float],
    iou: float,
  ) -> Optional[OtherCad]:
    """The CAD of a class that fits a mask best.

    Args:
      target: the mask.
      pose: at which all CADs are drawn.
      label_name: the class.
      mesh: the annotated mesh, which is no candidate; nor are its variants.
      scale: (x, y, z) factors on all CADs' vertices.
      iou: of the annotated CAD.

    Returns:
      The best fitting CAD; None where none fits well and clearly better.
    """
    shape = os.path.dirname(mesh)
    candidates = [
      (cad.cad_id, path)
      for cad in self._cads
      for path in cad.mesh_paths[:1]
      if cad.label_name == label_name and os.path.dirname(path) != shape
    ][:_MOST]
    scores = self._scores(candidates, target.shrunk(_GLANCE), pose, scale)
    order = np.argsort(scores)[::-1][:_FINALISTS]
    finalists = [candidates[i] for i in order]
    scores = self._scores(finalists, target.shrunk(_SIDE), pose, scale)
    if not scores or max(scores) < max(_FITS, iou + _GAIN):
      return None
    top = int(np.argmax(scores))
    return OtherCad(finalists[top][0], scores[top])

  def _scores(self, candidates, target, pose, scale) -> List[float]:
    scores = []
    for _, path in candidates:
      try:
        drawer = self._projector.renderer(path, scale)
      except meshes.MeshError:
        scores.append(0.0)
        continue
      scores.append(
        target.score(projections.silhouette(drawer, pose, target.view))
      )
    return scores
