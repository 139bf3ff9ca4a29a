import numpy as np
import pytest

from mask2cad_tf.geometry import ray_caster
from tfrecords_tools.synthesis import lighting
from tfrecords_tools.synthesis import room
from tfrecords_tools.synthesis import scene
from tfrecords_tools.synthesis import textures

_BANK = textures.TextureBank()
_SIZE, _HEIGHT = (4.2, 3.4), 2.5


def _build(seed, **options):
  return room.build(
    np.random.default_rng(seed), _BANK, _SIZE, _HEIGHT, **options
  )


def _triangles(parts):
  return np.concatenate([part.vertices[part.faces] for part in parts])


def _directions(count=2000):
  ways = np.random.default_rng(0).normal(size=(count, 3))
  return ways / np.linalg.norm(ways, axis=1, keepdims=True)


@pytest.mark.parametrize('seed', range(10))
def test_all_but_rugs_is_outside_of_the_room(seed):
  for part in _build(seed, ceiling=True):
    x, y, z = part.vertices.T
    inside = (np.abs(x) < _SIZE[0] / 2 - 1e-4) & (
      np.abs(z) < _SIZE[1] / 2 - 1e-4
    )
    assert not np.any(inside & (y > 0.012) & (y < _HEIGHT - 1e-4))
    assert part.owner == scene.ROOM and not part.is_cad


@pytest.mark.parametrize('seed', range(6))
def test_the_room_is_closed_and_looks_inwards(seed):
  parts = _build(seed, ceiling=True)
  triangles = _triangles(parts)
  ways = _directions()
  eye = np.tile([0.3, 1.2, -0.4], (len(ways), 1))
  hits = ray_caster.RayCaster(triangles).nearest(eye, ways)
  assert np.all(hits.triangle >= 0)
  a, b, c = (triangles[hits.triangle, i] for i in range(3))
  facing = np.sum(np.cross(b - a, c - a) * ways, axis=1) < 0
  cloth = np.concatenate(
    [np.full(len(part.faces), part.smooth) for part in parts]
  )
  # Curtains have one side only; all else faces the room.
  assert np.all(facing | cloth[hits.triangle])
  points = eye + hits.distance[:, None] * ways
  wall = (points[:, 1] > 0.02) & (points[:, 1] < _HEIGHT - 0.02)
  out = np.maximum(
    np.abs(points[:, 0]) - _SIZE[0] / 2, np.abs(points[:, 2]) - _SIZE[1] / 2
  )
  assert np.all(out[wall] > -1e-3) and np.all(out[wall] < 0.1)


def test_without_a_ceiling_the_sky_is_open_and_the_walls_stand():
  caster = ray_caster.RayCaster(_triangles(_build(0)))
  eye = np.array([[0, 1.2, 0]] * 2)
  up, flat = caster.distance(eye, np.array([[0, 1, 0], [0, 0, 1.0]]))
  assert np.isinf(up) and 1.6 < flat < 1.8


def test_the_floor_is_at_zero():
  caster = ray_caster.RayCaster(_triangles(_build(1)))
  spots = np.random.default_rng(0).uniform(-1.6, 1.6, (200, 2))
  origins = np.insert(spots, 1, 1.0, axis=1)
  down = caster.distance(origins, np.tile([0, -1.0, 0], (200, 1)))
  assert np.all(down <= 1 + 1e-5) and np.all(down > 0.985)


def test_rooms_differ_and_equal_seeds_do_not():
  counts = {len(_build(seed)) for seed in range(10)}
  assert len(counts) > 4
  for a, b in zip(_build(3), _build(3)):
    np.testing.assert_array_equal(a.vertices, b.vertices)
    np.testing.assert_array_equal(a.material.color, b.material.color)


def test_rooms_are_light_and_their_materials_in_range():
  parts = [part for seed in range(10) for part in _build(seed)]
  assert sum(len(part.faces) for part in parts) < 10 * 3000
  assert any(part.material.emission > 0 for part in parts)  # windows
  for part in parts:
    assert np.all(part.material.color <= 0.9)
    assert part.uv is None or part.uv.shape == (len(part.vertices), 2)
    assert part.vertices.dtype == np.float32 and part.faces.dtype == np.int32


@pytest.mark.parametrize('size', [(1.2, 1.0), (2.0, 9.0), (12.0, 7.0)])
def test_tiny_and_huge_rooms(size):
  for seed in range(5):
    rng = np.random.default_rng(seed)
    parts = room.build(rng, _BANK, size, 2.2)
    assert len(parts) >= 5
    assert all(np.isfinite(part.vertices).all() for part in parts)


@pytest.mark.parametrize('mode', ['room', 'closeup', 'studio'])
def test_light_exposes_well(mode):
  for seed in range(40):
    light, sensor = lighting.draw(
      np.random.default_rng(seed), mode, _SIZE, _HEIGHT
    )
    assert 1 <= len(light.lights) <= 3
    total = light.ambient + sum(lamp.color for lamp in light.lights)
    assert 0.5 < total.mean() < 1.7
    assert np.all(light.ambient > 0.1)
    strengths = [lamp.color.max() for lamp in light.lights]
    assert all(lamp.radius > 0 for lamp in light.lights)
    assert np.all(np.array(strengths) > 0)
    assert -1 <= sensor.exposure <= 1 and 0 <= sensor.noise < 0.05
    assert 50 <= sensor.jpeg_quality <= 100 and 0 <= sensor.blur <= 1.5
    assert len(sensor.white_balance) == 3


def test_lamps_of_a_room_are_inside_of_it():
  for seed in range(60):
    light, _ = lighting.draw(
      np.random.default_rng(seed), 'room', _SIZE, _HEIGHT
    )
    for lamp in light.lights:
      x, y, z = np.abs(lamp.position)
      assert x + lamp.radius <= _SIZE[0] / 2 + 1e-9
      assert z + lamp.radius <= _SIZE[1] / 2 + 1e-9
      assert lamp.position[1] > 0 and y + lamp.radius <= _HEIGHT + 1e-9


def test_lamps_of_close_ups_are_above_and_around():
  for seed in range(40):
    for mode in ('closeup', 'studio'):
      light, _ = lighting.draw(np.random.default_rng(seed), mode, (1, 1))
      for lamp in light.lights:
        assert lamp.position[1] > 0
        assert np.linalg.norm(lamp.position) > 1.4


def test_light_is_deterministic_and_modes_are_checked():
  one, two = (
    lighting.draw(np.random.default_rng(5), 'room', _SIZE) for _ in range(2)
  )
  assert one[1] == two[1]
  np.testing.assert_array_equal(one[0].ambient, two[0].ambient)
  with pytest.raises(ValueError, match='cave'):
    lighting.draw(np.random.default_rng(0), 'cave', _SIZE)
