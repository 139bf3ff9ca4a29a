"""K-medoids: the exhaustive optimum, repeats, files."""

import itertools

import numpy as np
import pytest

from mask2cad_tf.geometry import rotations as rotations_lib
from mask2cad_tf.geometry import view_medoids


def _random(count, seed):
  return rotations_lib.random_rotations(count, np.random.default_rng(seed))


def _distances(rotations):
  return rotations_lib.geodesic_angle(rotations[:, None], rotations[None])


def _about_up(degrees):
  half = np.radians(degrees) / 2
  zero = np.zeros_like(half)
  return np.stack([np.cos(half), zero, np.sin(half), zero], -1)


@pytest.mark.parametrize('count, k', [(9, 1), (10, 2), (12, 3), (11, 4)])
@pytest.mark.parametrize('seed', range(4))
def test_small_sets_reach_the_exhaustive_optimum(count, k, seed):
  rotations = _random(count, seed)
  distances = _distances(rotations)
  best = min(
    distances[:, list(chosen)].min(axis=1).sum()
    for chosen in itertools.combinations(range(count), k)
  )
  medoids = view_medoids.k_medoids(rotations, k, seed)
  found = distances[:, medoids.indices].min(axis=1).sum()
  np.testing.assert_allclose(found, best)


@pytest.mark.parametrize('seed', range(3))
def test_multiplicity_counts(seed):
  # Equal rotations pull: the weighted optimum of the distinct ones.
  distinct = _random(8, seed)
  repeats = np.random.default_rng(seed).integers(1, 9, 8)
  rotations = np.repeat(distinct, repeats, axis=0)
  rotations[::2] *= -1.0  # q and -q are one rotation
  distances = _distances(distinct)
  best = min(
    repeats @ distances[:, list(chosen)].min(axis=1)
    for chosen in itertools.combinations(range(8), 2)
  )
  medoids = view_medoids.k_medoids(rotations, 2, seed)
  found = _distances(rotations)[:, medoids.indices].min(axis=1).sum()
  np.testing.assert_allclose(found, best, atol=1e-6)


def test_two_clusters_about_up():
  # 0, 10, 20 and 170, 180, 190, 200: the medoids are 10 and 180 or 190.
  rotations = _about_up(np.array([0.0, 10, 20, 170, 180, 190, 200]))
  medoids = view_medoids.k_medoids(rotations, 2, seed=0)
  # The larger cluster comes first.
  assert medoids.indices[0] in (4, 5)
  assert medoids.indices[1] == 1
  np.testing.assert_array_equal(medoids.assignment, [1, 1, 1, 0, 0, 0, 0])


@pytest.mark.parametrize('seed', range(3))
def test_members_are_assigned_to_the_nearest(seed):
  rotations = _random(300, seed)
  medoids = view_medoids.k_medoids(rotations, 16, seed)
  assert medoids.valid.all()
  assert (medoids.rotations[:, 0] >= 0).all()
  assert len(set(medoids.indices)) == 16
  to_medoids = rotations_lib.geodesic_angle(
    rotations[:, None], medoids.rotations[None]
  )
  np.testing.assert_array_equal(medoids.assignment, to_medoids.argmin(axis=1))
  sizes = np.bincount(medoids.assignment, minlength=16)
  assert (np.diff(sizes) <= 0).all()


def test_few_distinct_rotations_repeat_and_mask():
  rotations = np.repeat(_about_up(np.array([0.0, 90, 180])), [3, 2, 1], axis=0)
  medoids = view_medoids.k_medoids(rotations, 5, seed=0)
  np.testing.assert_array_equal(medoids.valid, [1, 1, 1, 0, 0])
  np.testing.assert_array_equal(medoids.indices, [0, 3, 5, 0, 3])
  np.testing.assert_allclose(
    medoids.rotations, rotations[[0, 3, 5, 0, 3]], atol=1e-12
  )
  np.testing.assert_array_equal(medoids.assignment, [0, 0, 0, 1, 1, 2])


def test_a_large_set_is_subsampled():
  rotations = _random(5000, 0)
  medoids = view_medoids.k_medoids(rotations, 4, seed=0, max_iterations=5)
  assert medoids.assignment.shape == (5000,)
  # Uniform rotations lie 2.207 from the identity on average; four medoids
  # must do clearly better.
  nearest = rotations_lib.geodesic_angle(
    rotations[:, None], medoids.rotations[None]
  ).min(axis=1)
  assert nearest.mean() < 1.6


def test_the_seed_decides():
  rotations = _random(100, 0)
  first, again = (
    view_medoids.k_medoids(rotations, 8, seed=5) for _ in range(2)
  )
  np.testing.assert_array_equal(first.indices, again.indices)


@pytest.mark.parametrize('shape', [(0, 4), (5, 3), (5, 5), (4,)])
def test_no_rotations_are_refused(shape):
  with pytest.raises(ValueError, match=r'rotations \[n, 4\]'):
    view_medoids.k_medoids(np.zeros(shape), 2, seed=0)


@pytest.fixture(name='saved')
def _saved(tmp_path):
  by_class = {
    'bed': view_medoids.k_medoids(_random(30, 0), 4, seed=0),
    'chair': view_medoids.k_medoids(_random(2, 1), 4, seed=0),
  }
  path = str(tmp_path / 'medoids.npz')
  view_medoids.save(path, by_class, 'allocentric', 'abc')
  return path, by_class


def test_files_round_trip(saved, tmp_path):
  path, by_class = saved
  rotations, valid, meta = view_medoids.load(path)
  assert rotations.shape == (3, 4, 4)
  assert rotations.dtype == np.float32
  np.testing.assert_array_equal(rotations[0], np.tile([1, 0, 0, 0], (4, 1)))
  np.testing.assert_allclose(rotations[1], by_class['bed'].rotations, atol=1e-6)
  np.testing.assert_array_equal(
    valid, [[0, 0, 0, 0], [1, 1, 1, 1], [1, 1, 0, 0]]
  )
  assert meta == {
    'class_names': ['bed', 'chair'],
    'rotation_frame': 'allocentric',
    'source_hash': 'abc',
  }
  assert [item.name for item in tmp_path.iterdir()] == ['medoids.npz']


def test_rows_follow_the_asked_order(saved):
  path, by_class = saved
  rotations, valid, _ = view_medoids.load(path, ('chair', 'bed'))
  np.testing.assert_allclose(rotations[2], by_class['bed'].rotations, atol=1e-6)
  np.testing.assert_array_equal(valid[1], [1, 1, 0, 0])


def test_missing_file_and_classes_name_the_remedy(saved, tmp_path):
  tool = 'python -m tfrecords_tools.build_pose_medoids'
  with pytest.raises(FileNotFoundError, match=f'none.npz.*{tool}'):
    view_medoids.load(str(tmp_path / 'none.npz'))
  with pytest.raises(ValueError, match=rf"\['sofa'\].*{tool}"):
    view_medoids.load(saved[0], ('bed', 'sofa'))
