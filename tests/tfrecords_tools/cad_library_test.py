"""Collections to libraries, as a user calls the tool."""

import json
import pathlib
import shutil

import numpy as np
import pytest
from PIL import Image

import mask2cad_tf
from mask2cad_tf.geometry import cad_folder
from mask2cad_tf.geometry import cad_lists
from mask2cad_tf.geometry import meshes
from tests import command_runner
from tests.tfrecords_tools.cad_sources import toy_catalogues
from tfrecords_tools import cad_library


def _catalogue(tmp_path):
  """Two equal chairs, a table, a vase, and a model that is not there."""
  entry = toy_catalogues.entry
  vase = {'width': '10', 'depth': '10', 'height': '20'}
  return toy_catalogues.write(
    tmp_path / 'toy.sh3f',
    [
      entry(),
      entry(id='toy#twin'),
      entry(id='toy#low', name='Low chair', height='50'),
      entry(id='toy#table', name='Table', creator='Bob', width='80'),
      entry(id='toy#gone', name='Bed', model='/models/gone.obj'),
      entry(id='toy#vase', name='Vase', **vase),
      entry(id='toy#broken', name='Desk', width='wide'),
    ],
  )


def _folder(root, extents=(1, 2, 3)):
  """A folder library: two chairs of which one has two variants."""
  for path in ('chair/a/x.obj', 'chair/a/y.obj', 'chair/b/x.obj'):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(toy_catalogues.box((0, 0, 0), extents))
  return str(root)


def _run(source, output, *flags):
  return command_runner.run(
    cad_library,
    f'--source={source}',
    f'--output_dir={output}',
    '--num_processes=1',
    *flags,
  )


def _manifest(output):
  return json.loads((output / 'manifest.json').read_text())


def test_sweet_home_3d(tmp_path):
  output, clutter = tmp_path / 'lib', tmp_path / 'clutter'
  result = _run(
    'sweethome3d',
    output,
    f'--input={_catalogue(tmp_path)}',
    f'--clutter_dir={clutter}',
  )
  assert result.status == 0
  assert '3 CADs (chair 2, table 1)' in result.stdout
  manifest = _manifest(output)
  assert manifest['format_version'] == 1
  assert manifest['source'] == 'sweethome3d'
  assert manifest['package_version'] == mask2cad_tf.__version__
  cads = {cad['id']: cad for cad in manifest['cads']}
  assert list(cads) == ['chair/toy_chair', 'chair/toy_low', 'table/toy_table']
  table = cads['table/toy_table']
  sha256 = table.pop('source_sha256')
  assert len(sha256) == 64
  assert table == {
    'id': 'table/toy_table',
    'class': 'table',
    'name': 'Table',
    'meshes': ['table/toy_table/model.glb'],
    'triangles': 36,
    'size': [0.8, 0.6, 0.5],
    'symmetry': 1,
    'mirror_normal': [1.0, 0.0, 0.0],
    'chiral': False,
    'stray_geometry': [0.0],
    'scale': 1.0,
    'metric': True,
    'up': '+y',
    'front': '-z',
    'licence': 'CC-BY 3.0',
    'creator': 'Bob',
    'source': 'toy.sh3f:models/chair/chair.obj',
    'group': 'table/toy_table',
  }
  failed = {item['id']: item['reason'] for item in manifest['failed']}
  assert set(failed) == {
    'toy.sh3f:toy#broken',
    'bed/toy_gone',
    'chair/toy_twin',
  }
  assert 'wide' in failed['toy.sh3f:toy#broken']
  assert 'not in the archive' in failed['bed/toy_gone']
  assert 'byte for byte chair/toy_chair' in failed['chair/toy_twin']
  assert all(reason in result.stderr for reason in failed.values())
  assert sorted(path.name for path in output.iterdir()) == [
    'chair',
    'contact_sheet.png',
    'manifest.json',
    'table',
  ]
  assert not (output / 'chair/toy_twin').exists()
  with Image.open(output / 'contact_sheet.png') as sheet:
    assert sheet.width > 1000


def test_clutter_stands_in_one_folder_with_its_credits(tmp_path):
  clutter = tmp_path / 'clutter'
  _run(
    'sweethome3d',
    tmp_path / 'lib',
    f'--input={_catalogue(tmp_path)}',
    f'--clutter_dir={clutter}',
  )
  assert sorted(path.name for path in clutter.iterdir()) == [
    'contact_sheet.png',
    'manifest.json',
    'toy_vase.glb',
  ]
  bounds = meshes.load(str(clutter / 'toy_vase.glb')).bounds
  np.testing.assert_allclose(
    bounds, [[-0.05, 0, -0.05], [0.05, 0.2, 0.05]], atol=1e-6
  )
  (thing,) = _manifest(clutter)['things']
  assert thing['meshes'] == ['toy_vase.glb']
  assert thing['creator'] == 'Ann'
  assert thing['licence'] == 'CC-BY 3.0'


def test_a_library_reads_as_a_cad_folder(tmp_path):
  _run('sweethome3d', tmp_path / 'lib', f'--input={_catalogue(tmp_path)}')
  entries = cad_folder.list_cads(str(tmp_path / 'lib'), ['chair', 'table'])
  listed = {entry.cad_id: list(entry.mesh_paths) for entry in entries}
  manifest = _manifest(tmp_path / 'lib')
  assert listed == {cad['id']: cad['meshes'] for cad in manifest['cads']}


def test_a_folder_with_variants_and_near_duplicates(tmp_path):
  output = tmp_path / 'lib'
  result = _run(
    'folder',
    output,
    f'--input={_folder(tmp_path / "in")}',
    '--metres_per_unit=0.01',
    '--licence=CC0',
    '--creator=Ann',
  )
  assert '1 near-duplicates' in result.stdout
  first, second = _manifest(output)['cads']
  assert first['meshes'] == ['chair/a/x.obj', 'chair/a/y.obj']
  assert first['stray_geometry'] == [0.0, 0.0]
  assert second['group'] == 'chair/a'
  assert (second['scale'], second['metric']) == (0.01, True)
  assert (second['licence'], second['creator']) == ('CC0', 'Ann')


def test_pix3d_files_are_copied_and_of_arbitrary_size(tmp_path):
  output = tmp_path / 'lib'
  assert not _run('pix3d', output, f'--input={_folder(tmp_path / "in")}').status
  for path in ('chair/a/x.obj', 'chair/a/y.obj', 'chair/b/x.obj'):
    original = (tmp_path / 'in' / path).read_bytes()
    assert (output / path).read_bytes() == original
  cad = _manifest(output)['cads'][0]
  assert (cad['scale'], cad['metric']) == (0.0, False)


def test_equal_files_stay_where_annotations_may_name_them(tmp_path):
  root = _folder(tmp_path / 'in')
  (tmp_path / 'in/chair/a/y.obj').unlink()
  assert not _run('pix3d', tmp_path / 'lib', f'--input={root}').status
  ids = [cad['id'] for cad in _manifest(tmp_path / 'lib')['cads']]
  assert ids == ['chair/a', 'chair/b']


def test_classes_can_be_chosen(tmp_path):
  output = tmp_path / 'lib'
  _run(
    'sweethome3d',
    output,
    f'--input={_catalogue(tmp_path)}',
    '--classes=table,sofa',
  )
  assert [cad['class'] for cad in _manifest(output)['cads']] == ['table']


def test_a_class_that_nobody_knows_is_an_error(tmp_path):
  line = _run('pix3d', tmp_path, '--input=x', '--classes=bed,chiar').only_line
  assert "--classes: 'chiar' is none of " in line
  assert line.endswith("Did you mean 'chair'?")
  # A folder's own classes are known.
  mesh = tmp_path / 'in/lamp/a/model.obj'
  mesh.parent.mkdir(parents=True)
  mesh.touch()
  arguments = ('folder', tmp_path / 'out', f'--input={tmp_path}/in')
  line = _run(*arguments, '--classes=lanp').only_line
  assert line.endswith("Did you mean 'lamp'?")


def test_lists_split_a_collection(tmp_path):
  catalogue, lists = _catalogue(tmp_path), tmp_path / 'lists.json'
  lists.write_text('{"measured on": ["chair/toy_low", "chair/toy_chairs"]}')
  for flag in ('only', 'leave_out'):
    result = _run(
      'sweethome3d',
      tmp_path / flag,
      f'--input={catalogue}',
      f'--{flag}={lists}:measured on',
    )
    assert (
      "not in the collection: chair/toy_chairs. Did you mean 'chair/toy_chair'?"
    ) in result.stderr
  only, rest = (
    [cad['id'] for cad in _manifest(tmp_path / flag)['cads']]
    for flag in ('only', 'leave_out')
  )
  assert only == ['chair/toy_low']
  assert rest == ['chair/toy_chair', 'table/toy_table']


@pytest.mark.parametrize(
  'key, reason',
  [
    ('none', 'names no CAD'),
    ('nones', "no list 'nones'; it has none. Did you mean 'none'?"),
  ],
)
def test_a_list_without_ids_is_an_error(tmp_path, key, reason):
  lists = tmp_path / 'lists.json'
  lists.write_text('{"none": []}')
  line = _run(
    'folder',
    tmp_path / 'lib',
    f'--input={_folder(tmp_path / "in")}',
    f'--leave_out={lists}:{key}',
  ).only_line
  assert str(lists) in line and reason in line


def test_held_out_cads_of_sweet_home_3d():
  folder = pathlib.Path(cad_library.__file__).parent / 'cad_sources'
  ids = cad_lists.read(
    f'{folder / "sweethome3d_held_out.json"}:held_out', 'only'
  )
  assert len(set(ids)) == 40
  assert {cad_id.split('/')[0] for cad_id in ids} == {'chair', 'table'}


def test_two_builds_give_equal_bytes_with_any_number_of_processes(tmp_path):
  catalogue = _catalogue(tmp_path)
  for name, processes in (('one', 1), ('two', 2)):
    cad_library.build(
      'sweethome3d',
      catalogue,
      str(tmp_path / name / 'lib'),
      str(tmp_path / name / 'clutter'),
      num_processes=processes,
    )
  one, two = (
    {
      path[len(str(tmp_path / name)) :]: data
      for path, data in command_runner.files_below(tmp_path / name).items()
    }
    for name in ('one', 'two')
  )
  assert one == two
  assert len(one) == 8  # three CADs, a vase, two manifests, two sheets


@pytest.mark.parametrize(
  'data, reason',
  [
    (b'v 0 0 0\nv nan 0 0\nv 0 1 0\nf 1 2 3\n', 'NaN'),
    (b'v 0 0 0\n', 'no faces'),
    (b'v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n', 'no surface'),
  ],
)
def test_a_broken_mesh_stops_and_leaves_the_old_library(tmp_path, data, reason):
  output, root = tmp_path / 'lib', _folder(tmp_path / 'in')
  _run('folder', output, f'--input={root}')
  before = command_runner.files_below(output)
  (tmp_path / 'in/chair/c').mkdir()
  (tmp_path / 'in/chair/c/bad.obj').write_bytes(data)
  line = _run('folder', output, f'--input={root}').only_line
  assert 'chair/c' in line
  assert 'bad.obj' in line
  assert reason in line
  assert '--skip_broken' in line
  assert command_runner.files_below(output) == before
  assert sorted(p.name for p in tmp_path.iterdir()) == ['in', 'lib']


def test_skip_broken_lists_what_it_leaves_out(tmp_path):
  root = _folder(tmp_path / 'in')
  (tmp_path / 'in/chair/a/x.obj').write_text('nothing')
  result = _run('folder', tmp_path / 'lib', f'--input={root}', '--skip_broken')
  assert result.status == 0
  assert 'skipped chair/a' in result.stderr
  manifest = _manifest(tmp_path / 'lib')
  assert [cad['id'] for cad in manifest['cads']] == ['chair/b']
  assert manifest['failed'][0]['id'] == 'chair/a'
  assert not (tmp_path / 'lib/chair/a').exists()


def test_a_rebuild_replaces_the_library(tmp_path):
  root = _folder(tmp_path / 'in')
  _run('folder', tmp_path / 'lib', f'--input={root}')
  shutil.rmtree(tmp_path / 'in/chair/a')
  assert not _run('folder', tmp_path / 'lib', f'--input={root}').status
  assert [cad['id'] for cad in _manifest(tmp_path / 'lib')['cads']] == [
    'chair/b'
  ]
  assert not (tmp_path / 'lib/chair/a').exists()


def test_a_folder_of_something_else_is_not_overwritten(tmp_path):
  output = tmp_path / 'photos'
  output.mkdir()
  (output / 'holiday.jpg').write_bytes(b'jpg')
  line = _run('folder', output, f'--input={_folder(tmp_path / "in")}').only_line
  assert 'photos' in line
  assert [path.name for path in output.iterdir()] == ['holiday.jpg']


def test_nothing_usable_is_an_error(tmp_path):
  path = toy_catalogues.write(
    tmp_path / 'toy.sh3f', [toy_catalogues.entry(model='/gone.obj')]
  )
  line = _run('sweethome3d', tmp_path / 'lib', f'--input={path}').only_line
  assert 'None of 1 CADs can be used' in line
  assert not (tmp_path / 'lib').exists()


@pytest.mark.parametrize(
  'source, flags, reason',
  [
    ('folder', [], '--input'),
    ('folder', ['--input=nowhere'], 'nowhere'),
    ('shapenet', ['--input=nowhere'], 'nowhere'),
    ('pix3d', ['--input=nowhere'], 'nowhere'),
    ('sweethome3d', ['--input=nowhere.sh3f'], 'nowhere.sh3f'),
    ('pix3d', ['--input=x', '--clutter_dir=y'], '--clutter_dir'),
    ('magic', [], 'magic'),
  ],
)
def test_bad_input_is_one_line(tmp_path, source, flags, reason):
  assert reason in _run(source, tmp_path / 'lib', *flags).only_line
  assert not (tmp_path / 'lib').exists()
