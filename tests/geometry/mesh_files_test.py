"""Copies of mesh files with what they name."""

import os

from mask2cad_tf.geometry import mesh_files


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
