"""Furnished rooms to pretend that they were scanned: CADs, places, cameras.

World frame of `synthesis.scene`: metres, +y up, the floor is y = 0, the room's
middle is the origin. A CAD stands at X = rotation (scale v) + translation.
"""

import dataclasses
import hashlib
from typing import List
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np
import trimesh
from scipy.spatial import transform

from mask2cad_tf.geometry import symmetry
from tfrecords_tools.synthesis import scene

# Class of a library -> ShapeNet's category, diagonal in metres.
_KINDS = {
  'bed': ('02818832', 2.5),
  'bin': ('02747177', 0.55),
  'bookcase': ('02871439', 2.0),
  'cabinet': ('02933112', 1.5),
  'chair': ('03001627', 1.1),
  'desk': ('04379243', 1.6),
  'display': ('03211117', 0.7),
  'misc': ('03593526', 0.7),  # jar: none of the paper's classes
  'sofa': ('04256520', 2.2),
  'table': ('04379243', 1.4),
  'tool': ('03593526', 0.5),
  'wardrobe': ('02933112', 2.2),
}
_ROOM_HEIGHT = 2.7  # metres
_FREE_FLOOR = 0.7  # share of the room's floor
_GAP = 0.05  # metres between the circles that objects turn in
_MIN_DISTANCE = 0.6  # metres between objects, so that none counts as a double
_CLEARANCE = 0.3  # metres between camera and furniture
_MAX_PITCH = np.radians(40.0)  # downwards
_TRIES = 1000


@dataclasses.dataclass(frozen=True, eq=False)
class NormalizedCad:
  """A CAD as ShapeNetCore stores it: diagonal 1, origin near the centre."""

  synset: str
  shape: str  # 32 hexadecimal digits
  label_name: str  # class in the library
  mesh: trimesh.Trimesh
  symmetry: int  # order about +y, 0 = any angle
  diagonal: float  # metres that it had

  @property
  def path(self) -> str:
    """Below ShapeNet's root."""
    return f'{self.synset}/{self.shape}/models/model_normalized.obj'


@dataclasses.dataclass(frozen=True, eq=False)
class Placed:
  """A CAD in the room: X = rotation (scale v) + translation."""

  cad: NormalizedCad
  rotation: np.ndarray  # [3, 3]
  translation: np.ndarray  # [3], metres
  scale: np.ndarray  # [3], of the CAD's axes
  radius: float  # metres, of the circle that it turns in

  @property
  def vertices(self) -> np.ndarray:
    """[n, 3], in the room."""
    scaled = np.asarray(self.cad.mesh.vertices) * self.scale
    return scaled @ self.rotation.T + self.translation


@dataclasses.dataclass(frozen=True, eq=False)
class Room:
  """A furnished room."""

  size: Tuple[float, float, float]  # x, y (height), z, metres
  objects: Tuple[Placed, ...]


def normalize(cad_id: str, mesh: trimesh.Trimesh) -> Optional[NormalizedCad]:
  """A library's CAD as ShapeNet would hold it.

  Args:
    cad_id: '<class>/<shape>'.
    mesh: +y up, front -z, any units.

  Returns:
    None for a class that ShapeNet and Scan2CAD have no name for.
  """
  label_name = cad_id.split('/')[0]
  if label_name not in _KINDS:
    return None
  synset, diagonal = _KINDS[label_name]
  vertices = np.asarray(mesh.vertices, np.float64)
  size = np.linalg.norm(np.ptp(vertices, axis=0))
  # Six digits are what the file keeps: what is rendered is what is stored.
  origin = 0.5 * (vertices.min(axis=0) + vertices.max(axis=0))
  origin[1] = vertices[:, 1].mean()
  stored = np.round((vertices - origin) / size, 6)
  copy = trimesh.Trimesh(
    stored, mesh.faces, face_colors=_face_colors(mesh), process=False
  )
  return NormalizedCad(
    synset=synset,
    shape=hashlib.md5(cad_id.encode(), usedforsecurity=False).hexdigest(),
    label_name=label_name,
    mesh=copy,
    symmetry=symmetry.symmetry_order(copy),
    diagonal=diagonal,
  )


def furnish(
  cads: Sequence[NormalizedCad], count: int, rng: np.random.Generator
) -> Room:
  """Puts CADs into a room, none through another; one stands there twice.

  Args:
    cads: to choose from, the first ones first.
    count: objects.
    rng: source of randomness.

  Returns:
    A room just large enough.
  """
  chosen = list(cads[: max(count - 1, 1)])
  while len(chosen) < count:
    chosen.append(chosen[int(rng.integers(len(chosen)))])
  sized = [_draw_size(cad, rng) for cad in chosen]
  sized.sort(key=lambda item: -item[2])
  side = max(
    np.sqrt(sum(np.pi * r**2 for _, _, r in sized) / (1.0 - _FREE_FLOOR)),
    2.5 * sized[0][2],
    3.0,
  )
  while True:
    size = (side * rng.uniform(0.95, 1.2), _ROOM_HEIGHT, side)
    objects = _place(sized, size, rng)
    if objects is not None:
      return Room(size, tuple(objects))
    side *= 1.1


def draw_cameras(
  room: Room,
  count: int,
  intrinsics: Tuple[float, float, float, float],
  height: int,
  width: int,
  rng: np.random.Generator,
) -> List[scene.Camera]:
  """A walk around the room, the camera held at chest height.

  Args:
    room: to look at.
    count: frames.
    intrinsics: fx, fy, cx, cy, pixels.
    height: pixels.
    width: pixels.
    rng: source of randomness.
  """
  cameras = []
  start = rng.uniform(0.0, 2.0 * np.pi)
  for index in range(count):
    position = _free_position(room, start + 2.0 * np.pi * index / count, rng)
    target = room.objects[int(rng.integers(len(room.objects)))]
    look_at = target.translation * rng.uniform(0.4, 1.0)
    away = np.hypot(*(look_at - position)[[0, 2]])
    look_at[1] = max(
      rng.uniform(0.2, 0.8), position[1] - np.tan(_MAX_PITCH) * away
    )
    rotation = _look_at(position, look_at, np.radians(rng.normal(0.0, 3.0)))
    cameras.append(
      scene.Camera(rotation, -rotation @ position, intrinsics, height, width)
    )
  return cameras


def _face_colors(mesh: trimesh.Trimesh) -> Optional[np.ndarray]:
  return mesh.visual.face_colors if mesh.visual.kind == 'face' else None


def _draw_size(
  cad: NormalizedCad, rng: np.random.Generator
) -> Tuple[NormalizedCad, np.ndarray, float]:
  """CAD, scale and radius; the annotators stretched CADs to fit the scan."""
  scale = cad.diagonal * rng.uniform(0.9, 1.1) * rng.uniform(0.88, 1.14, 3)
  if cad.symmetry in (0, 4):
    scale[2] = scale[0]  # stretched, it would not be what it is annotated as
  flat = np.asarray(cad.mesh.vertices)[:, [0, 2]] * scale[[0, 2]]
  return cad, scale, float(np.linalg.norm(flat, axis=-1).max())


def _place(sized, size, rng) -> Optional[List[Placed]]:
  placed: List[Placed] = []
  for cad, scale, radius in sized:
    limit = np.array([size[0], size[2]]) / 2.0 - radius - _GAP
    if (limit <= 0).any():
      return None
    for _ in range(_TRIES):
      x, z = rng.uniform(-limit, limit)
      if all(
        np.hypot(x - other.translation[0], z - other.translation[2])
        > max(radius + other.radius + _GAP, _MIN_DISTANCE)
        for other in placed
      ):
        break
    else:
      return None
    low = (np.asarray(cad.mesh.vertices)[:, 1] * scale[1]).min()
    placed.append(
      Placed(
        cad,
        transform.Rotation.from_euler(
          'y', rng.uniform(0.0, 2.0 * np.pi)
        ).as_matrix(),
        np.array([x, -low, z]),
        scale,
        radius,
      )
    )
  return placed


def _free_position(
  room: Room, angle: float, rng: np.random.Generator
) -> np.ndarray:
  """A place near the walls where nothing stands; [3]."""
  reach = np.array([room.size[0], room.size[2]]) / 2.0 - 0.15
  position = np.zeros(2)
  for _ in range(_TRIES):
    position = np.clip(
      np.array([np.cos(angle), np.sin(angle)])
      * np.hypot(*reach)
      * rng.uniform(0.4, 1.0),
      -reach,
      reach,
    )
    if all(
      np.hypot(*(position - item.translation[[0, 2]]))
      > item.radius + _CLEARANCE
      for item in room.objects
    ):
      break
    angle += rng.normal(0.0, 0.1)
  return np.array([position[0], rng.uniform(1.3, 1.9), position[1]])


def _look_at(
  position: np.ndarray, target: np.ndarray, roll: float
) -> np.ndarray:
  """World to camera [3, 3], Pix3D's axes: +x left, +y up, +z forward."""
  forward = target - position
  forward = forward / np.linalg.norm(forward)
  left = np.cross([0.0, 1.0, 0.0], forward)
  left /= np.linalg.norm(left)
  upright = np.stack([left, np.cross(forward, left), forward])
  return transform.Rotation.from_euler('z', roll).as_matrix() @ upright
