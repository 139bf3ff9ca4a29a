"""What stands in a room together: kinds of furniture, groups, twins."""

from typing import Dict
from typing import List
from typing import Optional
from typing import Tuple

import numpy as np

from tfrecords_tools.synthesis import library as library_lib
from tfrecords_tools.synthesis import placement

SUPPORTS = ('table', 'desk', 'bookcase', 'cabinet', 'bench')
_CARRIERS = ('table', 'table', 'desk', 'cabinet')  # of close-ups' objects

_SMALL = 0.35  # metres; what is smaller stands on something
_LOW = 0.58  # metres; lower tables stand before sofas, nobody eats at them
_NARROW = 0.7  # metres; tables this narrow stand beside beds
_STORAGE = ('bookcase', 'cabinet', 'wardrobe')
_CARRIED = 1.2  # metres; larger screens stand on the floor

# Kinds that stand together, the main one first.
_GROUPS: Tuple[Tuple[str, ...], ...] = (
  ('table', 'chair', 'chair', 'chair', 'chair', 'storage', 'small', 'chair'),
  ('bed', 'bedside table', 'storage', 'bedside table', 'chair', 'desk'),
  ('sofa', 'low table', 'chair', 'sofa', 'storage', 'small', 'other'),
  ('desk', 'chair', 'display', 'storage', 'small', 'chair', 'other'),
  ('storage', 'display', 'sofa', 'low table', 'small', 'chair'),
  ('storage', 'storage', 'storage', 'chair', 'other', 'desk', 'low table'),
)
_CLASSES: Dict[str, Tuple[str, ...]] = {
  'table': ('table',),
  'low table': ('table',),
  'bedside table': ('table', 'cabinet'),
  'chair': ('chair',),
  'bed': ('bed',),
  'sofa': ('sofa',),
  'desk': ('desk',),
  'storage': _STORAGE,
  'display': ('display',),
  'small': ('misc', 'tool'),
  'other': ('misc', 'bin', 'bench'),
}
_MIXED = 0.3  # share of groups that are a random mix
_SHUFFLED = 0.4  # share of groups whose followers come in any order
_PAIR = {'chair': 0.75}  # chance that a second one of a class is the same CAD
_ANY_PAIR = 0.5
_KIND_TRIES = 6  # CADs that are looked at until one is of the kind


def kind_of(thing: placement.Thing) -> str:
  """What a thing is used as, by its class and size.

  Returns:
    'small' (stands on something), 'display' (too, facing as what carries it),
    'table', 'low table', 'bedside table', 'storage', 'other' (also classes
    that nothing is known of), 'bed', 'chair', 'desk' or 'sofa'.
  """
  name, size = thing.cad.label_name, thing.size
  if name == 'display' and size.max() < _CARRIED:
    return 'display'
  if size.max() < _SMALL:
    return 'small'
  if name == 'cabinet' and size.max() < _NARROW:
    return 'bedside table'
  if name == 'table':
    if max(size[0], size[2]) < _NARROW and size[1] < 0.9:
      return 'bedside table'
    return 'low table' if size[1] < _LOW else 'table'
  if name in _STORAGE:
    return 'storage'
  return name if name in ('bed', 'chair', 'desk', 'sofa') else 'other'


def draw(
  library: library_lib.Library,
  count: int,
  rng: np.random.Generator,
  main: str = '',
) -> List[placement.Thing]:
  """Chooses what a room holds.

  Args:
    library: all CADs.
    count: how many things.
    rng: source of randomness.
    main: class of the first thing; '': that of a group.

  Returns:
    The things, the most important one first.
  """
  by_class = library.by_class()
  names = sorted(by_class)
  kinds = list(_GROUPS[rng.integers(len(_GROUPS))])
  if rng.random() < _SHUFFLED:
    kinds[1:] = [kinds[i] for i in 1 + rng.permutation(len(kinds) - 1)]
  wishes = [
    (kind, [name for name in _CLASSES[kind] if name in by_class])
    for kind in kinds
  ]
  wishes = [(kind, classes) for kind, classes in wishes if classes]
  if not wishes or rng.random() < _MIXED:
    wishes = []
  if main:
    wishes = [('', [main])] + [w for w in wishes if w[0] != kinds[0]]
  while len(wishes) < count:
    wishes.append(('', [names[rng.integers(len(names))]]))
  things: List[placement.Thing] = []
  for kind, classes in wishes[:count]:
    name = classes[rng.integers(len(classes))]
    twins = [thing for thing in things if thing.cad.label_name == name]
    if twins and rng.random() < _PAIR.get(name, _ANY_PAIR):
      things.append(twins[-1])
    else:
      things.append(_draw_one(library, by_class[name], kind, rng))
  return things


def draw_support(
  library: library_lib.Library, rng: np.random.Generator
) -> Optional[placement.Thing]:
  """Something that small things stand on; None where the library has none."""
  by_class = library.by_class()
  names = [name for name in _CARRIERS if name in by_class]
  if not names:
    return None
  return _draw_one(library, by_class[names[rng.integers(len(names))]], '', rng)


def _draw_one(library, cads, kind, rng) -> placement.Thing:
  """A CAD, of the kind where one is found soon."""
  for _ in range(_KIND_TRIES):
    cad = cads[rng.integers(len(cads))]
    thing = placement.Thing.draw(library, cad, rng)
    if not kind or kind_of(thing) == kind:
      break
  return thing
