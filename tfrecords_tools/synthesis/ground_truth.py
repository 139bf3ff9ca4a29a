"""Boxes, masks and poses of a scene's objects, exact, by ray casting."""

from typing import Callable
from typing import Dict
from typing import List
from typing import Sequence
from typing import Tuple

import numpy as np

from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import renderer
from tfrecords_tools import jittered_view
from tfrecords_tools import record_examples
from tfrecords_tools.synthesis import options as options_lib
from tfrecords_tools.synthesis import scene as scene_lib
from tfrecords_tools.synthesis import scene_geometry

MIN_INSIDE = 0.25  # share of the CAD's silhouette that the picture must show
_MARGIN = 4  # picture sizes around the picture, where silhouettes are counted
_WINDOW = 128  # pixels, longer side of the window that they are counted in
_OCCLUDED = 0.4  # shares of the amodal mask, for Pix3D's two flags
_SLIGHTLY_OCCLUDED = 0.05


def record_pose(
  item: scene_lib.PlacedCad, camera: scene_lib.Camera
) -> Tuple[np.ndarray, np.ndarray]:
  """Pose of an object in the camera frame, in the units of its CAD.

  X_camera = Rc (s Rw v + tw) + tc; divided by s it is R v + t.

  Args:
    item: the object in the world.
    camera: the camera.

  Returns:
    R [3, 3] and t [3].
  """
  rotation = camera.rotation @ item.rotation
  translation = camera.rotation @ item.translation + camera.translation
  return rotation, translation / item.scale


def label(
  scene: scene_lib.Scene,
  geometry: scene_geometry.SceneGeometry,
  options: options_lib.Options,
  renderer_of: Callable[[str], renderer.Renderer],
  class_names: Sequence[str],
  rng: np.random.Generator,
) -> Tuple[List[record_examples.ObjectRecord], Dict[str, int]]:
  """Annotates the objects that can be seen well enough.

  The amodal mask is the CAD's silhouette. The visible mask is what of it shows
  the CAD itself or what lies on it and belongs to it (a duvet, a cushion).

  Args:
    scene: the scene.
    geometry: of the scene.
    options: min_visible, min_pixels, jitter_degrees.
    renderer_of: gives the renderer of a mesh path of the library.
    class_names: class ids are 1 + index.
    rng: turns the jittered views.

  Returns:
    The annotated objects, and how many were dropped by rule: 'cut_off' (too
    little of it inside the picture), 'hidden' (behind others), 'small'.
  """
  camera = scene.camera
  seen = geometry.seen_at_centers().triangle
  owners = np.where(seen >= 0, geometry.owners[seen], scene_lib.ROOM)
  owners = owners.reshape(camera.height, camera.width)
  dropped = {'cut_off': 0, 'hidden': 0, 'small': 0}
  records = []
  for index, item in enumerate(scene.objects):
    drawer = renderer_of(item.mesh)
    rotation, translation = record_pose(item, camera)
    inside, truncated = _inside(drawer, rotation, translation, camera)
    if inside < MIN_INSIDE:
      dropped['cut_off'] += 1
      continue
    amodal = drawer.silhouette(
      rotation, translation, camera.intrinsics, camera.height, camera.width
    )
    visible = amodal & (owners == index)
    if visible.sum() < options.min_visible * amodal.sum():
      dropped['hidden'] += 1
      continue
    if visible.sum() < max(options.min_pixels, 1):
      dropped['small'] += 1
      continue
    occluded = 1.0 - visible.sum() / amodal.sum()
    records.append(
      record_examples.ObjectRecord(
        label=1 + list(class_names).index(item.label_name),
        label_name=item.label_name,
        box=_box(visible),
        mask=visible,
        cad_id=item.cad_id,
        mesh=item.mesh,
        rotation=rotation,
        translation=translation,
        jittered_view=jittered_view.render(
          drawer,
          rotation,
          translation,
          camera.intrinsics,
          options.jitter_degrees,
          rng,
          item.cad_id,
        ),
        occluded=bool(occluded > _OCCLUDED),
        slightly_occluded=bool(_SLIGHTLY_OCCLUDED < occluded <= _OCCLUDED),
        truncated=truncated,
        amodal_mask=amodal,
        occluded_share=float(occluded),
      )
    )
  return records, dropped


def _inside(
  drawer: renderer.Renderer,
  rotation: np.ndarray,
  translation: np.ndarray,
  camera: scene_lib.Camera,
) -> Tuple[float, bool]:
  """Share of the CAD's silhouette inside the picture; does any reach out?"""
  points = drawer.vertices @ rotation.T + translation
  size = np.array([camera.width, camera.height])
  before = points[:, 2] > 1e-3 * np.abs(points).max()
  low, high = -_MARGIN * size, (1 + _MARGIN) * size
  if before.all():
    image = cameras.project(points, camera.intrinsics)
    extent = image.min(axis=0), image.max(axis=0)
    if (extent[0] >= 0).all() and (extent[1] <= size).all():
      return 1.0, False
    low, high = np.maximum(low, extent[0]), np.minimum(high, extent[1])
  if not (before.any() and (high > low).all()):
    return 0.0, True
  # The silhouette in a window around all of it, at few pixels.
  shrink = _WINDOW / (high - low).max()
  columns, rows = np.ceil((high - low) * shrink).astype(int)
  fx, fy, cx, cy = np.asarray(camera.intrinsics, np.float64) * shrink
  silhouette = drawer.silhouette(
    rotation,
    translation,
    (fx, fy, cx - low[0] * shrink, cy - low[1] * shrink),
    rows,
    columns,
  )
  v, u = np.nonzero(silhouette)
  x, y = low[0] + (u + 0.5) / shrink, low[1] + (v + 0.5) / shrink
  inside = (x >= 0) & (x < size[0]) & (y >= 0) & (y < size[1])
  return float(inside.sum() / max(len(inside), 1)), True


def _box(mask: np.ndarray) -> Tuple[float, float, float, float]:
  """(ymin, xmin, ymax, xmax) of a mask, maxima exclusive."""
  rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
  return (
    float(rows[0]),
    float(columns[0]),
    float(rows[-1] + 1),
    float(columns[-1] + 1),
  )
