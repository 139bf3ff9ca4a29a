"""The embedded furniture library."""

import collections
import io
import itertools
import os
import re

import numpy as np
import pytest
import trimesh

from mask2cad_tf import conventions
from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import catalogue
from mask2cad_tf.geometry.furniture import design
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import paths
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import supports
from mask2cad_tf.geometry.furniture import surfaces

# Left and right differ on purpose: ladders and stairs, returns and one-sided
# pedestals, books, spouts and handles, coats, overlapping doors.
_LOPSIDED = re.compile(
  r'bed/bunk|bookcase/(case_.*(books|hairpin3)|cubes|snake|tree)'
  r'|desk/(corner|door|drawers|frame|panel|sled|tapered|.*tower)'
  r'|misc/(jug|lamp_arc|mug|teacup|teapot)|sofa/(chaise|corner)'
  r'|tool/brush_roller|wardrobe/(open|rack|sliding|hinged|chest5x2_door)'
)


@pytest.fixture(scope='module')
def library():
  """Every model of seed 0 by its CAD id."""
  return {e.cad_id: e.builder() for e in catalogue.entries()}


def test_counts_per_class(library):
  counts = collections.Counter(i.split('/')[0] for i in library)
  assert set(counts) == set(conventions.PIX3D_CLASSES)
  assert sum(counts.values()) >= 300
  for label_name, count in counts.items():
    assert count >= (12 if label_name in ('misc', 'tool') else 35), label_name


def test_entries_are_sorted_and_named_by_class():
  entries = catalogue.entries()
  ids = [e.cad_id for e in entries]
  assert ids == sorted(set(ids))
  for entry in entries:
    assert re.fullmatch(r'[a-z]+/[a-z0-9_]+', entry.cad_id)
    assert entry.label_name == entry.cad_id.split('/')[0]


def test_triangles_are_sound(library):
  for cad_id, mesh in library.items():
    assert 100 <= len(mesh.faces) <= 5000, (cad_id, len(mesh.faces))
    assert np.isfinite(mesh.vertices).all(), cad_id
    assert mesh.area_faces.min() > 0, cad_id
    assert mesh.faces.max() == len(mesh.vertices) - 1, cad_id


def test_parts_face_outwards(library):
  # The signed volume of closed shells is positive if all wind outwards.
  for cad_id, mesh in library.items():
    labels = trimesh.graph.connected_component_labels(
      mesh.edges_unique, len(mesh.vertices)
    )
    a, b, c = mesh.vertices[mesh.faces].transpose(1, 0, 2)
    volumes = np.einsum('ij,ij->i', a, np.cross(b, c)) / 6
    shells = np.bincount(labels[mesh.faces[:, 0]], volumes)
    assert shells.min() > -1e-12, cad_id


def test_origin_is_the_centre_of_the_box(library):
  for cad_id, mesh in library.items():
    np.testing.assert_allclose(mesh.bounds.sum(0), 0, atol=1e-6, err_msg=cad_id)


def test_sizes_are_those_of_furniture(library):
  ranges = {
    'bed': (1.2, 3.2),
    'bookcase': (0.6, 2.6),
    'chair': (0.4, 1.4),
    'desk': (0.95, 2.0),
    'misc': (0.07, 2.1),
    'sofa': (0.6, 4.2),
    'table': (0.4, 2.2),
    'tool': (0.15, 1.7),
    'wardrobe': (0.7, 2.8),
  }
  for cad_id, mesh in library.items():
    low, high = ranges[cad_id.split('/')[0]]
    assert low <= mesh.extents.max() <= high, (cad_id, mesh.extents)


def test_left_right_symmetry(library):
  # Each vertex, mirrored, lies on the surface of the model; the handle of a
  # single door is the largest exception among the symmetric ones.
  rng = np.random.default_rng(0)
  names = [i for i in sorted(library) if not _LOPSIDED.match(i)]
  for cad_id in rng.choice(names, 60, replace=False):
    mesh = library[cad_id]
    points = rng.permutation(mesh.vertices)[:60] * (-1, 1, 1)
    distance = trimesh.proximity.closest_point(mesh, points)[1]
    assert distance.max() < 0.01 * mesh.extents.max(), cad_id


def test_corner_sofas_lean_to_the_side_of_their_name(library):
  for cad_id, mesh in library.items():
    if cad_id.startswith('sofa/corner'):
      front = mesh.vertices[mesh.vertices[:, 2] < -0.35 * mesh.extents[2]]
      assert (front[:, 0].mean() < 0) == ('right' in cad_id), cad_id


def test_backs_are_behind(library):
  for cad_id, mesh in library.items():
    if re.match('chair/(dining|office|shell|cantilever)', cad_id):
      top = mesh.vertices[mesh.vertices[:, 1] > 0.4 * mesh.extents[1]]
      assert top[:, 2].mean() > 0, cad_id  # the front is at -z


def _share_within(points, mesh, distance):
  return (trimesh.proximity.closest_point(mesh, points)[1] < distance).mean()


def test_shapes_of_a_class_differ(library):
  # Scaled to longest edge 1, F1 at 1 % of it, points against surfaces. Boxes
  # that differ by more than 2 % need no closer look.
  unit = {
    i: mesh.copy().apply_scale(1 / mesh.extents.max())
    for i, mesh in library.items()
  }
  alike = [
    (a, b)
    for a, b in itertools.combinations(sorted(unit), 2)
    if a.split('/')[0] == b.split('/')[0]
    and np.abs(unit[a].extents - unit[b].extents).max() < 0.02
  ]
  assert alike
  points = {
    i: trimesh.sample.sample_surface(unit[i], 150, seed=0)[0]
    for i in set(itertools.chain(*alike))
  }
  for a, b in alike:
    precision = _share_within(points[a], unit[b], 0.01)
    if precision < 0.96:  # then F1 < 2 * 0.96 / 1.96 = 0.98
      continue
    recall = _share_within(points[b], unit[a], 0.01)
    assert 2 * precision * recall / (precision + recall) < 0.98, (a, b)


@pytest.mark.parametrize(
  'cad_id',
  ['chair/office_mesh_loop', 'bed/cot_flat', 'sofa/corner2_square_right'],
)
def test_seed_alone_decides(cad_id):
  first, again = catalogue.build(cad_id, 3), catalogue.build(cad_id, 3)
  np.testing.assert_array_equal(first.vertices, again.vertices)
  np.testing.assert_array_equal(
    first.visual.face_colors, again.visual.face_colors
  )
  other = catalogue.build(cad_id, 4)
  assert not np.allclose(first.extents, other.extents)


def test_other_seeds_build_everything():
  for entry in catalogue.entries(seed=11)[::6]:
    mesh = entry.builder()
    assert np.isfinite(mesh.vertices).all()
    assert 100 <= len(mesh.faces) <= 5000, (entry.cad_id, len(mesh.faces))


def test_unknown_id_is_named():
  with pytest.raises(KeyError, match='chair/throne'):
    catalogue.build('chair/throne')


def _colored_triangles(scene):
  """Triangle counts by linear RGBA and the names of the materials."""
  counts = collections.Counter()
  for mesh in scene.geometry.values():
    counts[tuple(mesh.visual.material.baseColorFactor)] += len(mesh.faces)
  return counts


def test_library_on_disk(tmp_path, library):
  root = str(tmp_path / 'library')
  ids = catalogue.write_library(root, class_names=['tool', 'chair'])
  assert ids == [i for i in sorted(library) if i.startswith(('chair', 'tool'))]
  assert sorted(os.listdir(root)) == ['chair', 'tool']
  for cad_id in ids:
    assert os.listdir(os.path.join(root, cad_id)) == ['model.glb'], cad_id
  for cad_id in ids[::8]:
    scene = trimesh.load_scene(os.path.join(root, cad_id, 'model.glb'))
    mesh = library[cad_id]
    expected = collections.Counter(map(tuple, mesh.visual.face_colors))
    assert _colored_triangles(scene) == expected
    np.testing.assert_allclose(scene.bounds, mesh.bounds, atol=1e-6)
    for node, part in scene.geometry.items():
      assert part.visual.material.name == node


def test_glb_normals_round_cylinders_and_keep_rims():
  model = assembly.Assembly()
  model.add(materials.named('wood', 'oak'), surfaces.lathe([(1, 0), (1, 2)]))
  scene = trimesh.load_scene(io.BytesIO(model.to_glb()), file_type='glb')
  (mesh,) = scene.geometry.values()
  side = np.abs(mesh.face_normals[:, 1]) < 0.5
  assert side.sum() == 32 and len(mesh.faces) == 64
  normals = mesh.vertex_normals[mesh.faces]  # [faces, corners, 3]
  radial = mesh.vertices[mesh.faces][side] * (1, 0, 1)
  np.testing.assert_allclose(normals[side], radial, atol=1e-5)
  np.testing.assert_allclose(np.abs(normals[~side][..., 1]), 1, atol=1e-5)


def test_bytes_repeat_and_files_stay(tmp_path):
  for name in ('a', 'b'):
    catalogue.write_library(str(tmp_path / name), class_names=['misc'])
  for path in (tmp_path / 'a').rglob('*.glb'):
    twin = tmp_path / 'b' / path.relative_to(tmp_path / 'a')
    assert path.read_bytes() == twin.read_bytes()
  kept = tmp_path / 'a' / 'misc' / 'mug' / 'model.glb'
  lost = tmp_path / 'a' / 'misc' / 'bowl' / 'model.glb'
  kept.write_bytes(b'mine')
  lost.unlink()
  catalogue.write_library(str(tmp_path / 'a'), class_names=['misc'])
  assert kept.read_bytes() == b'mine'
  assert (
    lost.read_bytes()
    == (tmp_path / 'b' / 'misc' / 'bowl' / 'model.glb').read_bytes()
  )


def test_interrupted_write_leaves_nothing(tmp_path, monkeypatch):
  def fail(source, target):
    raise OSError('disk full')

  monkeypatch.setattr(os, 'replace', fail)
  with pytest.raises(OSError, match='disk full'):
    catalogue.write_library(str(tmp_path), class_names=['tool'])
  assert not [f for f in tmp_path.rglob('*') if f.is_file()]


def test_unknown_class_is_named(tmp_path):
  with pytest.raises(ValueError, match='piano'):
    catalogue.write_library(str(tmp_path), class_names=['piano'])


# --- Primitives. ---


def _mesh(shape):
  return trimesh.Trimesh(*shape, process=False)


def test_box_volume():
  # Bevel b takes b^2 / 2 off each edge's length and a bit at the corners;
  # without bevel the volume is 1 * 2 * 3.
  plain = _mesh(blocks.box((1, 2, 3), bevel=1e-9))
  assert plain.volume == pytest.approx(6, abs=1e-6)
  assert len(plain.faces) == 44  # 6 * 2 faces + 12 * 2 edges + 8 corners
  bevelled = _mesh(blocks.box((1, 2, 3), bevel=0.1))
  # 4 (1 + 2 + 3) of edge, .1^2 / 2 each; corner corrections are below .1^3 * 8.
  assert bevelled.volume == pytest.approx(6 - 24 * 0.005, abs=0.008)


@pytest.mark.parametrize(
  'shape',
  [
    blocks.box((0.1, 0.2, 0.3)),
    blocks.cushion((0.4, 0.1, 0.4), puff=(0, 0.02, 0)),
    blocks.cushion((0.1, 0.1, 0.1), radius=1),
    surfaces.lathe([(0.1, 0), (0.2, 0.1), (0, 0.3)]),
    surfaces.tube([(0, 0, 0), (0, 1, 0), (0, 1, 1)], 0.05),
    surfaces.tube(paths.arc(1, 0, 345, 24), 0.05, closed=True),
    surfaces.bar((0, 0, 0), (1, 1, 0), 0.1, 0.05, taper=0.5),
    surfaces.slab(surfaces.superellipse(1, 0.5, 4), 0.03),
    surfaces.panel([(-1, 0, 0), (1, 0, 0)], [(-1, 1, 0), (1, 2, 0)], 0.1),
  ],
  ids=[
    'box',
    'cushion',
    'ball',
    'lathe',
    'bent tube',
    'ring',
    'bar',
    'slab',
    'panel',
  ],
)
def test_solids_are_closed_and_face_outwards(shape):
  for solid in (shape, shapes.reflected(shape), shapes.rotated(shape, 'y', 30)):
    mesh = _mesh(solid)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.volume > 0


def test_lathe_makes_a_cylinder():
  # A prism over a regular n-gon: area n / 2 r^2 sin(2 pi / n), times height.
  mesh = _mesh(surfaces.lathe([(0.5, 0), (0.5, 2)], segments=16))
  area = 8 * 0.25 * np.sin(2 * np.pi / 16)
  assert mesh.volume == pytest.approx(2 * area)


def test_panel_between_lines():
  # A trapezium of width 2 and heights 1 and 2, thickness .1: 2 * 1.5 * .1.
  mesh = _mesh(
    surfaces.panel([(-1, 0, 0), (1, 0, 0)], [(-1, 1, 0), (1, 2, 0)], 0.1)
  )
  assert mesh.volume == pytest.approx(0.3)


def test_rotation_follows_the_right_hand():
  point = shapes.Shape(np.array([[0.0, 1, 0]]), np.zeros((0, 3), int))
  np.testing.assert_allclose(
    shapes.rotated(point, 'x', 90).vertices, [[0, 0, 1]], atol=1e-12
  )
  np.testing.assert_allclose(
    shapes.rotated(point, 'z', 90, (0, 1, 0)).vertices, [[0, 1, 0]]
  )


def test_bent_corner_keeps_its_ends():
  # Quadratic: the middle of the bend is (start + 2 corner + end) / 4.
  line = paths.bent([(0, 0, 0), (1, 0, 0), (1, 1, 0)], 0.2, steps=2)
  np.testing.assert_allclose(
    line, [(0, 0, 0), (0.8, 0, 0), (0.95, 0.05, 0), (1, 0.2, 0), (1, 1, 0)]
  )


@pytest.mark.parametrize('kind', sorted(supports.kinds()))
def test_supports_reach_from_floor_to_top(kind):
  mesh = _mesh(supports.support(kind, 0.9, 0.6, 0.45))
  low, high = mesh.bounds
  assert low[1] == pytest.approx(0, abs=0.02)
  assert high[1] == pytest.approx(0.45, abs=0.02)
  assert high[0] <= 0.46 and high[2] <= 0.31
  assert low[0] == pytest.approx(-high[0], abs=0.01)


def test_colours_are_linear():
  # sRGB 0xB4 = 180: ((180 / 255 + .055) / 1.055)^2.4 = .4564, times 255 = 116.
  assert materials.named('metal', 'steel').color[0] == 116


def test_design_table():
  rows = design.rows(
    dict,
    '{a}_{b}_{c}',
    'a b c',
    """
      oak none yes
      elm 2 no
      """,
  )
  assert [name for name, _ in rows] == ['oak_c', 'elm_2']
  assert rows[1][1].options == {'a': 'elm', 'b': 2, 'c': False}
  ((name, one),) = design.named(dict, 'low5 shelves=5 back=no wood=oak')
  assert name == 'low5'
  assert one.options == {'shelves': 5, 'back': False, 'wood': 'oak'}
