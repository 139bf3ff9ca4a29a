"""`python -m mask2cad_tf.gallery`; of a SavedModel: serving/gallery_assets."""

import functools
import json
import os
import re
import shutil

import pytest

from mask2cad_tf import gallery
from mask2cad_tf import packaged_model
from mask2cad_tf import progress
from mask2cad_tf.modeling import model_folder
from mask2cad_tf.retrieval import gallery as gallery_lib
from tests import command_runner
from tests import tiny_model


@pytest.fixture
def library(tiny_world, tmp_path):
  for cad_id in ('chair/low', 'chair/stool'):
    shutil.copytree(
      os.path.join(tiny_world.library, cad_id), tmp_path / 'library' / cad_id
    )
  return tmp_path / 'library'


def _build(tiny_world, library, output, *arguments):
  return command_runner.run(
    gallery,
    'build',
    f'--library={library}',
    f'--gallery={output}',
    f'--model={tiny_world.model_dir}',
    *arguments,
  )


def test_a_gallery_that_the_models_folder_accepts(
  tiny_world, library, tmp_path, monkeypatch
):
  monkeypatch.setattr(progress, '_SECONDS_BETWEEN_LINES', -1.0)
  result = _build(tiny_world, library, tmp_path / 'g', '--num_views=3')
  assert result.status == 0, result
  assert '2 CADs, 3 views each, version ' in result.stdout
  assert result.stderr.splitlines()[-1].startswith('gallery: 2 of 2 CADs, ')
  built = gallery_lib.load(
    str(tmp_path / 'g'), model_folder.fingerprint(tiny_world.model)
  )
  assert built.cad_ids == ('chair/low', 'chair/stool')


def test_skipped_meshes_are_listed(tiny_world, library, tmp_path, monkeypatch):
  tiny_world.patch(monkeypatch)
  (library / 'chair/low/model.ply').write_text('no mesh')
  result = _build(tiny_world, library, tmp_path / 'g')
  assert 'chair/low/model.ply' in result.only_line
  assert '--skip_broken' in result.only_line
  assert not (tmp_path / 'g').exists()
  result = _build(tiny_world, library, tmp_path / 'g', '--skip_broken')
  assert result.status == 0, result
  assert 'left out chair/low: ' in result.stdout
  assert '1 CADs' in result.stdout


def test_only_the_listed_cads(tiny_world, library, tmp_path, monkeypatch):
  tiny_world.patch(monkeypatch)
  lists = tmp_path / 'cads.json'
  lists.write_text('{"annotated": ["chair/stool"], "all": ["chair/stol"]}')
  result = _build(
    tiny_world, library, tmp_path / 'g', f'--cad_list={lists}:annotated'
  )
  assert result.status == 0, result
  assert gallery_lib.load(str(tmp_path / 'g')).cad_ids == ('chair/stool',)
  for place, message in (
    (f'{lists}:all', '1 of 1 listed CADs are not in .*mean .chair/stool'),
    (f'{lists}:some', "no list 'some'; it has annotated, all"),
    ('no.json:all', "there is no file 'no.json'.*FILE:KEY"),
  ):
    result = _build(tiny_world, library, tmp_path / 'h', f'--cad_list={place}')
    assert re.search(message, result.only_line)
    assert not (tmp_path / 'h').exists()


@pytest.mark.parametrize(
  'arguments, message',
  [
    (['--library=nowhere'], "No CAD library at 'nowhere'"),
    (['--model=nowhere'], "params.yaml in 'nowhere'"),
    (['--model='], '--model missing'),
    (['--num_views=0'], '--num_views'),
    (['--num_views=17'], 'the model has 16 view rotations'),
    (['twice'], 'Expected one of the verbs build, add, remove, '),
    (['--cad_id=chair/low'], 'build does not know --cad_id; it knows --gall'),
  ],
)
def test_bad_input_leaves_the_earlier_gallery(
  tiny_world, library, tmp_path, monkeypatch, arguments, message
):
  tiny_world.patch(monkeypatch)
  shutil.copytree(tiny_world.gallery_dir, tmp_path / 'g')
  before = command_runner.files_below(tmp_path / 'g')
  result = _build(tiny_world, library, tmp_path / 'g', *arguments)
  assert result.only_line.startswith('mask2cad_tf.gallery: ')
  assert message in result.only_line
  assert command_runner.files_below(tmp_path / 'g') == before
  assert sorted(os.listdir(tmp_path)) == ['g', 'library']


def test_the_packages_model_by_default(library, tmp_path, monkeypatch):
  monkeypatch.setattr(packaged_model, 'folder', lambda: 'shipped')
  line = command_runner.run(
    gallery, 'build', f'--library={library}', f'--gallery={tmp_path}/g'
  ).only_line
  assert "params.yaml in 'shipped'" in line


@pytest.fixture
def folder(tiny_world, tmp_path, monkeypatch):
  tiny_world.patch(monkeypatch)
  shutil.copytree(tiny_world.gallery_dir, tmp_path / 'g')
  return tmp_path / 'g'


def _run(verb, *arguments):
  return command_runner.run(gallery, verb, *arguments)


def test_removed_and_added_again(tiny_world, folder, library):
  version = tiny_world.gallery.version
  result = _run(
    'remove', f'--gallery={folder}', '--cad_id=chair/low,chair/stool'
  )
  assert result.status == 0, result
  assert f'{folder}: 2 removed, 8 CADs, 16 views each, ' in result.stdout
  assert version not in result.stdout
  result = _run(
    'add',
    f'--gallery={folder}',
    f'--library={library}',
    f'--model={tiny_world.model_dir}',
  )
  assert result.status == 0, result
  assert result.stdout.splitlines()[-1] == (
    f'{folder}: 2 added, 10 CADs, 16 views each, version {version}'
  )


def test_lookalikes_are_told(tiny_world, folder, library):
  shutil.copytree(library / 'chair/low', library / 'chair/copy')
  result = _run(
    'add',
    f'--gallery={folder}',
    f'--library={library}',
    f'--model={tiny_world.model_dir}',
  )
  assert result.status == 0, result
  (line,) = [x for x in result.stdout.splitlines() if 'looks like' in x]
  assert line.startswith('chair/copy looks like ') and 'chair/low' in line
  assert '1 added, 11 CADs' in result.stdout


def test_the_helps_examples_are_accepted_a_verb_each(monkeypatch):
  verbs, called = gallery._VERBS, []
  monkeypatch.setattr(
    gallery,
    '_VERBS',
    {
      verb: (functools.partial(called.append, verb), known)
      for verb, (_, known) in verbs.items()
    },
  )
  for line in gallery.__doc__.splitlines():
    if line.startswith('  python -m'):
      assert command_runner.run(gallery, *line.split()[3:]).status == 0, line
  assert called == list(verbs)


def test_list(tiny_world, folder):
  lines = _run('list', f'--gallery={folder}').stdout.splitlines()
  assert lines[0].split() == [
    'id',
    'class',
    'views',
    'licence',
    'creator',
    'mesh',
  ]
  assert len(lines) == 11
  row = next(line for line in lines if line.startswith('chair/low '))
  assert row.split() == [
    'chair/low',
    'chair',
    '16',
    'meshes/chair/low/model.ply',
  ]
  listed = json.loads(_run('list', f'--gallery={folder}', '--json').stdout)
  assert listed['version'] == tiny_world.gallery.version
  assert listed['cads'][0] == {
    'id': 'bed/IKEA_MALM_2',
    'class': 'bed',
    'views': 16,
    'licence': '',
    'creator': '',
    'mesh': 'meshes/bed/IKEA_MALM_2/model.obj',
  }


def test_verify(tiny_world, folder):
  model = f'--model={tiny_world.model_dir}'
  result = _run('verify', f'--gallery={folder}', model)
  assert result.status == 0, result
  assert 'no fault, 10 CADs' in result.stdout
  (folder / 'meshes/chair/low/model.ply').write_text('no mesh')
  shutil.rmtree(folder / 'meshes/bed/IKEA_MALM_2')
  result = _run('verify', f'--gallery={folder}', model)
  assert result.status == 1
  assert [line.split(':')[0] for line in result.stdout.splitlines()] == [
    'bed/IKEA_MALM_2',
    'chair/low',
  ]
  told = _run('verify', f'--gallery={folder}', model, '--json')
  assert told.status == 1
  verdict = json.loads(told.stdout)
  assert verdict == {'ok': False, 'faults': result.stdout.splitlines()}


def test_diff(tiny_world, folder, tmp_path):
  _run('remove', f'--gallery={folder}', '--cad_id=chair/low')
  result = _run(
    'diff', f'--gallery={folder}', f'--other={tiny_world.gallery_dir}'
  )
  assert result.status == 0
  lines = result.stdout.splitlines()
  assert lines[0] == 'added chair/low'
  assert lines[-1].startswith('1 added, 0 removed, 0 changed, ')
  told = json.loads(
    _run(
      'diff',
      f'--gallery={folder}',
      f'--other={tiny_world.gallery_dir}',
      '--json',
    ).stdout
  )
  assert told['added'] == ['chair/low'] and told['removed'] == []


@pytest.mark.parametrize(
  'arguments, message',
  [
    (['remove', '--cad_id=chair/lo'], "Did you mean 'chair/low'?"),
    (['remove'], '--cad_id missing'),
    (['remove', '--cad_id=chair/low', '--model=m'], 'does not know --model'),
    (['add'], '--library missing'),
    (['add', '--library=nowhere'], "No CAD library at 'nowhere'"),
    (['list', '--saved_model=s'], 'give --gallery=DIR or --saved_model=DIR'),
    (['diff'], '--other missing'),
    (['diff', '--other=nowhere'], "No gallery at 'nowhere'"),
    (['verify', '--model='], '--model missing'),
    (['lists'], "found 'lists'. Did you mean 'list'? See: "),
    (['add', '--json'], 'add does not know --json'),
  ],
)
def test_a_line_for_bad_input(tiny_world, folder, arguments, message):
  before = command_runner.files_below(folder)
  extra = [f'--model={tiny_world.model_dir}'] if arguments[0] == 'add' else []
  line = _run(*arguments, f'--gallery={folder}', *extra).only_line
  assert message in line
  assert command_runner.files_below(folder) == before


def test_another_models_gallery_is_refused(folder, library, tmp_path):
  other = tiny_model.write(str(tmp_path / 'other'), seed=1)
  arguments = [f'--gallery={folder}', f'--model={other}']
  line = _run('add', *arguments, f'--library={library}').only_line
  assert 'another view encoder' in line
  result = _run('verify', *arguments)
  assert result.status == 1
  assert 'another view encoder' in result.stdout


def test_a_saved_model_embeds_by_itself(library, tmp_path):
  line = _run(
    'add', '--saved_model=s', '--model=m', f'--library={library}'
  ).only_line
  assert '--saved_model embeds CADs by itself' in line
  line = _run('list', f'--saved_model={tmp_path}').only_line
  assert 'No SavedModel at' in line
