"""Where furniture stands: against walls, around tables, in front of sofas.

The room's far wall is at +z, its side walls at -x and +x; photographers stand
at -z, where nothing leans on a wall. CADs have their fronts at -z.
"""

from typing import Callable
from typing import Dict
from typing import List
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np

from tfrecords_tools.synthesis import furnishing
from tfrecords_tools.synthesis import placement
from tfrecords_tools.synthesis import scene as scene_lib

# Share of a class that has its back to a wall, where nothing else is near.
_AGAINST_WALL = {
  'bed': 0.9,
  'bench': 0.6,
  'bookcase': 0.95,
  'cabinet': 0.95,
  'desk': 0.75,
  'display': 0.7,
  'sofa': 0.65,
  'wardrobe': 0.97,
}
_ELSEWHERE = 0.15  # of all other classes
_TRIES = 14
_SEAT = 0.6  # metres of a table's side for each chair
_MAX_TWIST = 0.03  # radians that furniture at a wall is askew

Proposal = Optional[placement.Placed]


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


def _propose(thing, placed, size, rng) -> Tuple[Proposal, bool]:
  """A place to try, and whether boxes may overlap there."""
  kind = furnishing.kind_of(thing)
  if kind in ('small', 'display'):
    supports = [
      p for p in placed if p.thing.cad.label_name in furnishing.SUPPORTS
    ]
    if supports and rng.random() < 0.9:
      support = _pick(supports, rng)
      yaw = None if kind == 'small' else support.yaw + 0.15 * rng.normal()
      return placement.surface_spot(support, thing, rng, yaw), False
  for other_kind, chance, relation, touching in _RELATIONS.get(kind, ()):
    others = [p for p in placed if furnishing.kind_of(p.thing) == other_kind]
    if others and rng.random() < chance:
      return relation(thing, _pick(others, rng), placed, rng), touching
  if rng.random() < _AGAINST_WALL.get(thing.cad.label_name, _ELSEWHERE):
    return _against_wall(thing, placed, size, rng), False
  return _anywhere(thing, placed, size, rng), False


def _pick(items, rng):
  return items[rng.integers(len(items))]


def _against_wall(thing, placed, size, rng) -> placement.Placed:
  """Back (+z) to the far wall or a side wall, not far from the others."""
  wall = int(rng.choice(3, p=(0.7, 0.15, 0.15)))
  twist = rng.uniform(-_MAX_TWIST, _MAX_TWIST) * (rng.random() < 0.4)
  deep, wide = thing.size[2], thing.size[0]
  reach = 0.5 * (deep * np.cos(twist) + wide * abs(np.sin(twist)))
  out = 0.5 * (size[1] if wall == 0 else size[0]) - reach
  out -= rng.uniform(0.003, 0.06)
  room = 0.5 * (size[0] if wall == 0 else size[1]) - 0.5 * wide - 0.04
  along = rng.uniform(-1.0, 1.0) * max(room, 0.0)
  if placed and rng.random() < 0.75:
    middle = np.mean([p.position for p in placed], axis=0)
    along = (middle[0] if wall == 0 else middle[2]) + rng.normal(0.0, 0.9)
    along = float(np.clip(along, -max(room, 0.0), max(room, 0.0)))
  yaw = (0.0, 0.5 * np.pi, -0.5 * np.pi)[wall] + twist  # back to +z, +x, -x
  x, z = ((along, out), (out, along), (-out, along))[wall]
  position = np.array([x, 0.0, z])
  return placement.Placed(thing, yaw, position, against_wall=True)


def _anywhere(thing, placed, size, rng) -> placement.Placed:
  """On the floor, mostly near something."""
  yaw = rng.choice([0.0, 0.0, 0.5, 1.0, 1.5]) * np.pi + 0.2 * rng.normal()
  if rng.random() < 0.25:
    yaw = rng.uniform(-np.pi, np.pi)
  half = 0.5 * np.asarray(size) - 0.3
  x, z = rng.uniform(-half, half)
  if placed and rng.random() < 0.8:
    near = _pick(placed, rng)
    angle = rng.uniform(-np.pi, np.pi)
    reach = 0.5 * np.hypot(*near.thing.size[[0, 2]])
    reach += 0.5 * thing.size[[0, 2]].max() + rng.uniform(0.0, 0.8)
    x = near.position[0] + reach * np.cos(angle)
    z = near.position[2] + reach * np.sin(angle)
  return placement.Placed(thing, yaw, np.array([x, 0.0, z]))


def _at_table(thing, table, placed, rng) -> placement.Placed:
  """A chair that faces the table, pushed under it more or less."""
  half = 0.5 * table.thing.size[[0, 2]]
  is_desk = furnishing.kind_of(table.thing) == 'desk'
  side, aside = 0, rng.normal(0.0, 0.06)  # people sit before a desk's front
  if not is_desk or rng.random() < 0.1:
    side, aside = _seat(half, rng)
  toward = np.array([[0, -1], [0, 1], [1, 0], [-1, 0]])[side]
  reach = half[1] if side < 2 else half[0]
  pushed = rng.uniform(-0.3, 0.75) * thing.size[2]
  out = reach + 0.5 * thing.size[2] - pushed
  local = out * toward + aside * np.array([toward[1], -toward[0]])
  position = table.in_world([local[0], -table.position[1], local[1]])
  # The front (-z) looks back at the table.
  yaw = table.yaw + np.arctan2(toward[0], toward[1])
  yaw += 0.06 * rng.normal()
  if pushed < 0 and rng.random() < 0.5:
    yaw += rng.uniform(-0.9, 0.9)
  return placement.Placed(thing, yaw, position)


def _seat(half, rng) -> Tuple[int, float]:
  """A side of a table (front, back, +x, -x) and a place along it."""
  counts = [max(int(2 * half[0] / _SEAT), 1)] * 2
  counts += [max(int(2 * half[1] / _SEAT), 1)] * 2
  side = int(rng.choice(4, p=np.array(counts) / sum(counts)))
  number = (rng.integers(counts[side]) + 0.5) / counts[side] - 0.5
  width = 2 * half[0] if side < 2 else 2 * half[1]
  return side, float(number * width + rng.normal(0.0, 0.02))


def _before(thing, sofa, placed, rng) -> placement.Placed:
  """A low table in front (-z) of a sofa."""
  out = 0.5 * (sofa.thing.size[2] + thing.size[2]) + rng.uniform(0.2, 0.6)
  position = sofa.in_world([rng.normal(0.0, 0.12), 0.0, -out])
  yaw = sofa.yaw + rng.choice([0.0, np.pi]) + 0.04 * rng.normal()
  if thing.size[2] > thing.size[0]:
    yaw += 0.5 * np.pi  # its long side along the sofa
  return placement.Placed(thing, yaw, position)


def _across(thing, other, placed, rng) -> placement.Placed:
  """A seat that looks at a low table or another seat, from some side."""
  angle = rng.choice([-0.5, 0.5, 1.0]) * np.pi + rng.normal(0.0, 0.25)
  gap = rng.uniform(0.3, 0.7)
  if furnishing.kind_of(other.thing) == 'sofa':
    angle, gap = rng.uniform(-0.45, 0.45) * np.pi, rng.uniform(0.9, 1.6)
  # From its front (-z) an angle of 0; a low table's front is any side.
  away = np.array([-np.sin(angle), 0.0, -np.cos(angle)])
  half = 0.5 * other.thing.size
  reach = abs(away[0]) * half[0] + abs(away[2]) * half[2]
  position = other.in_world(away * (reach + 0.5 * thing.size[2] + gap))
  yaw = other.yaw + angle + np.pi + 0.12 * rng.normal()
  return placement.Placed(thing, yaw, position)


def _at_head(thing, bed, placed, rng) -> placement.Placed:
  """A bedside table, left or right of the head (+z)."""
  side = rng.choice([-1.0, 1.0])
  out = 0.5 * (bed.thing.size[0] + thing.size[0]) + rng.uniform(0.04, 0.25)
  back = 0.5 * (bed.thing.size[2] - thing.size[2]) - rng.uniform(0.0, 0.1)
  position = bed.in_world([side * out, 0.0, back])
  yaw = bed.yaw + 0.02 * rng.normal()
  return placement.Placed(thing, yaw, position)


def _beside(thing, other, placed, rng) -> placement.Placed:
  """Left or right of something, looking the same way, backs in line."""
  gap = rng.uniform(0.025, 0.1) if rng.random() < 0.5 else rng.uniform(0.1, 0.8)
  out = 0.5 * (other.thing.size[0] + thing.size[0]) + gap
  back = 0.5 * (other.thing.size[2] - thing.size[2])
  position = other.in_world(
    [rng.choice([-1.0, 1.0]) * out, -other.position[1], back]
  )
  return placement.Placed(
    thing, other.yaw, position, against_wall=other.against_wall
  )


_Relation = Callable[..., placement.Placed]
# What a thing of a kind does when one of another kind stands there: (other
# kind, chance, relation, may boxes overlap); the first that happens counts.
_RELATIONS: Dict[str, Tuple[Tuple[str, float, _Relation, bool], ...]] = {
  'chair': (
    ('table', 0.85, _at_table, True),
    ('desk', 0.85, _at_table, True),
    ('low table', 0.6, _across, False),
    ('sofa', 0.5, _across, False),
    ('chair', 0.5, _beside, False),
  ),
  'low table': (('sofa', 0.85, _before, False), ('bed', 0.7, _at_head, False)),
  'bedside table': (
    ('bed', 0.9, _at_head, False),
    ('sofa', 0.6, _beside, False),
  ),
  'bed': (('bed', 0.8, _beside, False),),
  'sofa': (('low table', 0.5, _across, False), ('sofa', 0.6, _across, False)),
  'desk': (('desk', 0.7, _beside, False),),
  'storage': (
    ('storage', 0.6, _beside, False),
    ('desk', 0.3, _beside, False),
    ('bed', 0.2, _beside, False),
  ),
  'other': (
    ('storage', 0.3, _beside, False),
    ('sofa', 0.4, _beside, False),
    ('desk', 0.3, _beside, False),
  ),
}
