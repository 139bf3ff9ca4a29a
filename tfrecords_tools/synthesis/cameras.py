"""Cameras that frame one object as a view asks, or look at a whole room."""

from typing import Sequence
from typing import Tuple

import numpy as np

from mask2cad_tf.geometry import cameras
from tfrecords_tools.synthesis import placement
from tfrecords_tools.synthesis import pose_prior
from tfrecords_tools.synthesis import scene as scene_lib

_CLOSEST = 0.25  # metres between camera and anything
_LOWEST = 0.08  # metres above the floor
_LONGEST_LENS = 1.6  # longer sides of the picture, for rooms
_STEPS = 10  # of the search for distance and place
_BISECTIONS = 12  # of the search for a distance in a room
# Of the picture's side, what its subject takes.
_NEAR, _AFAR = (0.55, 1.3), (0.15, 0.6)
_FURTHEST = 12.0  # metres
_STEEPEST = np.radians(48.0)  # that anybody looks down at a room


def frame_object(
  view: pose_prior.View, main: placement.Placed, height: int, width: int
) -> scene_lib.Camera:
  """The camera that sees an object as the view says.

  Args:
    view: direction, focal length, place and size in the picture.
    main: the object.
    height: pixels.
    width: pixels.

  Returns:
    The camera.

  Raises:
    Rejected: if it would stand below the floor or inside the object.
  """
  away = placement.turn(main.yaw) @ np.array(
    [
      np.cos(view.elevation) * np.sin(view.azimuth),
      np.sin(view.elevation),
      -np.cos(view.elevation) * np.cos(view.azimuth),
    ]
  )
  focal = view.focal * max(width, height)
  intrinsics = (focal, focal, 0.5 * width, 0.5 * height)
  wish = np.array([width, height]) * view.center
  # The view is that of a camera which looks at the object: turn it, so that
  # the object comes to where it is wished.
  aside = pose_prior.toward(cameras.unproject(wish, 1.0, intrinsics))
  rotation = aside @ _roll(view.roll) @ _look_along(-away)
  vertices = main.vertices.astype(np.float64) @ rotation.T
  middle = 0.5 * (vertices.min(axis=0) + vertices.max(axis=0))
  extent = np.ptp(vertices[:, :2], axis=0)
  side = view.size * np.array([width, height])
  depth = float((focal * extent / side).max())
  target = wish.copy()
  for _ in range(_STEPS):
    translation = cameras.unproject(target, depth, intrinsics) - middle
    points = vertices + translation
    if points[:, 2].min() < _CLOSEST:
      depth += _CLOSEST - points[:, 2].min() + 0.05
      continue
    image = cameras.project(points, intrinsics)
    ratio = (np.ptp(image, axis=0) / side).max()
    depth *= float(np.clip(ratio, 0.7, 1.5))
    target += wish - 0.5 * (image.min(axis=0) + image.max(axis=0))
  camera = scene_lib.Camera(rotation, translation, intrinsics, height, width)
  if camera.position[1] < _LOWEST or points[:, 2].min() < 0.5 * _CLOSEST:
    raise scene_lib.Rejected('no room for the camera')
  return camera


def look_at_room(
  placed: Sequence[placement.Placed],
  size: Tuple[float, float],
  height: int,
  width: int,
  rng: np.random.Generator,
  from_afar: bool = False,
) -> scene_lib.Camera:
  """A person's camera that looks at what stands in a room, from -z.

  Args:
    placed: everything that stands, the most important first.
    size: (x, z) of the room, metres.
    height: pixels.
    width: pixels.
    rng: source of randomness.
    from_afar: all that stands is small in the picture.

  Returns:
    The camera, inside the room or before its missing front wall.

  Raises:
    Rejected: if something stands in its way.
  """
  # Whoever wants the whole room in the picture takes a wide lens.
  focal = min(pose_prior.draw_focal(rng), _LONGEST_LENS) * max(width, height)
  intrinsics = (focal, focal, 0.5 * width, 0.5 * height)
  corners = _subject(placed, rng, from_afar)
  middle = 0.5 * (corners.min(axis=0) + corners.max(axis=0))
  share = rng.uniform(*(_AFAR if from_afar else _NEAR))
  eye_height = float(np.clip(rng.normal(1.4, 0.25), 0.8, 1.9))
  azimuth = float(np.clip(rng.normal(0.0, 0.5), -1.2, 1.2))
  offset = np.array([0.5 * width, 0.5 * height]) * rng.normal(0, 0.12, 2)
  aside = pose_prior.toward(
    cameras.unproject(
      np.array([0.5 * width, 0.5 * height]) + offset, 1.0, intrinsics
    )
  )
  roll = _roll(np.radians(rng.normal(0.0, 1.5)))

  def stand(distance: float) -> Tuple[np.ndarray, np.ndarray]:
    """Eye and rotation at a distance over ground."""
    eye = middle + distance * np.array([np.sin(azimuth), 0, -np.cos(azimuth)])
    eye[0] = np.clip(eye[0], 0.2 - 0.5 * size[0], 0.5 * size[0] - 0.2)
    eye[1] = eye_height
    return eye, roll @ aside @ _look_along(middle - eye)

  low, high = 0.3, _FURTHEST
  for _ in range(_BISECTIONS):
    distance = 0.5 * (low + high)
    eye, rotation = stand(distance)
    points = (corners - eye) @ rotation.T
    too_near = points[:, 2].min() < _CLOSEST
    if not too_near:
      extent = np.ptp(cameras.project(points, intrinsics), axis=0)
      too_near = (extent / [width, height]).max() > share
    low, high = (distance, high) if too_near else (low, distance)
  eye, rotation = stand(high)
  if np.arcsin(-rotation[2, 1]) > _STEEPEST:
    raise scene_lib.Rejected('the camera looks too steeply')
  if any(item.holds(eye, _CLOSEST) for item in placed):
    raise scene_lib.Rejected('the camera stands in the furniture')
  return scene_lib.Camera(rotation, -rotation @ eye, intrinsics, height, width)


def _subject(placed, rng, is_all: bool) -> np.ndarray:
  """Corners [n, 3] of what the picture is about: one, a few or all things."""
  kind = 2 if is_all else rng.choice(3, p=(0.25, 0.35, 0.4))
  if kind == 0:
    chosen = [placed[rng.integers(len(placed))]]
  elif kind == 1:
    main = placed[0]
    away = [np.linalg.norm(p.position - main.position) for p in placed]
    chosen = [placed[i] for i in np.argsort(away, kind='stable')[:3]]
  else:
    chosen = list(placed)
  return np.concatenate([item.corners() for item in chosen])


def _look_along(direction: np.ndarray) -> np.ndarray:
  """World to camera: +z along the direction, +y up, +x left."""
  forward = np.asarray(direction, np.float64)
  forward = forward / np.linalg.norm(forward)
  left = np.cross([0.0, 1.0, 0.0], forward)
  left /= max(np.linalg.norm(left), 1e-9)
  return np.stack([left, np.cross(forward, left), forward])


def _roll(angle: float) -> np.ndarray:
  """Turns the picture's up towards +x of the camera."""
  cos, sin = np.cos(angle), np.sin(angle)
  return np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
