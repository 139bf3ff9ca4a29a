import dataclasses

import numpy as np
import pytest

from tests.tfrecords_tools.synthesis import furnished
from tfrecords_tools.synthesis import placement

_NAMES = ('bin', 'chair', 'table')


@pytest.fixture(scope='module')
def root(tmp_path_factory):
  root = str(tmp_path_factory.mktemp('library'))
  furnished.write(root, 'bin/cube', furnished.box_mesh(0.3, 0.3, 0.3))
  furnished.write(root, 'chair/plain', furnished.chair_mesh())
  furnished.write(root, 'table/plain', furnished.table_mesh())
  return root


@pytest.fixture(scope='module')
def things(root):
  ids = ('bin/cube', 'chair/plain', 'table/plain')
  made = [furnished.thing(root, cad_id, _NAMES) for cad_id in ids]
  return dict(zip(_NAMES, made))


def _at(thing, x, z, yaw=0.0):
  return placement.Placed(thing, yaw, np.array([x, 0.0, z]))


def test_an_eighth_turn_makes_a_square_reach_further(things):
  # A square of side .3 turned by 45 degrees has its corners at .15 * sqrt(2).
  corners = _at(things['bin'], 1.0, 2.0, np.pi / 4).footprint()
  np.testing.assert_allclose(
    np.abs(corners - [1, 2]).max(), 0.15 * np.sqrt(2), atol=1e-6
  )


@pytest.mark.parametrize('apart, expected', [(0.29, True), (0.31, False)])
def test_squares_overlap_up_to_their_side(things, apart, expected):
  first, second = _at(things['bin'], 0, 0), _at(things['bin'], apart, 0)
  found = placement.overlap(first.footprint(), second.footprint())
  assert found is expected


def test_bounding_boxes_overlap_but_turned_squares_do_not(things):
  first = _at(things['bin'], 0, 0, np.pi / 4)
  second = _at(things['bin'], 0.25, 0.25, np.pi / 4)
  assert np.ptp(first.footprint(), axis=0).max() > 0.25
  assert not placement.overlap(first.footprint(), second.footprint())


def test_the_object_s_pose_gives_the_world_s_vertices(things):
  placed = _at(things['chair'], 0.3, -0.8, 1.1)
  item = placed.as_object()
  stored = things['chair'].geometry.vertices
  world = item.scale * stored @ item.rotation.T + item.translation
  np.testing.assert_allclose(world, placed.vertices, atol=1e-5)


@pytest.mark.parametrize('yaw', [0.0, 0.7, 2.5])
def test_all_stands_on_the_floor(things, yaw):
  for thing in things.values():
    assert abs(_at(thing, 1, 2, yaw).vertices[:, 1].min()) < 1e-4


def test_a_cube_between_the_legs_does_not_cross_the_table(things):
  table = _at(things['table'], 0, 0)
  under, through = _at(things['bin'], 0, 0), _at(things['bin'], 0.65, 0.3)
  assert not placement.crossing(under, table)
  assert placement.crossing(through, table)
  assert placement.crossing(table, through)


def test_under_a_table_fits_only_what_may_touch(things):
  table, under = _at(things['table'], 0, 0), _at(things['bin'], 0, 0)
  assert placement.fits(under, [table], touching=True)
  assert not placement.fits(under, [table], touching=False)


def test_rays_meet_a_placed_thing_where_it_stands(things):
  # The cube is .3 high; a ray from 1 m above meets it after .7 m.
  placed = _at(things['bin'], 2.0, -1.0, 0.4)
  found = placed.distance(
    np.array([[2.0, 1.0, -1.0], [0.0, 1.0, 0.0]]), np.array([[0, -1.0, 0]] * 2)
  )
  np.testing.assert_allclose(found, [0.7, np.inf], atol=1e-5)


def test_holds_knows_inside_from_outside(things):
  placed = _at(things['bin'], 2.0, 0.0, np.pi / 2)
  assert placed.holds(np.array([2.1, 0.1, 0.1]), 0.0)
  assert not placed.holds(np.array([2.3, 0.1, 0.1]), 0.1)
  assert placed.holds(np.array([2.3, 0.1, 0.1]), 0.2)


@pytest.mark.parametrize('seed', range(10))
def test_small_things_stand_on_the_table(things, seed):
  table = _at(things['table'], 1.0, 1.0, 0.5)
  rng = np.random.default_rng(seed)
  spot = placement.surface_spot(table, things['bin'], rng)
  assert spot.support is table
  assert abs(spot.position[1] - 0.75) < 2e-3
  assert not placement.crossing(spot, table)
  # All four corners lie over the top.
  local = (spot.footprint() - [1, 1]) @ placement.turn(0.5)[::2, ::2]
  assert (np.abs(local) < [0.7, 0.4]).all()


def test_there_is_no_spot_on_what_is_smaller(things):
  small = _at(things['bin'], 0, 0)
  rng = np.random.default_rng(0)
  assert placement.surface_spot(small, things['table'], rng) is None


def test_things_on_a_table_do_not_collide_with_those_on_the_floor(things):
  floor = _at(things['bin'], 0, 0)
  above = dataclasses.replace(floor, position=np.array([0.0, 0.75, 0.0]))
  assert placement.fits(above, [floor], touching=False)


def test_inside_is_within_the_walls(things):
  assert placement.inside(_at(things['bin'], 0.85, 0), (2.0, 2.0))
  assert not placement.inside(_at(things['bin'], 0.86, 0), (2.0, 2.0))
