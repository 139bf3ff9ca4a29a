import numpy as np
import pytest
import trimesh

from tfrecords_tools.synthesis import draping
from tfrecords_tools.synthesis import height_field
from tfrecords_tools.synthesis import pillows


def _box(size, at):
  """A box that stands on `at`."""
  mesh = trimesh.creation.box(size)
  mesh.apply_translation(np.add(at, [0, size[1] / 2, 0]))
  return mesh


def _field(*boxes, **options):
  mesh = trimesh.util.concatenate(boxes)
  return height_field.HeightField(mesh.vertices, mesh.faces, **options)


def _bed():
  """A mattress .5 m high, 1 x 2 m, with a headboard at +z."""
  return (
    _box((1.0, 0.5, 2.0), (0, 0, 0)),
    _box((1.0, 1.0, 0.05), (0, 0, 1.025)),
  )


def test_heights_are_those_of_the_surface():
  field = _field(*_bed())
  np.testing.assert_allclose(
    field.heights(np.array([0, 0.3, 0, 3]), np.array([0, 0.5, 1.03, 0])),
    [0.5, 0.5, 1.0, 0],
    atol=1e-5,
  )
  np.testing.assert_allclose(
    field.at(np.array([0, 3.0]), np.array([0.5, 0])), [0.5, 0], atol=1e-5
  )


def test_the_level_region_is_the_mattress():
  region = _field(*_bed()).level_region(0.1, 1.5)
  assert abs(region.level - 0.5) < 1e-4
  np.testing.assert_allclose(region.x, (-0.5, 0.5), atol=0.03)
  np.testing.assert_allclose(region.z, (-1.0, 1.0), atol=0.03)


def test_no_level_region_where_all_slopes():
  slope = trimesh.creation.cone(1.0, 1.5)
  slope.apply_transform(
    trimesh.transformations.rotation_matrix(-np.pi / 2, [1, 0, 0])
  )
  assert _field(slope).level_region(0.05, 1.4) is None


def test_a_region_must_be_large_enough():
  field = _field(_box((0.2, 0.5, 0.2), (0, 0, 0)))
  assert field.level_region(0.1, 1.0, smallest=0.3) is None
  assert field.level_region(0.1, 1.0, smallest=0.1) is not None


def test_gaps_between_slats_are_bridged_and_known():
  slats = [_box((1.0, 0.3, 0.06), (0, 0, 0.12 * i)) for i in range(12)]
  region = _field(*slats, bridged=0.15).level_region(0.1, 1.0)
  assert region.z[1] - region.z[0] > 1.2
  field = _field(*slats, bridged=0.15)
  assert 0.3 < field.open.mean() < 0.6
  assert not _field(*_bed(), bridged=0.15).open.any()


@pytest.mark.parametrize('quarters', range(4))
def test_the_highest_side_is_found(quarters):
  mesh = trimesh.util.concatenate(_bed())
  angle = quarters * np.pi / 2  # +z to +x
  mesh.apply_transform(
    trimesh.transformations.rotation_matrix(angle, [0, 1, 0])
  )
  field = height_field.HeightField(mesh.vertices, mesh.faces)
  assert field.turns_of_highest_rim() == quarters


def test_things_come_to_rest_on_what_was_laid_before():
  field = _field(*_bed())
  ball = trimesh.creation.icosphere(3, 0.1)
  rested = field.rest(ball.vertices + [0, 2, 0])
  assert abs(rested[:, 1].min() - 0.5) < 1e-6
  slab = _box((0.4, 0.1, 0.4), (0, 0.5, 0))
  field.raise_by(slab.vertices, slab.faces)
  rested = field.rest(ball.vertices + [0, 2, 0], sunk=0.01)
  assert abs(rested[:, 1].min() - 0.59) < 2e-3
  lower = field.without_above(0.8, 0.5)
  assert lower.at(np.zeros(1), np.array([1.03]))[0] == 0.5
  assert field.at(np.zeros(1), np.array([1.03]))[0] > 0.9


def test_sliding_stops_at_contact():
  field = _field(*_bed())
  cube = trimesh.creation.box((0.2, 0.2, 0.2)).vertices + [0, 0.7, 0]
  moved = height_field.slide(field.caster, cube, (0, 0, 1), 2.0)
  assert abs(moved[:, 2].max() - 1.0) < 1e-4
  sunk = height_field.slide(field.caster, cube, (0, 0, 1), 2.0, sunk=0.02)
  assert abs(sunk[:, 2].max() - 1.02) < 1e-4
  assert height_field.slide(field.caster, cube, (0, 0, -1), 2.0) is None
  assert height_field.slide(field.caster, cube, (0, 0, 1), 0.5) is None


def _sheet(field, half, thick=0.0, **options):
  return draping.sheet(
    np.random.default_rng(0),
    field,
    (0.0, 0.0),
    (-half[0], half[0]),
    (-half[1], half[1]),
    thick,
    (31, 31),
    **options,
  )


def test_a_small_sheet_lies_flat():
  sheet = _sheet(_field(_box((2.0, 0.5, 2.0), (0, 0, 0))), (0.5, 0.7))
  np.testing.assert_allclose(sheet.vertices[:, 1], 0.504, atol=1e-6)
  np.testing.assert_allclose(sheet.vertices.max(axis=0)[[0, 2]], [0.5, 0.7])
  assert len(sheet.faces) == 2 * 30 * 30


def test_a_large_sheet_hangs_as_far_as_its_cloth_reaches():
  # 1.4 m of cloth over a top of 1 m: .2 m hang on both sides.
  field = _field(_box((1.0, 0.5, 2.0), (0, 0, 0)))
  sheet = _sheet(field, (0.7, 0.5))
  x, y, _ = sheet.vertices.T
  assert abs(y.min() - 0.3) < 0.04
  assert np.abs(x).max() < 0.58  # close to the side
  top = np.abs(x) < 0.45
  np.testing.assert_allclose(y[top], 0.504, atol=1e-5)


def test_long_cloth_ends_on_the_floor():
  field = _field(_box((1.0, 0.3, 2.0), (0, 0, 0)))
  sheet = _sheet(field, (1.2, 0.5))
  assert 0 < sheet.vertices[:, 1].min() < 0.03
  assert np.abs(sheet.vertices[:, 0]).max() > 0.7  # it goes on over the floor


def test_sheets_face_up_and_padding_lifts_the_middle_not_the_rim():
  field = _field(_box((2.0, 0.5, 2.0), (0, 0, 0)))
  sheet = _sheet(field, (0.5, 0.5), thick=0.05, crease=0.02, turn=0.4)
  mesh = trimesh.Trimesh(*sheet, process=False)
  assert np.all(mesh.face_normals[:, 1] > 0)
  grid = sheet.vertices[:, 1].reshape(31, 31)
  assert grid[15, 15] > 0.52
  np.testing.assert_allclose(grid[0], 0.504, atol=1e-6)
  assert np.all(grid > 0.5)


@pytest.mark.parametrize('seed', range(5))
def test_pillows_are_closed_small_and_as_large_as_asked(seed):
  shape = pillows.pillow(np.random.default_rng(seed), 0.6, 0.4, 0.15)
  mesh = trimesh.Trimesh(*shape, process=False)
  _, times = np.unique(mesh.edges_sorted, axis=0, return_counts=True)
  assert np.all(times % 2 == 0) and mesh.volume > 0  # closed, wound outwards
  assert len(mesh.faces) <= 300
  np.testing.assert_allclose(np.ptp(shape.vertices, axis=0)[[0, 2]], (0.6, 0.4))
  assert 0.1 < np.ptp(shape.vertices[:, 1]) < 0.2


def test_folds_are_in_range():
  rng = np.random.default_rng(0)
  assert np.abs(pillows.wrinkles(rng, 34, 20)).max() <= 1
  ridges = pillows.creases(rng, 34, 20)
  assert ridges.shape == (34, 20)
  assert ridges.min() >= 0 and ridges.max() <= 1
