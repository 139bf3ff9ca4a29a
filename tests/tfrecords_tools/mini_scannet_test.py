"""The rendered ScanNet: its layout, and that it is what it says."""

import json
import os
import pathlib
import re

import numpy as np
import pytest
from PIL import Image
from scipy import spatial

from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import meshes
from tests import command_runner
from tests import toy
from tests.tfrecords_tools import mini_scans
from tfrecords_tools import mini_scannet
from tfrecords_tools import mini_scannet_layout


@pytest.fixture(scope='module')
def scans(tmp_path_factory):
  return mini_scans.write(str(tmp_path_factory.mktemp('mini')))


def _scene(scans, name='scene0000_00'):
  return os.path.join(scans, 'scannet_frames_25k', name)


def test_layout(scans):
  assert sorted(os.listdir(scans)) == [
    'full_annotations.json',
    'scannet_frames_25k',
    'scannetv2_train.txt',
    'scannetv2_val.txt',
    'shapenet',
    'truth.json',
  ]
  assert sorted(os.listdir(_scene(scans))) == [
    'color',
    'instance',
    'intrinsics_color.txt',
    'intrinsics_depth.txt',
    'label',
    'pose',
  ]
  names = [f'{i:06d}' for i in range(0, 100 * mini_scans.FRAMES, 100)]
  assert sorted(os.listdir(_scene(scans, 'scene0001_00') + '/color')) == [
    f'{name}.jpg' for name in names
  ]
  # The first scan has one frame more, whose pose is lost.
  lost = np.loadtxt(_scene(scans) + '/pose/000400.txt')
  assert (lost == -np.inf).all()
  with open(os.path.join(scans, 'scannetv2_val.txt')) as file:
    assert file.read() == 'scene0001_00\n'


def test_images(scans):
  with Image.open(_scene(scans) + '/color/000000.jpg') as photo:
    assert photo.size == (160, 120)  # 968 / 1296 * 160 = 119.5
    assert np.asarray(photo).std() > 10
  label, instance = (
    np.asarray(Image.open(f'{_scene(scans)}/{folder}/000000.png'))
    for folder in ('label', 'instance')
  )
  assert (label.dtype, instance.dtype) == (np.uint8, np.uint16)
  np.testing.assert_array_equal(instance // 1000, label)
  # Chair, sofa, table, jar; floor and wall are no instances.
  assert set(np.unique(label)) <= {1, 2, 5, 6, 7, 40}
  assert ((instance % 1000 > 0) == (label > 2)).all()


def test_annotations(scans):
  with open(os.path.join(scans, 'full_annotations.json')) as file:
    entries = json.load(file)
  assert [entry['id_scan'] for entry in entries] == [
    'scene0000_00',
    'scene0001_00',
  ]
  for entry in entries:
    assert entry['trs']['scale'] == [1.0, 1.0, 1.0]
    assert entry['n_aligned_models'] == len(entry['aligned_models']) == 6
    # One CAD stands there twice.
    assert len({m['id_cad'] for m in entry['aligned_models']}) == 5
    for model in entry['aligned_models']:
      assert set(model) == {
        'trs',
        'bbox',
        'center',
        'sym',
        'id_cad',
        'catid_cad',
        'keypoints_cad',
        'keypoints_scan',
      }
      assert len(set(np.round(model['trs']['scale'], 6))) > 1


def test_cads_are_stored_as_shapenets(scans):
  root = os.path.join(scans, 'shapenet')
  paths = [
    os.path.join(root, synset, shape, 'models', 'model_normalized.obj')
    for synset in os.listdir(root)
    for shape in os.listdir(os.path.join(root, synset))
  ]
  assert len(paths) >= 5
  for path in paths:
    mesh = meshes.load(path)
    assert np.linalg.norm(mesh.extents) == pytest.approx(1.0, abs=1e-4)
    with open(path.replace('.obj', '.json')) as file:
      about = json.load(file)
    assert about['numVertices'] == len(mesh.vertices)
    np.testing.assert_allclose(about['max'], mesh.bounds[1], atol=1e-6)


def test_truth_projects_onto_the_instances(scans):
  matrix = np.loadtxt(_scene(scans) + '/intrinsics_color.txt')
  intrinsics = matrix[[0, 1, 0, 1], [0, 1, 2, 2]]
  checked = 0
  for key, objects in mini_scans.truth(scans).items():
    scene, name = key.split('/')
    image = np.asarray(
      Image.open(f'{_scene(scans, scene)}/instance/{name}.png')
    )
    for item in objects:
      rows, columns = np.nonzero(image % 1000 == item['instance'])
      if not len(rows):
        continue
      mesh = meshes.load(
        os.path.join(
          scans,
          'shapenet',
          item['catid_cad'],
          item['id_cad'],
          'models',
          'model_normalized.obj',
        )
      )
      points = mesh.vertices * item['scale'] @ np.transpose(item['rotation'])
      points += item['translation']
      if points[:, 2].min() < 0.1:
        continue
      pixels = cameras.project(points, intrinsics)
      hull = spatial.Delaunay(pixels)
      centres = np.stack([columns, rows], axis=-1) + 0.5
      assert (hull.find_simplex(centres, tol=1e-3) >= 0).mean() > 0.999
      checked += 1
  assert checked > 10


def _cads():
  return [
    mini_scannet_layout.normalize(cad_id, mesh)
    for cad_id, mesh in sorted(toy.box_furniture().items())
  ]


@pytest.mark.parametrize('seed', range(3))
def test_furniture_stands_free_on_the_floor(seed):
  rng = np.random.default_rng(seed)
  room = mini_scannet_layout.furnish(_cads(), 9, rng)
  assert len(room.objects) == 9
  for i, item in enumerate(room.objects):
    assert item.vertices[:, 1].min() == pytest.approx(0.0, abs=1e-9)
    assert (
      np.abs(item.vertices[:, [0, 2]]) * 2 < np.delete(room.size, 1)
    ).all()
    for other in room.objects[:i]:
      apart = (item.translation - other.translation)[[0, 2]]
      assert np.hypot(*apart) > max(item.radius + other.radius, 0.6)


@pytest.mark.parametrize('seed', range(2))
def test_the_camera_walks_inside_the_room(seed):
  rng = np.random.default_rng(seed)
  room = mini_scannet_layout.furnish(_cads(), 4, rng)
  walk = mini_scannet_layout.draw_cameras(
    room, 6, (100.0, 100.0, 50.0, 40.0), 80, 100, rng
  )
  for camera in walk:
    np.testing.assert_allclose(
      camera.rotation @ camera.rotation.T, np.eye(3), atol=1e-12
    )
    assert np.linalg.det(camera.rotation) == pytest.approx(1.0)
    assert camera.rotation[1, 1] > 0.7  # held upright
    assert (np.abs(camera.position[[0, 2]]) * 2 < np.delete(room.size, 1)).all()
    assert 0.0 < camera.position[1] < room.size[1]


def test_stretching_keeps_the_annotated_symmetry():
  rng = np.random.default_rng(0)
  cads = [cad for cad in _cads() if cad.symmetry in (0, 4)]
  assert {cad.symmetry for cad in cads} == {0, 4}
  for item in mini_scannet_layout.furnish(cads, 6, rng).objects:
    assert item.scale[0] == item.scale[2]


def test_same_seed_same_bytes(scans, tmp_path):
  again = mini_scans.write(str(tmp_path))
  for name in (
    'full_annotations.json',
    'scannet_frames_25k/scene0001_00/color/000200.jpg',
    'scannet_frames_25k/scene0000_00/pose/000100.txt',
  ):
    one, two = (
      pathlib.Path(root, name).read_bytes() for root in (scans, again)
    )
    assert one == two


def test_bad_input_is_one_line(scans, tmp_path):
  (tmp_path / 'lamps' / 'lamp' / 'a').mkdir(parents=True)
  next(iter(toy.box_furniture().values())).export(
    tmp_path / 'lamps' / 'lamp' / 'a' / 'm.ply'
  )
  for library, output, message in (
    (tmp_path / 'none', tmp_path / 'out', 'No CAD library'),
    (tmp_path / 'lamps', tmp_path / 'out', 'no CAD of a class .*lamp'),
    (tmp_path / 'lamps', scans, 'is not empty'),
  ):
    line = command_runner.run(
      mini_scannet, f'--library={library}', f'--output_dir={output}'
    ).only_line
    assert re.search(message, line), line
