"""Boxes before a camera that looks down on a floor: posed, pictured, found."""

from typing import Sequence

import numpy as np
import trimesh
from scipy.spatial import transform

from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import posed_cad
from mask2cad_tf.geometry import renderer
from mask2cad_tf.scene import assemble
from mask2cad_tf.scene import cad_meshes
from mask2cad_tf.scene import photo as photo_lib

CAMERA = photo_lib.Camera(
  np.array([150.0, 160.0, 84.0, 58.0]), 160, 120, 'flag'
)
HEIGHT = 1.5  # of the camera above the floor
PITCH = 12.0  # degrees, that it looks down
# Of the CADs, by id: width, height, depth; their origins are their centres.
SIZES = {
  'table/low': (1.0, 0.5, 0.8),
  'chair/small': (0.5, 1.0, 0.5),
  'chair/twice': (1.0, 2.0, 1.0),
  'sofa/long': (1.8, 0.8, 0.8),
}


def turn(degrees: float, axis: Sequence[float]) -> np.ndarray:
  """The rotation [3, 3] about an axis [3], right-handed."""
  axis = np.asarray(axis, float) / np.linalg.norm(axis)
  return transform.Rotation.from_rotvec(np.radians(degrees) * axis).as_matrix()


# The floor's frame, y upwards, to the camera's: what is ahead comes up.
CAMERA_FROM_FLOOR = turn(-PITCH, (1.0, 0.0, 0.0))


class BoxMeshes(cad_meshes.CadMeshes):
  """The CADs, no files needed."""

  def __init__(self):
    """Takes nothing."""
    super().__init__(lambda cad_id: f'{cad_id}/model.obj')

  def _mesh(self, cad_id: str) -> trimesh.Trimesh:
    return trimesh.creation.box(SIZES[cad_id])


CADS = BoxMeshes()


def pose(cad_id: str, place: Sequence[float], yaw: float, lean: float = 0.0):
  """Rotation and translation of a CAD that stands on the floor.

  Args:
    cad_id: one of SIZES.
    place: (to the left, ahead) of the camera, on the floor.
    yaw: degrees about the vertical.
    lean: degrees off the vertical; it stays where it is.
  """
  center = np.array([place[0], 0.5 * SIZES[cad_id][1] - HEIGHT, place[1]])
  rotation = turn(lean, (0.0, 0.0, 1.0)) @ turn(yaw, (0.0, 1.0, 0.0))
  return CAMERA_FROM_FLOOR @ rotation, CAMERA_FROM_FLOOR @ center


def candidate(cad_id: str, rotation, translation) -> assemble.Candidate:
  """A hypothesis."""
  mesh = f'meshes/{cad_id}/model.obj'
  return assemble.Candidate(cad_id, mesh, 0.8, rotation, translation)


def found(
  candidates: Sequence[assemble.Candidate],
  score: float = 0.9,
  depth_source: str = 'box_fit',
) -> assemble.SceneObject:
  """The object that has these hypotheses; its mask is the best's picture."""
  best = candidates[0]
  label_name = best.cad_id.split('/')[0]
  mesh = trimesh.Trimesh(vertices(best), CADS.mesh(best.cad_id).faces)
  mask = renderer.Renderer(mesh).silhouette(
    np.eye(3), np.zeros(3), CAMERA.intrinsics, CAMERA.height, CAMERA.width
  )
  rows, columns = np.nonzero(mask)
  cad = posed_cad.PosedCad(
    1,
    best.cad_id,
    best.mesh,
    best.rotation,
    best.translation,
    np.array([rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]),
    score,
    mask,
    cameras.project(best.translation, CAMERA.intrinsics),
    float(best.translation[2]),
  )
  return assemble.SceneObject(cad, label_name, tuple(candidates), depth_source)


def vertices(hypothesis: assemble.Candidate) -> np.ndarray:
  """Of the CAD [n, 3] in the camera's frame: scale R v + t."""
  stored = np.asarray(CADS.mesh(hypothesis.cad_id).vertices)
  return (
    hypothesis.scale * stored @ hypothesis.rotation.T + hypothesis.translation
  )


def photo() -> photo_lib.Photo:
  """A magenta one: no CAD looks like it."""
  image = np.zeros((CAMERA.height, CAMERA.width, 3), np.uint8)
  image[..., (0, 2)] = 255
  return photo_lib.Photo('room.png', image, CAMERA)
