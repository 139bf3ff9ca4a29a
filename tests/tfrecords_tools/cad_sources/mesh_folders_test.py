"""Plain folders and Pix3D's."""

import pytest

from tests.tfrecords_tools.cad_sources import toy_catalogues
from tfrecords_tools.cad_sources import mesh_folders

_OBJ = toy_catalogues.box((0, 0, 0), (1, 2, 3)).encode()


def _library(root, *paths):
  for path in paths:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(_OBJ)
  return str(root)


def test_files_are_copied_byte_by_byte(tmp_path):
  data = b'# kept\r\nmtllib m.mtl\n' + _OBJ
  root = _library(tmp_path / 'in', 'chair/a/model.obj')
  (tmp_path / 'in/chair/a/model.obj').write_bytes(data)
  (tmp_path / 'in/chair/a/m.mtl').write_bytes(b'newmtl a\nmap_Kd t.png\n')
  (tmp_path / 'in/chair/a/t.png').write_bytes(b'picture')
  (tmp_path / 'in/chair/a/voxel.mat').write_bytes(b'voxels')
  (cad,) = mesh_folders.list_folder(root)
  out = tmp_path / 'out'
  out.mkdir()
  assert cad.write(str(out)).meshes == ('model.obj',)
  copied = {path.name: path.read_bytes() for path in out.iterdir()}
  assert copied == {
    'model.obj': data,
    'm.mtl': b'newmtl a\nmap_Kd t.png\n',
    't.png': b'picture',
  }


def test_files_of_a_shape_are_its_variants(tmp_path):
  root = _library(tmp_path, 'chair/a/m_2.obj', 'chair/a/m_1.obj')
  (cad,) = mesh_folders.list_pix3d(root)
  (tmp_path / 'out').mkdir()
  assert cad.write(str(tmp_path / 'out')).meshes == ('m_1.obj', 'm_2.obj')
  assert (cad.cad_id, cad.scale) == ('chair/a', 0.0)
  assert 'Attribution 4.0' in cad.licence
  assert 'Pix3D' in cad.creator


def test_a_folder_with_units_and_credits(tmp_path):
  root = _library(tmp_path, 'lamp/tall_one/x.obj', 'chair/b/x.obj')
  cads = mesh_folders.list_folder(root, ['lamp'], 'CC0', 'Ann', 0.01)
  (cad,) = cads
  assert (cad.licence, cad.creator, cad.scale) == ('CC0', 'Ann', 0.01)
  assert cad.name == 'tall one'


def test_pix3d_takes_its_own_classes_only(tmp_path):
  root = _library(tmp_path, 'lamp/a/x.obj', 'chair/b/x.obj')
  assert [c.cad_id for c in mesh_folders.list_pix3d(root)] == ['chair/b']


def test_a_folder_that_is_not_pix3d(tmp_path):
  root = _library(tmp_path, 'lamp/a/x.obj')
  with pytest.raises(FileNotFoundError, match='none of the folders'):
    mesh_folders.list_pix3d(root)
