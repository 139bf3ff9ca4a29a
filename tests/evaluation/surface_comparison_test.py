"""Posed CADs compared in a CAD's frame = compared in the camera's."""

import dataclasses

import numpy as np
import pytest
import trimesh

from mask2cad_tf.evaluation import surface_comparison
from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import posed_cad
from mask2cad_tf.geometry import rotations

_NUM_POINTS = 400


def _pose(mesh, rotation=None, translation=(0.0, 0.0, 0.0)):
  return posed_cad.PosedCad(
    label=1,
    cad_id='a/a',
    mesh=mesh,
    rotation=np.eye(3) if rotation is None else rotation,
    translation=np.array(translation, float),
    box=np.array([0.0, 0.0, 10.0, 10.0]),
  )


def _random_pose(mesh, rng):
  rotation = rotations.matrix_from_quaternion(
    rotations.random_rotations(1, rng)[0]
  )
  return _pose(mesh, rotation, rng.normal(0.0, 0.2, 3) + [0, 0, 4])


def _brute_force(pred_mesh, true_mesh, predicted, true, seed, thresholds):
  """F1, Chamfer, normals by all pairs of points in camera space."""
  camera = {}
  for name, mesh, cad, offset in (
    ('pred', pred_mesh, predicted, 0),
    ('true', true_mesh, true, surface_comparison.TRUE_SEED_OFFSET),
  ):
    points, normals = meshes.sample_surface(mesh, _NUM_POINTS, seed + offset)
    camera[name] = (
      points @ cad.rotation.T + cad.translation,
      normals @ cad.rotation.T,
    )
  vertices = true_mesh.vertices @ true.rotation.T
  scale = 10.0 / (vertices.max(axis=0) - vertices.min(axis=0)).max()
  distances = scale * np.linalg.norm(
    camera['pred'][0][:, None] - camera['true'][0][None], axis=-1
  )
  to_true, to_pred = distances.min(axis=1), distances.min(axis=0)
  f1 = {}
  for threshold in thresholds:
    p, r = (to_true < threshold).mean(), (to_pred < threshold).mean()
    f1[threshold] = 2 * p * r / (p + r + 1e-8)
  cosines = np.abs(camera['pred'][1] @ camera['true'][1].T)
  rows = np.arange(_NUM_POINTS)
  normal = 0.5 * (
    cosines[rows, distances.argmin(axis=1)].mean()
    + cosines[distances.argmin(axis=0), rows].mean()
  )
  return f1, (to_true**2).mean() + (to_pred**2).mean(), normal


@pytest.mark.parametrize('seed', range(4))
def test_equals_all_pairs_in_camera_space(seed):
  rng = np.random.default_rng(seed)
  library = {
    'p': trimesh.creation.box(rng.uniform(0.5, 2.0, 3)),
    't': trimesh.creation.cylinder(0.6, 1.5, sections=9),
  }
  comparison = surface_comparison.SurfaceComparison(
    library.get, _NUM_POINTS, seed
  )
  predicted, true = _random_pose('p', rng), _random_pose('t', rng)
  f1, chamfer, normal = _brute_force(
    library['p'], library['t'], predicted, true, seed, (0.1, 0.3, 0.5)
  )
  metrics = comparison.metrics(predicted, true)
  assert metrics.f1 == pytest.approx(f1)
  assert metrics.chamfer == pytest.approx(chamfer)
  assert metrics.normal_consistency == pytest.approx(normal)
  assert 0.0 < f1[0.5] < 1.0  # some points are farther, some are not
  for threshold, value in metrics.f1.items():
    assert comparison.f1(predicted, true, threshold) == value


def test_shift_of_a_flat_square():
  # The truth: a square of edge 1 in the plane z = 0, scaled to edge 10. Moved
  # by 0.04 along z, every nearest distance is 0.4 plus what sampling adds:
  # F1^0.3 = 0, F1^0.5 nearly 1, Chamfer nearly 2 * 0.4^2, normals equal.
  square = trimesh.Trimesh(
    [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], [[0, 1, 2], [0, 2, 3]]
  )
  comparison = surface_comparison.SurfaceComparison(lambda name: square)
  metrics = comparison.metrics(
    _pose('square', translation=(0, 0, 0.04)), _pose('square')
  )
  assert metrics.f1[0.3] == 0.0
  assert metrics.f1[0.5] > 0.99
  assert metrics.chamfer == pytest.approx(2 * 0.4**2, rel=0.05)
  assert metrics.normal_consistency == pytest.approx(1.0)


def test_scale_is_of_the_posed_truth():
  # A rod of 1 along x turned by 45 degrees about y spans sqrt(1/2): the scale
  # grows by sqrt(2), and so does the distance of a shift by 0.02, from 0.2 to
  # 0.28: both below 0.3. At 0.025 it is 0.25 and 0.354.
  rod = trimesh.creation.box([1.0, 1e-4, 1e-4])
  comparison = surface_comparison.SurfaceComparison(lambda name: rod)
  half = np.pi / 8
  turned = rotations.matrix_from_quaternion([np.cos(half), 0, np.sin(half), 0])
  shift = (0.0, 0.025, 0.0)
  assert comparison.f1(_pose('r', None, shift), _pose('r'), 0.3) > 0.99
  assert (
    comparison.f1(_pose('r', turned, shift), _pose('r', turned), 0.3) == 0.0
  )


def test_a_cad_is_not_compared_with_its_own_points():
  box = trimesh.creation.box([1.0, 1.0, 1.0])
  comparison = surface_comparison.SurfaceComparison(lambda name: box)
  metrics = comparison.metrics(_pose('box'), _pose('box'))
  assert metrics.chamfer > 0.0
  assert metrics.f1[0.3] > 0.98


def test_far_and_tiny_camera_spaces_keep_their_precision():
  box = trimesh.creation.box([1.0, 0.5, 0.7])
  comparison = surface_comparison.SurfaceComparison(lambda name: box)
  near = comparison.metrics(_pose('box'), _pose('box'))
  far = comparison.metrics(
    _pose('box', None, (3.0, -2.0, 1000.0)),
    _pose('box', None, (3.0, -2.0, 1000.0)),
  )
  assert far.chamfer == pytest.approx(near.chamfer, rel=1e-9)


def test_each_mesh_is_loaded_once_per_side():
  box = trimesh.creation.box([1.0, 1.0, 1.0])
  loaded = []
  comparison = surface_comparison.SurfaceComparison(
    lambda name: loaded.append(name) or box, num_points=50
  )
  for shift in range(5):
    comparison.f1(_pose('p', None, (0, 0, shift)), _pose('t'), 0.3)
  assert sorted(loaded) == ['p', 't']


def test_no_mesh_is_f1_zero():
  box = trimesh.creation.box([1.0, 1.0, 1.0])
  comparison = surface_comparison.SurfaceComparison(lambda name: box)
  assert comparison.f1(_pose(''), _pose('box'), 0.3) == 0.0
  metrics = comparison.metrics(_pose(''), _pose('box'))
  assert metrics.f1[0.5] == 0.0
  assert np.isnan(metrics.chamfer)


def test_depth_range_of_a_turned_box():
  # A box of 2 x 4 x 6 turned by 90 degrees about x has z from -2 to 2.
  box = trimesh.creation.box([2.0, 4.0, 6.0])
  comparison = surface_comparison.SurfaceComparison(lambda name: box)
  turn = rotations.matrix_from_quaternion([1.0, 1.0, 0.0, 0.0])
  assert comparison.depth_range('b', turn, False) == pytest.approx((-2.0, 2.0))


def test_mean_skips_objects_without_a_mesh_for_distances_only():
  box = trimesh.creation.box([1.0, 1.0, 1.0])
  comparison = surface_comparison.SurfaceComparison(lambda name: box)
  found = comparison.metrics(_pose('box'), _pose('box'))
  missed = comparison.metrics(_pose(''), _pose('box'))
  means = surface_comparison.mean_metrics([found, missed])
  assert means['chamfer'] == found.chamfer
  assert means['f1_0.3'] == pytest.approx(found.f1[0.3] / 2)
  assert means['num_objects'] == 2
  assert surface_comparison.mean_metrics([]) == {}


@pytest.mark.parametrize('seed', range(2))
def test_a_scale_is_a_stretched_mesh(seed):
  rng = np.random.default_rng(seed)
  scale = rng.uniform(0.5, 2.0, 3)
  box = trimesh.creation.box([1.0, 0.7, 0.4])
  cylinder = trimesh.creation.cylinder(0.6, 1.5, sections=9)

  def stretched(mesh):
    return trimesh.Trimesh(mesh.vertices * scale, mesh.faces, process=False)

  comparison = surface_comparison.SurfaceComparison(
    {
      'p': box,
      't': cylinder,
      'p+': stretched(box),
      't+': stretched(cylinder),
    }.get,
    _NUM_POINTS,
    seed,
  )
  predicted, true = _random_pose('p', rng), _random_pose('t', rng)
  with_scale, as_mesh = (
    comparison.metrics(
      dataclasses.replace(predicted, **p), dataclasses.replace(true, **t)
    )
    for p, t in (
      ({'scale': scale}, {'scale': scale}),
      ({'mesh': 'p+'}, {'mesh': 't+'}),
    )
  )
  assert with_scale.f1 == as_mesh.f1
  assert with_scale.chamfer == as_mesh.chamfer
  assert with_scale.normal_consistency == as_mesh.normal_consistency
  # One of another scale is another surface, not the one kept before.
  assert comparison.metrics(predicted, true).chamfer != with_scale.chamfer
  low, high = comparison.depth_range('p', np.eye(3), True, scale)
  assert high - low == pytest.approx(0.4 * scale[2])
