import collections

import numpy as np
import pytest

from tests.tfrecords_tools.synthesis import furnished
from tfrecords_tools.synthesis import arrangements
from tfrecords_tools.synthesis import furnishing
from tfrecords_tools.synthesis import library as library_lib
from tfrecords_tools.synthesis import placement

_NAMES = (
  'bed',
  'chair',
  'display',
  'lamp',
  'sofa',
  'table',
  'tool',
  'wardrobe',
)
_SIZE = (5.0, 4.0)


@pytest.fixture(scope='module')
def root(tmp_path_factory):
  root = str(tmp_path_factory.mktemp('library'))
  furnished.write(root, 'bed/plain', furnished.box_mesh(1.6, 0.5, 2.0))
  furnished.write(root, 'chair/plain', furnished.chair_mesh())
  furnished.write(root, 'display/tv', furnished.box_mesh(0.8, 0.5, 0.1))
  furnished.write(root, 'lamp/plain', furnished.box_mesh(0.4, 1.5, 0.4))
  furnished.write(root, 'sofa/plain', furnished.box_mesh(2.0, 0.8, 0.9))
  furnished.write(root, 'table/dining', furnished.table_mesh())
  furnished.write(root, 'table/low', furnished.table_mesh(1.0, 0.4, 0.6))
  furnished.write(root, 'table/bedside', furnished.table_mesh(0.4, 0.5, 0.4))
  furnished.write(root, 'tool/hammer', furnished.box_mesh(0.1, 0.04, 0.3))
  furnished.write(root, 'wardrobe/plain', furnished.box_mesh(1.0, 2.0, 0.6))
  return root


@pytest.fixture(scope='module')
def things(root):
  library = library_lib.Library(root, _NAMES)
  rng = np.random.default_rng(0)
  return {
    cad.cad_id: placement.Thing.draw(library, cad, rng) for cad in library.cads
  }


def _arrange(things, seed, *ids):
  rng = np.random.default_rng(seed)
  return arrangements.arrange([things[i] for i in ids], _SIZE, rng)


def _back(item):
  """Where its back (+z) looks, in the world."""
  return placement.turn(item.yaw) @ [0.0, 0.0, 1.0]


@pytest.mark.parametrize(
  'cad_id', ['bed/plain', 'sofa/plain', 'wardrobe/plain']
)
def test_backs_face_a_wall_and_are_at_it(things, cad_id):
  at_wall = 0
  for seed in range(40):
    (item,) = _arrange(things, seed, cad_id)
    if not item.against_wall:
      continue
    at_wall += 1
    back = _back(item)
    axis = 0 if abs(back[0]) > 0.9 else 2
    reach = (item.vertices[:, axis] * np.sign(back[axis])).max()
    assert abs(back[axis]) > 0.99
    assert 0 <= 0.5 * _SIZE[0 if axis == 0 else 1] - reach < 0.1
  assert at_wall >= (20 if cad_id == 'sofa/plain' else 32)


def test_no_back_is_at_the_photographer_s_wall(things):
  for seed in range(40):
    (item,) = _arrange(things, seed, 'bed/plain')
    if item.against_wall:
      assert _back(item)[2] > -0.1


def test_chairs_are_pushed_under_tables_and_touch_nothing(things):
  under = 0
  for seed in range(40):
    placed = _arrange(
      things, seed, 'table/dining', 'chair/plain', 'chair/plain'
    )
    table = placed[0]
    for chair in placed[1:]:
      assert not placement.crossing(table, chair)
      under += placement.overlap(table.footprint(), chair.footprint())
  assert under >= 20


def test_chairs_at_tables_face_them(things):
  facing = []
  for seed in range(40):
    placed = _arrange(things, seed, 'table/dining', 'chair/plain')
    if len(placed) == 2:
      to_table = placed[0].position - placed[1].position
      facing.append(-_back(placed[1]) @ to_table / np.linalg.norm(to_table))
  assert np.mean(np.array(facing) > 0.7) > 0.6


def test_bedside_tables_stand_at_the_head(things):
  beside = 0
  for seed in range(30):
    bed, *rest = _arrange(things, seed, 'bed/plain', 'table/bedside')
    for table in rest:
      local = placement.turn(bed.yaw).T @ (table.position - bed.position)
      beside += 0.8 < abs(local[0]) < 1.4 and local[2] > 0.4
  assert beside >= 15


def test_low_tables_stand_before_sofas(things):
  before = 0
  for seed in range(30):
    sofa, *rest = _arrange(things, seed, 'sofa/plain', 'table/low')
    for table in rest:
      local = placement.turn(sofa.yaw).T @ (table.position - sofa.position)
      before += abs(local[0]) < 0.5 and -1.6 < local[2] < -0.7
  assert before >= 12


def test_small_things_and_screens_stand_on_tables(things):
  on_top = collections.Counter()
  for seed in range(30):
    table, *rest = _arrange(
      things, seed, 'table/dining', 'display/tv', 'tool/hammer'
    )
    for item in rest:
      on_top[item.thing.cad.label_name] += item.support is table
  assert min(on_top['display'], on_top['tool']) >= 18


def test_screens_look_where_the_table_s_front_is(things):
  for seed in range(20):
    table, *rest = _arrange(things, seed, 'table/dining', 'display/tv')
    for item in rest:
      if item.support is table:
        assert abs(item.yaw - table.yaw) < 0.7


@pytest.mark.parametrize('seed', range(12))
def test_everything_is_inside_and_apart(things, seed):
  ids = np.random.default_rng(seed).choice(sorted(things), 6)
  placed = _arrange(things, seed, *ids)
  for i, item in enumerate(placed):
    assert placement.inside(item, _SIZE)
    for other in placed[:i]:
      assert not placement.crossing(item, other)


def test_classes_nobody_knows_stand_somewhere(things):
  placed = [_arrange(things, seed, 'lamp/plain')[0] for seed in range(20)]
  assert len({item.yaw for item in placed}) > 10


@pytest.mark.parametrize(
  'cad_id, kind',
  [
    ('bed/plain', 'bed'),
    ('lamp/plain', 'other'),
    ('table/dining', 'table'),
    ('table/low', 'low table'),
    ('table/bedside', 'bedside table'),
    ('tool/hammer', 'small'),
    ('wardrobe/plain', 'storage'),
    ('display/tv', 'display'),
  ],
)
def test_kinds(things, cad_id, kind):
  assert furnishing.kind_of(things[cad_id]) == kind


@pytest.mark.parametrize('count', [1, 3, 8])
def test_as_many_things_as_asked_for_are_drawn(root, count):
  library = library_lib.Library(root, _NAMES)
  for seed in range(10):
    rng = np.random.default_rng(seed)
    assert len(furnishing.draw(library, count, rng)) == count


def test_the_main_class_comes_first_and_all_classes_come(root):
  library = library_lib.Library(root, _NAMES)
  found = set()
  for seed in range(60):
    rng = np.random.default_rng(seed)
    drawn = furnishing.draw(library, 3, rng, 'tool')
    assert drawn[0].cad.label_name == 'tool'
    found |= {thing.cad.label_name for thing in drawn}
  assert found == set(_NAMES)
