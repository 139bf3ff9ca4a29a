"""All triangles of a scene in one embree scene, and what pixels see of them."""

from typing import NamedTuple

import numpy as np

from mask2cad_tf.geometry import ray_caster
from tfrecords_tools.synthesis import scene as scene_lib


class Seen(NamedTuple):
  """What rays through the picture meet first; n rays."""

  directions: np.ndarray  # float32 [n, 3], world, camera depth 1
  depth: np.ndarray  # float32 [n], along the camera's axis, inf: nothing
  triangle: np.ndarray  # int32 [n], -1: nothing
  u: np.ndarray  # float32 [n], weight of the second corner
  v: np.ndarray  # float32 [n], weight of the third corner


class SceneGeometry:
  """The triangles of a scene's parts, one after the other.

  Attributes:
    triangles: float32 [m, 3, 3], world.
    parts: int32 [m], index of the triangle's part in `scene.parts`.
    owners: int32 [m], as `Part.owner`.
    normals: float32 [m, 3], unit.
    caster: all triangles.
    shadow_caster: those that lamps cannot shine through: all but the room's,
      so that a sun may stand outside of it; None where there are none.
  """

  def __init__(self, scene: scene_lib.Scene):
    """Builds it.

    Args:
      scene: with at least one part.
    """
    self._camera = scene.camera
    self.triangles = np.concatenate(
      [np.asarray(p.vertices, np.float32)[p.faces] for p in scene.parts]
    )
    counts = [len(part.faces) for part in scene.parts]
    self.parts = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    part_owners = np.array([p.owner for p in scene.parts], np.int32)
    self.owners = part_owners[self.parts]
    self.normals = _unit_normals(self.triangles)
    self.caster = ray_caster.RayCaster(self.triangles)
    solid = self.owners != scene_lib.ROOM
    self.shadow_caster = (
      ray_caster.RayCaster(self.triangles[solid]) if solid.any() else None
    )

  def see(self, height: int, width: int, offsets: np.ndarray) -> Seen:
    """Casts one ray a pixel of the picture, at any resolution.

    Args:
      height: rows to divide the picture's height into.
      width: columns to divide its width into.
      offsets: float [height, width, 2], place (x, y) in each pixel, 0..1.

    Returns:
      What the rays meet, row by row.
    """
    camera = self._camera
    fx, fy, cx, cy = camera.intrinsics
    columns = (np.arange(width) + offsets[..., 0]) * (camera.width / width)
    rows = np.arange(height)[:, np.newaxis] + offsets[..., 1]
    rows = rows * (camera.height / height)
    in_camera = np.stack(
      [(cx - columns) / fx, (cy - rows) / fy, np.ones_like(columns)], axis=-1
    ).reshape(-1, 3)
    directions = (in_camera @ camera.rotation).astype(np.float32)
    origins = np.broadcast_to(camera.position, directions.shape)
    hits = self.caster.nearest(origins, directions)
    return Seen(directions, hits.distance, hits.triangle, hits.u, hits.v)

  def seen_at_centers(self) -> Seen:
    """What the pixels' centres see: the ground truth of masks."""
    height, width = self._camera.height, self._camera.width
    return self.see(height, width, np.full((height, width, 2), 0.5))


def _unit_normals(triangles: np.ndarray) -> np.ndarray:
  normals = np.cross(
    triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
  )
  lengths = np.linalg.norm(normals, axis=1, keepdims=True)
  return (normals / np.maximum(lengths, 1e-20)).astype(np.float32)
