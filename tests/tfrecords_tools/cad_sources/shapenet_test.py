"""ShapeNet's layout."""

import numpy as np
import pytest
import trimesh

from mask2cad_tf.geometry import meshes
from tests.tfrecords_tools.cad_sources import toy_catalogues
from tfrecords_tools.cad_sources import shapenet


def _model(root, synset='03001627', name='a1b2'):
  folder = root / synset / name
  (folder / 'models').mkdir(parents=True)
  (folder / 'images').mkdir()
  obj = b'mtllib model_normalized.mtl\n' + (
    b'v -0.1 -0.2 -0.3\nv 0.1 -0.2 0.3\nv 0 0.4 0.25\n'
    b'vt 0 0\nvt 1 0\nvt 0 1\nusemtl wood\nf 1/1 2/2 3/3\n'
  )
  (folder / 'models/model_normalized.obj').write_bytes(obj)
  (folder / 'models/model_normalized.mtl').write_bytes(
    b'newmtl wood\nmap_Kd ../images/texture0.png\n'
  )
  (folder / 'images/texture0.png').write_bytes(
    toy_catalogues.png((120, 80, 40))
  )
  return str(root)


def test_vertices_stay_and_textures_come_along(tmp_path):
  (cad,) = shapenet.list_models(_model(tmp_path / 'in'))
  assert cad.cad_id == 'chair/a1b2'
  assert cad.source == '03001627/a1b2'
  assert cad.scale == 0.0
  written = cad.write(str(tmp_path))
  scene = trimesh.load_scene(tmp_path / written.meshes[0], process=False)
  (part,) = scene.geometry.values()
  np.testing.assert_allclose(
    part.vertices, [[-0.1, -0.2, -0.3], [0.1, -0.2, 0.3], [0, 0.4, 0.25]]
  )
  assert part.visual.material.baseColorTexture is not None


def test_nothing_outside_the_model_is_read(tmp_path):
  root = _model(tmp_path / 'in')
  secret = tmp_path / 'secret.png'
  secret.write_bytes(toy_catalogues.png((1, 2, 3)))
  mtl = tmp_path / 'in/03001627/a1b2/models/model_normalized.mtl'
  mtl.write_text(f'newmtl wood\nKd 1 0 0\nmap_Kd {secret}\n')
  (cad,) = shapenet.list_models(root)
  cad.write(str(tmp_path))
  scene = trimesh.load_scene(tmp_path / shapenet.MESH, process=False)
  (part,) = scene.geometry.values()
  assert part.visual.material.baseColorTexture is None


def test_classes_and_order(tmp_path):
  root = tmp_path / 'in'
  _model(root, '04379243', 'z')
  _model(root, '03001627', 'b')
  _model(root, '03001627', 'a')
  _model(root, '02691156', 'aeroplane')
  ids = [cad.cad_id for cad in shapenet.list_models(str(root))]
  assert ids == ['chair/a', 'chair/b', 'table/z']
  ids = [cad.cad_id for cad in shapenet.list_models(str(root), ['table'])]
  assert ids == ['table/z']


def test_a_model_without_its_mesh_is_named(tmp_path):
  root = _model(tmp_path / 'in')
  (tmp_path / 'in/03001627/a1b2/models/model_normalized.obj').unlink()
  (cad,) = shapenet.list_models(root)
  with pytest.raises(meshes.MeshError, match='a1b2'):
    cad.write(str(tmp_path))


def test_version_1_faces_another_way_and_is_refused(tmp_path):
  (tmp_path / '03001627/a').mkdir(parents=True)
  (tmp_path / '03001627/a/model.obj').write_bytes(b'')
  with pytest.raises(ValueError, match='v1'):
    shapenet.list_models(str(tmp_path))


@pytest.mark.parametrize('folder', ['nowhere', 'empty'])
def test_no_shapenet(tmp_path, folder):
  (tmp_path / 'empty').mkdir()
  with pytest.raises(FileNotFoundError, match=folder):
    shapenet.list_models(str(tmp_path / folder))
