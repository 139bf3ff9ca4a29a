"""CAD folders: listing, errors, the variant that stands for a shape."""

import pytest
import trimesh

from mask2cad_tf.geometry import cad_folder


def _add(root, path, extents=(1.0, 1.0, 1.0)):
  target = root / path
  target.parent.mkdir(parents=True, exist_ok=True)
  trimesh.creation.box(extents).export(str(target))


def test_shapes_are_listed_sorted(tmp_path):
  _add(tmp_path, 'table/b/model.obj')
  _add(tmp_path, 'chair/z/model.ply')
  _add(tmp_path, 'chair/a/two.off')
  _add(tmp_path, 'chair/a/one.glb')
  (tmp_path / 'manifest.json').write_text('{}')
  (tmp_path / '.cache' / 'x').mkdir(parents=True)
  assert cad_folder.list_cads(str(tmp_path)) == [
    cad_folder.CadEntry(
      'chair/a', 'chair', ('chair/a/one.glb', 'chair/a/two.off')
    ),
    cad_folder.CadEntry('chair/z', 'chair', ('chair/z/model.ply',)),
    cad_folder.CadEntry('table/b', 'table', ('table/b/model.obj',)),
  ]


def test_a_shape_without_mesh_is_left_out_and_named(tmp_path, caplog):
  _add(tmp_path, 'chair/a/model.obj')
  _add(tmp_path, 'chair/deep/models/model.obj')
  entries = cad_folder.list_cads(str(tmp_path))
  assert [entry.cad_id for entry in entries] == ['chair/a']
  assert 'deep' in caplog.text


def test_unknown_classes_are_named(tmp_path):
  _add(tmp_path, 'chair/a/model.obj')
  _add(tmp_path, 'tables/a/model.obj')
  with pytest.raises(
    ValueError, match=r"classes \['tables'\].*Did you mean 'table'\? Rename"
  ):
    cad_folder.list_cads(str(tmp_path), ('chair', 'table'))
  assert len(cad_folder.list_cads(str(tmp_path), ('chair', 'tables'))) == 2


def test_a_missing_or_empty_library_is_named(tmp_path):
  with pytest.raises(FileNotFoundError, match='No CAD library at .*nowhere'):
    cad_folder.list_cads(str(tmp_path / 'nowhere'))
  (tmp_path / 'chair').mkdir()
  with pytest.raises(FileNotFoundError, match=r"found the folders \['chair'\]"):
    cad_folder.list_cads(str(tmp_path))


def test_the_only_mesh_stands_for_the_shape(tmp_path):
  entry = cad_folder.CadEntry('chair/a', 'chair', ('chair/a/none.obj',))
  # Nothing is read: the file does not exist.
  assert cad_folder.representative(str(tmp_path), entry) == 'chair/a/none.obj'


@pytest.mark.parametrize('count', [5, 30])
def test_the_middle_variant_stands_for_the_shape(tmp_path, count):
  # Boxes of growing height and one with an absurd one: the medoid is inside.
  for i in range(count):
    _add(tmp_path, f'chair/a/{i:02}.obj', (1.0, 1.0 + 0.2 * i / count, 1.0))
  _add(tmp_path, 'chair/a/stray.obj', (1.0, 100.0, 1.0))
  (entry,) = cad_folder.list_cads(str(tmp_path))
  chosen = cad_folder.representative(str(tmp_path), entry)
  number = int(chosen[len('chair/a/') : -len('.obj')])
  assert count / 5 <= number <= 4 * count / 5
