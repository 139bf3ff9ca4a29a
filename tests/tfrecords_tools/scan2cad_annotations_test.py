"""Scan2CAD's and ScanNet's files: arithmetic, frames, bad input."""

import json

import numpy as np
import pytest
from scipy.spatial import transform

from mask2cad_tf.geometry import cameras
from tfrecords_tools import scan2cad_annotations

_TRS = {
  'translation': [1.0, 2.0, 3.0],
  'rotation': [1.0, 0.0, 0.0, 0.0],
  'scale': [1.0, 1.0, 1.0],
}
_FRAME = scan2cad_annotations.Frame('scene0000_00', '000100')


def _model(**changes):
  return {
    'trs': {**_TRS, 'scale': [2.0, 3.0, 4.0]},
    'sym': '__SYM_ROTATE_UP_4',
    'catid_cad': '03001627',
    'id_cad': 'abc',
    **changes,
  }


def _write(tmp_path, entries):
  path = tmp_path / 'full_annotations.json'
  path.write_text(json.dumps(entries))
  return str(path)


def _scan(*models, trs=_TRS, scene='scene0000_00'):
  return {'id_scan': scene, 'trs': trs, 'aligned_models': list(models)}


def test_cad_to_scan_by_hand(tmp_path):
  # The scan is moved by (1, 2, 3) and turned by 90 degrees about x:
  # y -> z, z -> -y. The CAD stands at (1, 2, 5): 2 along the world's z, which
  # is the scan's y.
  quarter = [np.sqrt(0.5), np.sqrt(0.5), 0.0, 0.0]
  scan = {**_TRS, 'rotation': quarter}
  model = _model(
    trs={
      'translation': [1.0, 2.0, 5.0],
      'rotation': quarter,
      'scale': [2.0, 3.0, 4.0],
    }
  )
  (found,) = scan2cad_annotations.read(
    _write(tmp_path, [_scan(model, trs=scan)])
  )['scene0000_00']
  np.testing.assert_allclose(found.rotation, np.eye(3), atol=1e-12)
  np.testing.assert_allclose(found.translation, [0.0, 2.0, 0.0], atol=1e-12)
  np.testing.assert_allclose(found.scale, [2.0, 3.0, 4.0])
  assert found.symmetry == 4
  assert found.mesh == '03001627/abc/models/model_normalized.obj'


@pytest.mark.parametrize('seed', range(5))
def test_matrix_and_parts_round_trip(seed):
  rng = np.random.default_rng(seed)
  quaternion = rng.normal(size=4)
  quaternion /= np.linalg.norm(quaternion)
  trs = {
    'translation': rng.normal(size=3),
    'rotation': quaternion,
    'scale': rng.uniform(0.1, 3.0, 3),
  }
  matrix = scan2cad_annotations.matrix_from_trs(trs)
  rotation, translation, scale = scan2cad_annotations.decompose(matrix, 'x')
  np.testing.assert_allclose(translation, trs['translation'])
  np.testing.assert_allclose(scale, trs['scale'])
  np.testing.assert_allclose(
    rotation,
    transform.Rotation.from_quat(np.roll(quaternion, -1)).as_matrix(),
    atol=1e-12,
  )
  point = rng.normal(size=3)
  np.testing.assert_allclose(
    matrix @ [*point, 1.0], [*(rotation @ (scale * point) + translation), 1.0]
  )


@pytest.mark.parametrize('seed', range(4))
def test_camera_axes(seed, tmp_path):
  # A point projected with ScanNet's camera (u = fx X / Z + cx, v likewise,
  # OpenCV's axes) and with Pix3D's falls on the same pixel.
  rng = np.random.default_rng(seed)
  pose = np.eye(4)
  pose[:3, :3] = transform.Rotation.random(random_state=seed).as_matrix()
  pose[:3, 3] = rng.normal(size=3)
  _write_pose(tmp_path, pose)
  to_world = scan2cad_annotations.read_camera_to_world(str(tmp_path), _FRAME)
  model = scan2cad_annotations.AlignedModel(
    '', '', np.eye(3), pose[:3, 3] + 4.0 * pose[:3, 2], np.full(3, 0.5), 1
  )
  vertex = rng.uniform(-1.0, 1.0, 3)
  rotation, translation = scan2cad_annotations.to_camera(model, to_world)
  intrinsics = np.array([500.0, 510.0, 320.0, 240.0])
  pixel = cameras.project(rotation @ (0.5 * vertex) + translation, intrinsics)
  world = 0.5 * vertex + model.translation
  x, y, z = pose[:3, :3].T @ (world - pose[:3, 3])
  np.testing.assert_allclose(
    pixel, [500.0 * x / z + 320.0, 510.0 * y / z + 240.0], atol=1e-3
  )


def _write_pose(tmp_path, pose):
  folder = tmp_path / 'scene0000_00' / 'pose'
  folder.mkdir(parents=True)
  np.savetxt(folder / '000100.txt', pose, fmt='%.6f')


def test_lost_pose_is_none(tmp_path):
  _write_pose(tmp_path, np.full((4, 4), -np.inf))
  assert (
    '-inf' in (tmp_path / 'scene0000_00' / 'pose' / '000100.txt').read_text()
  )
  assert (
    scan2cad_annotations.read_camera_to_world(str(tmp_path), _FRAME) is None
  )


@pytest.mark.parametrize(
  'pose,message',
  [
    (np.diag([2.0, 2.0, 2.0, 1.0]), '000100.txt.*rotation'),
    (np.eye(3), '000100.txt.*4 x 4'),
  ],
)
def test_bad_pose(pose, message, tmp_path):
  _write_pose(tmp_path, pose)
  with pytest.raises(ValueError, match=message):
    scan2cad_annotations.read_camera_to_world(str(tmp_path), _FRAME)


def test_missing_pose(tmp_path):
  with pytest.raises(FileNotFoundError, match='000100.txt'):
    scan2cad_annotations.read_camera_to_world(str(tmp_path), _FRAME)


@pytest.mark.parametrize(
  'name', ['intrinsics_color.txt', 'intrinsic/intrinsic_color.txt']
)
def test_intrinsics_of_both_layouts(name, tmp_path):
  path = tmp_path / 'scene0000_00' / name
  path.parent.mkdir(parents=True)
  path.write_text('1169.6 0 646.3 0\n0 1167.1 489.9 0\n0 0 1 0\n0 0 0 1\n')
  assert scan2cad_annotations.read_intrinsics(
    str(tmp_path), 'scene0000_00'
  ) == (1169.6, 1167.1, 646.3, 489.9)


def test_no_intrinsics(tmp_path):
  with pytest.raises(FileNotFoundError, match='intrinsics_color.txt'):
    scan2cad_annotations.read_intrinsics(str(tmp_path), 'scene0000_00')


def test_frames_in_order_of_time(tmp_path):
  folder = tmp_path / 'scannet_frames_25k' / 'scene0001_00' / 'color'
  folder.mkdir(parents=True)
  for name in ('100', '20', '0'):
    (folder / f'{name}.jpg').touch()
  (folder / 'notes.txt').touch()
  root = scan2cad_annotations.frames_folder(str(tmp_path))
  assert root == scan2cad_annotations.frames_folder(root)
  assert scan2cad_annotations.list_scenes(root) == ['scene0001_00']
  frames = scan2cad_annotations.list_frames(root, 'scene0001_00')
  assert [frame.name for frame in frames] == ['0', '20', '100']
  assert (
    scan2cad_annotations.photo_path(frames[1]) == 'scene0001_00/color/20.jpg'
  )


def test_no_frames(tmp_path):
  with pytest.raises(FileNotFoundError, match='scannet_frames_25k'):
    scan2cad_annotations.frames_folder(str(tmp_path))


@pytest.mark.parametrize(
  'entries,message',
  [
    ([{'id_scan': 'scene0000_00'}], 'entry 0 is not a scan'),
    ([_scan(), _scan()], 'scene0000_00 twice'),
    ([_scan(_model(sym='square'))], 'CAD 0 is not an aligned model.*square'),
    ([_scan(_model(), {'trs': _TRS})], 'CAD 1 is not an aligned model'),
    (
      [_scan(_model(trs={**_TRS, 'scale': [0.0, 1.0, 1.0]}))],
      'CAD 0: the CAD has no size',
    ),
    (
      [_scan(_model(trs={**_TRS, 'rotation': [1.0, 0.0, 0.0]}))],
      '3, 3 and 3 numbers',
    ),
    # Shear: an unequal scale of the scan, a turned CAD.
    (
      [
        _scan(
          _model(trs={**_TRS, 'rotation': [0.9238795, 0.0, 0.3826834, 0.0]}),
          trs={**_TRS, 'scale': [1.0, 1.0, 2.0]},
        )
      ],
      'CAD 0: expected a rotation',
    ),
  ],
)
def test_bad_annotations(entries, message, tmp_path):
  with pytest.raises(ValueError, match=message):
    scan2cad_annotations.read(_write(tmp_path, entries))


def test_no_annotations_and_no_json(tmp_path):
  with pytest.raises(FileNotFoundError, match='full_annotations.json'):
    scan2cad_annotations.read(str(tmp_path / 'none.json'))
  (tmp_path / 'a.json').write_text('{')
  with pytest.raises(ValueError, match='not JSON'):
    scan2cad_annotations.read(str(tmp_path / 'a.json'))
