import numpy as np
import pytest
import trimesh
from PIL import Image

from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import ray_caster
from mask2cad_tf.geometry.furniture import catalogue
from tfrecords_tools.synthesis import clutter
from tfrecords_tools.synthesis import small_things
from tfrecords_tools.synthesis import textures

_BANK = textures.TextureBank()


class _OneByOne:
  """Things that remember how many pieces each of them had."""

  def __init__(self):
    self._things = clutter.Things()

  def draw(self, rng, bank, kind=''):
    thing = self._things.draw(rng, bank, kind or 'carton')
    return thing[:1]  # a thing is one piece, then


def _board(size=(1.6, 0.05, 0.8), top=0.75):
  mesh = trimesh.creation.box(size)
  mesh.apply_translation([0, top - size[1] / 2, 0])
  return mesh


def _scatter(mesh, count, seed=0, things=None):
  return clutter.scatter(
    np.random.default_rng(seed), _BANK, mesh.vertices, mesh.faces, count, things
  )


def _furniture(label_name, number):
  entries = [e for e in catalogue.entries() if e.label_name == label_name]
  mesh = entries[number % len(entries)].builder()
  mesh.apply_translation([0, -mesh.vertices[:, 1].min(), 0])
  return mesh


@pytest.mark.parametrize('kind', sorted(small_things.MAKERS))
def test_small_things_stand_and_are_small(kind):
  for seed in range(12):
    pieces = clutter.Things().draw(np.random.default_rng(seed), _BANK, kind)
    points = np.concatenate([piece.vertices for piece in pieces])
    assert abs(points[:, 1].min()) < 2e-3
    assert 0.001 < np.ptp(points, axis=0).max() < 0.95
    assert sum(len(piece.faces) for piece in pieces) <= 400
    for piece in pieces:
      assert np.isfinite(piece.vertices).all()
      assert piece.faces.min() >= 0
      assert piece.faces.max() < len(piece.vertices)
      assert np.all(piece.material.color <= 0.9)
      assert piece.uv is None or len(piece.uv) == len(piece.vertices)


@pytest.mark.parametrize('seed', range(8))
def test_things_stand_on_the_board_inside_and_apart(seed):
  pieces = _scatter(_board(), 3, seed, _OneByOne())
  assert 2 <= len(pieces) <= 3
  for piece in pieces:
    low, high = piece.vertices.min(axis=0), piece.vertices.max(axis=0)
    assert abs(low[1] - 0.75) < 2e-3
    assert low[0] > -0.8 and high[0] < 0.8
    assert low[2] > -0.4 and high[2] < 0.4
  for i, a in enumerate(pieces):
    for b in pieces[:i]:
      gap = a.vertices[:, None] - b.vertices[None]
      assert np.linalg.norm(gap, axis=-1).min() > 0.004


@pytest.mark.parametrize('label_name', ['bookcase', 'desk', 'table'])
@pytest.mark.parametrize('number', range(0, 12, 3))
def test_things_do_not_cut_furniture(label_name, number):
  mesh = _furniture(label_name, number)
  caster = ray_caster.RayCaster(mesh.triangles)
  for piece in _scatter(mesh, 8, number):
    lifted = piece.vertices + [0, 3e-3, 0]
    corners = lifted[piece.faces]
    edges = np.roll(corners, -1, axis=1) - corners + 1e-9
    hits = caster.distance(corners.reshape(-1, 3), edges.reshape(-1, 3))
    assert not np.any(hits < 1)


def test_shelves_hold_only_what_fits_between_them():
  shelves = [_board((1.2, 0.02, 0.35), 0.3 + 0.22 * i) for i in range(5)]
  mesh = trimesh.util.concatenate(shelves)
  tops = 0.3 + 0.22 * np.arange(5)
  for seed in range(6):
    for piece in _scatter(mesh, 8, seed, _OneByOne()):
      foot, head = piece.vertices[:, 1].min(), piece.vertices[:, 1].max()
      shelf = int(np.abs(tops - foot).argmin())
      assert abs(tops[shelf] - foot) < 2e-3
      if shelf < 4:
        assert head < tops[shelf] + 0.2


def test_nothing_stands_on_floors_slopes_or_nothing():
  cone = trimesh.creation.cone(0.5, 1.0)
  cone.apply_transform(
    trimesh.transformations.rotation_matrix(-np.pi / 2, [1, 0, 0])
  )
  assert _scatter(cone, 5) == []
  assert _scatter(_board(top=0.05), 5) == []
  assert _scatter(_board(), 0) == []


def test_equal_seeds_scatter_equally():
  one, two = (_scatter(_board(), 6, 4) for _ in range(2))
  assert len(one) == len(two) > 0
  for a, b in zip(one, two):
    np.testing.assert_array_equal(a.vertices, b.vertices)
    np.testing.assert_array_equal(a.material.color, b.material.color)


def test_some_tables_are_laid_for_a_meal():
  plates = 0
  for seed in range(20):
    for piece in _scatter(_board((1.8, 0.04, 1.0)), 6, seed):
      size = np.ptp(piece.vertices, axis=0)
      plates += bool(size[1] < 0.03 and size[0] > 0.19 and piece.smooth)
  assert 6 <= plates <= 60


def test_a_folder_of_meshes(tmp_path):
  image = Image.fromarray(
    np.random.default_rng(0).integers(0, 255, (8, 8, 3), np.uint8)
  )
  jar = trimesh.creation.box((0.1, 0.2, 0.1))
  jar.apply_translation([5, 3, 1])
  jar.visual = trimesh.visual.TextureVisuals(
    uv=jar.vertices[:, :2],
    material=trimesh.visual.material.PBRMaterial(baseColorTexture=image),
  )
  (tmp_path / 'kitchen').mkdir()
  jar.export(tmp_path / 'kitchen' / 'jar.glb')
  things = clutter.Things(str(tmp_path))
  drawn = [things.draw(np.random.default_rng(s), _BANK) for s in range(30)]
  jars = [d for d in drawn if d[0].uv is not None and len(d[0].faces) == 12]
  assert 8 < len(jars) < 28
  points = jars[0][0].vertices
  np.testing.assert_allclose(points.min(axis=0), [-0.05, 0, -0.05], atol=1e-6)
  np.testing.assert_array_equal(jars[0][0].material.texture, np.asarray(image))


def test_folders_that_cannot_be_used(tmp_path):
  with pytest.raises(FileNotFoundError, match='/no/such'):
    clutter.Things('/no/such')
  with pytest.raises(ValueError, match='No meshes'):
    clutter.Things(str(tmp_path))
  (tmp_path / 'broken.obj').write_text('nothing')
  things = clutter.Things(str(tmp_path))
  with pytest.raises(meshes.MeshError, match='broken.obj'):
    for seed in range(20):
      things.draw(np.random.default_rng(seed), _BANK)
