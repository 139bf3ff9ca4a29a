import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.data import decoder
from mask2cad_tf.data import record_files
from mask2cad_tf.geometry import rotations
from mask2cad_tf.geometry import view_medoids
from mask2cad_tf.ops import cameras
from mask2cad_tf.ops import mirror
from tests import toy
from tfrecords_tools import build_pose_medoids


def _smallest_angle(quaternions, candidates):
  return rotations.geodesic_angle(
    quaternions[:, np.newaxis], candidates[np.newaxis]
  ).min(axis=1)


@pytest.mark.parametrize('seed', range(4))
def test_flip_is_the_parser_s(seed):
  rng = np.random.default_rng(seed)
  quaternion = rotations.random_rotations(1, rng)[0]
  normal = rng.normal(size=3)
  normal /= np.linalg.norm(normal)
  flipped = build_pose_medoids.flip_rotation(
    rotations.matrix_from_quaternion(quaternion), normal
  )
  rotations.check_rotation(flipped, 'flipped')
  np.testing.assert_allclose(
    rotations.quaternion_from_matrix(flipped),
    mirror.flip_rotation(tf.constant(quaternion), tf.constant(normal)),
    atol=1e-6,
  )


@pytest.mark.parametrize('frame', ['camera', 'allocentric'])
def test_medoids_are_annotated_or_flipped_rotations(toy_data, frame):
  path = toy_data.medoids if frame == 'allocentric' else toy_data.medoids_camera
  medoids, valid, meta = view_medoids.load(path, toy.CLASS_NAMES)
  assert meta['rotation_frame'] == frame
  known = {label: [] for label in range(1, 5)}
  decode = decoder.TfExampleDecoder().decode
  for record in record_files.read(record_files.match(toy_data.image_records)):
    data = decode(tf.constant(record))
    poses = data['groundtruth_rotations']
    if frame == 'allocentric':
      centers = cameras.project(
        data['groundtruth_translations'], data['intrinsics']
      )
      poses = cameras.allocentric_from_camera(
        poses, centers, data['intrinsics']
      )
    for label, pose in zip(data['groundtruth_classes'].numpy(), poses):
      known[label] += [
        pose,
        mirror.flip_rotation(pose, tf.constant([1.0, 0.0, 0.0])),
      ]
  for label in range(1, 5):
    angles = _smallest_angle(medoids[label], np.array(known[label]))
    assert angles.max() < 3e-3  # acos near 1, float32
  # Three beds and their flipped twins: six rotations, ten repetitions.
  assert valid[1].sum() == 6


def test_chiral_cads_are_not_flipped(toy_data):
  paths = record_files.match(toy_data.scene_records)
  plain, flipped = (
    build_pose_medoids.class_rotations(
      paths, 'camera', lambda mesh, normal=normal: np.array(normal)
    )
    for normal in ([0.0, 0.0, 0.0], [1.0, 0.0, 0.0])
  )
  for name in plain:
    assert len(flipped[name]) == 2 * len(plain[name])
  by_library = build_pose_medoids.class_rotations(
    paths, 'camera', build_pose_medoids._mirror_normals(toy_data.library)
  )  # pylint: disable=protected-access
  assert len(plain['sofa']) < len(by_library['sofa']) < len(flipped['sofa'])


def test_deterministic(toy_data, tmp_path):
  paths = [str(tmp_path / name) for name in ('a.npz', 'b.npz')]
  for path in paths:
    build_pose_medoids.build(
      toy_data.image_records, path, class_names=toy.CLASS_NAMES, seed=3
    )
  first, second = (view_medoids.load(path) for path in paths)
  np.testing.assert_array_equal(first[0], second[0])
  assert first[2] == second[2]


def test_records_without_objects(toy_data, tmp_path):
  with pytest.raises(FileNotFoundError, match='/no/records'):
    build_pose_medoids.build('/no/records*', str(tmp_path / 'x.npz'))
  assert not list(tmp_path.iterdir())


def test_class_without_objects_is_named_or_filled(toy_data, tmp_path):
  path = str(tmp_path / 'm.npz')
  names = ('bed', 'wardrobe')
  with pytest.raises(ValueError, match='wardrobe.*--fill_missing'):
    build_pose_medoids.build(toy_data.image_records, path, class_names=names)
  assert not list(tmp_path.iterdir())
  build_pose_medoids.build(
    toy_data.image_records, path, class_names=names, fill_missing=True
  )
  medoids, valid, _ = view_medoids.load(path, names)
  assert valid[2].all()
  # From 20 degrees above, the up axis leans to the camera, at -z:
  # R (0, 1, 0) = (0, cos 20, -sin 20).
  up = [rotations.matrix_from_quaternion(q)[:, 1] for q in medoids[2]]
  np.testing.assert_allclose(
    up, np.tile([0.0, 0.9396926, -0.3420201], [16, 1]), atol=1e-6
  )
  # Neighbours are 360 / 16 = 22.5 degrees apart.
  angles = rotations.geodesic_angle(medoids[2][:1], medoids[2][1:])
  np.testing.assert_allclose(np.degrees(angles.min()), 22.5, atol=1e-4)
