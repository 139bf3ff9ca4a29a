"""Draws a furnished room from many places: photos and instances."""

import dataclasses
from typing import List
from typing import NamedTuple
from typing import Optional
from typing import Tuple

import numpy as np

from tfrecords_tools import mini_scannet_layout
from tfrecords_tools.synthesis import fast_renderer
from tfrecords_tools.synthesis import lighting
from tfrecords_tools.synthesis import materials
from tfrecords_tools.synthesis import room as room_lib
from tfrecords_tools.synthesis import scene
from tfrecords_tools.synthesis import scene_geometry
from tfrecords_tools.synthesis import sensor
from tfrecords_tools.synthesis import textures

FLOOR, WALL = -1, -2  # instances that are no CAD
_RUG = 0.03  # metres, what lies on the floor is floor


class Picture(NamedTuple):
  """Images [height, width] of a frame."""

  color: np.ndarray  # uint8 [height, width, 3]
  instances: np.ndarray  # int32, index of the object, FLOOR or WALL


@dataclasses.dataclass(frozen=True, eq=False)
class _Bare:
  """A CAD as `materials.dress` looks at it."""

  vertices: np.ndarray  # [n, 3], metres
  faces: np.ndarray  # [m, 3]
  parts: Tuple  # (face indices, linear colour, texture)
  uv: Optional[np.ndarray] = None


class RoomDrawer:
  """A room with walls, materials and light."""

  def __init__(self, room: mini_scannet_layout.Room, rng: np.random.Generator):
    """Dresses it.

    Args:
      room: with its furniture.
      rng: of walls, materials, light and sensor.
    """
    bank = textures.TextureBank()
    floor_size, height = (room.size[0], room.size[2]), room.size[1]
    self._parts = room_lib.build(rng, bank, floor_size, height, ceiling=True)
    for index, item in enumerate(room.objects):
      self._parts += _dressed(item, index, bank, rng)
    self._lighting, self._sensor = lighting.draw(
      rng, 'room', floor_size, height
    )

  def draw(self, camera: scene.Camera, rng: np.random.Generator) -> Picture:
    """One frame.

    Args:
      camera: inside the room.
      rng: of the rays and the sensor.

    Returns:
      The images; the instance of a pixel is what its centre's ray meets.
    """
    view = scene.Scene(
      parts=tuple(self._parts),
      objects=(),
      camera=camera,
      lighting=self._lighting,
      sensor=self._sensor,
      mode='room',
      background=np.zeros(3, np.float32),
    )
    geometry = scene_geometry.SceneGeometry(view)
    radiance = fast_renderer.render(view, geometry, rng)
    seen = geometry.seen_at_centers()
    heights = camera.position[1] + seen.depth * seen.directions[:, 1]
    owners = geometry.owners[seen.triangle]
    instances = np.where(
      (owners >= 0) & (seen.triangle >= 0),
      owners,
      np.where(heights < _RUG, FLOOR, WALL),
    )
    return Picture(
      sensor.develop(radiance, self._sensor, rng),
      instances.astype(np.int32).reshape(camera.height, camera.width),
    )


def _dressed(
  item: mini_scannet_layout.Placed, index: int, bank, rng
) -> List[scene.Part]:
  """A CAD's parts by material."""
  faces = np.asarray(item.cad.mesh.faces, np.int32)
  bare = _Bare(item.vertices, faces, _color_parts(item.cad))
  return [
    scene.Part(
      item.vertices.astype(np.float32),
      faces[rows],
      material,
      owner=index,
      is_cad=True,
    )
    for rows, material, _ in materials.dress(
      rng, bank, bare, item.cad.label_name
    )
  ]


def _color_parts(cad: mini_scannet_layout.NormalizedCad) -> Tuple:
  """Faces of one colour each, where the CAD has colours."""
  if not cad.mesh.visual.defined:
    return ((np.arange(len(cad.mesh.faces)), None, None),)
  colors = np.asarray(cad.mesh.visual.face_colors)[:, :3] / 255.0
  distinct, kinds = np.unique(colors, axis=0, return_inverse=True)
  return tuple(
    (np.nonzero(kinds.reshape(-1) == i)[0], color, None)
    for i, color in enumerate(distinct)
  )
