"""Which class a Sweet Home 3D model is of, by its English name.

The first rule whose words occur in the name decides. The names, categories and
pictures of Debian's six catalogues were gone through for it.
"""

import re
from typing import Optional
from typing import Tuple

LABEL_NAMES = (
  'bed',
  'bench',
  'bin',
  'bookcase',
  'cabinet',
  'chair',
  'desk',
  'display',
  'sofa',
  'table',
  'tool',
  'wardrobe',
)

# Nothing of these categories is of a class.
_OUTSIDE = frozenset(
  ['Characters', 'Doors and windows', 'Lights', 'Staircases', 'Vehicles']
)

# (class, words); no class: the thing is of none, whatever follows.
_RULES: Tuple[Tuple[Optional[str], Tuple[str, ...]], ...] = (
  (None, ('abdominal bench', 'wheelchair', 'hammock')),
  (None, ('table fan', 'table tennis', 'football table', 'pool table')),
  (None, ('kitchen tools', 'changing table', 'chest freezer', 'washbasin')),
  (None, ('intercom', 'remote control', 'sink cabinet')),
  ('desk', ('desk', 'workbench', 'technical table', 'dressing table')),
  ('bench', ('bench', 'little bank', 'wood bank')),
  ('sofa', ('sofa', 'couch')),
  ('chair', ('chair', 'armchair', 'stool', 'seat', 'pool lounge')),
  ('cabinet', ('bedside table', 'nightstand', 'tv stand', 'tv unit')),
  ('cabinet', ('cabinet', 'chest', 'dresser', 'sideboard', 'locker', 'safe')),
  ('cabinet', ('fridge', 'refrigerator')),  # as Scan2CAD's evaluation has it
  ('table', ('table',)),
  ('bed', ('bed', 'crib', 'futon')),
  ('bookcase', ('bookcase', 'bookshelf', 'shelves')),
  ('wardrobe', ('wardrobe', 'closet', 'cupboard')),
  ('display', ('tv', 'monitor', 'imac')),
  ('bin', ('bin', 'dustbin', 'trashcan', 'trash can')),
  (None, ('knife stand',)),
  ('tool', ('tool', 'hammer', 'saw', 'screwdriver', 'drill', 'grinder')),
  ('tool', ('pliers', 'wrench', 'scissors', 'shovel', 'broom')),
  ('tool', ('knife', 'fork', 'spoon', 'pan', 'mug')),  # as Pix3D's tools are
)

# Where the name misleads, by the catalogue's id.
_BY_ID = {
  'Scopia#convertible-sofa-BZ-opened': 'bed',
  'Scopia#wooden_office_pear_table': 'desk',  # with a corner, as its twin
  'Scopia#wooden_office_teak_table': 'desk',
}

_CLUTTER_CATEGORIES = frozenset(
  ['Bedroom', 'Kitchen', 'Lights', 'Living room', 'Miscellaneous', 'Office']
)
_CLUTTER_SIDE = (0.03, 0.55)  # metres, of the longest edge
_CLUTTER_THICKNESS = 0.004  # metres, least edge
# Hangs on walls, lies on floors, or is part of the building.
_NO_CLUTTER = (
  'light source',
  'plug',
  'switch',
  'socket',
  'detector',
  'hanger',
  'coathanger',
  'doormat',
  'mat',
  'cooktop',
  'stove',
  'induction cooker',
  'logs',
  'lock',
  'slippers',
  'shoes',
  'sneakers',
  'mocassin',
  'bootie',
  'suit',
  'skirt',
  'short',
  'trousers',
  'frame',
  'radiator',
  'hood',
  'oven',
  'extinguisher',
  'cctv',
  'kitchen tools',
  'knife stand',
  'towel',
  'keys',
)


def label_of(name: str, category: str, model_id: str) -> Optional[str]:
  """The class of a model, None where it is of none.

  Args:
    name: the catalogue's English name, e.g. 'Bedside table'.
    category: the catalogue's, e.g. 'Bedroom'.
    model_id: the catalogue's id, e.g. 'eTeks#bedsideTable'.
  """
  if model_id in _BY_ID:
    return _BY_ID[model_id]
  if category in _OUTSIDE:
    return None
  for label_name, words in _RULES:
    if any(_has_words(name, word) for word in words):
      return label_name
  return None


def is_clutter(
  name: str, category: str, size: Tuple[float, float, float], elevation: float
) -> bool:
  """Does a model of no class lie about on tables and shelves?

  Args:
    name: the catalogue's English name.
    category: the catalogue's.
    size: metres.
    elevation: metres above the floor; what is mounted there is no clutter.
  """
  return (
    category in _CLUTTER_CATEGORIES
    and elevation <= 0.0
    and _CLUTTER_SIDE[0] <= max(size) <= _CLUTTER_SIDE[1]
    and min(size) >= _CLUTTER_THICKNESS
    and not any(_has_words(name, words) for words in _NO_CLUTTER)
  )


def _has_words(name: str, words: str) -> bool:
  return bool(re.search(rf'\b{re.escape(words)}\b', name.lower()))
