"""`python -m mask2cad_tf.gallery build`."""

import os
import re
import shutil

import pytest

from mask2cad_tf import gallery
from mask2cad_tf.modeling import model_folder
from mask2cad_tf.retrieval import gallery as gallery_lib
from tests import command_runner


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
  tiny_world, library, tmp_path
):
  result = _build(tiny_world, library, tmp_path / 'g', '--num_views=3')
  assert result.status == 0, result
  assert '2 CADs, 3 views each, version ' in result.stdout
  assert '2/2 chair/stool' in result.stderr  # progress
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
  lists.write_text('{"annotated": ["chair/stool"], "all": ["chair/no"]}')
  result = _build(
    tiny_world, library, tmp_path / 'g', f'--cad_list={lists}:annotated'
  )
  assert result.status == 0, result
  assert gallery_lib.load(str(tmp_path / 'g')).cad_ids == ('chair/stool',)
  for place, message in (
    (f'{lists}:all', '1 of 1 listed CADs are not in .*chair/no'),
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
    (['twice'], 'Expected the verb "build", found \'build twice\''),
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
  monkeypatch.setattr(model_folder, 'default_folder', lambda: 'shipped')
  line = command_runner.run(
    gallery, 'build', f'--library={library}', f'--gallery={tmp_path}/g'
  ).only_line
  assert "params.yaml in 'shipped'" in line
