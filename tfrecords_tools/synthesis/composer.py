"""Draws a scene: what stands where, made of what, lit and seen how."""

import dataclasses
import functools
import os
from typing import List
from typing import Sequence
from typing import Tuple

import numpy as np
from PIL import Image

from tfrecords_tools.synthesis import arrangements
from tfrecords_tools.synthesis import cameras
from tfrecords_tools.synthesis import clutter
from tfrecords_tools.synthesis import furnishing
from tfrecords_tools.synthesis import library as library_lib
from tfrecords_tools.synthesis import lighting
from tfrecords_tools.synthesis import materials
from tfrecords_tools.synthesis import options as options_lib
from tfrecords_tools.synthesis import placement
from tfrecords_tools.synthesis import pose_prior
from tfrecords_tools.synthesis import room
from tfrecords_tools.synthesis import scene as scene_lib
from tfrecords_tools.synthesis import soft_goods
from tfrecords_tools.synthesis import textures
from tfrecords_tools.synthesis import visibility

MODES = ('room', 'closeup', 'studio')
_MAX_DRAWS = 60
_PHOTO_BACKGROUND = 0.5  # share of close-ups, where there are photos
_LONELY = {'closeup': 0.55, 'studio': 0.8}  # share with one object only
_CLUTTERED = ('table', 'desk', 'bookcase', 'cabinet')
_ELBOW_ROOM = 0.3  # metres between the camera and the room's shell
_HIGHEST_CEILING = 4.5  # metres
_LONGEST_ROOM = 14.0  # metres
_WELL_VISIBLE = 0.5  # of its silhouette that the main object shows
_LEAST_SEEN = {'room': 0.02, 'closeup': 0.015, 'studio': 0.01}  # of the picture
_MOST_SEEN = 0.85  # of the picture that one object may fill in rooms
_PICTURES = ('.jpg', '.jpeg', '.png', '.webp')


class Composer:
  """Draws scenes of a library; picklable, loads on the first use."""

  def __init__(self, options: options_lib.Options):
    """Checks the options.

    Args:
      options: of the set of photos.

    Raises:
      ValueError: on an unknown mode or numbers out of range.
    """
    unknown = sorted(set(options.modes) - set(MODES))
    weights = [options.modes.get(mode, 0.0) for mode in MODES]
    if unknown or min(weights) < 0 or not sum(weights) > 0:
      raise ValueError(
        f'modes are {options.modes}; give weights of {", ".join(MODES)}, for '
        'example room:0.5,closeup:0.3,studio:0.2.'
      )
    if not 1 <= options.min_objects <= options.max_objects <= 8:
      raise ValueError(
        f'{options.min_objects} to {options.max_objects} objects; give 1 to 8.'
      )
    self._options = options
    self._weights = np.array(weights) / sum(weights)
    self._prior = pose_prior.PosePrior(options.poses, options.poses_exclude)

  def __reduce__(self):
    """Pickles as its options: what was loaded is loaded anew."""
    return Composer, (self._options,)

  def compose(self, rng: np.random.Generator) -> scene_lib.Scene:
    """Draws a scene, again and again until one is good.

    Args:
      rng: all of its chance.

    Returns:
      The scene.

    Raises:
      ValueError: if none of many draws is good.
    """
    reason: Exception = scene_lib.Rejected('nothing drawn')
    for _ in range(_MAX_DRAWS):
      try:
        return self._draw(rng)
      except scene_lib.Rejected as error:
        reason = error
    raise ValueError(
      f'No good scene in {_MAX_DRAWS} draws from {self._options.library!r} '
      f'(the last: {reason}). Look at the library with '
      'tfrecords_tools.cad_library: are its sizes plausible in metres?'
    )

  @functools.cached_property
  def _library(self) -> library_lib.Library:
    return library_lib.Library(self._options.library, self._options.class_names)

  @functools.cached_property
  def _bank(self) -> textures.TextureBank:
    return textures.TextureBank(self._options.textures)

  @functools.cached_property
  def _clutter(self) -> clutter.Things:
    return clutter.Things(self._options.clutter)

  @functools.cached_property
  def _backgrounds(self) -> List[str]:
    return list_pictures(self._options.backgrounds)

  def _draw(self, rng: np.random.Generator) -> scene_lib.Scene:
    mode = MODES[rng.choice(len(MODES), p=self._weights)]
    low, high = self._options.min_objects, self._options.max_objects
    # More objects are as likely as fewer: crowded rooms are the hard ones.
    count = int(rng.integers(low, high + 1))
    if rng.random() < _LONELY.get(mode, 0.0):
      count = low
    height, width = pose_prior.picture_size(self._options, rng)
    if mode == 'room':
      things = furnishing.draw(self._library, count, rng)
      return self._room(things, height, width, rng)
    names = sorted(self._library.by_class())
    main = names[rng.integers(len(names))]
    things = furnishing.draw(self._library, count, rng, main)
    return self._closeup(mode, things, height, width, rng)

  def _room(self, things, height, width, rng) -> scene_lib.Scene:
    size = _room_size(things, rng)
    placed = arrangements.arrange(things, size, rng)
    if len(placed) < self._options.min_objects:
      raise scene_lib.Rejected('some things find no place')
    camera = cameras.look_at_room(placed, size, height, width, rng)
    seen = visibility.glance(placed, camera)
    shown = seen.visible > _WELL_VISIBLE * seen.amodal
    if not (shown & (seen.visible > _LEAST_SEEN['room'])).any():
      raise scene_lib.Rejected('nothing is well visible')
    if seen.visible.max() > _MOST_SEEN:
      raise scene_lib.Rejected('one thing fills the picture')
    shell = self._shell(size, camera, rng)
    return self._dress('room', placed, shell, camera, size, rng)

  def _closeup(self, mode, things, height, width, rng) -> scene_lib.Scene:
    main, others = things[0], things[1:]
    view = self._prior.draw(main.cad.label_name, rng)
    size = _room_size(things, rng)
    first = _stand_for(main, view, size, rng)
    camera = cameras.frame_object(view, first, height, width)
    placed = arrangements.arrange(others, size, rng, fixed=[first])
    seen = visibility.glance(placed, camera)
    if seen.visible[0] < _WELL_VISIBLE * seen.amodal[0]:
      placed, seen = [first], visibility.glance([first], camera)
    if len(placed) < self._options.min_objects:
      raise scene_lib.Rejected('some things find no place')
    if seen.visible[0] < _LEAST_SEEN[mode]:
      raise scene_lib.Rejected('the object is hardly in the picture')
    if any(item.holds(camera.position, 0.1) for item in placed):
      raise scene_lib.Rejected('the camera stands in the furniture')
    if mode == 'studio':
      return self._dress(mode, placed, [], camera, size, rng)
    if self._backgrounds and rng.random() < _PHOTO_BACKGROUND:
      return self._dress('closeup', placed, [], camera, size, rng, photo=True)
    shell = self._shell(size, camera, rng)
    return self._dress('closeup', placed, shell, camera, size, rng)

  def _shell(self, size, camera, rng) -> List[scene_lib.Part]:
    """The room around all that stands, made large enough for the camera."""
    eye, half = camera.position, 0.5 * np.asarray(size)
    low = np.minimum(-half, eye[[0, 2]] - _ELBOW_ROOM)
    high = np.maximum(half, eye[[0, 2]] + _ELBOW_ROOM)
    height = max(float(rng.uniform(2.4, 3.2)), eye[1] + _ELBOW_ROOM)
    if height > _HIGHEST_CEILING or (high - low).max() > _LONGEST_ROOM:
      raise scene_lib.Rejected('the camera is too far away for a room')
    parts = room.build(rng, self._bank, tuple(high - low), height, ceiling=True)
    middle = 0.5 * (low + high)
    offset = np.array([middle[0], 0.0, middle[1]], np.float32)
    return [
      dataclasses.replace(part, vertices=part.vertices + offset)
      for part in parts
    ]

  def _dress(
    self,
    mode: str,
    placed: Sequence[placement.Placed],
    shell: List[scene_lib.Part],
    camera: scene_lib.Camera,
    size: Tuple[float, float],
    rng: np.random.Generator,
    photo: bool = False,
  ) -> scene_lib.Scene:
    """Materials, linen, clutter, light; the finished scene."""
    parts = list(shell)
    looks = {}
    for index, item in enumerate(placed):
      if item.thing.mesh not in looks:  # twins are dressed alike
        looks[item.thing.mesh] = materials.dress(
          rng, self._bank, item.thing.geometry, item.thing.cad.label_name
        )
      parts += _cad_parts(item, index, looks[item.thing.mesh])
      parts += self._soft_parts(item, index, placed, rng)
    light, sensor = lighting.draw(rng, mode, size)
    return scene_lib.Scene(
      parts=tuple(parts),
      objects=tuple(item.as_object() for item in placed),
      camera=camera,
      lighting=light,
      sensor=sensor,
      mode=mode,
      background=self._background(mode, camera, photo, rng),
      shadow_catcher=mode == 'studio' or photo,
    )

  def _soft_parts(self, item, index, placed, rng) -> List[scene_lib.Part]:
    """Linen and cushions are the object's own; clutter is nobody's."""
    label_name, faces = item.thing.cad.label_name, item.thing.geometry.faces
    goods = [
      (good, index)
      for good in soft_goods.lay(
        rng, self._bank, label_name, item.thing.vertices, faces
      )
    ]
    carries = any(other.support is item for other in placed)
    if label_name in _CLUTTERED and not carries and rng.random() < 0.6:
      count = int(rng.choice([1, 2, 4, 7], p=[0.3, 0.3, 0.25, 0.15]))
      goods += [
        (good, scene_lib.UNLABELLED)
        for good in clutter.scatter(
          rng, self._bank, item.thing.vertices, faces, count, self._clutter
        )
      ]
    turned = placement.turn(item.yaw).T.astype(np.float32)
    offset = item.position.astype(np.float32)
    return [
      scene_lib.Part(
        good.vertices @ turned + offset,
        good.faces,
        good.material,
        owner,
        uv=good.uv,
        smooth=good.smooth,
      )
      for good, owner in goods
    ]

  def _background(self, mode, camera, photo, rng) -> np.ndarray:
    if photo:
      path = self._backgrounds[rng.integers(len(self._backgrounds))]
      return read_background(path, camera.height, camera.width, rng)
    if mode == 'studio' and rng.random() < 0.75:
      return np.full(3, rng.choice([1.0, 1.0, rng.uniform(0.4, 0.95)]), 'f')
    grey = rng.uniform(0.3, 1.0) * (1.0 + 0.06 * rng.standard_normal(3))
    return np.clip(grey, 0.0, 1.0).astype(np.float32)


def list_pictures(folder: str) -> List[str]:
  """Paths of the pictures in a folder, sorted; none for ''.

  Raises:
    FileNotFoundError: if a folder is named that has none.
  """
  if not folder:
    return []
  paths = [
    os.path.join(root, name)
    for root, _, names in os.walk(folder)
    for name in names
    if name.lower().endswith(_PICTURES)
  ]
  if not paths:
    raise FileNotFoundError(
      f'There is no picture below {folder!r}. Give a folder of JPEG or PNG '
      'photos.'
    )
  return sorted(paths)


def read_background(
  path: str, height: int, width: int, rng: np.random.Generator
) -> np.ndarray:
  """A random crop of a photo, uint8 [height, width, 3]."""
  with Image.open(path) as file:
    image = file.convert('RGB')
  zoom = max(height / image.height, width / image.width)
  zoom *= float(rng.uniform(1.0, 1.5))
  size = (round(image.width * zoom), round(image.height * zoom))
  image = image.resize((max(size[0], width), max(size[1], height)))
  left = rng.integers(image.width - width + 1)
  top = rng.integers(image.height - height + 1)
  return np.asarray(
    image.crop((left, top, left + width, top + height)), np.uint8
  )


def _room_size(things, rng) -> Tuple[float, float]:
  """(x, z), metres: large enough for what it holds, and then some."""
  footprints = [float(np.prod(thing.size[[0, 2]])) for thing in things]
  longest = max(float(thing.size[[0, 2]].max()) for thing in things)
  area = max(3.0 * sum(footprints), 7.0) * rng.uniform(1.0, 2.2)
  ratio = rng.uniform(0.7, 1.4)
  x = max(np.sqrt(area * ratio), longest + 0.6)
  return float(x), float(max(area / x, longest + 0.6))


def _stand_for(main, view, size, rng) -> placement.Placed:
  """The main object, placed such that the camera looks along +z or nearly."""
  half = 0.5 * np.asarray(size)
  if abs(view.azimuth) < np.radians(65) and rng.random() < 0.75:
    back = half[1] - 0.5 * main.size[2] - rng.uniform(0.003, 0.1)
    place = np.array([rng.uniform(-0.2, 0.2) * half[0], 0.0, back])
    return placement.Placed(main, 0.0, place, against_wall=True)
  toward = rng.normal(0.0, 0.3)  # azimuth of the camera in the room
  place = rng.uniform(-0.2, 0.2, 2) * half
  position = np.array([place[0], 0.0, place[1]])
  return placement.Placed(main, toward + view.azimuth, position)


def _cad_parts(item, index, look) -> List[scene_lib.Part]:
  vertices, geometry = item.vertices, item.thing.geometry
  parts = []
  for rows, material, use_uv in look:
    used, faces = np.unique(geometry.faces[rows], return_inverse=True)
    parts.append(
      scene_lib.Part(
        vertices[used],
        faces.reshape(-1, 3).astype(np.int32),
        material,
        owner=index,
        is_cad=True,
        uv=geometry.uv[used] if use_uv else None,
      )
    )
  return parts
