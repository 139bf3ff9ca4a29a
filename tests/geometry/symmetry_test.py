"""Symmetry about +y, chirality and near-duplicates of simple furniture."""

import numpy as np
import pytest
import trimesh

from mask2cad_tf.geometry import symmetry


def _block(extents, center):
  return trimesh.creation.box(extents).apply_translation(center)


def _legs(x, z):
  return [
    _block((0.06, 0.7, 0.06), (sx * x, 0.0, sz * z))
    for sx in (-1, 1)
    for sz in (-1, 1)
  ]


def _table(width, depth):
  return trimesh.util.concatenate(
    [_block((width, 0.05, depth), (0, 0.35, 0))]
    + _legs(width / 2 - 0.05, depth / 2 - 0.05)
  )


def _disc(radius, height, y):
  disc = trimesh.creation.cylinder(radius, height, sections=64)
  disc.apply_transform(
    trimesh.transformations.rotation_matrix(np.pi / 2, (1, 0, 0))
  )
  return disc.apply_translation((0, y, 0))


def _round_table(legs):
  turns = np.arange(legs) * 2 * np.pi / legs
  return trimesh.util.concatenate(
    [_disc(0.5, 0.04, 0.35)]
    + [
      _block((0.1, 0.7, 0.1), (0.4 * np.sin(t), 0.0, 0.4 * np.cos(t)))
      for t in turns
    ]
  )


def _chair():
  return trimesh.util.concatenate(
    [
      _block((0.5, 0.05, 0.5), (0, 0, 0)),
      _block((0.5, 0.5, 0.05), (0, 0.25, -0.22)),
    ]
    + _legs(0.2, 0.2)
  )


def _l_sofa():
  return trimesh.util.concatenate(
    [
      _block((2.0, 0.4, 0.8), (0, -0.2, -0.4)),
      _block((2.0, 0.5, 0.2), (0, 0.2, -0.7)),
      _block((0.7, 0.4, 0.9), (-0.65, -0.2, 0.4)),
    ]
  )


@pytest.mark.parametrize(
  'mesh, order',
  [
    (_table(1.0, 1.0), 4),
    (_table(1.4, 0.8), 2),
    (_disc(0.5, 0.6, 0.0), 0),
    (_round_table(4), 4),
    (_round_table(3), 1),
    (trimesh.creation.icosphere(subdivisions=4), 0),
    (_chair(), 1),
    (_l_sofa(), 1),
    (_block((1, 1, 1), (0, 0, 0)), 4),
  ],
  ids=[
    'square table',
    'table',
    'cylinder',
    'round table, 4 legs',
    'round table, 3 legs',
    'sphere',
    'chair',
    'L-shape',
    'cube',
  ],
)
def test_symmetry_order(mesh, order):
  assert symmetry.symmetry_order(mesh) == order


def test_the_axis_passes_through_the_origin():
  assert (
    symmetry.symmetry_order(_table(1.0, 1.0).apply_translation((0.2, 0.0, 0.0)))
    == 1
  )
  assert (
    symmetry.symmetry_order(_table(1.0, 1.0).apply_translation((0.0, 5.0, 0.0)))
    == 4
  )


def test_order_does_not_depend_on_units_or_seed():
  for scale, seed in [(1000.0, 1), (0.001, 2)]:
    table = _table(1.4, 0.8).apply_scale(scale)
    assert symmetry.symmetry_order(table, seed) == 2


def test_stray_geometry_does_not_make_a_chair_round():
  stray = _block((0.01, 0.01, 0.01), (60.0, 0.0, 0.0))
  chair = trimesh.util.concatenate([_chair(), stray])
  assert symmetry.symmetry_order(chair) == 1


@pytest.mark.parametrize(
  'turn, normal',
  [
    (0.0, (1.0, 0.0, 0.0)),
    (np.pi / 2, (0.0, 0.0, 1.0)),
    (np.pi / 4, (np.sqrt(0.5), 0.0, -np.sqrt(0.5))),
    (-np.pi / 4, (np.sqrt(0.5), 0.0, np.sqrt(0.5))),
  ],
)
def test_the_mirror_of_a_turned_chair(turn, normal):
  # A turn about +y by 45 degrees takes (1, 0, 0) to (cos 45, 0, -sin 45).
  matrix = trimesh.transformations.rotation_matrix(turn, (0, 1, 0))
  found = symmetry.mirror_normal(_chair().apply_transform(matrix))
  np.testing.assert_allclose(found, normal, atol=1e-12)


def test_left_right_is_preferred():
  np.testing.assert_array_equal(
    symmetry.mirror_normal(_table(1.0, 1.0)), [1.0, 0.0, 0.0]
  )


def test_an_l_shape_is_chiral():
  np.testing.assert_array_equal(symmetry.mirror_normal(_l_sofa()), np.zeros(3))


def test_the_same_shape_in_other_triangles_and_units_is_a_duplicate():
  chair = _chair()
  other = chair.copy().subdivide().apply_scale(39.37)
  other.apply_translation((1.0, 2.0, 3.0))
  assert symmetry.are_duplicates(chair, other)


def test_another_back_is_another_chair():
  low = trimesh.util.concatenate(
    [
      _block((0.5, 0.05, 0.5), (0, 0, 0)),
      _block((0.5, 0.25, 0.05), (0, 0.12, -0.22)),
    ]
    + _legs(0.2, 0.2)
  )
  assert not symmetry.are_duplicates(_chair(), low)
  assert not symmetry.are_duplicates(low, _chair())


def test_a_missing_seat_is_no_duplicate_in_either_order():
  # Every point of the part lies on the whole, not the other way round.
  bare = trimesh.util.concatenate(
    [_block((0.5, 0.5, 0.05), (0, 0.25, -0.22))] + _legs(0.2, 0.2)
  )
  assert not symmetry.are_duplicates(_chair(), bare)
  assert not symmetry.are_duplicates(bare, _chair())


def test_groups_name_their_first_member():
  cads = [
    _chair(),
    _table(1.4, 0.8),
    _chair().apply_scale(2.0),
    _table(1.0, 1.0),
    _table(2.8, 1.6).apply_scale(1.0),
  ]
  # The last table's top is thinner for its width: another shape.
  np.testing.assert_array_equal(
    symmetry.duplicate_groups(cads), [0, 1, 0, 3, 4]
  )
