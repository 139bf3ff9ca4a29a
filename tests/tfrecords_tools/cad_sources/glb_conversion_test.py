"""OBJ to GLB."""

import io

import numpy as np
import pytest
import trimesh

from mask2cad_tf.geometry import meshes
from tests.tfrecords_tools.cad_sources import toy_catalogues
from tfrecords_tools.cad_sources import glb_conversion

_TRIANGLE = (
  b'mtllib m.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\n'
  b'vt 0 0\nvt 1 0\nvt 0 1\nusemtl a\nf 1/1 2/2 3/3\n'
)


def _reader(**files):
  def read(name):
    if name.replace('.', '_') not in files:
      raise FileNotFoundError(name)
    return files[name.replace('.', '_')]

  return read


def _material(mtl, **files):
  (part,) = glb_conversion.read_obj(
    _TRIANGLE, _reader(m_mtl=mtl, **files), 'x.obj'
  )
  data = glb_conversion.glb([part])
  scene = trimesh.load_scene(io.BytesIO(data), file_type='glb', process=False)
  (found,) = scene.dump()
  return found.visual.material


def test_colours_become_linear():
  material = _material(b'newmtl a\nKd 1 0.5 0\nd 0.25\n')
  half = round(255 * toy_catalogues.srgb_to_linear(0.5))
  assert material.baseColorFactor.tolist() == [255, half, 0, 64]
  assert material.alphaMode == 'BLEND'
  assert material.metallicFactor == 0.0
  assert material.doubleSided


def test_a_texture_is_shrunk_and_overrules_the_colour():
  big = toy_catalogues.png((200, 100, 50), (1024, 256))
  material = _material(b'newmtl a\nKd 0 0 0\nmap_Kd t.png\n', t_png=big)
  image = material.baseColorTexture
  assert image.size == (512, 128)
  np.testing.assert_allclose(
    np.asarray(image)[5, 5].astype(int), (200, 100, 50), atol=3
  )
  assert material.baseColorFactor[:3].tolist() == [255, 255, 255]


def test_a_see_through_texture_keeps_its_alpha():
  leaf = toy_catalogues.png((0, 200, 0, 0))
  material = _material(b'newmtl a\nmap_Kd t.png\n', t_png=leaf)
  assert material.alphaMode == 'MASK'
  assert material.baseColorTexture.mode == 'RGBA'


def test_a_path_of_the_authors_machine_is_found_beside_the_obj():
  wood = toy_catalogues.png((90, 60, 30))
  material = _material(
    rb'newmtl a' + b'\nmap_Kd C:\\Users\\me\\t.png\n', t_png=wood
  )
  assert material.baseColorTexture is not None


@pytest.mark.parametrize('files', [{}, {'t_png': b'no picture'}])
def test_a_missing_texture_leaves_the_colour(files):
  material = _material(b'newmtl a\nKd 1 1 0\nmap_Kd t.png\n', **files)
  assert material.baseColorTexture is None
  assert material.baseColorFactor.tolist() == [255, 255, 0, 255]


@pytest.mark.parametrize(
  'lines, expected',
  [
    (b'Ns 98\n', round((2 / 100) ** 0.5, 3)),  # 0.141 -> 0.2, clipped
    (b'Ns 6\n', 0.5),  # sqrt(2 / 8)
    (b'Ns 6\nKs 0 0 0\n', 0.95),
    (b'Ns broken\n', round((2 / 12) ** 0.5, 3)),
  ],
)
def test_roughness_from_the_highlight(lines, expected):
  material = _material(b'newmtl a\n' + lines)
  assert material.roughnessFactor == pytest.approx(max(expected, 0.2))


def test_parts_keep_vertices_and_materials():
  parts = glb_conversion.read_obj(
    toy_catalogues.chair_obj(),
    _reader(chair_mtl=toy_catalogues.CHAIR_MTL),
    'chair.obj',
  )
  assert {part.material.name for part in parts} == {'seat', 'back', 'knob'}
  np.testing.assert_array_equal(
    glb_conversion.bounds(parts), [[0, 0, 0], [4, 6, 4]]
  )


def test_invisible_parts_are_left_out():
  parts = glb_conversion.read_obj(
    toy_catalogues.chair_obj(),
    _reader(chair_mtl=b'newmtl seat\nd 0\nnewmtl back\nnewmtl knob\n'),
    'chair.obj',
  )
  assert len(parts) == 2


def test_normals_of_the_file_are_kept():
  obj = _TRIANGLE.replace(b'f 1/1 2/2 3/3', b'vn 0 3 4\nf 1/1/1 2/2/1 3/3/1')
  parts = glb_conversion.read_obj(obj, _reader(m_mtl=b'newmtl a\n'), 'x')
  np.testing.assert_allclose(parts[0].normals, [[0, 0.6, 0.8]] * 3)
  # Twice as high: the plane (0, 3, 4) . v = c becomes (0, 1.5, 4) . v = c.
  (moved,) = glb_conversion.move(parts, np.diag([1.0, 2.0, 1.0, 1.0]))
  np.testing.assert_allclose(
    moved.normals, [np.array([0, 1.5, 4]) / np.hypot(1.5, 4)] * 3
  )
  data = glb_conversion.glb([moved])
  scene = trimesh.load_scene(io.BytesIO(data), file_type='glb', process=False)
  (stored,) = scene.geometry.values()
  np.testing.assert_allclose(stored.vertex_normals, moved.normals, atol=1e-6)


@pytest.mark.parametrize(
  'obj, reason',
  [
    (b'', 'x.obj'),
    (b'\x00\xff garbage', 'x.obj'),
    (b'v 0 0 0\nv 1 0 0\nv 0 1 0\n', 'x.obj'),
    (b'v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n', 'no surface'),
    (b'v 0 0 0\nv nan 0 0\nv 0 1 0\nf 1 2 3\n', 'NaN'),
  ],
)
def test_broken_files_are_named(obj, reason):
  with pytest.raises(meshes.MeshError, match=reason) as error:
    glb_conversion.read_obj(obj, _reader(), 'x.obj')
  assert 'x.obj' in str(error.value)


def test_equal_input_gives_equal_bytes():
  def convert():
    parts = glb_conversion.read_obj(
      toy_catalogues.chair_obj(),
      _reader(chair_mtl=toy_catalogues.CHAIR_MTL),
      'chair.obj',
    )
    return glb_conversion.glb(parts)

  assert convert() == convert()
