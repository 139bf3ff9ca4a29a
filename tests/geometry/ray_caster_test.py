"""RayCaster: hits computed by hand."""

import numpy as np
import pytest

from mask2cad_tf.geometry import ray_caster

# A right triangle in the plane z = 2 and a larger one behind it, z = 5.
_NEAR = [[0, 0, 2], [1, 0, 2], [0, 1, 2]]
_FAR = [[-9, -9, 5], [9, -9, 5], [0, 9, 5]]
_FORWARD = [0.0, 0.0, 1.0]


def _caster(dtype=np.float64):
  return ray_caster.RayCaster(np.array([_NEAR, _FAR], dtype))


@pytest.mark.parametrize('dtype', [np.float32, np.float64])
def test_nearest_hits(dtype):
  origins = np.array([[0.25, 0.5, 0], [0.9, 0.9, 0], [50, 50, 0]], dtype)
  directions = np.tile(np.array(_FORWARD, dtype), (3, 1))
  hits = _caster(dtype).nearest(origins, directions)
  np.testing.assert_array_equal(hits.triangle, [0, 1, -1])
  np.testing.assert_allclose(hits.distance, [2, 5, np.inf], rtol=1e-5)
  # (0.25, 0.5) = 0.25 of the second corner and 0.5 of the third.
  np.testing.assert_allclose([hits.u[0], hits.v[0]], [0.25, 0.5], atol=1e-5)


def test_distance_counts_in_lengths_of_the_direction():
  directions = np.array([[0, 0, 1.0], [0, 0, 4.0], [0, 0, -1.0]])
  origins = np.tile([0.2, 0.2, 0.0], (3, 1))
  caster = _caster()
  np.testing.assert_allclose(
    caster.distance(origins, directions), [2, 0.5, np.inf], rtol=1e-5
  )
  np.testing.assert_array_equal(
    caster.occluded(origins, directions), [True, True, False]
  )


def test_faces_are_hit_from_both_sides():
  hits = _caster().nearest([[0.2, 0.2, 3.0]], [[0, 0, -1.0]])
  assert hits.triangle[0] == 0
  np.testing.assert_allclose(hits.distance[0], 1.0, rtol=1e-5)


def test_one_origin_serves_all_rays():
  caster = _caster()
  directions = np.array([[0.1, 0.1, 1], [2, 0, 1.0], [0, 0, -1]])
  one = caster.nearest(np.zeros(3), directions)
  many = caster.nearest(np.zeros((3, 3)), directions)
  for a, b in zip(one, many):
    np.testing.assert_array_equal(a, b)


def test_chunks_do_not_show(monkeypatch):
  rng = np.random.default_rng(0)
  origins = rng.uniform(-1, 1, (200, 3)) * [5, 5, 0]
  directions = np.tile(_FORWARD, (200, 1))
  caster = _caster()
  whole = caster.nearest(origins, directions)
  monkeypatch.setattr(ray_caster, '_MAX_RAYS', 7)
  for a, b in zip(caster.nearest(origins, directions), whole):
    np.testing.assert_array_equal(a, b)


def test_no_rays_no_hits():
  none = np.zeros((0, 3))
  caster = _caster()
  assert len(caster.nearest(none, none).triangle) == 0
  assert len(caster.occluded(none, none)) == 0
  assert len(caster.distance(none, none)) == 0


@pytest.mark.parametrize('scale', [1e-4, 1e4])
@pytest.mark.parametrize('dtype', [np.float32, np.float64])
def test_units_do_not_matter(scale, dtype):
  caster = ray_caster.RayCaster((scale * np.array([_NEAR, _FAR])).astype(dtype))
  origin = np.array([[0.25, 0.5, 0]], dtype) * dtype(scale)
  hits = caster.nearest(origin, np.array([_FORWARD], dtype))
  np.testing.assert_allclose(hits.distance, [2 * scale], rtol=1e-5)
