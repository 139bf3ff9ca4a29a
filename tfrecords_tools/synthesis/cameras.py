"""Cameras that frame one object as a view asks, or look at a whole room."""

from typing import Sequence
from typing import Tuple

import numpy as np

from mask2cad_tf.geometry import cameras
from tfrecords_tools.synthesis import placement
from tfrecords_tools.synthesis import pose_prior
from tfrecords_tools.synthesis import scene as scene_lib

_CLOSEST = 0.25  # metres between camera and anything
_LONGEST_LENS = 1.5  # picture widths, for rooms
_STEPS = 10  # of the search for distance and place


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
  azimuth = view.azimuth
  away = placement.turn(main.yaw) @ np.array(
    [
      np.cos(view.elevation) * np.sin(azimuth),
      np.sin(view.elevation),
      -np.cos(view.elevation) * np.cos(azimuth),
    ]
  )
  rotation = _roll(view.roll) @ _look_along(-away)
  focal = view.focal * width
  intrinsics = (focal, focal, 0.5 * width, 0.5 * height)
  vertices = main.vertices.astype(np.float64) @ rotation.T
  middle = 0.5 * (vertices.min(axis=0) + vertices.max(axis=0))
  extent = np.ptp(vertices[:, :2], axis=0)
  wish = np.array([width, height]) * view.center
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
  if camera.position[1] < 0.08 or points[:, 2].min() < 0.5 * _CLOSEST:
    raise scene_lib.Rejected('no room for the camera')
  return camera


def look_at_room(
  placed: Sequence[placement.Placed],
  size: Tuple[float, float],
  height: int,
  width: int,
  rng: np.random.Generator,
) -> scene_lib.Camera:
  """A person's camera that looks at what stands in a room, from -z.

  Args:
    placed: everything that stands.
    size: (x, z) of the room, metres.
    height: pixels.
    width: pixels.
    rng: source of randomness.

  Returns:
    The camera, inside the room or before its missing front wall.

  Raises:
    Rejected: if something stands in its way.
  """
  # Whoever wants the whole room in the picture takes a wide lens.
  focal = min(pose_prior.draw_focal(rng), _LONGEST_LENS) * width
  intrinsics = (focal, focal, 0.5 * width, 0.5 * height)
  points = np.concatenate([p.vertices for p in placed]).astype(np.float64)
  target = 0.5 * (points.min(axis=0) + points.max(axis=0))
  target += rng.normal(0.0, (0.25, 0.1, 0.25))
  radius = 0.5 * np.linalg.norm(np.ptp(points, axis=0))
  tangent = min(width, height) / (2.0 * focal)
  distance = radius * rng.uniform(0.5, 1.0) * np.sqrt(1.0 + tangent**-2)
  eye_height = np.clip(rng.normal(1.4, 0.25), 0.6, 2.1)
  azimuth = rng.normal(0.0, 0.45)
  flat = np.sqrt(max(distance**2 - (eye_height - target[1]) ** 2, 0.5))
  eye = target + flat * np.array([np.sin(azimuth), 0.0, -np.cos(azimuth)])
  # The far wall and what hangs on it stay in the background.
  eye[0] = np.clip(eye[0], -0.5 * size[0], 0.5 * size[0])
  eye[1] = eye_height
  rotation = _roll(np.radians(rng.normal(0.0, 1.5))) @ _look_along(target - eye)
  camera = scene_lib.Camera(
    rotation, -rotation @ eye, intrinsics, height, width
  )
  if np.linalg.norm(points - eye, axis=1).min() < _CLOSEST:
    raise scene_lib.Rejected('the camera stands in the furniture')
  return camera


def _look_along(direction: np.ndarray) -> np.ndarray:
  """World to camera: +z along the direction, +y up, +x left."""
  forward = np.asarray(direction, np.float64)
  forward = forward / np.linalg.norm(forward)
  left = np.cross([0.0, 1.0, 0.0], forward)
  left /= max(np.linalg.norm(left), 1e-9)
  return np.stack([left, np.cross(forward, left), forward])


def _roll(angle: float) -> np.ndarray:
  cos, sin = np.cos(angle), np.sin(angle)
  return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
