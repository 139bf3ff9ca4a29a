"""Similarity of surfaces: F1, Chamfer, normal consistency, voxel IoU.

Point metrics as Mesh R-CNN computes them: both surfaces scaled so that the
truth's longest axis-aligned edge is 10, no alignment (Sec. 4.1).
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import trimesh
from scipy import ndimage
from scipy import spatial

from mask2cad_tf.geometry import meshes

TRUE_EDGE = 10.0
F1_THRESHOLDS = (0.1, 0.3, 0.5)


@dataclasses.dataclass(frozen=True)
class MeshMetrics:
  """Similarity of a predicted surface to the true one."""

  f1: dict[float, float]  # by threshold, in units of true edge / 10
  chamfer: float  # mean squared distance, both ways, summed
  normal_consistency: float  # mean |cos| of nearest points' normals, 0..1


def f1_scores(
  pred_points: np.ndarray, true_points: np.ndarray, thresholds: Sequence[float]
) -> dict[float, float]:
  """F1 = 2 P R / (P + R + 1e-8) per threshold.

  Args:
    pred_points: [n, 3].
    true_points: [m, 3], the same frame and units.
    thresholds: distances below which (strictly) a point counts as found.

  Returns:
    F1 in 0..1 by threshold.
  """
  to_true = _nearest(pred_points, true_points)[0]
  to_pred = _nearest(true_points, pred_points)[0]
  return _f1_from_distances(to_true, to_pred, thresholds)


def chamfer(pred_points: np.ndarray, true_points: np.ndarray) -> float:
  """Mean squared nearest distance of points [n, 3], [m, 3], both ways, summed.

  In squared units.
  """
  to_true = _nearest(pred_points, true_points)[0]
  to_pred = _nearest(true_points, pred_points)[0]
  return float(np.mean(to_true**2) + np.mean(to_pred**2))


def normal_consistency(
  pred_points: np.ndarray,
  pred_normals: np.ndarray,
  true_points: np.ndarray,
  true_normals: np.ndarray,
) -> float:
  """Mean |cos| between nearest points' unit normals, both ways averaged.

  Points and their normals are [n, 3] and [m, 3].
  """
  to_true = _nearest(pred_points, true_points)[1]
  to_pred = _nearest(true_points, pred_points)[1]
  return _cosine_mean(pred_normals, true_normals, to_true, to_pred)


def compare_meshes(
  pred: trimesh.Trimesh,
  true: trimesh.Trimesh,
  num_points: int = 10000,
  seed: int = 0,
  thresholds: Sequence[float] = F1_THRESHOLDS,
) -> MeshMetrics:
  """Mesh R-CNN's metrics of a posed prediction.

  Args:
    pred: camera frame.
    true: camera frame; its longest axis-aligned edge becomes 10.
    num_points: sampled per mesh, uniformly by area.
    seed: of the sampling; the two meshes take different streams.
    thresholds: of F1, in the scaled units.

  Returns:
    F1 by threshold, Chamfer and normal consistency.
  """
  scale = TRUE_EDGE / true.extents.max()
  pred_points, pred_normals = meshes.sample_surface(pred, num_points, 2 * seed)
  true_points, true_normals = meshes.sample_surface(
    true, num_points, 2 * seed + 1
  )
  pred_points, true_points = pred_points * scale, true_points * scale
  pred_distances, to_true = _nearest(pred_points, true_points)
  true_distances, to_pred = _nearest(true_points, pred_points)
  return MeshMetrics(
    f1=_f1_from_distances(pred_distances, true_distances, thresholds),
    chamfer=float(np.mean(pred_distances**2) + np.mean(true_distances**2)),
    normal_consistency=_cosine_mean(
      pred_normals, true_normals, to_true, to_pred
    ),
  )


def voxel_iou(
  pred: trimesh.Trimesh, true: trimesh.Trimesh, resolution: int = 32
) -> float:
  """Voxel IoU in canonical pose (Table 4, as Pix3D's benchmark).

  Each CAD is centred and scaled so that its longest edge is 1. CADs are rarely
  watertight, so a voxel is full when the surface passes through it or when it
  cannot be reached from outside through faces of empty voxels: closed cabinets
  are solid, open shelves are not.

  Args:
    pred: CAD frame.
    true: CAD frame.
    resolution: voxels along each edge of the unit cube.

  Returns:
    Intersection over union, 0..1.
  """
  first, second = _voxels(pred, resolution), _voxels(true, resolution)
  return float((first & second).sum() / (first | second).sum())


def _nearest(points, others):
  """Distance [n] to and index [n] of each point's nearest other."""
  return spatial.cKDTree(others).query(points)


def _f1_from_distances(to_true, to_pred, thresholds) -> dict[float, float]:
  scores = {}
  for threshold in thresholds:
    precision = np.mean(to_true < threshold)
    recall = np.mean(to_pred < threshold)
    scores[threshold] = float(
      2.0 * precision * recall / (precision + recall + 1e-8)
    )
  return scores


def _cosine_mean(pred_normals, true_normals, to_true, to_pred) -> float:
  forward = np.abs(np.sum(pred_normals * true_normals[to_true], axis=-1))
  backward = np.abs(np.sum(true_normals * pred_normals[to_pred], axis=-1))
  return float(0.5 * (forward.mean() + backward.mean()))


def _voxels(mesh: trimesh.Trimesh, resolution: int) -> np.ndarray:
  """Filled occupancy, bool [resolution] * 3."""
  vertices = mesh.vertices - mesh.bounds.mean(axis=0)
  vertices = (vertices / mesh.extents.max() + 0.5) * resolution
  # Half a voxel: the subdivided vertices and centroids leave no 6-hole.
  points, faces = trimesh.remesh.subdivide_to_size(
    vertices, mesh.faces, max_edge=0.5, max_iter=20
  )
  points = np.concatenate([points, points[faces].mean(axis=1)])
  cells = np.clip(np.floor(points), 0, resolution - 1).astype(int)
  grid = np.zeros((resolution,) * 3, bool)
  grid[tuple(cells.T)] = True
  return ndimage.binary_fill_holes(grid)
