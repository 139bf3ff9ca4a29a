"""The gallery in one file and the folder that comes out of it."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from mask2cad_tf import packaged_model
from mask2cad_tf.geometry import cad_folder
from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import renderer
from mask2cad_tf.geometry import rotations
from mask2cad_tf.geometry import views
from mask2cad_tf.geometry.furniture import catalogue
from mask2cad_tf.retrieval import default_gallery
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import view_silhouettes
from tests import command_runner

_TOOLS = [e.cad_id for e in catalogue.entries() if e.label_name == 'tool'][:3]
_IDS = ('bed/IKEA_MALM_3', *_TOOLS)
_CLASSES = ('bed', 'chair', 'tool')


def _cad(cad_id, **fields):
  label = cad_id.split('/')[0]
  return gallery_lib.Cad(
    cad_id, label, f'meshes/{cad_id}/x', '0' * 64, **fields
  )


def _write(folder, ids=_IDS, **changes):
  """A gallery of made-up embeddings, without meshes."""
  rng = np.random.default_rng(0)
  labels = np.array([_CLASSES.index(i.split('/')[0]) for i in ids])
  by_class = rng.normal(size=(len(_CLASSES), 5, 4)).astype(np.float32)
  fields = dict(
    path='',
    class_names=_CLASSES,
    encoder='e' * 64,
    cads=(
      _cad(ids[0], licence='CC', creator='Ann', symmetry=2),
      _cad(ids[1], mirror_normal=(0.0, 0.6, 0.8), scale=1.0),
      *(_cad(cad_id, scale=1.0) for cad_id in ids[2:]),
    ),
    embeddings=rng.normal(size=(len(ids), 5, 8)).astype(np.float32),
    rotations=by_class[labels],
    valid=rng.random((len(ids), 5)) < 0.8,
    silhouettes=rng.integers(0, 256, (len(ids), 5, 128), np.uint8),
  )
  gallery = gallery_lib.Gallery(**{**fields, **changes})
  os.makedirs(folder, exist_ok=True)
  gallery_lib.write_index(str(folder), gallery)
  return gallery


@pytest.fixture(scope='module')
def packed(tmp_path_factory):
  """(the original gallery, a folder with its gallery.npz)."""
  root = tmp_path_factory.mktemp('packed')
  gallery = _write(root / 'gallery')
  default_gallery.shrink(str(root / 'gallery'), str(root / 'gallery.npz'))
  return gallery, root


def _stamps(folder):
  return {
    path: path.stat().st_mtime_ns
    for path in pathlib.Path(folder).rglob('*')
    if path.is_file()
  }


def test_round_trip(packed, tmp_path):
  original, root = packed
  folder = default_gallery.materialize(str(root), str(tmp_path / 'cache'))
  assert os.path.dirname(folder) == str(tmp_path / 'cache')
  assert os.path.basename(folder).startswith('gallery-')
  found = gallery_lib.load(folder, 'e' * 64, _CLASSES)
  assert found.cad_ids == original.cad_ids
  for one, other in zip(found.cads, original.cads):
    for name in ('licence', 'creator', 'symmetry', 'mirror_normal', 'scale'):
      assert getattr(one, name) == getattr(other, name)
  for name in ('rotations', 'valid', 'silhouettes'):
    np.testing.assert_array_equal(getattr(found, name), getattr(original, name))
  assert found.embeddings.dtype == np.float32
  np.testing.assert_array_equal(
    found.embeddings, original.embeddings.astype(np.float16)
  )
  bed, tool = found.cads[:2]
  assert bed.mesh == 'meshes/bed/IKEA_MALM_3/model.obj'
  source = default_gallery.sample_photos() / 'model' / bed.id / 'model.obj'
  copy = pathlib.Path(found.mesh_path(bed.id))
  assert copy.read_bytes() == source.read_bytes()
  np.testing.assert_allclose(
    meshes.load(found.mesh_path(tool.id)).extents,
    catalogue.build(tool.id).extents,
    atol=1e-5,
  )
  listed = cad_folder.list_cads(os.path.join(folder, 'meshes'))
  assert tuple(cad.cad_id for cad in listed) == _IDS  # and no other


def test_second_call_writes_nothing(packed, tmp_path):
  folder = default_gallery.materialize(str(packed[1]), str(tmp_path))
  before = _stamps(tmp_path)
  assert default_gallery.materialize(str(packed[1]), str(tmp_path)) == folder
  assert _stamps(tmp_path) == before


def test_damage_is_repaired(packed, tmp_path):
  folder = default_gallery.materialize(str(packed[1]), str(tmp_path))
  before = command_runner.files_below(pathlib.Path(folder))
  mesh = pathlib.Path(gallery_lib.load(folder).mesh_path(_IDS[0]))
  views_file = pathlib.Path(folder, 'views.npz')
  damages = (
    pathlib.Path(folder, 'manifest.json').unlink,
    lambda: views_file.write_bytes(views_file.read_bytes()[:-20]),
    lambda: mesh.write_bytes(mesh.read_bytes()[:-20]),
  )
  for damage in damages:
    damage()
    assert default_gallery.materialize(str(packed[1]), str(tmp_path)) == folder
    assert command_runner.files_below(pathlib.Path(folder)) == before


def test_place_of_the_cache_without_the_variable(packed, tmp_path, monkeypatch):
  monkeypatch.delenv('MASK2CAD_TF_CACHE', raising=False)
  monkeypatch.setenv('HOME', str(tmp_path))
  folder = default_gallery.materialize(str(packed[1]))
  assert os.path.dirname(folder) == str(tmp_path / '.cache/mask2cad_tf')


def test_a_cache_that_cannot_be_written(packed, tmp_path, monkeypatch):
  (tmp_path / 'file').write_text('no folder')
  monkeypatch.setenv('MASK2CAD_TF_CACHE', str(tmp_path / 'file'))
  with pytest.raises(PermissionError, match='MASK2CAD_TF_CACHE.*--gallery'):
    default_gallery.materialize(str(packed[1]))
  assert (tmp_path / 'file').read_text() == 'no folder'


def test_equal_galleries_equal_bytes(packed, tmp_path):
  default_gallery.shrink(str(packed[1] / 'gallery'), str(tmp_path / 'a.npz'))
  again = (tmp_path / 'a.npz').read_bytes()
  assert again == (packed[1] / 'gallery.npz').read_bytes()
  assert os.listdir(tmp_path) == ['a.npz']


def test_what_cannot_be_shrunk(tmp_path):
  target = str(tmp_path / 'out.npz')
  gallery = _write(tmp_path / 'strange', ids=('bed/mine', *_TOOLS))
  with pytest.raises(ValueError, match='neither embedded .* bed/mine'):
    default_gallery.shrink(str(tmp_path / 'strange'), target)
  other = np.array(gallery.rotations)
  other[-1] *= -1.0
  _write(tmp_path / 'mixed', rotations=other)
  with pytest.raises(ValueError, match='different view rotations'):
    default_gallery.shrink(str(tmp_path / 'mixed'), target)
  _write(tmp_path / 'large', embeddings=gallery.embeddings + np.float32(1e6))
  with pytest.raises(ValueError, match='float16'):
    default_gallery.shrink(str(tmp_path / 'large'), target)
  assert not os.path.exists(target)


def test_a_damaged_or_foreign_file(packed, tmp_path):
  with pytest.raises(FileNotFoundError, match='No gallery.npz'):
    default_gallery.materialize(str(tmp_path), str(tmp_path / 'cache'))
  content = (packed[1] / 'gallery.npz').read_bytes()
  file = tmp_path / 'gallery.npz'
  for damaged in (content[:-100], content[:500] + b'x' + content[501:], b''):
    file.write_bytes(damaged)
    with pytest.raises(ValueError, match='is damaged'):
      default_gallery.materialize(str(tmp_path), str(tmp_path / 'cache'))
  with np.load(packed[1] / 'gallery.npz') as arrays:
    np.savez(file, **{**arrays, 'format_version': 2})
  with pytest.raises(ValueError, match='format 2; .*reads format 1'):
    default_gallery.materialize(str(tmp_path), str(tmp_path / 'cache'))
  assert not (tmp_path / 'cache').exists()


def test_choose(packed, tmp_path, monkeypatch):
  monkeypatch.setenv('MASK2CAD_TF_CACHE', str(tmp_path / 'cache'))
  assert default_gallery.choose('m', 'g') == ('m', 'g')
  with pytest.raises(ValueError, match="--gallery missing: .* 'm'"):
    default_gallery.choose('m', None)
  shipped = str(packed[1])
  monkeypatch.setattr(packaged_model, 'folder', lambda: shipped)
  assert default_gallery.choose(None, 'g') == (shipped, 'g')
  folder = default_gallery.materialize(shipped)
  assert default_gallery.choose('', '') == (shipped, folder)
  assert default_gallery.choose(shipped, None) == (shipped, folder)


def test_library_of_all_cads_with_licences(tmp_path, monkeypatch):
  few = [e for e in catalogue.entries() if e.label_name == 'tool']
  monkeypatch.setattr(catalogue, 'entries', lambda seed=0: few)
  default_gallery.write_library(str(tmp_path))
  found = {cad.cad_id for cad in cad_folder.list_cads(str(tmp_path))}
  assert found == {
    'bed/IKEA_MALM_2',
    'bed/IKEA_MALM_3',
    *(e.cad_id for e in few),
  }
  manifest = (tmp_path / 'manifest.json').read_text()
  assert manifest.count('"id"') == len(found)
  assert manifest.count('Attribution 4.0') == 2


def test_needs_no_tensorflow(packed, tmp_path):
  code = (
    'import sys; sys.modules["tensorflow"] = None; '
    'from mask2cad_tf.retrieval import default_gallery as d; '
    f'd.materialize({str(packed[1])!r}, {str(tmp_path)!r})'
  )
  subprocess.run([sys.executable, '-c', code], check=True)
  assert len(os.listdir(tmp_path)) == 2  # the folder and its lock


def test_the_shipped_gallery_shows_todays_furniture(tmp_path):
  """Embeddings are of meshes as they were; the catalogue may have changed."""
  try:
    shipped = packaged_model.folder()
  except FileNotFoundError:
    pytest.skip('no model is packaged yet')
  gallery = gallery_lib.load(
    default_gallery.materialize(shipped, str(tmp_path))
  )
  assert {e.cad_id for e in catalogue.entries()} < set(gallery.cad_ids)
  for row in range(0, len(gallery.cads), 20):
    mesh = meshes.load(gallery.mesh_path(gallery.cad_ids[row]))
    picture = views.render_view(
      renderer.Renderer(mesh),
      rotations.matrix_from_quaternion(gallery.rotations[row, 0]),
    )
    now = view_silhouettes.pack(picture[np.newaxis])[0]
    then = gallery.silhouettes[row, 0]
    assert np.unpackbits(now ^ then).mean() < 0.01, gallery.cad_ids[row]
