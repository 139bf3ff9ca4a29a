"""Small scenes built by hand: boxes, a floor, furniture of the catalogue."""

from typing import Dict
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np
import trimesh

from mask2cad_tf.geometry import renderer
from mask2cad_tf.geometry.furniture import catalogue
from tfrecords_tools.synthesis import scene as scene_lib

WHITE = scene_lib.Material(np.ones(3, np.float32), roughness=1.0, specular=0.0)
CLASS_NAMES = ('chair', 'sofa', 'table')


def paint(*color: float, **changes) -> scene_lib.Material:
  """A matt material without highlights."""
  values = {'roughness': 1.0, 'specular': 0.0, **changes}
  return scene_lib.Material(np.array(color, np.float32), **values)


def part(
  mesh: trimesh.Trimesh,
  material: scene_lib.Material,
  owner: int,
  is_cad: bool = False,
  **changes,
) -> scene_lib.Part:
  """A mesh that stands in the world."""
  return scene_lib.Part(
    np.asarray(mesh.vertices, np.float32),
    np.asarray(mesh.faces, np.int32),
    material,
    owner,
    is_cad,
    **changes,
  )


def box(
  low: Sequence[float],
  high: Sequence[float],
  material: scene_lib.Material = WHITE,
  owner: int = scene_lib.UNLABELLED,
  **changes,
) -> scene_lib.Part:
  """An axis-aligned box between two corners."""
  return part(
    trimesh.creation.box(bounds=[low, high]), material, owner, **changes
  )


def camera(
  eye: Sequence[float],
  target: Sequence[float],
  focal: float,
  height: int,
  width: int,
) -> scene_lib.Camera:
  """An upright camera at `eye` that looks at `target`."""
  eye = np.asarray(eye, float)
  forward = np.asarray(target, float) - eye
  forward /= np.linalg.norm(forward)
  world_up = [0, 0, 1] if abs(forward[1]) > 0.99 else [0, 1, 0]
  left = np.cross(world_up, forward)
  left /= np.linalg.norm(left)
  rotation = np.stack([left, np.cross(forward, left), forward])
  intrinsics = (focal, focal, width / 2, height / 2)
  return scene_lib.Camera(rotation, -rotation @ eye, intrinsics, height, width)


def lamp(
  position: Sequence[float], color: float = 1.0, radius: float = 0.0
) -> scene_lib.Light:
  """A grey lamp."""
  return scene_lib.Light(
    np.asarray(position, float), np.full(3, color, np.float32), radius
  )


def scene(
  parts: Sequence[scene_lib.Part],
  view: scene_lib.Camera,
  objects: Sequence[scene_lib.PlacedCad] = (),
  lights: Sequence[scene_lib.Light] = (),
  ambient: float = 0.0,
  background: float = 0.0,
  **changes,
) -> scene_lib.Scene:
  """A scene; whatever is not said is black."""
  return scene_lib.Scene(
    tuple(parts),
    tuple(objects),
    view,
    scene_lib.Lighting(tuple(lights), np.full(3, ambient, np.float32)),
    scene_lib.Sensor(),
    'room',
    np.full(3, background, np.float32),
    **changes,
  )


class Library:
  """CADs in memory; `renderer_of` is what ground_truth.label asks for."""

  def __init__(self, cads: Dict[str, trimesh.Trimesh]):
    self.cads = cads
    self._renderers: Dict[str, renderer.Renderer] = {}

  def renderer_of(self, mesh: str) -> renderer.Renderer:
    """The renderer of a mesh path, '<class>/<shape>/model.glb'."""
    if mesh not in self._renderers:
      cad_id = mesh.rsplit('/', 1)[0]
      self._renderers[mesh] = renderer.Renderer(self.cads[cad_id])
    return self._renderers[mesh]

  def place(
    self,
    cad_id: str,
    index: int,
    translation: Sequence[float],
    yaw: float = 0.0,
    scale: float = 1.0,
    material: scene_lib.Material = WHITE,
  ) -> Tuple[scene_lib.PlacedCad, scene_lib.Part]:
    """An object and its one part, turned by `yaw` radians about +y."""
    cad = self.cads[cad_id]
    cosine, sine = np.cos(yaw), np.sin(yaw)
    rotation = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
    translation = np.asarray(translation, float)
    item = scene_lib.PlacedCad(
      cad_id,
      cad_id.split('/')[0],
      f'{cad_id}/model.glb',
      rotation,
      translation,
      scale,
    )
    placed = trimesh.Trimesh(
      scale * cad.vertices @ rotation.T + translation, cad.faces, process=False
    )
    return item, part(placed, material, index, is_cad=True)


def furnished_room(
  height: int = 120,
  width: int = 160,
  cad_ids: Sequence[str] = (
    'chair/bar_slats_square',
    'table/coffee_oval_splayed',
    'sofa/chaise_wave',
  ),
  extra: Optional[Sequence[scene_lib.Part]] = None,
) -> Tuple[scene_lib.Scene, Library]:
  """Three pieces of the catalogue that stand clear of each other."""
  library = Library({name: catalogue.build(name) for name in cad_ids})
  places = [(-0.9, 0.2, 0.4), (0.3, 0.3, 0.0), (0.2, 1.8, 0.1)]
  colors = [(0.6, 0.3, 0.1), (0.7, 0.7, 0.65), (0.2, 0.3, 0.5)]
  objects, parts = [], []
  for index, name in enumerate(cad_ids):
    x, z, yaw = places[index]
    y = -library.cads[name].bounds[0][1]
    material = scene_lib.Material(
      np.array(colors[index], np.float32), roughness=0.4
    )
    item, placed = library.place(name, index, (x, y, z), yaw, material=material)
    objects.append(item)
    parts.append(placed)
  floor = box((-3, -0.1, -4), (3, 0, 3), paint(0.5, 0.35, 0.2), scene_lib.ROOM)
  wall = box((-3, 0, 2.6), (3, 2.6, 2.7), paint(0.8, 0.8, 0.7), scene_lib.ROOM)
  lights = [lamp((-2, 2.4, -2), 0.5, 0.3), lamp((20, 30, -20), 0.4, 1.0)]
  room = scene(
    parts + [floor, wall] + list(extra or ()),
    camera((-1.2, 1.5, -3.0), (0, 0.5, 0.8), 300 * width / 320, height, width),
    objects,
    lights,
    ambient=0.4,
    background=1.0,
  )
  return room, library
