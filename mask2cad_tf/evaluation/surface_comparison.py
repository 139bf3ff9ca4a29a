"""Posed CADs compared by points on their surfaces, as Mesh R-CNN does.

A CAD is posed by a rigid motion, so its surface is sampled once, as stored in
its file, and keeps one k-d tree; the other CAD's points are moved into that
frame. The numbers are those of sampling in camera space, without a tree per
pair. A CAD with a scale (Scan2CAD's 9 dof) is another surface per scale.
"""

import collections
import dataclasses
from typing import Callable
from typing import Dict
from typing import Sequence
from typing import Tuple

import numpy as np
import trimesh
from scipy import spatial

from mask2cad_tf.geometry import mesh_metrics
from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import posed_cad

_MAX_CACHED_MESHES = 512  # about 1 MB each at 10,000 points
# Added to the seed for the truth's points: fed back, a CAD must not be
# compared with its very own points.
TRUE_SEED_OFFSET = 1_000_003


# Mesh, is it a truth, its scale.
_Key = Tuple[str, bool, Tuple[float, ...]]
_NO_SCALE = np.ones(3)


@dataclasses.dataclass(frozen=True)
class _Surface:
  vertices: np.ndarray  # [n, 3], the convex hull's where there is one
  points: np.ndarray  # [num_points, 3], CAD frame, scaled
  normals: np.ndarray  # [num_points, 3], unit
  tree: spatial.cKDTree


class SurfaceComparison:
  """Compares posed CADs; a mesh is loaded and sampled once."""

  def __init__(
    self,
    load_mesh: Callable[[str], trimesh.Trimesh] = meshes.load,
    num_points: int = 10_000,
    seed: int = 0,
    thresholds: Sequence[float] = mesh_metrics.F1_THRESHOLDS,
  ):
    """Keeps the settings.

    Args:
      load_mesh: from `PosedCad.mesh` to the mesh.
      num_points: area-uniform points per mesh.
      seed: of the points; truths and predictions draw different ones.
      thresholds: of F1, in units where the truth's longest edge is 10.
    """
    self._load_mesh = load_mesh
    self._num_points = num_points
    self._seed = seed
    self._thresholds = tuple(thresholds)
    self._surfaces: collections.OrderedDict[_Key, _Surface] = (
      collections.OrderedDict()
    )

  def f1(
    self,
    predicted: posed_cad.PosedCad,
    true: posed_cad.PosedCad,
    threshold: float,
  ) -> float:
    """F1 at one threshold; 0 for a prediction without a mesh."""
    if not predicted.mesh:
      return 0.0
    # How far beyond the threshold does not count; a little more, for rounding.
    to_true, to_pred, _, _ = self._nearest(predicted, true, 1.01 * threshold)
    return _f1(to_true, to_pred, threshold)

  def metrics(
    self, predicted: posed_cad.PosedCad, true: posed_cad.PosedCad
  ) -> mesh_metrics.MeshMetrics:
    """All of Table 2; a prediction without a mesh has F1 0 and NaN else."""
    if not predicted.mesh:
      return mesh_metrics.MeshMetrics(
        {t: 0.0 for t in self._thresholds}, float('nan'), float('nan')
      )
    to_true, to_pred, true_index, pred_index = self._nearest(predicted, true)
    pred_normals = (
      self._surface(predicted.mesh, False, predicted.scale).normals
      @ predicted.rotation.T
    )
    true_normals = (
      self._surface(true.mesh, True, true.scale).normals @ true.rotation.T
    )
    return mesh_metrics.MeshMetrics(
      f1={t: _f1(to_true, to_pred, t) for t in self._thresholds},
      chamfer=float(np.mean(to_true**2) + np.mean(to_pred**2)),
      normal_consistency=0.5
      * (
        _mean_cosine(pred_normals, true_normals[true_index])
        + _mean_cosine(true_normals, pred_normals[pred_index])
      ),
    )

  def depth_range(
    self,
    mesh_name: str,
    rotation: np.ndarray,
    is_true: bool,
    scale: np.ndarray = _NO_SCALE,
  ) -> Tuple[float, float]:
    """Camera z of the rotated CAD's nearest and farthest point.

    Args:
      mesh_name: as `PosedCad.mesh`.
      rotation: [3, 3], CAD to camera.
      is_true: the CAD is a truth (says which samples to keep it with).
      scale: as `PosedCad.scale`.

    Returns:
      Relative to the CAD's origin, CAD units.
    """
    depths = self._surface(mesh_name, is_true, scale).vertices @ rotation[2]
    return float(depths.min()), float(depths.max())

  def hull(self, mesh_name: str, scale: np.ndarray = _NO_SCALE) -> np.ndarray:
    """Vertices [n, 3] that decide a CAD's extent, CAD frame, scaled."""
    return self._surface(mesh_name, False, scale).vertices

  def _nearest(
    self,
    predicted: posed_cad.PosedCad,
    true: posed_cad.PosedCad,
    limit: float = np.inf,
  ) -> Tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Scaled distances [n] predicted -> true, true -> predicted; neighbours.

    Beyond the limit: infinite, and no neighbour.
    """
    pred_surface = self._surface(predicted.mesh, False, predicted.scale)
    true_surface = self._surface(true.mesh, True, true.scale)
    extent = np.ptp(true_surface.vertices @ true.rotation.T, axis=0)
    scale = mesh_metrics.TRUE_EDGE / extent.max()
    options = {'distance_upper_bound': limit / scale, 'workers': -1}
    to_true, true_index = true_surface.tree.query(
      _between_frames(pred_surface.points, predicted, true), **options
    )
    to_pred, pred_index = pred_surface.tree.query(
      _between_frames(true_surface.points, true, predicted), **options
    )
    return to_true * scale, to_pred * scale, true_index, pred_index

  def _surface(
    self, mesh_name: str, is_true: bool, scale: np.ndarray
  ) -> _Surface:
    key = (mesh_name, is_true, tuple(float(s) for s in scale))
    if key in self._surfaces:
      self._surfaces.move_to_end(key)
      return self._surfaces[key]
    mesh = _scaled(self._load_mesh(mesh_name), scale)
    points, normals = meshes.sample_surface(
      mesh, self._num_points, self._seed + (TRUE_SEED_OFFSET if is_true else 0)
    )
    surface = _Surface(
      _extreme_vertices(mesh), points, normals, spatial.cKDTree(points)
    )
    self._surfaces[key] = surface
    if len(self._surfaces) > _MAX_CACHED_MESHES:
      self._surfaces.popitem(last=False)
    return surface


def _scaled(mesh: trimesh.Trimesh, scale: np.ndarray) -> trimesh.Trimesh:
  if np.array_equal(scale, _NO_SCALE):
    return mesh
  # Without the visuals: only the surface counts, and textures are large.
  return trimesh.Trimesh(
    np.asarray(mesh.vertices) * scale, mesh.faces, process=False
  )


def _between_frames(
  points: np.ndarray, source: posed_cad.PosedCad, target: posed_cad.PosedCad
) -> np.ndarray:
  """Points [n, 3] of the source's CAD frame in the target's, by the camera."""
  rotation = target.rotation.T @ source.rotation
  translation = target.rotation.T @ (source.translation - target.translation)
  return points @ rotation.T + translation


def _extreme_vertices(mesh: trimesh.Trimesh) -> np.ndarray:
  """Vertices that decide the extent under any rotation; all if flat."""
  used = np.asarray(mesh.vertices)[np.unique(mesh.faces)]
  if len(used) < 64:
    return used
  try:
    return used[spatial.ConvexHull(used).vertices]
  except spatial.QhullError:
    return used


def _f1(to_true: np.ndarray, to_pred: np.ndarray, threshold: float) -> float:
  precision = np.mean(to_true < threshold)
  recall = np.mean(to_pred < threshold)
  return float(2.0 * precision * recall / (precision + recall + 1e-8))


def _mean_cosine(normals: np.ndarray, others: np.ndarray) -> float:
  return float(np.mean(np.abs(np.sum(normals * others, axis=-1))))


def mean_metrics(
  metrics: Sequence[mesh_metrics.MeshMetrics],
) -> Dict[str, float]:
  """Means over objects; Chamfer and normals over those that have a mesh."""
  if not metrics:
    return {}
  thresholds = metrics[0].f1
  means = {
    'chamfer': _mean([m.chamfer for m in metrics]),
    'normal_consistency': _mean([m.normal_consistency for m in metrics]),
  }
  for threshold in thresholds:
    means[f'f1_{threshold:g}'] = _mean([m.f1[threshold] for m in metrics])
  means['num_objects'] = len(metrics)
  return means


def _mean(values: Sequence[float]) -> float:
  finite = [v for v in values if np.isfinite(v)]
  return float(np.mean(finite)) if finite else float('nan')
