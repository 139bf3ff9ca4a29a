"""overlay.png's drawing for one CAD that evaluation posed."""

from typing import Optional

import numpy as np

from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import posed_cad
from mask2cad_tf.geometry import renderer
from mask2cad_tf.scene import assemble
from mask2cad_tf.scene import cad_meshes
from mask2cad_tf.scene import overlay
from mask2cad_tf.scene import photo as photo_lib


def draw(
  image: np.ndarray,
  intrinsics: np.ndarray,
  cad: posed_cad.PosedCad,
  class_name: str,
  similarity: float,
  confidence: Optional[float] = None,
) -> np.ndarray:
  """The photo with mask and CAD.

  Args:
    image: uint8 [h, w, 3].
    intrinsics: [4], (fx, fy, cx, cy), pixels.
    cad: box and mask of the photo's size; `mesh` is the path of its mesh. One
      without a mesh gets its mask only.
    class_name: of it.
    similarity: of the CAD, for the label.
    confidence: that the CAD fits, [0, 1]; None: not judged.

  Returns:
    uint8 [h, w, 3].
  """
  height, width = image.shape[:2]
  found = assemble.SceneObject(
    cad,
    class_name,
    (
      assemble.Candidate(
        cad.cad_id, cad.mesh, similarity, cad.rotation, cad.translation
      ),
    ),
    depth_source='flag',
    confidence=confidence,
  )
  camera = photo_lib.Camera(intrinsics, width, height, 'flag')
  drawn = overlay.draw(
    photo_lib.Photo('', image, camera), [found], _OneCad(cad)
  )
  return np.asarray(drawn)


class _OneCad(cad_meshes.CadMeshes):
  """The meshes of one posed CAD, scaled as it is."""

  def __init__(self, cad: posed_cad.PosedCad):
    super().__init__(lambda _: cad.mesh)
    self._scale = cad.scale

  def _renderer(self, cad_id: str) -> renderer.Renderer:
    mesh = meshes.load(self.mesh_path(cad_id)).copy()
    mesh.vertices = np.asarray(mesh.vertices) * self._scale
    return renderer.Renderer(mesh)
