"""Draws a scene: what stands where, made of what, lit and seen how."""

import dataclasses
import functools
from typing import List
from typing import Sequence
from typing import Tuple

import numpy as np

from tfrecords_tools.synthesis import arrangements
from tfrecords_tools.synthesis import backdrops
from tfrecords_tools.synthesis import cameras
from tfrecords_tools.synthesis import clutter
from tfrecords_tools.synthesis import dressing
from tfrecords_tools.synthesis import folder_files
from tfrecords_tools.synthesis import furnishing
from tfrecords_tools.synthesis import library as library_lib
from tfrecords_tools.synthesis import lighting
from tfrecords_tools.synthesis import options as options_lib
from tfrecords_tools.synthesis import placement
from tfrecords_tools.synthesis import pose_prior
from tfrecords_tools.synthesis import room
from tfrecords_tools.synthesis import scene as scene_lib
from tfrecords_tools.synthesis import textures
from tfrecords_tools.synthesis import visibility

MODES = ('room', 'closeup', 'studio', 'far')
_MAX_DRAWS = 60
_PHOTO_BACKGROUND = 0.5  # share of close-ups, where there are photos
_LONELY = {'closeup': 0.55, 'studio': 0.8}  # share with one object only
_ELBOW_ROOM = 0.3  # metres between the camera and the room's shell
_HIGHEST_CEILING = 4.5  # metres
_LONGEST_ROOM = 14.0  # metres
_WELL_VISIBLE = 0.5  # of its silhouette that one object of a room shows
_MAIN_VISIBLE = 0.7  # that the main object of a close-up shows
# Of the picture.
_LEAST_SEEN = {'room': 0.02, 'closeup': 0.015, 'studio': 0.01, 'far': 0.003}
_LEANING = ('bed', 'storage')  # kinds that hardly ever stand free
_FRONT = np.radians(70)  # from where a wall behind an object is behind it
_MOST_TILTED = np.radians(10)  # cameras in rooms
_CARRIED = 0.7  # share of small objects' close-ups on a table
_MOST_SEEN = 0.85  # of the picture that one object may fill in rooms


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
    # Drawn once: modes that are rejected more often shall not become rarer.
    mode = MODES[rng.choice(len(MODES), p=self._weights)]
    for _ in range(_MAX_DRAWS):
      try:
        return self._draw(mode, rng)
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
    return folder_files.list_files(
      self._options.backgrounds, backdrops.PICTURES, 'backgrounds'
    )

  def _draw(self, mode: str, rng: np.random.Generator) -> scene_lib.Scene:
    low, high = self._options.min_objects, self._options.max_objects
    # More objects are as likely as fewer: crowded rooms are the hard ones.
    count = int(rng.integers(low, high + 1))
    if rng.random() < _LONELY.get(mode, 0.0):
      count = low
    height, width = pose_prior.picture_size(self._options, rng)
    if mode in ('room', 'far'):
      things = furnishing.draw(self._library, count, rng)
      return self._room(mode, things, height, width, rng)
    names = sorted(self._library.by_class())
    main = names[rng.integers(len(names))]
    things = furnishing.draw(self._library, count, rng, main)
    return self._closeup(mode, things, height, width, rng)

  def _room(self, mode, things, height, width, rng) -> scene_lib.Scene:
    size = _room_size(things, rng)
    placed = arrangements.arrange(things, size, rng)
    if len(placed) < self._options.min_objects:
      raise scene_lib.Rejected('some things find no place')
    camera = cameras.look_at_room(
      placed, size, height, width, rng, from_afar=mode == 'far'
    )
    seen = visibility.glance(placed, camera)
    shown = seen.visible > _WELL_VISIBLE * seen.amodal
    if not (shown & (seen.visible > _LEAST_SEEN[mode])).any():
      raise scene_lib.Rejected('nothing is well visible')
    if seen.visible.max() > _MOST_SEEN:
      raise scene_lib.Rejected('one thing fills the picture')
    shell = self._shell(size, camera, rng)
    return self._dress('room', placed, shell, camera, size, rng)

  def _closeup(self, mode, things, height, width, rng) -> scene_lib.Scene:
    main, others = things[0], things[1:]
    view = self._prior.draw(main.cad.label_name, rng)
    if mode != 'studio' and abs(view.roll) > _MOST_TILTED:
      raise scene_lib.Rejected('nobody tilts a camera so')
    size = _room_size(things, rng)
    fixed = self._stand(mode, main, view, size, rng)
    camera = cameras.frame_object(view, fixed[0], height, width)
    others = others[: self._options.max_objects - len(fixed)]
    placed = arrangements.arrange(others, size, rng, fixed)
    seen = visibility.glance(placed, camera)
    hidden = seen.visible[0] < _MAIN_VISIBLE * seen.amodal[0]
    if hidden or seen.visible.max() > 2.0 * seen.visible[0]:
      placed, seen = fixed, visibility.glance(fixed, camera)
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

  def _stand(self, mode, main, view, size, rng) -> List[placement.Placed]:
    """The main object, and what it stands on if that is not the floor."""
    kind = furnishing.kind_of(main)
    carried = kind in ('small', 'display') and self._options.max_objects > 1
    if mode == 'studio' or not carried or rng.random() > _CARRIED:
      return [_stand_for(main, view, size, rng)]
    support = furnishing.draw_support(self._library, rng)
    if support is None:
      return [_stand_for(main, view, size, rng)]
    below = _stand_for(support, view, size, rng)
    yaw = view.azimuth + rng.normal(0.0, 0.3)  # so that the camera is at -z
    first = placement.surface_spot(below, main, rng, yaw)
    if first is None:
      raise scene_lib.Rejected('there is no room on the table')
    return [first, below]

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
    furniture = dressing.parts(rng, self._bank, self._clutter, placed)
    if self._options.grey_cads:
      furniture = [dressing.in_grey(part) for part in furniture]
    light, sensor = lighting.draw(rng, mode, size)
    height, width = camera.height, camera.width
    if photo:
      path = self._backgrounds[rng.integers(len(self._backgrounds))]
      background = backdrops.read_photo(path, height, width, rng)
    else:
      background = backdrops.paper(height, width, rng)
    return scene_lib.Scene(
      parts=(*shell, *furniture),
      objects=tuple(item.as_object() for item in placed),
      camera=camera,
      lighting=light,
      sensor=sensor,
      mode=mode,
      background=background,
      shadow_catcher=mode == 'studio' or photo,
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
  leans = furnishing.kind_of(main) in _LEANING
  from_front = abs(view.azimuth) < _FRONT
  if leans and not from_front and rng.random() < 0.7:
    raise scene_lib.Rejected('who sees the back of what stands at a wall?')
  if from_front and rng.random() < (0.95 if leans else 0.5):
    back = half[1] - 0.5 * main.size[2] - rng.uniform(0.003, 0.1)
    place = np.array([rng.uniform(-0.2, 0.2) * half[0], 0.0, back])
    return placement.Placed(main, 0.0, place, against_wall=True)
  toward = rng.normal(0.0, 0.3)  # azimuth of the camera in the room
  place = rng.uniform(-0.2, 0.2, 2) * half
  position = np.array([place[0], 0.0, place[1]])
  return placement.Placed(main, toward + view.azimuth, position)
