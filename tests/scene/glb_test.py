"""scene.glb and scene.json: what is written is where it should be."""

import json
import os
import struct

import numpy as np
import pytest
import trimesh
from PIL import Image

from mask2cad_tf.geometry import posed_cad
from mask2cad_tf.scene import cad_meshes
from mask2cad_tf.scene import glb
from mask2cad_tf.scene import masks
from mask2cad_tf.scene import overlay
from mask2cad_tf.scene import photo as photo_lib
from mask2cad_tf.scene import scene_folder
from mask2cad_tf.scene import scene_json
from tests.scene import wheel_scene

_CAMERA = photo_lib.Camera(
  np.array([100.0, 110.0, 60.0, 45.0]), 120, 80, 'flag'
)
_MODEL = {'name': 'm', 'gallery_version': 'g', 'package_version': 'p'}


def _read_tree(path):
  with open(path, 'rb') as file:
    content = file.read()
  (length,) = struct.unpack('<I', content[12:16])
  return json.loads(content[20 : 20 + length])


def _box_scene(tmp_path, mesh, rotation=None, translation=(0.0, 0.0, 4.0)):
  path = str(tmp_path / 'cad.glb')
  mesh.export(path)
  cads = cad_meshes.CadMeshes(lambda cad_id: path)
  cad = posed_cad.PosedCad(
    3,
    'chair/box',
    'cad.glb',
    np.eye(3) if rotation is None else rotation,
    np.array(translation),
    np.zeros(4),
  )
  out = str(tmp_path / 'scene.glb')
  glb.write(out, [cad], cads, _CAMERA)
  return out


@pytest.mark.parametrize('index', range(wheel_scene.NUM_PHOTOS))
def test_written_files_cover_the_true_mask(tmp_path, index):
  photo, found = wheel_scene.load(index)
  scene_folder.write(str(tmp_path), photo, [found], wheel_scene.cads(), _MODEL)
  silhouette = glb.scene_silhouette(str(tmp_path))
  mask = found.cad.mask
  assert (silhouette & mask).sum() / (silhouette | mask).sum() > 0.98


def test_axes_are_gltfs(tmp_path):
  # 1 to the left, 2 up, 4 before our camera: glTF's right is +x, its front -z.
  out = _box_scene(
    tmp_path, trimesh.creation.box((0.2, 0.2, 0.2)), translation=(1.0, 2.0, 4.0)
  )
  center = trimesh.load_scene(out).bounds.mean(axis=0)
  np.testing.assert_allclose(center, [-1.0, 2.0, -4.0], atol=1e-6)


def test_handedness_is_kept(tmp_path):
  # The half turn is a rotation: no CAD is mirrored, normals stay outside.
  out = _box_scene(tmp_path, trimesh.creation.box((1.0, 2.0, 3.0)))
  assert trimesh.load_scene(out).to_mesh().volume == pytest.approx(6.0)
  assert glb.read_objects(out).volume == pytest.approx(6.0)


def test_one_named_node_an_object_and_the_camera(tmp_path):
  photo, found = wheel_scene.load(0)
  out = str(tmp_path / 'scene.glb')
  credit = {'creator': 'A. Smith', 'licence': 'CC BY 4.0'}
  cads = cad_meshes.CadMeshes(wheel_scene.cads().mesh_path, lambda _: credit)
  glb.write(out, [found.cad, found.cad], cads, photo.camera)
  names = set(trimesh.load_scene(out).graph.nodes_geometry)
  assert names == {'bed/IKEA_MALM_2', 'bed/IKEA_MALM_2#2'}
  tree = _read_tree(out)
  extras = [node['extras'] for node in tree['nodes'] if 'mesh' in node]
  assert extras == [{'cad_id': 'bed/IKEA_MALM_2', **credit}] * 2
  assert [n for n in tree['nodes'] if n.get('camera') == 0]


def test_camera_has_the_photos_field_of_view(tmp_path):
  out = _box_scene(tmp_path, trimesh.creation.box())
  (camera,) = _read_tree(out)['cameras']
  lens = camera['perspective']
  # tan(yfov / 2) = 40 / 110; aspect = (120 / 100) / (80 / 110) = 1.65.
  assert np.tan(lens['yfov'] / 2) == pytest.approx(40 / 110)
  assert lens['aspectRatio'] == pytest.approx(1.65)
  assert camera['extras']['cx'] == 60.0


@pytest.mark.parametrize('kind', ['face', 'vertex'])
def test_colours_of_faces_survive(tmp_path, kind):
  mesh = trimesh.creation.icosphere(1)
  mesh.unmerge_vertices()
  colors = np.random.default_rng(0).integers(0, 256, (80, 4), np.uint8)
  colors[:, 3] = 255
  given = {
    'face': {'face_colors': colors},
    'vertex': {'vertex_colors': np.repeat(colors, 3, axis=0)},
  }
  colored = trimesh.Trimesh(
    mesh.vertices, mesh.faces, process=False, **given[kind]
  )
  cads = cad_meshes.CadMeshes(str)
  cads.mesh = lambda _: colored
  cad = posed_cad.PosedCad(
    1, 'c/d', '', np.eye(3), np.array([0, 0, 4.0]), np.zeros(4)
  )
  out = str(tmp_path / 'scene.glb')
  glb.write(out, [cad], cads, _CAMERA)
  (loaded,) = trimesh.load_scene(out, process=False).dump()
  by_corner = loaded.visual.to_color().vertex_colors[loaded.faces]
  for corner in range(3):
    np.testing.assert_array_equal(by_corner[:, corner], colors)


def test_texture_survives(tmp_path):
  mesh = trimesh.creation.box()
  image = Image.new('RGB', (4, 4), (10, 200, 30))
  mesh.visual = trimesh.visual.TextureVisuals(
    uv=np.random.default_rng(0).random((8, 2)), image=image
  )
  (loaded,) = trimesh.load_scene(_box_scene(tmp_path, mesh)).dump()
  texture = np.asarray(loaded.visual.material.baseColorTexture.convert('RGB'))
  assert tuple(texture[0, 0]) == (10, 200, 30)


def test_faces_are_seen_from_both_sides(tmp_path):
  out = _box_scene(tmp_path, trimesh.creation.box())
  tree = _read_tree(out)
  assert all(m['doubleSided'] for m in tree['materials'])
  assert all('material' in p for m in tree['meshes'] for p in m['primitives'])


def test_a_scene_without_objects(tmp_path):
  photo, _ = wheel_scene.load(0)
  scene_folder.write(str(tmp_path), photo, [], wheel_scene.cads(), _MODEL)
  assert not glb.scene_silhouette(str(tmp_path)).any()
  assert _read_tree(tmp_path / 'scene.glb')['cameras']
  np.testing.assert_array_equal(
    np.asarray(Image.open(tmp_path / 'overlay.png')), photo.image
  )


def test_json_says_what_was_found(tmp_path):
  photo, found = wheel_scene.load(0)
  scene = scene_json.describe(photo, [found], _MODEL)
  path = str(tmp_path / 'scene.json')
  scene_json.dump(scene, path)
  assert scene_json.load(path) == scene
  (thing,) = scene['objects']
  assert set(thing) == {
    'label',
    'score',
    'box',
    'mask',
    'cad_id',
    'mesh',
    'similarity',
    'candidates',
    'confident',
    'rotation',
    'quaternion',
    'translation',
    'scale',
    'depth_source',
    'center',
  }
  assert thing['box'] == [4, 22, 362, 228]  # Pix3D's own x0, y0, x1, y1
  assert scene['image'] == {'path': photo.path, 'width': 395, 'height': 244}
  assert scene['camera']['source'] == 'flag'
  np.testing.assert_array_equal(masks.decode_rle(thing['mask']), found.cad.mask)
  w, x, y, z = thing['quaternion']
  assert thing['rotation'][1][0] == pytest.approx(2 * (x * y + w * z), abs=1e-6)
  np.testing.assert_array_equal(
    scene_json.intrinsics(scene), photo.camera.intrinsics
  )


def test_json_that_is_none_is_told(tmp_path):
  path = tmp_path / 'scene.json'
  with pytest.raises(FileNotFoundError, match='mask2cad_tf.predict'):
    scene_json.load(str(path))
  for content, message in (('{"a', 'is not JSON'), ('{}', 'lacks')):
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
      scene_json.load(str(path))


def test_failure_keeps_the_earlier_files(tmp_path, monkeypatch):
  photo, found = wheel_scene.load(0)
  folder = str(tmp_path / 'out')
  scene_folder.write(folder, photo, [found], wheel_scene.cads(), _MODEL)
  before = {
    name: os.stat(os.path.join(folder, name)).st_mtime_ns
    for name in os.listdir(folder)
  }
  assert set(before) == {'overlay.png', 'scene.glb', 'scene.html', 'scene.json'}

  def fail(*_):
    raise OSError('disk full')

  monkeypatch.setattr(scene_json, 'dump', fail)
  for target in (folder, str(tmp_path / 'new')):
    with pytest.raises(OSError, match='disk full'):
      scene_folder.write(target, photo, [found], wheel_scene.cads(), _MODEL)
  after = {
    name: os.stat(os.path.join(folder, name)).st_mtime_ns
    for name in os.listdir(folder)
  }
  assert after == before
  assert os.listdir(tmp_path) == ['out']


def test_overlay_draws_inside_and_leaves_outside():
  photo, found = wheel_scene.load(0)
  image = overlay.draw(photo, [found], wheel_scene.cads())
  assert image.size == (395, 244)
  changed = (np.asarray(image) != photo.image).any(axis=-1)
  assert changed[found.cad.mask].mean() > 0.99
  assert not changed[-12:, -30:].any()


def test_overlay_puts_the_nearer_cad_in_front(tmp_path):
  path = str(tmp_path / 'box.ply')
  trimesh.creation.box().export(path)
  cads = cad_meshes.CadMeshes(lambda _: path)
  photo, found = wheel_scene.load(0)
  center = photo.camera.intrinsics[2:].astype(int)

  def draw(depths):
    objects = [
      type(found)(
        posed_cad.PosedCad(
          1,
          f'bed/{z}',
          '',
          np.eye(3),
          np.array([0, 0, z]),
          np.array([200.0, 0, 230, 20]),
          mask=found.cad.mask & False,
          center=center,
        ),
        'bed',
        found.candidates,
        'flag',
      )
      for z in depths
    ]
    return np.asarray(overlay.draw(photo, objects, cads))[center[1], center[0]]

  first, second = draw([4.0, 9.0]), draw([9.0, 4.0])
  assert first[2] > first[0]  # blue, the first object's colour, is nearer
  assert second[0] > second[2]  # orange, the second object's
