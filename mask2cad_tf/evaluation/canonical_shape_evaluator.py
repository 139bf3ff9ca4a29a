"""Voxel IoU and Chamfer of CADs in canonical pose (Table 4).

Pix3D's own protocol (Sun et al.): no pose enters; 32^3 voxels; 1,024 surface
points, their bounding box centred with its longest edge 1; Chamfer is the mean
nearest distance, not squared, both ways, summed. Points and voxels come from
the CADs' surfaces, where theirs come from voxel files.
"""

from typing import Callable
from typing import Dict
from typing import List
from typing import Tuple

import numpy as np
import trimesh
from scipy import spatial

from mask2cad_tf.geometry import mesh_metrics
from mask2cad_tf.geometry import meshes

_NUM_POINTS = 1024
_TRUE_SEED_OFFSET = 1  # a CAD is not compared with its very own points


class CanonicalShapeEvaluator:
  """Means over objects; a pair of meshes is compared once."""

  def __init__(
    self,
    load_mesh: Callable[[str], trimesh.Trimesh] = meshes.load,
    seed: int = 0,
  ):
    """Keeps the loader, from a name to a mesh, and the seed of the points."""
    self._load_mesh = load_mesh
    self._seed = seed
    self._pairs: Dict[Tuple[str, str], Tuple[float, float]] = {}
    self.reset()

  def reset(self) -> None:
    """Forgets all objects."""
    self._scores: List[Tuple[float, float]] = []

  def update_state(self, predicted_mesh: str, true_mesh: str) -> None:
    """Adds an object; an empty predicted name is IoU 0 without a Chamfer."""
    if not predicted_mesh:
      self._scores.append((0.0, float('nan')))
      return
    pair = (predicted_mesh, true_mesh)
    if pair not in self._pairs:
      self._pairs[pair] = self._compare(
        self._load_mesh(predicted_mesh), self._load_mesh(true_mesh)
      )
    self._scores.append(self._pairs[pair])

  def result(self) -> Dict[str, float]:
    """'iou' in [0, 1], 'chamfer', 'num_objects'; NaN without objects."""
    if not self._scores:
      return {'iou': float('nan'), 'chamfer': float('nan'), 'num_objects': 0}
    ious, chamfers = np.array(self._scores).T
    known = chamfers[~np.isnan(chamfers)]
    return {
      'iou': float(ious.mean()),
      'chamfer': float(known.mean()) if len(known) else float('nan'),
      'num_objects': len(ious),
    }

  def _compare(
    self, predicted: trimesh.Trimesh, true: trimesh.Trimesh
  ) -> Tuple[float, float]:
    return (
      mesh_metrics.voxel_iou(predicted, true),
      chamfer_distance(
        _unit_points(predicted, self._seed),
        _unit_points(true, self._seed + _TRUE_SEED_OFFSET),
      ),
    )


def chamfer_distance(points: np.ndarray, others: np.ndarray) -> float:
  """Mean nearest distance, both ways, summed; points [n, 3] and [m, 3]."""
  forward = spatial.cKDTree(others).query(points)[0]
  backward = spatial.cKDTree(points).query(others)[0]
  return float(forward.mean() + backward.mean())


def _unit_points(mesh: trimesh.Trimesh, seed: int) -> np.ndarray:
  points = meshes.sample_surface(mesh, _NUM_POINTS, seed)[0]
  low, high = points.min(axis=0), points.max(axis=0)
  return (points - 0.5 * (low + high)) / (high - low).max()
