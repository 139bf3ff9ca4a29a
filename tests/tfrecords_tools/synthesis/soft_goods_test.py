import numpy as np
import pytest
import trimesh

from mask2cad_tf.geometry import ray_caster
from mask2cad_tf.geometry.furniture import catalogue
from tfrecords_tools.synthesis import soft_goods
from tfrecords_tools.synthesis import textures

_BANK = textures.TextureBank()
_PILLOW = 256  # triangles
_DOUBLE_BED, _SOFA = 17, 29  # with pillows and headboard; with a back


def _furniture(label_name, number):
  entries = [e for e in catalogue.entries() if e.label_name == label_name]
  mesh = entries[number % len(entries)].builder()
  vertices = np.array(mesh.vertices)
  vertices[:, 1] -= vertices[:, 1].min()
  return vertices, np.array(mesh.faces)


def _lay(label_name, number, seed=0):
  vertices, faces = _furniture(label_name, number)
  goods = soft_goods.lay(
    np.random.default_rng(seed), _BANK, label_name, vertices, faces
  )
  return vertices, faces, goods


def _cast(triangles, origins, way):
  return ray_caster.RayCaster(triangles).distance(
    origins, np.tile(np.float64(way), (len(origins), 1))
  )


@pytest.mark.parametrize('label_name', ['bed', 'sofa'])
@pytest.mark.parametrize('number', range(0, 40, 5))
def test_goods_rest_on_what_is_below_them(label_name, number):
  vertices, faces, goods = _lay(label_name, number, seed=number)
  carriers = vertices[faces]
  for good in goods:
    below = _cast(carriers, good.vertices + [0, 1e-4, 0], (0, -1, 0))
    assert below.min() < 0.03  # nothing floats
    lowest = good.vertices[:, 1] < np.quantile(good.vertices[:, 1], 0.05)
    above = _cast(vertices[faces], good.vertices[lowest], (0, 1, 0))
    # A ray from inside of the mattress leaves it at once.
    assert not np.any((above > 0.03) & (above < 0.1))
    carriers = np.concatenate([carriers, good.vertices[good.faces]])


def test_most_beds_are_made_and_most_sofas_have_cushions():
  beds = [_lay('bed', number, number)[2] for number in range(12)]
  sofas = [_lay('sofa', number, number)[2] for number in range(12)]
  assert sum(len(goods) >= 2 for goods in beds) >= 8
  assert sum(len(goods) >= 1 for goods in sofas) >= 6


@pytest.mark.parametrize('label_name', ['bed', 'sofa', 'chair', 'table'])
def test_meshes_are_small_sound_and_near_the_furniture(label_name):
  for number in range(6):
    vertices, _, goods = _lay(label_name, number, seed=number)
    low, high = vertices.min(axis=0) - 0.5, vertices.max(axis=0) + 0.7
    for good in goods:
      assert good.vertices.dtype == np.float32
      assert good.faces.dtype == np.int32
      assert np.isfinite(good.vertices).all()
      assert good.faces.max() < len(good.vertices)
      assert len(good.faces) <= 4800
      assert np.all(good.vertices > low) and np.all(good.vertices < high)
      assert good.vertices[:, 1].min() > 0
      assert np.all(good.material.color <= 0.9)


def test_equal_seeds_lay_equal_goods():
  one, two = (_lay('bed', 5, seed=3)[2] for _ in range(2))
  assert len(one) == len(two) > 0
  for a, b in zip(one, two):
    np.testing.assert_array_equal(a.vertices, b.vertices)
    np.testing.assert_array_equal(a.material.color, b.material.color)
  assert any(len(_lay('bed', 5, seed)[2]) != len(one) for seed in (4, 5, 6, 7))


@pytest.mark.parametrize('quarters', range(1, 4))
def test_linen_turns_with_the_bed(quarters):
  bed = _bare_bed()
  vertices, faces = bed.vertices, bed.faces
  turn = trimesh.transformations.rotation_matrix(
    quarters * np.pi / 2, [0, 1, 0]
  )[:3, :3]
  straight, turned = (
    soft_goods.lay(np.random.default_rng(2), _BANK, 'bed', v, faces)
    for v in (vertices, vertices @ turn.T)
  )
  assert len(straight) == len(turned) > 0
  for a, b in zip(straight, turned):
    moved = a.vertices @ turn.T
    np.testing.assert_allclose(
      moved.mean(axis=0), b.vertices.mean(axis=0), atol=0.02
    )


def _bare_bed():
  """A mattress at .5 m and a headboard at +z."""
  mattress = trimesh.creation.box((1.5, 0.5, 2.0))
  mattress.apply_translation([0, 0.25, 0])
  board = trimesh.creation.box((1.5, 1.1, 0.05))
  board.apply_translation([0, 0.55, 1.025])
  return trimesh.util.concatenate([mattress, board])


def test_pillows_lie_at_the_head_of_bare_beds():
  bed, found = _bare_bed(), 0
  for seed in range(20):
    goods = soft_goods.lay(
      np.random.default_rng(seed), _BANK, 'bed', bed.vertices, bed.faces
    )
    for good in goods:
      if len(good.faces) == _PILLOW:
        low, high = good.vertices.min(axis=0), good.vertices.max(axis=0)
        assert low[2] > 0 and high[2] < 1.001  # not inside of the headboard
        assert np.abs(good.vertices[:, 0]).max() < 0.85
        assert low[1] > 0.48
        found += 1
  assert found > 15


def test_a_bed_that_brings_pillows_gets_no_more():
  for seed in range(12):
    _, _, goods = _lay('bed', _DOUBLE_BED, seed)
    assert not any(len(good.faces) == _PILLOW for good in goods)


def test_cushions_lean_on_the_back():
  found = 0
  for seed in range(12):
    vertices, faces, goods = _lay('sofa', _SOFA, seed)
    for good in goods:
      if len(good.faces) == _PILLOW:
        behind = _cast(vertices[faces], good.vertices, (0, 0, 1)).min()
        assert behind < 0.02
        found += 1
  assert found


@pytest.mark.parametrize('label_name', ['wardrobe', 'tool', 'never heard'])
def test_other_classes_stay_bare(label_name):
  vertices, faces = _furniture('bed', 0)
  rng = np.random.default_rng(0)
  assert soft_goods.lay(rng, _BANK, label_name, vertices, faces) == []


@pytest.mark.parametrize('label_name', ['bed', 'sofa', 'chair', 'table'])
def test_nothing_is_laid_where_nothing_is_flat(label_name):
  cone = trimesh.creation.cone(0.6, 1.5)
  vertices = cone.vertices[:, [0, 2, 1]]
  for seed in range(15):
    rng = np.random.default_rng(seed)
    assert not soft_goods.lay(rng, _BANK, label_name, vertices, cone.faces)


def test_a_bed_that_ends_with_slats_gets_a_mattress():
  pieces = [trimesh.creation.box((1.4, 0.04, 0.07)) for _ in range(14)]
  for i, piece in enumerate(pieces):
    piece.apply_translation([0, 0.3, -0.95 + 0.145 * i])
  for side in (-1, 1):
    rail = trimesh.creation.box((0.04, 0.25, 2.0))
    rail.apply_translation([side * 0.72, 0.2, 0])
    pieces.append(rail)
  frame = trimesh.util.concatenate(pieces)
  goods = soft_goods.lay(
    np.random.default_rng(1), _BANK, 'bed', frame.vertices, frame.faces
  )
  tops = [good.vertices[:, 1].max() for good in goods]
  assert 0.42 < tops[0] < 0.56  # .32, and 12 to 22 cm
  assert np.ptp(goods[0].vertices, axis=0)[[0, 2]].min() > 1.2


def test_some_tables_get_a_cloth_that_hangs():
  vertices, faces = _furniture('table', 3)
  laid = [
    soft_goods.lay(np.random.default_rng(s), _BANK, 'table', vertices, faces)
    for s in range(60)
  ]
  cloths = [goods[0] for goods in laid if goods]
  assert 1 <= len(cloths) < 20
  for cloth in cloths:
    assert cloth.vertices[:, 1].max() < vertices[:, 1].max() + 0.05
    assert np.ptp(cloth.vertices[:, 1]) > 0.03
