"""Mesh metrics against closed forms."""

import numpy as np
import pytest
import trimesh

from mask2cad_tf.geometry import mesh_metrics
from mask2cad_tf.geometry import meshes


def _square(edge=1.0):
  corners = [[0, 0, 0], [edge, 0, 0], [edge, edge, 0], [0, edge, 0]]
  return trimesh.Trimesh(corners, [[0, 1, 2], [0, 2, 3]], process=False)


def _moved(mesh, translation):
  return meshes.transform(mesh, np.eye(3), translation)


def test_f1_hand_case():
  # Three points, two of them found; of two true points one is found.
  pred = np.array([[0.0, 0, 0], [0.1, 0, 0], [9.0, 0, 0]])
  true = np.array([[0.0, 0, 0], [5.0, 0, 0]])
  # P = 2/3, R = 1/2: F1 = 2 (2/3) (1/2) / (7/6) = 4/7.
  scores = mesh_metrics.f1_scores(pred, true, (0.3, 0.05, 100.0))
  np.testing.assert_allclose(scores[0.3], 4 / 7)
  # P = 1/3, R = 1/2: 2 (1/6) / (5/6) = 2/5.
  np.testing.assert_allclose(scores[0.05], 2 / 5)
  np.testing.assert_allclose(scores[100.0], 1.0)
  # Squares: (0 + 0.01 + 16) / 3 + (0 + 16) / 2.
  np.testing.assert_allclose(
    mesh_metrics.chamfer(pred, true), 16.01 / 3 + 16 / 2
  )


def test_nothing_in_common_is_zero_not_nan():
  scores = mesh_metrics.f1_scores(np.zeros((3, 3)), np.ones((3, 3)), (0.3,))
  assert scores[0.3] == 0.0


def test_a_threshold_is_strict():
  scores = mesh_metrics.f1_scores(
    np.zeros((1, 3)), np.array([[0.5, 0, 0]]), (0.5, 0.51)
  )
  assert scores[0.5] == 0.0
  np.testing.assert_allclose(scores[0.51], 1.0)


def test_normal_consistency_hand_case():
  points = np.array([[0.0, 0, 0], [1.0, 0, 0]])
  # cos 0 and cos 60 (its sign is dropped): (1 + 1/2) / 2 both ways.
  normals = np.array([[0, 0, 1.0], [0, 0, 1.0]])
  others = np.array([[0, 0, 1.0], [0, np.sqrt(0.75), -0.5]])
  np.testing.assert_allclose(
    mesh_metrics.normal_consistency(points, normals, points, others), 0.75
  )


@pytest.mark.parametrize('scale', [1.0, 0.01])
def test_parallel_squares(scale):
  # Edge -> 10; gap 0.02 -> 0.2. n samples on 100 units^2 add 1 / (pi n / 100)
  # to a nearest squared distance: 0.04 + 0.00318 each way.
  true = _square(scale)
  pred = _moved(true, (0.0, 0.0, 0.02 * scale))
  metrics = mesh_metrics.compare_meshes(pred, true)
  np.testing.assert_allclose(metrics.f1[0.1], 0.0, atol=1e-6)
  np.testing.assert_allclose(metrics.f1[0.3], 1.0, atol=1e-3)
  np.testing.assert_allclose(metrics.f1[0.5], 1.0, atol=1e-3)
  np.testing.assert_allclose(
    metrics.chamfer, 2 * (0.04 + 100 / (np.pi * 10000)), rtol=0.02
  )
  np.testing.assert_allclose(metrics.normal_consistency, 1.0)


def test_a_square_shifted_in_its_plane():
  # A quarter slides off; points up to the threshold beyond still count:
  # P = R = F1 = 0.75 + t / 10.
  true = _square()
  metrics = mesh_metrics.compare_meshes(_moved(true, (0.25, 0, 0)), true)
  np.testing.assert_allclose(metrics.f1[0.3], 0.78, atol=0.012)
  np.testing.assert_allclose(metrics.f1[0.5], 0.80, atol=0.012)


def test_a_shifted_sphere():
  # |p + d| runs over sqrt(1 + 2 d c + d^2), c uniform in [-1, 1]. The share
  # within t of 1 is ((1 + t)^2 - (1 - t)^2) / 4d = t / d; the mean square of
  # |p + d| - 1 is d^2 / 3. Radius 1 -> 5, d = 0.2 -> 1.
  true = trimesh.creation.icosphere(subdivisions=5)
  metrics = mesh_metrics.compare_meshes(
    _moved(true, (0.0, 0.0, 0.2)), true, num_points=40000, thresholds=(0.3, 0.5)
  )
  np.testing.assert_allclose(metrics.f1[0.3], 0.3, atol=0.015)
  np.testing.assert_allclose(metrics.f1[0.5], 0.5, atol=0.015)
  # Samples add area / (pi n) = 4 pi 25 / (pi 40000) each way.
  np.testing.assert_allclose(
    metrics.chamfer, 2 * (1 / 3 + 100 / 40000), rtol=0.02
  )


def test_scale_comes_from_the_true_mesh():
  # A prediction of half the size: nothing is rescaled to fit.
  true = trimesh.creation.box((1, 1, 1))
  pred = trimesh.creation.box((0.5, 0.5, 0.5))
  assert mesh_metrics.compare_meshes(pred, true).f1[0.5] == 0.0


def test_sampling_keeps_a_box_from_finding_all_of_itself():
  # 10,000 points on 600 units^2: none within 0.3 with probability
  # exp(-pi 0.3^2 10000 / 600) = 0.009.
  box = trimesh.creation.box((1, 1, 1))
  metrics = mesh_metrics.compare_meshes(box, box)
  np.testing.assert_allclose(
    metrics.f1[0.3], 1 - np.exp(-np.pi * 0.09 * 10000 / 600), atol=0.003
  )
  assert metrics.f1[0.5] > 0.999


def test_equal_seeds_give_equal_metrics():
  true, pred = _square(), _moved(_square(), (0.1, 0, 0))
  first, again, other = (
    mesh_metrics.compare_meshes(pred, true, 500, seed) for seed in (1, 1, 2)
  )
  assert first == again
  assert first != other


def test_voxels_of_a_half():
  # Longest edge 1 both, half as deep: 1/2, give or take a layer of 32.
  whole = trimesh.creation.box((1, 1, 1))
  half = trimesh.creation.box((1, 1, 0.5))
  iou = mesh_metrics.voxel_iou(half, whole)
  np.testing.assert_allclose(iou, 0.5, atol=1.01 / 32)
  assert mesh_metrics.voxel_iou(whole, half) == iou


def test_voxels_of_a_ball():
  # A voxel is full up to (|nx| + |ny| + |nz|) / 2 from the surface, 0.75 on
  # average over directions: pi / 6 of the cube at radius 16.75 / 16.
  ball = trimesh.creation.icosphere(subdivisions=4)
  iou = mesh_metrics.voxel_iou(ball, trimesh.creation.box((1, 1, 1)))
  np.testing.assert_allclose(iou, np.pi / 6 * (16.75 / 16) ** 3, atol=0.01)


def test_place_and_size_do_not_matter_to_voxels():
  cone = trimesh.creation.cone(0.5, 1.0)
  other = cone.copy().apply_scale(40.0).apply_translation((3, -7, 100))
  assert mesh_metrics.voxel_iou(other, cone) > 0.97


def test_closed_cads_are_filled_and_open_ones_are_not():
  box = trimesh.creation.box((1, 1, 1))
  front = box.face_normals[:, 2] > 0.5
  shelf = trimesh.Trimesh(box.vertices, box.faces[~front], process=False)
  # Five one-voxel walls: 1 - 30 * 30 * 31 / 32^3 = 0.149.
  iou = mesh_metrics.voxel_iou(shelf, box)
  np.testing.assert_allclose(iou, 1 - 30 * 30 * 31 / 32**3, atol=0.01)
  # Unwelded triangles, one of them turned: not watertight, still solid.
  loose = trimesh.Trimesh(
    box.triangles.reshape(-1, 3), np.arange(36).reshape(12, 3), process=False
  )
  loose.faces[0] = loose.faces[0][::-1]
  assert not loose.is_watertight
  assert mesh_metrics.voxel_iou(loose, box) == 1.0
