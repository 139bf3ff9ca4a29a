"""A synthetic scene before anybody draws it: parts, objects, light, camera.

World frame: metres, right-handed, +y up, the floor is y = 0. The camera frame
is Pix3D's (`conventions`): X_camera = R X_world + t.
"""

import dataclasses
from typing import Dict
from typing import Optional
from typing import Tuple

import numpy as np

# Owners of parts that belong to no annotated object.
ROOM = -1  # floor, walls, what hangs on them
UNLABELLED = -2  # clutter and furniture that nobody annotated


@dataclasses.dataclass(frozen=True, eq=False)
class Material:
  """A surface; colours are linear RGB, 0..1."""

  color: np.ndarray  # float32 [3]; multiplies the texture
  texture: Optional[np.ndarray] = None  # uint8 [h, w, 3], sRGB, tiled
  texture_size: float = 1.0  # metres a tile, where the part has no uv
  roughness: float = 0.7  # 0 a mirror .. 1 matt
  specular: float = 0.3  # strength of highlights, 0..1
  metallic: float = 0.0  # 0 or 1
  emission: float = 0.0  # radiance over that of a white wall (lamps, screens)


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
  """Triangles of one material, in the world."""

  vertices: np.ndarray  # float32 [n, 3], metres
  faces: np.ndarray  # int32 [m, 3]
  material: Material
  owner: int  # index into Scene.objects, or ROOM, or UNLABELLED
  is_cad: bool = False  # of the owner's CAD; False: linen, cushions on it
  uv: Optional[np.ndarray] = None  # float32 [n, 2], tiles, v up
  smooth: bool = False  # shade with vertex normals (cloth, round things)


@dataclasses.dataclass(frozen=True, eq=False)
class PlacedCad:
  """An annotated object: world = rotation @ (scale * v) + translation."""

  cad_id: str  # '<class>/<shape>'
  label_name: str
  mesh: str  # path in the library; vertices v as stored in that file
  rotation: np.ndarray  # float64 [3, 3], CAD to world
  translation: np.ndarray  # float64 [3], metres
  scale: float  # metres per CAD unit


@dataclasses.dataclass(frozen=True, eq=False)
class Camera:
  """A pinhole camera; X_camera = rotation @ X_world + translation."""

  rotation: np.ndarray  # float64 [3, 3], world to camera
  translation: np.ndarray  # float64 [3], metres
  intrinsics: Tuple[float, float, float, float]  # fx, fy, cx, cy, pixels
  height: int  # pixels
  width: int  # pixels

  @property
  def position(self) -> np.ndarray:
    """The optical centre in the world, [3]."""
    return -self.rotation.T @ self.translation


@dataclasses.dataclass(frozen=True, eq=False)
class Light:
  """A lamp: a ball that shines on everything around it."""

  position: np.ndarray  # float64 [3], metres; a sun is just far away
  color: np.ndarray  # float32 [3], linear; what a white surface that faces the
  # lamp from the scene's middle reflects of it (1 is full exposure)
  radius: float  # metres; large: soft shadows


@dataclasses.dataclass(frozen=True, eq=False)
class Lighting:
  """All the light of a scene."""

  lights: Tuple[Light, ...]
  ambient: np.ndarray  # float32 [3], what an open white surface reflects of it
  environment: Optional[np.ndarray] = None  # float32 [h, w, 3], equirectangular


@dataclasses.dataclass(frozen=True)
class Sensor:
  """From radiance to a file, as a phone or a web shop does it."""

  exposure: float = 0.0  # stops
  white_balance: Tuple[float, float, float] = (1.0, 1.0, 1.0)
  contrast: float = 1.0  # of the tone curve about middle grey
  saturation: float = 1.0
  blur: float = 0.0  # pixels, standard deviation
  noise: float = 0.0  # standard deviation at middle grey, 0..1 of full scale
  vignette: float = 0.0  # darkening of the corners, 0..1
  jpeg_quality: int = 90


@dataclasses.dataclass(frozen=True, eq=False)
class Scene:
  """Everything that a renderer and the ground truth need."""

  parts: Tuple[Part, ...]
  objects: Tuple[PlacedCad, ...]
  camera: Camera
  lighting: Lighting
  sensor: Sensor
  mode: str  # 'room', 'closeup' or 'studio'
  background: np.ndarray  # where rays leave the scene: float32 [3], linear, or
  # uint8 [height, width, 3], sRGB, a photo as large as the picture
  shadow_catcher: bool = False  # the floor y = 0 shows the background, shadowed
  statistics: Dict[str, float] = dataclasses.field(default_factory=dict)


class Rejected(Exception):
  """A draw that gives no good scene; the composer draws again."""
