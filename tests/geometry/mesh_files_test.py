"""Copies of mesh files with what they name."""

import os

import pytest
import trimesh

from mask2cad_tf.geometry import mesh_files
from mask2cad_tf.geometry import meshes


def test_textures_are_copied_but_nothing_from_outside(tmp_path):
  folder = tmp_path / 'library/chair/obj'
  folder.mkdir(parents=True)
  (tmp_path / 'secret.png').write_bytes(b's')
  (folder / 'wood.png').write_bytes(b'w')
  (folder / 'm.mtl').write_text(
    'newmtl a\nmap_Kd -s 1 1 1 wood.png\nmap_Ks ../../../secret.png\n'
  )
  (folder / 'm.obj').write_text(
    'mtllib m.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 1\nv 0 1 0\nusemtl a\n'
    'f 1 2 3\nf 1 2 4\n'
  )
  mesh_files.copy(str(folder / 'm.obj'), str(tmp_path / 'copy/m.obj'))
  assert set(os.listdir(tmp_path / 'copy')) == {'m.obj', 'm.mtl', 'wood.png'}


def test_a_link_out_of_the_folder_is_not_copied(tmp_path):
  folder = tmp_path / 'library/chair/obj'
  folder.mkdir(parents=True)
  (tmp_path / 'secret.mtl').write_text('newmtl a\n')
  (folder / 'm.mtl').symlink_to(tmp_path / 'secret.mtl')
  (folder / 'm.obj').write_text('mtllib m.mtl\nv 0 0 0\n')
  mesh_files.copy(str(folder / 'm.obj'), str(tmp_path / 'copy/m.obj'))
  assert os.listdir(tmp_path / 'copy') == ['m.obj']


@pytest.mark.parametrize(
  'name', ['../secret.mtl', '{root}/secret.mtl', 'link.mtl', 'http://x.test/a']
)
def test_an_obj_is_shown_nothing_outside_its_folder(tmp_path, name):
  folder = tmp_path / 'chair'
  folder.mkdir()
  (tmp_path / 'secret.mtl').write_text('newmtl a\nKd 1 0 0\n')
  (folder / 'link.mtl').symlink_to(tmp_path / 'secret.mtl')
  (folder / 'm.obj').write_text(
    f'mtllib {name.format(root=tmp_path)}\nv 0 0 0\nv 1 0 0\nv 0 1 1\n'
    'usemtl a\nf 1 2 3\n'
  )
  (part,) = meshes.load_parts(str(folder / 'm.obj'))
  material = getattr(part.visual, 'material', None)
  assert material is None or tuple(material.main_color[:3]) != (255, 0, 0)


def test_a_gltf_is_shown_nothing_outside_its_folder(tmp_path):
  folder = tmp_path / 'chair'
  folder.mkdir()
  scene = trimesh.Scene([trimesh.creation.box()])
  for name, data in scene.export(file_type='gltf').items():
    (folder / name).write_bytes(data)
  meshes.load(str(folder / 'model.gltf'))  # with its buffers: it is read
  text = (folder / 'model.gltf').read_text()
  for number, buffer in enumerate(folder.glob('*.bin')):
    buffer.rename(tmp_path / f'outside_{number}.bin')
    text = text.replace(buffer.name, f'../outside_{number}.bin')
  (folder / 'model.gltf').write_text(text)
  with pytest.raises(meshes.MeshError, match='outside_'):
    meshes.load(str(folder / 'model.gltf'))


@pytest.mark.parametrize('face', ['1 2 99', '1 2 -9'])
def test_faces_of_vertices_that_are_not_there(tmp_path, face):
  path = tmp_path / 'm.obj'
  path.write_text(f'v 0 0 0\nv 1 0 0\nv 0 1 1\nf 1 2 3\nf {face}\n')
  with pytest.raises(meshes.MeshError, match=r'm\.obj'):
    meshes.load(str(path))
