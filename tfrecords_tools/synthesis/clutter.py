"""Things that stand on furniture and that nobody annotates."""

import dataclasses
from typing import List
from typing import NamedTuple
from typing import Optional
from typing import Tuple

import numpy as np

from mask2cad_tf.geometry import ray_caster
from tfrecords_tools.synthesis import colors
from tfrecords_tools.synthesis import small_things
from tfrecords_tools.synthesis import soft_good
from tfrecords_tools.synthesis import table_setting
from tfrecords_tools.synthesis import textures
from tfrecords_tools.synthesis import thing_files

Pieces = List[soft_good.SoftGood]

_USERS_SHARE = 0.6  # of the draws, where there is a folder of things
_LOWEST = 0.08  # metres, surfaces closer to the floor stay empty
_LARGEST = 0.9  # metres, of a folder's things that stand on furniture
_TRIES = 6  # places that are looked at for each thing
_PROBE = 0.02  # metres over a surface, where rays start
_FLAT = 0.004  # metres that a surface may vary under a thing
_AIR = 0.006  # metres around a thing
_HOLLOW = 0.1  # metres of air; less is the inside of a board
_SHELF = 0.6  # metres of air over a surface that make it a shelf
_BOOKS = 0.6  # share of books on shelves
_SMALL = ('bottle', 'candle', 'carton', 'cup', 'photo_frame', 'vase')
_MEAL = 4  # things from which on a table may be laid for a meal
_MEALS = 0.35  # how often it is


class Things:
  """Random small things: procedural ones and a folder of the user's meshes."""

  def __init__(self, folder: str = ''):
    """Lists the folder.

    Args:
      folder: of .glb, .obj, .ply or .off files at any depth; metres, standing
        on y = 0. '' for none.

    Raises:
      FileNotFoundError: no such folder.
      ValueError: there are no meshes in it.
    """
    self._paths = thing_files.listed(folder) if folder else ()

  def draw(
    self, rng: np.random.Generator, bank: textures.TextureBank, kind: str = ''
  ) -> Pieces:
    """A thing.

    Args:
      rng: the source of randomness.
      bank: of textures.
      kind: a name in `small_things.MAKERS`, or '' for any, the user's too.

    Returns:
      Its pieces; metres, standing on y = 0 around the origin, front to -z.

    Raises:
      ValueError: a mesh of the folder cannot be read.
    """
    if not kind and self._paths and rng.random() < _USERS_SHARE:
      path = self._paths[rng.integers(len(self._paths))]
      return list(thing_files.load(path))
    if not kind:
      makers = small_things.MAKERS
      kind = colors.pick(rng, {name: makers[name][1] for name in makers})
    return small_things.MAKERS[kind][0](rng, bank)


class _Placed(NamedTuple):
  """Room that a thing takes: an upright cylinder."""

  center: np.ndarray  # [3], of its foot
  radius: float
  height: float


def scatter(
  rng: np.random.Generator,
  bank: textures.TextureBank,
  vertices: np.ndarray,
  faces: np.ndarray,
  count: int,
  things: Optional[Things] = None,
) -> Pieces:
  """Puts things on the surfaces of furniture.

  Args:
    rng: the source of randomness.
    bank: of textures.
    vertices: [n, 3], metres, upright on y = 0, front towards -z.
    faces: int [m, 3].
    count: of things, at most; fewer where there is no room.
    things: what to put there; None: procedural things.

  Returns:
    The pieces of all things, in the same frame. Each thing stands upright and
    free on a surface that carries all of it.
  """
  things = things or Things()
  places = _surfaces(np.asarray(vertices, np.float64), faces)
  if places is None or count < 1:
    return []
  caster = ray_caster.RayCaster(np.asarray(vertices, np.float64)[faces])
  placed, pieces = [], []
  if count >= _MEAL and rng.random() < _MEALS:
    service = table_setting.Service(rng, bank)
    spots = table_setting.place_settings(rng, caster, vertices)
    for at, turn in spots[:count]:
      pieces += _try(caster, placed_at(service.make(rng), at, turn), placed)
  for _ in range(count - len(placed)):
    pieces += _put_one(rng, bank, things, places, caster, placed)
  return pieces


def _surfaces(vertices: np.ndarray, faces: np.ndarray):
  """Triangles [k, 3, 3] that lie level, and how likely each is; or None."""
  corners = vertices[faces]
  normal = np.cross(
    corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
  )
  area = np.linalg.norm(normal, axis=1)
  # Either side may be the upper one: many CADs' faces wind at random.
  level = np.abs(normal[:, 1]) > 0.98 * np.maximum(area, 1e-12)
  level &= (corners[..., 1].min(axis=1) > _LOWEST) & (area > 1e-6)
  if not level.any():
    return None
  weight = area[level]
  return corners[level], weight / weight.sum()


def _put_one(rng, bank, things, places, caster, placed) -> Pieces:
  """One thing somewhere, or nothing after a few tries."""
  for attempt, (at, up) in enumerate(_spots(rng, places, caster)):
    kind = 'book_row' if up < _SHELF and rng.random() < _BOOKS else ''
    if attempt >= _TRIES // 2:  # where there is little room
      kind = _SMALL[rng.integers(len(_SMALL))]
    thing = things.draw(rng, bank, kind)
    # Most things are put straight; their front is the furniture's.
    turn = rng.normal(0, 0.15) if rng.random() < 0.7 else rng.uniform(0, 6.3)
    if kind == 'book_row':
      turn = rng.normal(0, 0.03)
    put = _try(caster, placed_at(thing, at, turn), placed)
    if put:
      return put
  return []


def _spots(rng, places, caster) -> List[Tuple[np.ndarray, float]]:
  """Points [3] on surfaces, and metres of air over them; at most `_TRIES`."""
  corners, odds = places
  chosen = corners[rng.choice(len(corners), 3 * _TRIES, p=odds)]
  at = np.einsum('nk,nkd->nd', rng.dirichlet(np.ones(3), 3 * _TRIES), chosen)
  up = _cast(caster, at + [0, _PROBE, 0], (0, 1, 0))
  free = up > _HOLLOW
  return list(zip(at[free], up[free]))[:_TRIES]


def _try(caster, thing: Pieces, placed: List[_Placed]) -> Pieces:
  """The thing where it stands well, and notes it; or nothing."""
  spot = _spot_of(thing)
  if not _stands(caster, thing, spot, placed):
    return []
  placed.append(spot)
  return thing


def placed_at(thing: Pieces, at: np.ndarray, turn: float) -> Pieces:
  """The thing turned about y, radians, and moved to `at` [3]."""
  c, s = np.cos(turn), np.sin(turn)
  matrix = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
  return [
    dataclasses.replace(
      piece, vertices=(piece.vertices @ matrix.T + at).astype(np.float32)
    )
    for piece in thing
  ]


def _spot_of(thing: Pieces) -> _Placed:
  points = np.concatenate([piece.vertices for piece in thing])
  low, high = points.min(axis=0), points.max(axis=0)
  center = np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2])
  radius = np.hypot(*(points - center)[:, [0, 2]].T).max()
  return _Placed(center, float(radius), float(high[1] - low[1]))


def _stands(caster, thing: Pieces, spot: _Placed, placed) -> bool:
  """Does it stand on one level surface, free of all else?"""
  if max(2 * spot.radius, spot.height) > _LARGEST:
    return False
  for other in placed:
    apart = np.hypot(*(spot.center - other.center)[[0, 2]])
    above = spot.center[1] > other.center[1] + other.height
    below = other.center[1] > spot.center[1] + spot.height
    if apart < spot.radius + other.radius + _AIR and not (above or below):
      return False
  feet = _footprint(thing, spot)
  down = _cast(caster, feet + [0, _PROBE, 0], (0, -1, 0))
  if not np.all(np.abs(down - _PROBE) < _FLAT):
    return False
  up = _cast(caster, feet + [0, _PROBE, 0], (0, 1, 0))
  if not np.all(up > max(spot.height + _AIR, _HOLLOW)):
    return False
  return not _crosses(caster, feet, spot)


def _footprint(thing: Pieces, spot: _Placed) -> np.ndarray:
  """Points [k, 3] at the foot's height under the thing's rim and middle."""
  points = np.concatenate([piece.vertices for piece in thing])[:, [0, 2]]
  angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
  ways = np.stack([np.cos(angles), np.sin(angles)])
  rim = points[np.argmax((points - spot.center[[0, 2]]) @ ways, axis=0)]
  middle = spot.center[None, [0, 2]]
  flat = np.concatenate([rim, 0.5 * (rim + middle), middle])
  return np.insert(flat, 1, spot.center[1], axis=1)


def _crosses(caster, feet: np.ndarray, spot: _Placed) -> bool:
  """Does anything of the furniture reach into the room it takes?"""
  middle = feet[-1]
  rim = feet[:12]
  for share in (0.1, 0.5, 0.95):
    lift = np.array([0, max(share * spot.height, 0.004), 0])
    way = rim - middle
    start = np.broadcast_to(middle + lift, rim.shape)
    if np.any(caster.distance(start, way) < 1.02):
      return True
    around = np.roll(rim, 1, axis=0) - rim
    if np.any(caster.distance(rim + lift, around + 1e-9) < 1):
      return True
  return False


def _cast(caster, origins: np.ndarray, way: Tuple[float, ...]) -> np.ndarray:
  return caster.distance(origins, np.tile(np.float64(way), (len(origins), 1)))
