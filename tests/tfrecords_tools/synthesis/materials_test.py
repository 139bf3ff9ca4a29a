import dataclasses

import numpy as np
import pytest
import trimesh

from mask2cad_tf.geometry.furniture import catalogue
from tfrecords_tools.synthesis import library
from tfrecords_tools.synthesis import materials
from tfrecords_tools.synthesis import mesh_groups
from tfrecords_tools.synthesis import textures

_BANK = textures.TextureBank()


def _geometry(mesh, parts, uv=None):
  vertices = np.float32(mesh.vertices)
  return library.CadGeometry(
    vertices,
    np.int32(mesh.faces),
    parts,
    uv,
    vertices.min(axis=0).astype(float),
    vertices.max(axis=0).astype(float),
  )


def _colored(cad_id='chair/' + 'x'):
  """A catalogue CAD whose parts are its colours."""
  mesh = catalogue.build(cad_id)
  rgb, which = np.unique(
    mesh.visual.face_colors[:, :3], axis=0, return_inverse=True
  )
  which = which.reshape(-1)
  parts = [
    (np.flatnonzero(which == i), np.float32(color / 255), None)
    for i, color in enumerate(rgb)
  ]
  return _geometry(mesh, parts)


def _chair():
  return _colored(
    next(e.cad_id for e in catalogue.entries() if e.label_name == 'chair')
  )


def _textured():
  """As Sweet Home 3D's: one part with an image, one with a colour."""
  mesh = trimesh.creation.box()
  image = np.random.default_rng(0).integers(0, 255, (8, 8, 3), np.uint8)
  parts = [
    (np.arange(6), None, image),
    (np.arange(6, 12), np.float32([0.2, 0.3, 0.4]), None),
  ]
  return _geometry(mesh, parts, np.float32(mesh.vertices[:, :2])), image


def _check_material(material):
  assert material.color.shape == (3,) and material.color.dtype == np.float32
  assert np.all(material.color >= 0) and np.all(material.color <= 0.9 + 1e-6)
  assert 0 <= material.roughness <= 1 and 0 <= material.specular <= 1
  assert material.metallic in (0, 1) and material.emission >= 0
  assert material.texture_size > 0
  if material.texture is not None:
    assert material.texture.dtype == np.uint8
    assert material.texture.shape[2] == 3


def _check_cover(dressed, count):
  faces = np.concatenate([d[0] for d in dressed])
  np.testing.assert_array_equal(np.sort(faces), np.arange(count))


@pytest.mark.parametrize('kind', materials.KINDS)
def test_drawn_materials_are_in_range(kind):
  for seed in range(25):
    _check_material(materials.draw(np.random.default_rng(seed), _BANK, kind))


def test_only_metals_are_metallic():
  for seed in range(10):
    rng = np.random.default_rng(seed)
    assert materials.draw(rng, _BANK, 'metal').metallic == 1
    assert materials.draw(rng, _BANK, 'wood').metallic == 0


def test_unknown_kinds_are_named():
  with pytest.raises(ValueError, match='cheese'):
    materials.draw(np.random.default_rng(0), _BANK, 'cheese')


@pytest.mark.parametrize('label_name', ['chair', 'sofa', 'bed', 'never heard'])
def test_every_face_has_one_material(label_name):
  geometry = _chair()
  bare = dataclasses.replace(geometry, parts=[])
  for seed in range(20):
    for one in (geometry, bare, _textured()[0]):
      rng = np.random.default_rng(seed)
      dressed = materials.dress(rng, _BANK, one, label_name)
      _check_cover(dressed, len(one.faces))
      for _, material, _ in dressed:
        _check_material(material)


def test_faces_outside_of_all_parts_are_dressed_too():
  mesh = trimesh.creation.box()
  geometry = _geometry(mesh, [(np.arange(4), np.ones(3), None)] * 1)
  for seed in range(8):
    rng = np.random.default_rng(seed)
    _check_cover(materials.dress(rng, _BANK, geometry, 'table'), 12)


def test_own_looks_stay_about_half_of_the_time():
  geometry, image = _textured()
  kept = 0
  for seed in range(200):
    dressed = materials.dress(
      np.random.default_rng(seed), _BANK, geometry, 'sofa'
    )
    own = [d for d in dressed if d[2]]
    kept += len(own)
    for faces, material, _ in own:
      np.testing.assert_array_equal(faces, np.arange(6))
      np.testing.assert_array_equal(material.texture, image)
      assert np.ptp(material.color) < 1e-6  # the image is not tinted
  assert 70 < kept < 130


def test_own_colours_keep_their_hue():
  geometry = _textured()[0]
  for seed in range(20):
    dressed = materials.dress(
      np.random.default_rng(seed), _BANK, geometry, 'sofa'
    )
    if dressed[0][2]:
      color = dressed[1][1].color
      np.testing.assert_allclose(color / color[0], [1, 1.5, 2], rtol=1e-5)


def test_without_uv_nobody_is_asked_to_use_them():
  geometry = dataclasses.replace(_textured()[0], uv=None)
  for seed in range(10):
    rng = np.random.default_rng(seed)
    dressed = materials.dress(rng, _BANK, geometry, 'sofa')
    assert not any(use_uv for _, _, use_uv in dressed)


def test_equal_seeds_dress_equally():
  geometry = _chair()
  one, two = (
    materials.dress(np.random.default_rng(3), _BANK, geometry, 'chair')
    for _ in range(2)
  )
  assert len(one) == len(two)
  for (f, m, u), (g, n, v) in zip(one, two):
    np.testing.assert_array_equal(f, g)
    np.testing.assert_array_equal(m.color, n.color)
    assert m.roughness == n.roughness and u == v


def test_cads_without_parts_get_few_materials():
  bare = dataclasses.replace(_chair(), parts=[])
  for seed in range(20):
    rng = np.random.default_rng(seed)
    assert 1 <= len(materials.dress(rng, _BANK, bare, 'chair')) <= 4


def test_loose_boxes_are_components_and_creases_do_not_split():
  boxes = [trimesh.creation.box() for _ in range(2)]
  boxes[1].apply_translation([3, 0, 0])
  # As files with flat shading have it: every face has its own vertices.
  soup = np.concatenate([b.triangles.reshape(-1, 3) for b in boxes])
  faces = np.arange(len(soup)).reshape(-1, 3)
  number = mesh_groups.components(soup, faces)
  assert len(set(number[:12])) == 1 and len(set(number[12:])) == 1
  assert number[0] != number[12]


def test_areas_by_hand():
  # The unit cube's faces have area 1, two triangles each.
  box = trimesh.creation.box()
  groups = [np.arange(4), np.arange(4, 12)]
  np.testing.assert_allclose(
    mesh_groups.areas(box.vertices, box.faces, groups), [2, 4]
  )


def test_groups_hold_each_face_once():
  chair = _chair()
  for seed in range(10):
    groups = mesh_groups.split(
      np.random.default_rng(seed), chair.vertices, chair.faces
    )
    np.testing.assert_array_equal(
      np.sort(np.concatenate(groups)), np.arange(len(chair.faces))
    )
