r"""Image records -> the K rotations that stand for each class (Sec. 3.3).

Example:
  python -m tfrecords_tools.build_pose_medoids --records='train/images*' \
    --output=train/medoids.npz --rotation_frame=allocentric --library=model

They are the pose bins and the canonical views. Give the training split only.
Poses of the horizontally flipped photos are clustered too.
"""

import functools
import hashlib
import os
from typing import Callable
from typing import Dict
from typing import List
from typing import Sequence
from typing import Tuple

import numpy as np
import tensorflow as tf
from absl import flags
from scipy.spatial import transform

from mask2cad_tf import command_line
from mask2cad_tf import conventions
from mask2cad_tf.data import record_files
from mask2cad_tf.data import schema
from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import rotations
from mask2cad_tf.geometry import symmetry
from mask2cad_tf.geometry import view_medoids

FLAGS = flags.FlagValues()
flags.DEFINE_string(
  'records',
  None,
  'Image records of the training split (glob).',
  required=True,
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'output', None, 'The .npz to write.', required=True, flag_values=FLAGS
)
flags.DEFINE_enum(
  'rotation_frame',
  'camera',
  ['camera', 'allocentric'],
  'As model.pose.rotation_frame.',
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'library',
  '',
  'CAD library of the records: each CAD flips about its own '
  'mirror plane, chiral ones do not. Without it all flip about x = 0.',
  flag_values=FLAGS,
)
flags.DEFINE_list(
  'class_names',
  list(conventions.PIX3D_CLASSES),
  'As model.class_names.',
  flag_values=FLAGS,
)
flags.DEFINE_boolean(
  'fill_missing',
  False,
  'Give classes that no record shows upright rotations, seen all around from '
  '20 degrees above.',
  flag_values=FLAGS,
)
flags.DEFINE_integer('num_bins', conventions.NUM_VIEWS, 'K.', flag_values=FLAGS)
flags.DEFINE_integer('seed', 0, 'Of the clustering.', flag_values=FLAGS)

_FLIP = np.diag([-1.0, 1.0, 1.0])
_MIRROR_X = np.array([1.0, 0.0, 0.0])
_FILL_ELEVATION = 20.0  # degrees, about the mean of Pix3D's furniture photos


def build(
  records: str,
  output: str,
  rotation_frame: str = 'camera',
  library: str = '',
  class_names: Sequence[str] = conventions.PIX3D_CLASSES,
  num_bins: int = conventions.NUM_VIEWS,
  seed: int = 0,
  fill_missing: bool = False,
) -> None:
  """Clusters the rotations of each class and writes them.

  Args:
    records: glob of image records.
    output: .npz, written atomically.
    rotation_frame: 'camera' or 'allocentric'.
    library: folder of the CADs, or '' (see the flag).
    class_names: the model's.
    num_bins: K.
    seed: of the clustering.
    fill_missing: whether `upright_rotations` stand for classes without objects.

  Raises:
    FileNotFoundError: if no record matches.
    ValueError: on broken records or meshes, or a class without any object.
  """
  paths = record_files.match(records)
  by_class = class_rotations(paths, rotation_frame, _mirror_normals(library))
  missing = [name for name in class_names if name not in by_class]
  if missing and not fill_missing:
    raise ValueError(
      f'{records!r} shows no object of the classes {", ".join(missing)}. '
      'Give records that do, only the classes they show (--class_names='
      f'{",".join(sorted(by_class))}), or --fill_missing.'
    )
  by_class.update({name: upright_rotations(num_bins) for name in missing})
  digest = hashlib.sha256()
  medoids = {}
  for name in class_names:
    digest.update(np.round(by_class[name], 6).tobytes())
    medoids[name] = view_medoids.k_medoids(by_class[name], num_bins, seed)
  os.makedirs(os.path.dirname(output) or '.', exist_ok=True)
  view_medoids.save(output, medoids, rotation_frame, digest.hexdigest())


def class_rotations(
  paths: List[str],
  rotation_frame: str,
  mirror_normal: Callable[[str], np.ndarray],
) -> Dict[str, np.ndarray]:
  """Rotations of all objects of image records, and their flipped twins.

  Args:
    paths: record files.
    rotation_frame: 'camera' or 'allocentric'.
    mirror_normal: mesh path in the library -> [3], zeros when chiral.

  Returns:
    Class name -> float [n, 4], (w, x, y, z).
  """
  by_class: Dict[str, List[np.ndarray]] = {}
  for name, mesh, rotation in _annotated_rotations(paths, rotation_frame):
    poses = by_class.setdefault(name, [])
    poses.append(rotation)
    normal = mirror_normal(mesh)
    if normal.any():
      poses.append(flip_rotation(rotation, normal))
  return {
    name: rotations.quaternion_from_matrix(np.stack(poses))
    for name, poses in by_class.items()
  }


def upright_rotations(count: int) -> np.ndarray:
  """Views of a CAD that stands upright, evenly around it, from 20 degrees up.

  Returns:
    float [count, 4], (w, x, y, z); the first faces the camera.
  """
  azimuths = 2.0 * np.pi * np.arange(count)[:, np.newaxis] / count
  turns = transform.Rotation.from_rotvec(azimuths * [0.0, 1.0, 0.0])
  tilt = transform.Rotation.from_euler('x', -_FILL_ELEVATION, degrees=True)
  return rotations.quaternion_from_matrix((tilt * turns).as_matrix())


def flip_rotation(rotation: np.ndarray, normal: np.ndarray) -> np.ndarray:
  """S R S_obj, [3, 3]: the pose in the horizontally flipped photo.

  Args:
    rotation: [3, 3], camera or allocentric frame.
    normal: [3], unit, of the CAD's mirror plane.
  """
  return _FLIP @ rotation @ (np.eye(3) - 2.0 * np.outer(normal, normal))


def _annotated_rotations(
  paths: List[str], frame: str
) -> List[Tuple[str, str, np.ndarray]]:
  """(class name, mesh, rotation [3, 3]) of every object, in file order."""
  result = []
  for record in record_files.read(paths):
    feature = tf.train.Example.FromString(record).features.feature
    names = feature[schema.CLASS_TEXT].bytes_list.value
    cads = feature[schema.CAD_MESH].bytes_list.value
    intrinsics = np.array(feature[schema.INTRINSICS].float_list.value)
    poses = rotations.matrix_from_quaternion(
      np.reshape(feature[schema.ROTATION].float_list.value, [-1, 4])
    )
    translations = np.reshape(
      feature[schema.TRANSLATION].float_list.value, [-1, 3]
    )
    for name, mesh, pose, translation in zip(names, cads, poses, translations):
      if frame == 'allocentric':
        center = cameras.project(translation, intrinsics)
        pose = rotations.allocentric_from_camera(pose, center, intrinsics)
      result.append((name.decode(), mesh.decode(), pose))
  return result


def _mirror_normals(library: str) -> Callable[[str], np.ndarray]:
  if not library:
    return lambda mesh: _MIRROR_X
  return functools.lru_cache(maxsize=None)(
    lambda mesh: symmetry.mirror_normal(
      meshes.load(os.path.join(library, mesh))
    )
  )


def main(argv: Sequence[str]) -> None:
  """Runs the tool with its flags."""
  command_line.reject(argv[1:])
  build(
    FLAGS.records,
    FLAGS.output,
    FLAGS.rotation_frame,
    FLAGS.library,
    FLAGS.class_names,
    FLAGS.num_bins,
    FLAGS.seed,
    FLAGS.fill_missing,
  )


if __name__ == '__main__':
  command_line.run('tfrecords_tools.build_pose_medoids', main, FLAGS)
