"""Reads Scan2CAD's full_annotations.json and ScanNet's 25k frames.

Scan2CAD gives for a scan and for each of its CADs `trs` {translation, rotation
(w, x, y, z), scale}, M = T R S, to a world of its own: a CAD vertex stands in
the scan at inv(M_scan) M_model v.

A frame is color/<name>.jpg and pose/<name>.txt, 4 x 4 from the camera to the
scan, metres; ScanNet's camera is OpenCV's (x right, y down, z forward), its
scans are z-up. The poses that come out of here are in Pix3D's camera frame:
diag(-1, -1, 1) times OpenCV's. Where ScanNet lost track, the pose is -inf.
"""

import dataclasses
import os
from typing import Any
from typing import Dict
from typing import List
from typing import Mapping
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np

from mask2cad_tf import conventions
from mask2cad_tf.foreign import json_files
from mask2cad_tf.foreign import paths
from mask2cad_tf.geometry import rotations

FRAMES_FOLDER = 'scannet_frames_25k'
PIX3D_FROM_OPENCV = np.diag([-1.0, -1.0, 1.0, 1.0])
# frames_25k; an export of the whole .sens file; as some tools name that.
_INTRINSICS = (
  'intrinsics_color.txt',
  'intrinsic/intrinsic_color.txt',
  'intrinsic/intrinsics_color.txt',
)
_TRS = ('translation', 'rotation', 'scale')


@dataclasses.dataclass(frozen=True, eq=False)
class AlignedModel:
  """A CAD in a scan: X_scan = rotation (scale v) + translation, metres."""

  synset: str  # ShapeNet's category, catid_cad
  shape: str  # ShapeNet's model, id_cad
  rotation: np.ndarray  # [3, 3]
  translation: np.ndarray  # [3]
  scale: np.ndarray  # [3], of the CAD's axes
  symmetry: int  # order about the CAD's +y, 0 = any angle

  @property
  def mesh(self) -> str:
    """Path below ShapeNet's root."""
    return f'{self.synset}/{self.shape}/models/model_normalized.obj'


@dataclasses.dataclass(frozen=True)
class Frame:
  """A photo of a scan."""

  scene_id: str
  name: str  # of its files, without extension


def read(path: str) -> Dict[str, Tuple[AlignedModel, ...]]:
  """Reads full_annotations.json.

  Args:
    path: the file.

  Returns:
    Scan id -> its CADs, in the file's order.

  Raises:
    FileNotFoundError: no such file.
    ValueError: not Scan2CAD's format; says which scan and CAD.
  """
  if not os.path.isfile(path):
    raise FileNotFoundError(
      f"No annotations at {path!r}. Ask Scan2CAD's authors for the data set "
      'and give its full_annotations.json.'
    )
  entries = json_files.read(path)
  if not isinstance(entries, list):
    raise ValueError(f'{path!r} is no list of scans, as Scan2CAD has it.')
  scans: Dict[str, Tuple[AlignedModel, ...]] = {}
  for index, entry in enumerate(entries):
    try:
      scene_id = _folder_name(entry['id_scan'])
      to_scan = np.linalg.inv(matrix_from_trs(entry['trs']))
      models = list(entry['aligned_models'])
    except (KeyError, TypeError, ValueError) as error:
      raise ValueError(
        f'{path!r}: entry {index} is not a scan of Scan2CAD ({error!r}); '
        'expected id_scan, trs and aligned_models.'
      ) from error
    if scene_id in scans:
      raise ValueError(f'{path!r} has the scan {scene_id} twice.')
    scans[scene_id] = tuple(
      _model(model, to_scan, f'{path!r}, {scene_id}, CAD {i}')
      for i, model in enumerate(models)
    )
  return scans


def matrix_from_trs(trs: Mapping[str, Sequence[float]]) -> np.ndarray:
  """M = T R S, [4, 4].

  Args:
    trs: 'translation' [3], 'rotation' (w, x, y, z), 'scale' [3].

  Raises:
    KeyError, ValueError: a part is missing or has another length.
  """
  translation, rotation, scale = (np.array(trs[k], np.float64) for k in _TRS)
  if (len(translation), len(rotation), len(scale)) != (3, 4, 3):
    raise ValueError(
      f'trs has {len(translation)}, {len(rotation)} and {len(scale)} numbers; '
      'expected 3 of the translation, 4 of the rotation, 3 of the scale.'
    )
  matrix = np.eye(4)
  matrix[:3, :3] = rotations.matrix_from_quaternion(rotation) * scale
  matrix[:3, 3] = translation
  return matrix


def decompose(
  matrix: np.ndarray, where: str
) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Rotation [3, 3], translation [3] and scale [3] of M = T R S.

  Args:
    matrix: [4, 4].
    where: for the message.

  Raises:
    ValueError: it is not a rotation with factors along the CAD's axes.
  """
  scale = np.linalg.norm(matrix[:3, :3], axis=0)
  if not np.isfinite(matrix).all() or not scale.min() > 0:
    raise ValueError(
      f'{where}: the CAD has no size or no place in the scan, '
      f'M = {matrix.tolist()}. Correct the annotation.'
    )
  rotation = matrix[:3, :3] / scale
  rotations.check_rotation(rotation, where)
  return rotation, matrix[:3, 3].copy(), scale


def frames_folder(scannet_dir: str) -> str:
  """The folder of the scans: the one given, or scannet_frames_25k in it.

  Raises:
    FileNotFoundError: neither holds a scan.
  """
  for folder in (os.path.join(scannet_dir, FRAMES_FOLDER), scannet_dir):
    if list_scenes(folder):
      return folder
  raise FileNotFoundError(
    f'No scan in {scannet_dir!r}: expected {FRAMES_FOLDER}/<scene>/color and '
    "pose, as ScanNet's download script unpacks them."
  )


def list_scenes(folder: str) -> List[str]:
  """The scans that have photos, sorted."""
  if not os.path.isdir(folder):
    return []
  return sorted(
    name
    for name in os.listdir(folder)
    if os.path.isdir(os.path.join(folder, name, 'color'))
  )


def list_frames(folder: str, scene_id: str) -> List[Frame]:
  """The photos of a scan, in the order in which they were taken."""
  names = [
    os.path.splitext(name)[0]
    for name in os.listdir(os.path.join(folder, scene_id, 'color'))
    if name.lower().endswith('.jpg')
  ]
  # 000100 and, where somebody left the zeros out, 20 before 100.
  return [Frame(scene_id, n) for n in sorted(names, key=lambda n: (len(n), n))]


def photo_path(frame: Frame) -> str:
  """The photo's file, below the scans' folder."""
  return f'{frame.scene_id}/color/{frame.name}.jpg'


def read_camera_to_world(folder: str, frame: Frame) -> Optional[np.ndarray]:
  """[4, 4], from Pix3D's camera frame to the scan, metres.

  Args:
    folder: of the scans.
    frame: one of them.

  Returns:
    None where ScanNet has no pose (-inf).

  Raises:
    FileNotFoundError: there is no pose file.
    ValueError: it does not hold a rigid motion.
  """
  path = os.path.join(folder, frame.scene_id, 'pose', f'{frame.name}.txt')
  matrix = _read_matrix(path)
  if not np.isfinite(matrix).all():
    return None
  rotations.check_rotation(matrix[:3, :3], repr(path))
  return matrix @ PIX3D_FROM_OPENCV


def read_intrinsics(
  folder: str, scene_id: str
) -> Tuple[float, float, float, float]:
  """fx, fy, cx, cy of the scan's colour camera, pixels.

  Raises:
    FileNotFoundError: the scan has none of the known files.
    ValueError: the file does not hold a 4 x 4 matrix.
  """
  paths = [os.path.join(folder, scene_id, name) for name in _INTRINSICS]
  for path in paths:
    if os.path.isfile(path):
      matrix = _read_matrix(path)
      return tuple(
        float(matrix[i, j]) for i, j in ((0, 0), (1, 1), (0, 2), (1, 2))
      )
  raise FileNotFoundError(
    f'No colour camera of {scene_id}: expected {paths[0]!r} or {paths[1]!r}.'
  )


def to_camera(
  model: AlignedModel, camera_to_world: np.ndarray
) -> Tuple[np.ndarray, np.ndarray]:
  """Rotation [3, 3] and translation [3]: X_camera = R (scale v) + t, metres."""
  to_camera_axes = camera_to_world[:3, :3].T
  return (
    to_camera_axes @ model.rotation,
    to_camera_axes @ (model.translation - camera_to_world[:3, 3]),
  )


def _model(
  model: Mapping[str, Any], to_scan: np.ndarray, where: str
) -> AlignedModel:
  try:
    matrix = to_scan @ matrix_from_trs(model['trs'])
    symmetry = conventions.SYMMETRY_ORDERS[model['sym']]
    synset, shape = (_folder_name(model[x]) for x in ('catid_cad', 'id_cad'))
  except (KeyError, TypeError, ValueError) as error:
    raise ValueError(
      f'{where} is not an aligned model of Scan2CAD ({error!r}); expected trs, '
      f'catid_cad, id_cad and sym of {", ".join(conventions.SYMMETRY_ORDERS)}.'
    ) from error
  return AlignedModel(synset, shape, *decompose(matrix, where), symmetry)


def _folder_name(name: str) -> str:
  if '/' in paths.below(name, 'id'):
    raise ValueError(f'{name!r} is no name of a folder')
  return name


def _read_matrix(path: str) -> np.ndarray:
  if not os.path.isfile(path):
    raise FileNotFoundError(
      f"There is no {path!r}. Unpack the whole of ScanNet's frames there."
    )
  try:
    matrix = np.loadtxt(path, dtype=np.float64)
  except (IndexError, OverflowError, ValueError) as error:
    raise ValueError(f'{path!r} does not hold numbers ({error}).') from error
  if matrix.shape != (4, 4):
    raise ValueError(
      f'{path!r} holds {matrix.shape} numbers; expected a 4 x 4 matrix.'
    )
  return matrix
