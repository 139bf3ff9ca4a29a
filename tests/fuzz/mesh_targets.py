"""Mesh files of a CAD library."""

import os

import trimesh
from PIL import Image

from mask2cad_tf.geometry import mesh_files
from mask2cad_tf.geometry import meshes
from tests.fuzz import target
from tests.tfrecords_tools.cad_sources import toy_catalogues


def _box(kind, **options):
  mesh = trimesh.creation.box((1.0, 2.0, 3.0))
  data = mesh.export(file_type=kind, **options)
  return data.encode() if isinstance(data, str) else data


def _textured_glb():
  mesh = trimesh.creation.box((1.0, 2.0, 3.0))
  mesh.visual = trimesh.visual.TextureVisuals(
    uv=mesh.vertices[:, :2], image=Image.new('RGB', (4, 4), (200, 10, 10))
  )
  return trimesh.Scene([mesh, trimesh.creation.icosphere(0)]).export(
    file_type='glb'
  )


def _read(path):
  meshes.load(path, with_materials=False)
  meshes.load_parts(path)
  mesh_files.copy(path, os.path.join(target.folder(), 'copy', 'mesh.obj'))


def _read_mtl(data):
  path = os.path.join(target.folder(), 'with_mtl.obj')
  with open(path, 'wb') as file:
    file.write(toy_catalogues.chair_obj('with_mtl.mtl'))
  with open(os.path.join(target.folder(), 'with_mtl.mtl'), 'wb') as file:
    file.write(data)
  _read(path)


def _mesh(kind, takes, seeds):
  return target.Target(
    f'mesh_{kind}',
    takes,
    target.in_file(f'mesh.{kind}', _read),
    seeds,
    allowed=(meshes.MeshError,),
    says=f'mesh.{kind}',
  )


TARGETS = (
  _mesh(
    'obj', 'an OBJ file', lambda: (_box('obj'), toy_catalogues.chair_obj(''))
  ),
  target.Target(
    'mesh_mtl',
    'the materials of an OBJ file',
    _read_mtl,
    lambda: (toy_catalogues.CHAIR_MTL, b'newmtl seat\nmap_Kd -s 1 1 1 a.png\n'),
    allowed=(meshes.MeshError,),
    says='with_mtl',
  ),
  _mesh(
    'ply',
    'a PLY file, binary or of text',
    lambda: (_box('ply'), _box('ply', encoding='ascii')),
  ),
  _mesh('off', 'an OFF file', lambda: (_box('off'),)),
  _mesh('glb', 'a GLB file', lambda: (_textured_glb(), _box('glb'))),
)
