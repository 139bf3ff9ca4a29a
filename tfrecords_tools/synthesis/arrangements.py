"""Where furniture stands: against walls, around tables, in front of sofas."""

from typing import Dict
from typing import List
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np

from tfrecords_tools.synthesis import library as library_lib
from tfrecords_tools.synthesis import placement
from tfrecords_tools.synthesis import scene as scene_lib

# Share of a class that has its back to a wall.
_AGAINST_WALL = {
  'bed': 0.9,
  'bookcase': 0.95,
  'wardrobe': 0.97,
  'cabinet': 0.95,
  'desk': 0.75,
  'sofa': 0.65,
  'display': 0.7,
}
# What stands together; each takes the classes that the library has.
_GROUPS = (
  ('table', 'chair', 'chair', 'chair', 'chair', 'misc', 'tool', 'bookcase'),
  ('bed', 'wardrobe', 'table', 'chair', 'bookcase', 'misc', 'desk', 'chair'),
  ('sofa', 'table', 'chair', 'sofa', 'bookcase', 'misc', 'tool', 'chair'),
  ('desk', 'chair', 'bookcase', 'misc', 'tool', 'chair', 'wardrobe', 'table'),
  (
    'bookcase',
    'wardrobe',
    'bookcase',
    'chair',
    'table',
    'misc',
    'desk',
    'tool',
  ),
)
_MIXED = 0.3  # share of groups that are a random mix
_PAIR = 0.45  # chance that a second one of a class is the same CAD
_SMALL = 0.4  # metres; what is smaller stands on something
_TRIES = 14
_SUPPORTS = ('table', 'desk', 'bookcase', 'wardrobe', 'cabinet', 'bench')


def draw_things(
  library: library_lib.Library, count: int, rng: np.random.Generator
) -> List[placement.Thing]:
  """Chooses what a room holds.

  Args:
    library: all CADs.
    count: how many things.
    rng: source of randomness.

  Returns:
    The things, the group's first the most important.
  """
  by_class = library.by_class()
  names = sorted(by_class)
  group = [c for c in _GROUPS[rng.integers(len(_GROUPS))] if c in by_class]
  if not group or rng.random() < _MIXED:
    group = [names[i] for i in rng.integers(len(names), size=count)]
  while len(group) < count:
    group.append(names[rng.integers(len(names))])
  things: List[placement.Thing] = []
  last: Dict[str, placement.Thing] = {}
  for name in group[:count]:
    if name in last and rng.random() < _PAIR:
      things.append(last[name])
      continue
    shapes = by_class[name]
    cad = shapes[rng.integers(len(shapes))]
    last[name] = placement.Thing.draw(library, cad, rng)
    things.append(last[name])
  return things


def arrange(
  things: Sequence[placement.Thing],
  size: Tuple[float, float],
  rng: np.random.Generator,
  fixed: Sequence[placement.Placed] = (),
) -> List[placement.Placed]:
  """Finds a place for each thing; leaves out what finds none.

  Args:
    things: in the order in which they are placed.
    size: (x, z) of the room, metres.
    rng: source of randomness.
    fixed: what stands already.

  Returns:
    All that stands, `fixed` first.

  Raises:
    Rejected: if nothing could be placed.
  """
  placed = list(fixed)
  for thing in things:
    for _ in range(_TRIES):
      candidate, touching = _propose(thing, placed, size, rng)
      if (
        candidate is not None
        and placement.inside(candidate, size)
        and placement.fits(candidate, placed, touching)
      ):
        placed.append(candidate)
        break
  if not placed:
    raise scene_lib.Rejected('no thing fits into the room')
  return placed


def _propose(
  thing, placed, size, rng
) -> Tuple[Optional[placement.Placed], bool]:
  """A place to try, and whether boxes may overlap there."""
  name = thing.cad.label_name
  if thing.size.max() < _SMALL:
    supports = [p for p in placed if p.thing.cad.label_name in _SUPPORTS]
    if supports and rng.random() < 0.85:
      support = supports[rng.integers(len(supports))]
      return placement.surface_spot(support, thing, rng), False
  tables = [p for p in placed if p.thing.cad.label_name in ('table', 'desk')]
  if name == 'chair' and tables and rng.random() < 0.8:
    return _at_table(thing, tables[rng.integers(len(tables))], rng), True
  sofas = [p for p in placed if p.thing.cad.label_name == 'sofa']
  if name == 'table' and sofas and rng.random() < 0.7:
    return _before(thing, sofas[rng.integers(len(sofas))], rng), True
  beside = [p for p in placed if p.thing.cad.label_name == name]
  if beside and rng.random() < 0.5:
    return _beside(thing, beside[-1], rng), False
  if rng.random() < _AGAINST_WALL.get(name, 0.15):
    return _against_wall(thing, size, rng), False
  return _anywhere(thing, size, rng), False


def _against_wall(thing, size, rng) -> placement.Placed:
  """Back (+z) to the far wall or one of the side walls."""
  depth, width = thing.size[2], thing.size[0]
  gap = rng.uniform(0.01, 0.08)
  wall = rng.choice(3, p=(0.6, 0.2, 0.2))
  along = 0.5 * (size[0] if wall == 0 else size[1]) - 0.5 * width - 0.03
  along = rng.uniform(-1.0, 1.0) * max(along, 0.0)
  out = 0.5 * (size[1] if wall == 0 else size[0]) - 0.5 * depth - gap
  yaw = (0.0, 0.5 * np.pi, -0.5 * np.pi)[wall]  # back to +z, +x, -x
  place = ((along, out), (out, along), (-out, along))[wall]
  return placement.Placed(thing, yaw, np.array([place[0], 0.0, place[1]]))


def _anywhere(thing, size, rng) -> placement.Placed:
  half = 0.5 * np.asarray(size) - 0.3
  x, z = rng.uniform(-half, half)
  yaw = rng.choice([0.0, 0.5, 1.0, 1.5]) * np.pi + 0.25 * rng.standard_normal()
  if rng.random() < 0.3:
    yaw = rng.uniform(-np.pi, np.pi)
  return placement.Placed(thing, yaw, np.array([x, 0.0, z]))


def _at_table(thing, table, rng) -> placement.Placed:
  """A chair that faces the table, pushed under it more or less."""
  half = 0.5 * table.thing.size[[0, 2]]
  side = rng.integers(4)
  if table.thing.cad.label_name == 'desk' and rng.random() < 0.85:
    side = 0  # where people sit: a desk's front
  toward = np.array([[0, -1], [0, 1], [1, 0], [-1, 0]])[side]
  reach = half[1] if side < 2 else half[0]
  width = half[0] if side < 2 else half[1]
  pushed = rng.uniform(-0.25, 0.55) * thing.size[2]
  out = reach + 0.5 * thing.size[2] - pushed
  aside = rng.uniform(-0.6, 0.6) * max(width - 0.5 * thing.size[0], 0.0)
  local = out * toward + aside * np.array([toward[1], -toward[0]])
  turned = placement.turn(table.yaw)
  position = table.position * [1, 0, 1] + turned @ [local[0], 0.0, local[1]]
  # The front (-z) looks back at the table.
  yaw = table.yaw + np.arctan2(toward[0], toward[1])
  yaw += 0.08 * rng.standard_normal()
  if rng.random() < 0.15:
    yaw += rng.uniform(-0.8, 0.8)
  return placement.Placed(thing, yaw, position)


def _before(thing, sofa, rng) -> placement.Placed:
  """A table in front (-z) of a sofa."""
  out = 0.5 * (sofa.thing.size[2] + thing.size[2]) + rng.uniform(0.15, 0.6)
  local = np.array([rng.normal(0.0, 0.15), 0.0, -out])
  position = sofa.position + placement.turn(sofa.yaw) @ local
  yaw = sofa.yaw + rng.choice([0.0, np.pi]) + 0.05 * rng.standard_normal()
  return placement.Placed(thing, yaw, position)


def _beside(thing, other, rng) -> placement.Placed:
  """To the left or right of a like thing, looking the same way."""
  out = 0.5 * (other.thing.size[0] + thing.size[0]) + rng.uniform(0.03, 0.4)
  local = np.array([rng.choice([-1.0, 1.0]) * out, 0.0, 0.0])
  position = other.position * [1, 0, 1] + placement.turn(other.yaw) @ local
  return placement.Placed(
    thing, other.yaw + 0.05 * rng.standard_normal(), position
  )
