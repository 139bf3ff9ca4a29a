"""Meshes: every format, colours, node transforms, errors, sampling."""

import os

import numpy as np
import pytest
import trimesh
from PIL import Image

from mask2cad_tf.geometry import meshes

_TWO_COLORS = """mtllib colors.mtl
v 0 0 0
v 1 0 0
v 0 1 0
v 0 0 1
usemtl red
f 1 2 3
usemtl blue
f 1 2 4
f 1 3 4
"""
_MATERIALS = 'newmtl red\nKd 1 0 0\nnewmtl blue\nKd 0 0 1\n'


def _write(path, text):
  path.write_text(text)
  return str(path)


@pytest.mark.parametrize('extension', ['obj', 'glb', 'gltf', 'ply', 'off'])
def test_every_format_gives_the_same_surface(tmp_path, extension):
  box = trimesh.creation.box((1.0, 2.0, 3.0))
  box.apply_translation((5.0, 0.0, 0.0))
  path = str(tmp_path / f'box.{extension}')
  if extension == 'gltf':
    for name, content in trimesh.Scene(box).export(file_type='gltf').items():
      (tmp_path / name).write_bytes(content)
    path = str(tmp_path / 'model.gltf')
  else:
    box.export(path)
  mesh = meshes.load(path)
  assert len(mesh.faces) == 12
  np.testing.assert_allclose(
    mesh.bounds, [[4.5, -1.0, -1.5], [5.5, 1.0, 1.5]], atol=1e-6
  )
  # 2 (1*2 + 2*3 + 1*3) = 22
  np.testing.assert_allclose(mesh.area, 22.0, rtol=1e-6)


def test_parts_of_a_scene_keep_their_places(tmp_path):
  scene = trimesh.Scene()
  for x in (-2.0, 2.0):
    matrix = np.eye(4)
    matrix[0, 3] = x
    scene.add_geometry(trimesh.creation.box((1, 1, 1)), transform=matrix)
  scene.export(str(tmp_path / 'two.glb'))
  mesh = meshes.load(str(tmp_path / 'two.glb'))
  assert len(mesh.faces) == 24
  np.testing.assert_allclose(mesh.bounds[:, 0], [-2.5, 2.5], atol=1e-6)


def test_several_materials_become_face_colors(tmp_path):
  _write(tmp_path / 'colors.mtl', _MATERIALS)
  mesh = meshes.load(_write(tmp_path / 'two.obj', _TWO_COLORS))
  colors = mesh.visual.face_colors[:, :3].tolist()
  assert sorted(colors) == [[0, 0, 255], [0, 0, 255], [255, 0, 0]]


def test_face_colors_survive_glb(tmp_path):
  _write(tmp_path / 'colors.mtl', _MATERIALS)
  mesh = meshes.load(_write(tmp_path / 'two.obj', _TWO_COLORS))
  mesh.export(str(tmp_path / 'two.glb'))
  again = meshes.load(str(tmp_path / 'two.glb'))
  colors = again.visual.face_colors[:, :3].tolist()
  assert sorted(colors) == [[0, 0, 255], [0, 0, 255], [255, 0, 0]]


@pytest.mark.parametrize('parts', [1, 2])
def test_textures_are_kept(tmp_path, parts):
  scene = trimesh.Scene()
  for part in range(parts):
    box = trimesh.creation.box((1, 1, 1))
    image = Image.new('RGB', (4, 4), (255 * part, 255, 0))
    box.visual = trimesh.visual.TextureVisuals(
      uv=np.tile(np.linspace(0.1, 0.9, len(box.vertices))[:, None], 2),
      material=trimesh.visual.material.PBRMaterial(baseColorTexture=image),
    )
    scene.add_geometry(box.apply_translation((2 * part, 0, 0)))
  scene.export(str(tmp_path / 'textured.glb'))
  mesh = meshes.load(str(tmp_path / 'textured.glb'))
  assert mesh.visual.material.baseColorTexture is not None
  colors = mesh.visual.to_color().vertex_colors[:, :3]
  assert len(np.unique(colors, axis=0)) == parts


@pytest.mark.parametrize(
  'name, text, words',
  [
    ('points.obj', 'v 0 0 0\nv 1 0 0\nv 0 1 0\n', 'no faces'),
    ('nan.obj', 'v 0 0 0\nv nan 0 0\nv 0 1 0\nf 1 2 3\n', '1 of 3 vertices'),
    ('inf.obj', 'v 0 0 0\nv inf 0 0\nv 0 1 0\nf 1 2 3\n', '1 of 3 vertices'),
    ('flat.obj', 'v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n', 'no surface'),
    ('empty.obj', '', 'Export'),
    ('broken.glb', 'not a GLB', 'cannot be read'),
    ('cad.step', 'ISO-10303-21', 'Convert it'),
  ],
)
def test_a_bad_file_is_named_with_the_remedy(tmp_path, name, text, words):
  path = _write(tmp_path / name, text)
  with pytest.raises(meshes.MeshError, match=words) as error:
    meshes.load(path)
  assert name in str(error.value)


def test_a_missing_file_is_named(tmp_path):
  path = os.path.join(tmp_path, 'chair', 'none.obj')
  with pytest.raises(meshes.MeshError, match='No mesh at .*none.obj.*Check'):
    meshes.load(path)


def test_samples_are_uniform_by_area():
  # A 1 x 4 x 1 box: the top is 1 of 2 (4 + 4 + 1) = 18 units of area.
  box = trimesh.creation.box((1.0, 4.0, 1.0))
  points, normals = meshes.sample_surface(box, 20000, seed=3)
  top = normals[:, 1] > 0.5
  np.testing.assert_allclose(top.mean(), 1.0 / 18.0, atol=0.006)
  np.testing.assert_allclose(points[top, 1], 2.0)
  np.testing.assert_allclose(points[top].mean(axis=0), [0, 2, 0], atol=0.03)
  np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1.0)


def test_samples_follow_the_seed():
  box = trimesh.creation.box((1, 1, 1))
  first, again, other = (
    meshes.sample_surface(box, 100, seed)[0] for seed in (1, 1, 2)
  )
  np.testing.assert_array_equal(first, again)
  assert np.abs(first - other).max() > 0.1


def test_transform_moves_a_copy():
  # A quarter turn about +y takes +x to -z; then 2 x, then the shift.
  box = trimesh.creation.box((2.0, 2.0, 2.0))
  box.visual.face_colors = [10, 20, 30, 255]
  quarter = np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]])
  moved = meshes.transform(box, quarter, (1.0, 2.0, 3.0), scale=2.0)
  expected = 2.0 * box.vertices @ quarter.T + [1.0, 2.0, 3.0]
  np.testing.assert_allclose(moved.vertices, expected)
  np.testing.assert_array_equal(
    moved.visual.face_colors, box.visual.face_colors
  )
  np.testing.assert_allclose(box.bounds, [[-1] * 3, [1] * 3])


@pytest.mark.parametrize('extension', ['obj', 'glb', 'ply', 'off'])
def test_without_materials_the_surface_is_the_same(extension, tmp_path):
  path = str(tmp_path / f'box.{extension}')
  trimesh.creation.box([1.0, 2.0, 3.0]).export(path)
  full, bare = (meshes.load(path, with_materials=w) for w in (True, False))
  np.testing.assert_array_equal(full.vertices, bare.vertices)
  np.testing.assert_array_equal(full.faces, bare.faces)


def test_without_materials_no_texture_is_read(tmp_path):
  box = trimesh.creation.box([1.0, 2.0, 3.0])
  image = Image.fromarray(np.zeros((4, 4, 3), np.uint8))
  box.visual = trimesh.visual.TextureVisuals(
    np.zeros((len(box.vertices), 2)), image=image
  )
  path = str(tmp_path / 'box.obj')
  box.export(path)
  sizes = [
    meshes.load(path, with_materials=w).visual.material.image.size
    for w in (True, False)
  ]
  assert sizes[0] == (4, 4) != sizes[1]
