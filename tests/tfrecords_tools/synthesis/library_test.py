import json
import os

import numpy as np
import pytest
import trimesh

from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry.furniture import catalogue
from tests.tfrecords_tools.synthesis import furnished
from tfrecords_tools.synthesis import library as library_lib


def _manifest(root, *cads):
  with open(os.path.join(root, 'manifest.json'), 'w', encoding='utf-8') as file:
    json.dump({'format_version': 1, 'cads': list(cads)}, file)


def _entry(cad_id, scale, names=('model.ply',), stray=(0.0,)):
  paths = [f'{cad_id}/{name}' for name in names]
  return {
    'id': cad_id,
    'meshes': paths,
    'scale': scale,
    'stray_geometry': list(stray),
  }


def _draw_scale(library, seed=0):
  cad = library.cads[0]
  rng = np.random.default_rng(seed)
  return library.draw_scale(cad, library.load(cad.meshes[0]), rng)


@pytest.mark.parametrize('scale', [1.0, 0.01])
def test_a_manifest_s_scale_is_taken(tmp_path, scale):
  root = str(tmp_path)
  furnished.write(root, 'chair/a', furnished.box_mesh(1, 2, 1))
  _manifest(root, _entry('chair/a', scale))
  assert _draw_scale(library_lib.Library(root, ['chair'])) == scale


def test_arbitrary_units_become_plausible_metres(tmp_path):
  root = str(tmp_path)
  furnished.write(root, 'chair/a', furnished.box_mesh(30, 60, 30))
  _manifest(root, _entry('chair/a', 0.0))
  library = library_lib.Library(root, ['chair'])
  heights = [60 * _draw_scale(library, seed) for seed in range(50)]
  assert 0.7 < min(heights) < 0.9 < max(heights) < 1.2


def test_a_flat_table_is_not_scaled_to_a_doll_s_height(tmp_path):
  # Scaled by its longest edge alone it would be 12 cm high.
  root = str(tmp_path)
  furnished.write(root, 'table/a', furnished.box_mesh(10, 1, 5))
  _manifest(root, _entry('table/a', 0.0))
  assert _draw_scale(library_lib.Library(root, ['table'])) >= 0.38


def test_without_manifest_metres_are_recognised(tmp_path):
  root = str(tmp_path)
  for i, height in enumerate((0.8, 0.87, 0.95, 1.08)):
    furnished.write(root, f'chair/{i}', furnished.box_mesh(0.5, height, 0.52))
  library = library_lib.Library(root, ['chair'])
  assert {cad.scale for cad in library.cads} == {1.0}


@pytest.mark.parametrize('diagonal', [1.0, 40.0])
def test_without_manifest_other_units_are_recognised(tmp_path, diagonal):
  root = str(tmp_path)
  for i, height in enumerate((0.8, 0.87, 0.95, 1.08)):
    size = np.array([0.5, height, 0.52])
    size *= diagonal / np.linalg.norm(size)
    furnished.write(root, f'chair/{i}', furnished.box_mesh(*size))
  library = library_lib.Library(root, ['chair'])
  assert {cad.scale for cad in library.cads} == {0.0}


def test_parts_keep_their_materials(tmp_path):
  root = str(tmp_path)
  (cad_id, *_) = catalogue.write_library(root, class_names=['misc'])
  library = library_lib.Library(root, ['misc'])
  geometry = library.load(f'{cad_id}/model.glb')
  whole = meshes.load(os.path.join(root, cad_id, 'model.glb'))
  np.testing.assert_allclose(
    geometry.vertices[geometry.faces].mean(axis=0),
    whole.vertices[whole.faces].mean(axis=0),
    atol=1e-5,
  )
  rows = np.sort(np.concatenate([part[0] for part in geometry.parts]))
  np.testing.assert_array_equal(rows, np.arange(len(geometry.faces)))
  colors = [part[1] for part in geometry.parts]
  assert all(c.shape == (3,) and 0 <= c.min() <= c.max() <= 1 for c in colors)


def test_an_obj_s_colours_are_made_linear(tmp_path):
  folder = tmp_path / 'chair' / 'a'
  folder.mkdir(parents=True)
  (folder / 'a.mtl').write_text('newmtl red\nKd 1.0 0.5 0.0\n')
  (folder / 'model.obj').write_text(
    'mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nusemtl red\n'
    'f 1 2 3\nf 1 2 4\n'
  )
  library = library_lib.Library(str(tmp_path), ['chair'])
  ((_, color, *_),) = library.load('chair/a/model.obj').parts
  # sRGB 0.5 is ((0.5 + 0.055) / 1.055) ** 2.4 = 0.214 of the light.
  np.testing.assert_allclose(color, [1.0, 0.214, 0.0], atol=0.003)


def test_vertices_are_those_of_the_file(tmp_path):
  root = str(tmp_path)
  furnished.write(root, 'table/a', furnished.table_mesh())
  geometry = library_lib.Library(root, ['table']).load('table/a/model.ply')
  stored = meshes.load(os.path.join(root, 'table/a/model.ply'))
  np.testing.assert_allclose(geometry.vertices, stored.vertices, atol=1e-6)
  assert geometry.is_sound


def _with_stray_piece():
  crumb = furnished.box_mesh(0.001, 0.001, 0.001)
  crumb.apply_translation([30, 0, 0])
  return trimesh.util.concatenate([furnished.box_mesh(1, 1, 1), crumb])


def test_stray_pieces_do_not_stretch_the_box(tmp_path):
  root = str(tmp_path)
  furnished.write(root, 'bin/a', _with_stray_piece())
  geometry = library_lib.Library(root, ['bin']).load('bin/a/model.ply')
  assert not geometry.is_sound
  # Never beyond twice the way from the middle to the rim of the core.
  assert (geometry.high - geometry.low).max() <= 2.0


def test_a_variant_far_from_its_siblings_is_not_drawn(tmp_path):
  # As Pix3D's swivel chairs, of which one stands 140 above its feet.
  root, names = str(tmp_path), ('a.ply', 'b.ply', 'c.ply')
  folder = os.path.join(root, 'chair', 'swivel')
  os.makedirs(folder)
  for name, height in zip(names, (1.0, 1.1, 140.0)):
    furnished.box_mesh(0.5, height, 0.5).export(os.path.join(folder, name))
  library = library_lib.Library(root, ['chair'])
  drawn = {
    library.draw_variant(library.cads[0], np.random.default_rng(seed))[0]
    for seed in range(20)
  }
  assert drawn == {'chair/swivel/a.ply', 'chair/swivel/b.ply'}


def test_meshes_that_the_manifest_calls_stray_are_left_out(tmp_path):
  root = str(tmp_path)
  furnished.write(root, 'bin/a', furnished.box_mesh(1, 1, 1))
  furnished.box_mesh(1, 9, 1).export(os.path.join(root, 'bin/a/other.ply'))
  names = ('model.ply', 'other.ply')
  _manifest(root, _entry('bin/a', 0.0, names, (0.1, 0.9)))
  library = library_lib.Library(root, ['bin'])
  assert library.cads[0].meshes == ('bin/a/model.ply',)


def test_an_empty_library_is_an_error(tmp_path):
  with pytest.raises(FileNotFoundError, match='No CAD'):
    library_lib.Library(str(tmp_path), ['chair'])
