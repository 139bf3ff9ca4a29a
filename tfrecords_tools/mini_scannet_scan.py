"""A furnished room, written as ScanNet and Scan2CAD hold a scan."""

import os
from typing import Any
from typing import Dict

import numpy as np
from PIL import Image

from mask2cad_tf import conventions
from mask2cad_tf.geometry import rotations
from tfrecords_tools import mini_scannet_drawing
from tfrecords_tools import mini_scannet_layout
from tfrecords_tools import scan2cad_annotations
from tfrecords_tools.synthesis import scene

# ScanNet's colour camera, at 1296 x 968.
_WIDTH, _HEIGHT = 1296, 968
_INTRINSICS = np.array([1169.62, 1167.11, 646.295, 489.927])
_NYU40 = {
  'bed': 4,
  'bin': 39,
  'bookcase': 10,
  'cabinet': 3,
  'chair': 5,
  'desk': 14,
  'display': 25,
  'sofa': 6,
  'table': 7,
  'wardrobe': 3,
}
_OTHER_PROP, _FLOOR, _WALL = 40, 2, 1  # NYU40
_FRAME_STEP = 100  # between the 25k frames of a scan
# The synthesizer's world (+y up) to the scan's (+z up).
_SCAN_AXES = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
_JPEG_QUALITY = 95


class ScanWriter:
  """One room as a scan on disk, in ScanNet's and Scan2CAD's layout."""

  def __init__(
    self,
    output_dir: str,
    scene_id: str,
    room: mini_scannet_layout.Room,
    rng: np.random.Generator,
  ):
    """Makes the scan's folders.

    Args:
      output_dir: in which scannet_frames_25k is.
      scene_id: 'scene<space>_<visit>'.
      room: that was scanned.
      rng: of colours, light and the scan's origin.
    """
    self._folder = os.path.join(
      output_dir, scan2cad_annotations.FRAMES_FOLDER, scene_id
    )
    self._scene_id = scene_id
    self._room = room
    self._drawer = mini_scannet_drawing.RoomDrawer(room, rng)
    # A scan's origin is a corner below which nothing lies, or about that.
    self._to_scan = np.eye(4)
    self._to_scan[:3, :3] = _SCAN_AXES
    self._to_scan[:3, 3] = np.array([room.size[0], room.size[2], 0.0]) * (
      rng.uniform(0.5, 0.8, 3)
    )
    for name in ('color', 'pose', 'label', 'instance'):
      os.makedirs(os.path.join(self._folder, name))

  def write_frames(
    self, count: int, width: int, rng: np.random.Generator
  ) -> Dict[str, Any]:
    """Writes photos, poses, labels, instances and the camera.

    Args:
      count: frames.
      width: pixels.
      rng: of the walk and the sensor.

    Returns:
      Their part of truth.json: '<scene>/<name>' -> objects.
    """
    shrink = width / _WIDTH
    height = round(_HEIGHT * shrink)
    intrinsics = _INTRINSICS * shrink
    for name in ('color', 'depth'):
      matrix = np.eye(4)
      matrix[[0, 1, 0, 1], [0, 1, 2, 2]] = intrinsics
      self._write_matrix(f'intrinsics_{name}.txt', matrix)
    cameras = mini_scannet_layout.draw_cameras(
      self._room, count, tuple(intrinsics), height, width, rng
    )
    truth = {}
    for index, camera in enumerate(cameras):
      name = _frame_name(index)
      pose = self._pose(camera)
      self._write_matrix(f'pose/{name}.txt', pose)
      picture = self._drawer.draw(camera, rng)
      self._write_images(name, picture)
      truth[f'{self._scene_id}/{name}'] = [
        self._truth(i, camera) for i in range(len(self._room.objects))
      ]
    return truth

  def write_lost_frame(self, index: int) -> None:
    """The first photo again, where tracking was lost."""
    for folder, extension in (
      ('color', 'jpg'),
      ('label', 'png'),
      ('instance', 'png'),
    ):
      first, lost = (
        os.path.join(self._folder, folder, f'{_frame_name(i)}.{extension}')
        for i in (0, index)
      )
      with open(first, 'rb') as source, open(lost, 'wb') as target:
        target.write(source.read())
    self._write_matrix(
      f'pose/{_frame_name(index)}.txt', np.full((4, 4), -np.inf)
    )

  def annotation(self, rng: np.random.Generator) -> Dict[str, Any]:
    """The scan's entry in full_annotations.json; rng: of its world."""
    # Scan2CAD's world is y-up, centred at will, and turned a little here.
    quaternion = rotations.quaternion_from_matrix(
      rotations.matrix_from_quaternion([1.0, 0.0, 0.05 * rng.normal(), 0.0])
      @ rotations.matrix_from_quaternion([-1.0, 1.0, 0.0, 0.0])
    )
    trs = {
      'translation': rng.normal(0.0, 1.0, 3).tolist(),
      'rotation': quaternion.tolist(),
      'scale': [1.0, 1.0, 1.0],
    }
    to_world = scan2cad_annotations.matrix_from_trs(trs) @ self._to_scan
    models = [_aligned_model(item, to_world) for item in self._room.objects]
    return {
      'id_scan': self._scene_id,
      'trs': trs,
      'n_aligned_models': len(models),
      'aligned_models': models,
    }

  def _pose(self, camera: scene.Camera) -> np.ndarray:
    """OpenCV camera to scan, [4, 4]."""
    to_camera = np.eye(4)
    to_camera[:3, :3] = camera.rotation
    to_camera[:3, 3] = camera.translation
    return (
      self._to_scan
      @ np.linalg.inv(to_camera)
      @ scan2cad_annotations.PIX3D_FROM_OPENCV
    )

  def _truth(self, index: int, camera: scene.Camera) -> Dict[str, Any]:
    """An object in the camera's frame, Pix3D's axes."""
    item = self._room.objects[index]
    return {
      'instance': index + 1,
      'catid_cad': item.cad.synset,
      'id_cad': item.cad.shape,
      'rotation': (camera.rotation @ item.rotation).tolist(),
      'translation': (
        camera.rotation @ item.translation + camera.translation
      ).tolist(),
      'scale': item.scale.tolist(),
    }

  def _write_images(
    self, name: str, picture: mini_scannet_drawing.Picture
  ) -> None:
    names = [item.cad.label_name for item in self._room.objects]
    nyu = np.array(
      [_NYU40.get(n, _OTHER_PROP) for n in names] + [_WALL, _FLOOR]
    )
    label = nyu[picture.instances]  # FLOOR and WALL count from the end
    instance = label * 1000 + np.maximum(picture.instances + 1, 0)
    Image.fromarray(picture.color).save(
      self._path('color', f'{name}.jpg'), quality=_JPEG_QUALITY
    )
    Image.fromarray(label.astype(np.uint8)).save(
      self._path('label', f'{name}.png')
    )
    Image.fromarray(instance.astype(np.uint16)).save(
      self._path('instance', f'{name}.png')
    )

  def _write_matrix(self, name: str, matrix: np.ndarray) -> None:
    np.savetxt(self._path(name), matrix, fmt='%.6f')

  def _path(self, *parts: str) -> str:
    return os.path.join(self._folder, *parts)


def _frame_name(index: int) -> str:
  return f'{index * _FRAME_STEP:06d}'


def _aligned_model(
  item: mini_scannet_layout.Placed, to_world: np.ndarray
) -> Dict[str, Any]:
  rotation = to_world[:3, :3] @ item.rotation
  vertices = np.asarray(item.cad.mesh.vertices)
  low, high = vertices.min(axis=0), vertices.max(axis=0)
  names = {order: s for s, order in conventions.SYMMETRY_ORDERS.items()}
  no_keypoints: Dict[str, Any] = {'n_keypoints': 0, 'position': []}
  return {
    'trs': {
      'translation': (
        to_world[:3, :3] @ item.translation + to_world[:3, 3]
      ).tolist(),
      'rotation': rotations.quaternion_from_matrix(rotation).tolist(),
      'scale': item.scale.tolist(),
    },
    'bbox': (0.5 * (high - low)).tolist(),
    'center': (0.5 * (high + low)).tolist(),
    'sym': names[item.cad.symmetry],
    'id_cad': item.cad.shape,
    'catid_cad': item.cad.synset,
    'keypoints_cad': no_keypoints,
    'keypoints_scan': no_keypoints,
  }
