"""Which CADs of a scan a frame shows, and what of them (Sec. 4).

An object is kept if its class is one of the paper's eight and common enough,
and the centre of its CAD (the origin, which the model predicts) is in the
picture. Its box is that of the amodal mask: the CAD's silhouette in the
picture. What the scan's other CADs leave of it, whatever their class, is the
visible mask; an object without any is dropped.
"""

import collections
import dataclasses
import os
from typing import Dict
from typing import List
from typing import Mapping
from typing import Sequence
from typing import Tuple

import numpy as np
import trimesh

from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import renderer
from tfrecords_tools import scan2cad_annotations

# ShapeNet's category -> the paper's class. ShapeNet has neither toilets nor
# fridges: Scan2CAD's annotators took chairs and cabinets for them. CADs of
# other categories hide what is behind them and are no objects.
SYNSETS = {
  '02818832': 'bed',
  '02747177': 'bin',
  '02871439': 'bookcase',
  '02933112': 'cabinet',
  '03001627': 'chair',
  '03211117': 'display',
  '04256520': 'sofa',
  '04379243': 'table',
}
# Why CADs are no objects of a frame; keys of `label`'s counts.
NO_CLASS = 'dropped_no_class'
RARE = 'dropped_rare_class'
CENTER_OUTSIDE = 'dropped_center_outside'
HIDDEN = 'dropped_hidden'

_MAX_SCANS = 2  # whose CADs are kept ready, per process
_MAX_MESHES = 32


@dataclasses.dataclass(frozen=True, eq=False)
class SeenObject:
  """A kept object of a frame; camera in Pix3D's axes, metres.

  Attributes:
    model: its annotation.
    label_name: its class.
    rotation: [3, 3], X = rotation (scale v) + translation.
    translation: [3].
    amodal_mask: bool [h, w], the silhouette.
    visible_mask: bool [h, w], what the other CADs leave of it.
    box: (ymin, xmin, ymax, xmax) of the amodal mask, maxima exclusive.
    occluded_share: of the amodal mask.
    is_truncated: the CAD reaches beyond the picture.
  """

  model: scan2cad_annotations.AlignedModel
  label_name: str
  rotation: np.ndarray
  translation: np.ndarray
  amodal_mask: np.ndarray
  visible_mask: np.ndarray
  box: Tuple[int, int, int, int]
  occluded_share: float
  is_truncated: bool


def is_center_inside(
  translation: np.ndarray, intrinsics: Sequence[float], height: int, width: int
) -> bool:
  """Does the CAD's origin, at `translation`, project into the picture?"""
  if not translation[2] > 0:
    return False
  u, v = cameras.project(translation, np.asarray(intrinsics))
  return bool(0 <= u < width and 0 <= v < height)


def is_outside(
  points: np.ndarray, intrinsics: Sequence[float], height: int, width: int
) -> bool:
  """Do all points lie beyond one and the same border of the view?

  Args:
    points: [n, 3], camera frame; also behind the camera.
    intrinsics: fx, fy, cx, cy, pixels.
    height: pixels.
    width: pixels.

  Returns:
    True: nothing between them can be seen.
  """
  x, y, z = np.asarray(points).T
  fx, fy, cx, cy = intrinsics
  sides = (
    z <= 0,
    fx * x > cx * z,  # u < 0
    fx * x < (cx - width) * z,  # u > width
    fy * y > cy * z,  # v < 0
    fy * y < (cy - height) * z,  # v > height
  )
  return any(side.all() for side in sides)


class CadShelf:
  """ShapeNet's CADs as renderers, loaded on demand; pickles empty."""

  def __init__(self, shapenet_dir: str):
    """Loads nothing yet.

    Args:
      shapenet_dir: ShapeNetCore v2: <catid>/<id>/models/model_normalized.obj.
    """
    self._root = shapenet_dir
    self._meshes: collections.OrderedDict = collections.OrderedDict()
    self._scans: collections.OrderedDict = collections.OrderedDict()

  def __getstate__(self) -> Dict[str, str]:
    return {'shapenet_dir': self._root}

  def __setstate__(self, state: Dict[str, str]) -> None:
    self.__init__(**state)

  def as_stored(
    self, model: scan2cad_annotations.AlignedModel
  ) -> renderer.Renderer:
    """The CAD without its scale.

    Raises:
      meshes.MeshError: ShapeNet's file is missing or broken.
    """
    return self._cached(
      self._meshes,
      _MAX_MESHES,
      model.mesh,
      lambda: renderer.Renderer(self._load(model)),
    )

  def scaled(
    self, scene_id: str, models: Sequence[scan2cad_annotations.AlignedModel]
  ) -> List[renderer.Renderer]:
    """The CADs of a scan, each with its scale; errors as `as_stored`."""
    return self._cached(
      self._scans,
      _MAX_SCANS,
      scene_id,
      lambda: [
        renderer.Renderer(_scaled(self._load(model), model.scale))
        for model in models
      ],
    )

  def _load(self, model: scan2cad_annotations.AlignedModel) -> trimesh.Trimesh:
    return meshes.load(
      os.path.join(self._root, model.mesh), with_materials=False
    )

  def _cached(self, cache, size, key, make):
    if key not in cache:
      cache[key] = make()
      if len(cache) > size:
        cache.popitem(last=False)
    cache.move_to_end(key)
    return cache[key]


def label(
  models: Sequence[scan2cad_annotations.AlignedModel],
  drawers: Sequence[renderer.Renderer],
  camera_to_world: np.ndarray,
  intrinsics: Sequence[float],
  height: int,
  width: int,
  class_names: Sequence[str],
) -> Tuple[List[SeenObject], Dict[str, int]]:
  """The objects of a frame.

  Args:
    models: all CADs of the scan.
    drawers: their renderers, with scale.
    camera_to_world: [4, 4], from Pix3D's camera axes.
    intrinsics: fx, fy, cx, cy, pixels.
    height: pixels.
    width: pixels.
    class_names: those that are common enough.

  Returns:
    The kept objects, in the models' order, and how many of the CADs that
    stand in the picture were dropped, by reason.
  """
  size = (height, width)
  poses = [
    scan2cad_annotations.to_camera(model, camera_to_world) for model in models
  ]
  depths = {}
  for i, (drawer, (rotation, translation)) in enumerate(zip(drawers, poses)):
    corners = trimesh.bounds.corners(
      [drawer.vertices.min(axis=0), drawer.vertices.max(axis=0)]
    )
    if is_outside(corners @ rotation.T + translation, intrinsics, *size):
      continue
    depth = drawer.depth(rotation, translation, intrinsics, *size)
    if np.isfinite(depth).any():
      depths[i] = depth
  nearest = np.full(size, np.inf, np.float32)
  for depth in depths.values():
    np.minimum(nearest, depth, out=nearest)
  objects: List[SeenObject] = []
  dropped: Dict[str, int] = collections.Counter()
  for i, depth in depths.items():
    name = SYNSETS.get(models[i].synset)
    visible = np.isfinite(depth) & (depth <= nearest)
    if name is None:
      dropped[NO_CLASS] += 1
    elif name not in class_names:
      dropped[RARE] += 1
    elif not is_center_inside(poses[i][1], intrinsics, *size):
      dropped[CENTER_OUTSIDE] += 1
    elif not visible.any():
      dropped[HIDDEN] += 1
    else:
      objects.append(
        _seen(
          models[i],
          name,
          *poses[i],
          np.isfinite(depth),
          visible,
          _reaches_beyond(drawers[i].vertices, *poses[i], intrinsics, *size),
        )
      )
  return objects, dict(dropped)


def appearances(
  scans: Mapping[str, Sequence[scan2cad_annotations.AlignedModel]],
  folder: str,
  frames: Sequence[scan2cad_annotations.Frame],
  sizes: Mapping[str, Tuple[int, int]],
) -> Dict[str, int]:
  """How often each class has its centre in a frame.

  Args:
    scans: CADs by scan.
    folder: of the scans.
    frames: of the training split.
    sizes: (height, width) of the scans' photos.

  Returns:
    Class name -> count; ShapeNet's category where the paper has no class.
  """
  counts: Dict[str, int] = collections.Counter()
  cameras_of: Dict[str, Tuple[float, float, float, float]] = {}
  for frame in frames:
    pose = scan2cad_annotations.read_camera_to_world(folder, frame)
    if pose is None:
      continue
    scene = frame.scene_id
    if scene not in cameras_of:
      cameras_of[scene] = scan2cad_annotations.read_intrinsics(folder, scene)
    for model in scans[scene]:
      _, translation = scan2cad_annotations.to_camera(model, pose)
      if is_center_inside(translation, cameras_of[scene], *sizes[scene]):
        counts[SYNSETS.get(model.synset, model.synset)] += 1
  return dict(sorted(counts.items()))


def _scaled(mesh: trimesh.Trimesh, scale: np.ndarray) -> trimesh.Trimesh:
  return trimesh.Trimesh(
    np.asarray(mesh.vertices) * scale, mesh.faces, process=False
  )


def _seen(model, name, rotation, translation, amodal, visible, is_truncated):
  rows, columns = np.nonzero(amodal)
  return SeenObject(
    model=model,
    label_name=name,
    rotation=rotation,
    translation=translation,
    amodal_mask=amodal,
    visible_mask=visible,
    box=(
      int(rows.min()),
      int(columns.min()),
      int(rows.max()) + 1,
      int(columns.max()) + 1,
    ),
    occluded_share=float(1.0 - visible.sum() / amodal.sum()),
    is_truncated=is_truncated,
  )


def _reaches_beyond(
  vertices, rotation, translation, intrinsics, height, width
) -> bool:
  """Is a vertex behind the camera or beyond the picture?"""
  points = vertices @ rotation.T + translation
  if points[:, 2].min() <= 0:
    return True
  image = cameras.project(points, np.asarray(intrinsics))
  return bool(
    image.min() < 0 or (image.max(axis=0) > np.array([width, height])).any()
  )
