"""Measurements of the manifest."""

import numpy as np
import pytest
import trimesh

from mask2cad_tf.geometry import meshes
from tfrecords_tools.cad_sources import measurements


def _box(extents, center=(0, 0, 0)):
  box = trimesh.creation.box(extents)
  return trimesh.Trimesh(box.vertices + center, box.faces, process=False)


def _save(root, path, mesh):
  (root / path).parent.mkdir(parents=True, exist_ok=True)
  mesh.export(root / path)


def test_a_box(tmp_path):
  _save(tmp_path, 'table/a/m.ply', _box((1, 2, 3)))
  fields = measurements.measure(str(tmp_path), 'table/a', ('m.ply',))
  assert fields == {
    'meshes': ['table/a/m.ply'],
    'representative': 'table/a/m.ply',
    'triangles': 12,
    'size': [1.0, 2.0, 3.0],
    'symmetry': 2,
    'mirror_normal': [1.0, 0.0, 0.0],
    'chiral': False,
    'stray_geometry': [0.0],
  }


def test_a_chiral_cad(tmp_path):
  # An L on the floor with legs of 2 and 1, and a tower on one end.
  mesh = trimesh.util.concatenate(
    [
      _box((2, 0.2, 0.4)),
      _box((0.4, 0.2, 1), (-0.8, 0, 0.7)),
      _box((0.4, 1, 0.4), (0.8, 0.6, 0)),
    ]
  )
  _save(tmp_path, 'desk/a/m.ply', mesh)
  fields = measurements.measure(str(tmp_path), 'desk/a', ('m.ply',))
  assert fields['chiral']
  assert fields['mirror_normal'] == [0.0, 0.0, 0.0]
  assert fields['symmetry'] == 1


def test_a_sliver_far_away_is_stray():
  sliver = trimesh.Trimesh(
    [[0, 0, 0], [0.0001, 0, 0], [0, 0, 9]], [[0, 1, 2]], process=False
  )
  stray = trimesh.util.concatenate([_box((1, 1, 1)), sliver])
  # Of 9.5 along z only 1 holds surface: 1 - 1 / 9.5 = 0.895.
  assert measurements.stray_shares([stray])[0] == pytest.approx(0.895, abs=0.02)


def test_thin_legs_are_no_stray_geometry():
  table = trimesh.util.concatenate(
    [_box((2, 0.05, 1))]
    + [
      _box((0.04, 0.7, 0.04), (x, -0.37, z))
      for x in (-0.9, 0.9)
      for z in (-0.4, 0.4)
    ]
  )
  assert measurements.stray_shares([table])[0] < 0.05


def test_variants_judge_each_other():
  # The seat of the third stands 9 away from its foot: not a sliver, but no
  # other variant is like it. 10 against a median of 2: 1 - 2 / 10.
  variants = [
    trimesh.util.concatenate([_box((1, 1, 1)), _box((1, 1, 1), (0, up, 0))])
    for up in (1, 1, 9)
  ]
  shares = measurements.stray_shares(variants)
  np.testing.assert_allclose(shares, [0.0, 0.0, 0.8], atol=0.01)
  assert measurements.stray_shares(variants[1:])[1] < 0.1


def test_a_flat_cad_has_no_stray_thickness():
  flat = trimesh.Trimesh(
    [[0, 0, 0], [1, 0, 0], [0, 0, 1], [1, 0, 1]], [[0, 1, 2], [1, 3, 2]]
  )
  assert measurements.stray_shares([flat])[0] < 0.01


def test_near_duplicates_name_the_first(tmp_path):
  paths = []
  for name, extents in (
    ('a', (1, 2, 3)),
    ('b', (2, 1, 1)),
    ('c', (1.01, 2, 3)),
  ):
    paths.append(f'table/{name}/m.ply')
    _save(tmp_path, paths[-1], _box(extents))
  assert measurements.groups(str(tmp_path), paths) == [0, 1, 0]


def test_a_broken_variant_is_named(tmp_path):
  _save(tmp_path, 'table/a/m.ply', _box((1, 2, 3)))
  (tmp_path / 'table/a/n.ply').write_text('no ply')
  with pytest.raises(meshes.MeshError, match='n.ply'):
    measurements.measure(str(tmp_path), 'table/a', ('m.ply', 'n.ply'))
