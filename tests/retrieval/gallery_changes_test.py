"""Adding and removing CADs: exact, whole, one at a time."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest

from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import gallery_changes
from mask2cad_tf.retrieval import gallery_checks
from tests import command_runner
from tests.retrieval import fake_encoder

_OLD = ('bed/a', 'chair/b', 'chair/d')
_NEW = ('bed/z', 'chair/a', 'chair/c')


@pytest.fixture
def encoder():
  return fake_encoder.make()


@pytest.fixture
def home(tmp_path, encoder):
  library = fake_encoder.write_library(tmp_path / 'old', *_OLD)
  fake_encoder.build(tmp_path / 'g', library, encoder)
  return gallery_changes.Home(str(tmp_path / 'g'))


@pytest.fixture
def library(tmp_path):
  return fake_encoder.write_library(tmp_path / 'new', *_NEW)


def test_added_and_removed_again_is_the_earlier_gallery(home, encoder, library):
  before = gallery_lib.load(home.root)
  added = gallery_changes.add(home, encoder, library)
  assert added.cad_ids == _NEW
  assert added.gallery.cad_ids == tuple(sorted(_OLD + _NEW))
  assert added.gallery.version != before.version
  for cad_id in _OLD:
    np.testing.assert_array_equal(
      added.gallery.embeddings[added.gallery.row(cad_id)],
      before.embeddings[before.row(cad_id)],
    )
  after = gallery_changes.remove(home, _NEW)
  assert after.content_hash == before.content_hash
  assert not gallery_checks.faults(home.root, encoder.fingerprint)


def test_added_is_as_built(tmp_path, home, encoder, library):
  added = gallery_changes.add(home, encoder, library)
  fake_encoder.write_library(library, *_OLD)
  whole = fake_encoder.build(tmp_path / 'h', library, encoder)
  assert added.gallery.content_hash == whole.content_hash
  assert command_runner.files_below(tmp_path / 'h').keys() == {
    path.replace('/g/', '/h/')
    for path in command_runner.files_below(tmp_path / 'g')
  }


def test_rendered_by_other_processes_is_the_same(tmp_path, home, encoder):
  cad_ids = [f'chair/{name}' for name in 'fghijklm']
  library = fake_encoder.write_library(tmp_path / 'new', *cad_ids)
  (tmp_path / 'new/chair/h/model.ply').write_text('no mesh')
  shutil.copytree(home.root, tmp_path / 'h')
  versions = []
  for root, num_processes in ((home.root, 2), (str(tmp_path / 'h'), 1)):
    added = gallery_changes.add(
      gallery_changes.Home(root),
      encoder,
      library,
      skip_broken=True,
      num_processes=num_processes,
    )
    assert [cad_id for cad_id, _ in added.broken] == ['chair/h']
    versions.append(added.gallery.version)
  assert versions[0] == versions[1]
  with pytest.raises(ValueError, match='chair/h/model.ply.*--skip_broken'):
    gallery_changes.add(
      gallery_changes.Home(
        str(shutil.copytree(tmp_path / 'h', tmp_path / 'i'))
      ),
      encoder,
      fake_encoder.write_library(
        tmp_path / 'new', *[f'bed/{name}' for name in 'fghijklm']
      ),
      num_processes=2,
    )


def test_only_the_new_ones_are_embedded(tmp_path, home, encoder, library):
  count = []

  def embed(views):
    count.append(len(views))
    return encoder.embed(views)

  fake_encoder.write_library(library, *_OLD)
  counting = dataclasses.replace(encoder, embed=embed)
  gallery_changes.add(home, counting, library)
  assert count == [3, 3, 3]
  folder = os.stat(home.root)
  assert gallery_changes.add(home, counting, library).cad_ids == ()
  assert count == [3, 3, 3]
  assert os.path.samestat(os.stat(home.root), folder)  # not even replaced


def test_only_the_listed_ones(home, encoder, library):
  added = gallery_changes.add(home, encoder, library, cad_ids=['chair/c'])
  assert added.cad_ids == ('chair/c',)


def test_as_many_views_as_the_gallery_has(home, library):
  more = fake_encoder.make(num_views=5)
  more = dataclasses.replace(
    more, rotations=more.rotations.copy(), valid=more.valid.copy()
  )
  more.valid[2, 1] = False
  gallery = gallery_changes.add(home, more, library).gallery
  assert gallery.embeddings.shape[:2] == (6, 3)
  row = gallery.row('chair/c')
  np.testing.assert_array_equal(gallery.valid[row], [True, False, True])
  np.testing.assert_array_equal(gallery.rotations[row], more.rotations[2, :3])
  fewer = fake_encoder.make(num_views=2)
  fake_encoder.write_library(library, 'bed/q')
  with pytest.raises(ValueError, match='3 views .*the model has 2'):
    gallery_changes.add(home, fewer, library)


@pytest.mark.parametrize(
  'fault, message',
  [
    ('mesh', "'chair/b' with another mesh .*Remove it first: .*=chair/b"),
    ('encoder', 'another view encoder'),
    ('broken', 'chair/a/model.ply.*--skip_broken'),
    ('class', 'unknown classes .*spoon'),
    ('no_library', 'No CAD library'),
    ('no_gallery', 'No gallery at'),
    ('last', 'would hold no CAD'),
    ('unknown', "no CAD 'chair/bb'.* Did you mean 'chair/b'?"),
  ],
)
def test_faults_leave_the_gallery(
  tmp_path, home, encoder, library, fault, message
):
  before = command_runner.files_below(tmp_path / 'g')
  if fault == 'mesh':
    fake_encoder.write_box(library, 'chair/b', (1.0, 2.0, 3.0))
  elif fault == 'encoder':
    encoder = fake_encoder.make(seed=1)
  elif fault == 'broken':
    (tmp_path / 'new/chair/a/model.ply').write_text('no mesh')
  elif fault == 'class':
    fake_encoder.write_library(library, 'spoon/a')
  elif fault == 'no_library':
    library = 'nowhere'
  elif fault == 'no_gallery':
    home = gallery_changes.Home(str(tmp_path / 'nothing'))
  with pytest.raises((ValueError, FileNotFoundError), match=message):
    if fault in ('last', 'unknown'):
      gallery_changes.remove(
        home, _OLD if fault == 'last' else ['chair/d', 'chair/bb']
      )
    else:
      gallery_changes.add(home, encoder, library)
  assert command_runner.files_below(tmp_path / 'g') == before
  assert sorted(os.listdir(tmp_path)) == ['g', 'new', 'old']


def test_broken_ones_are_left_out_by_name(tmp_path, home, encoder, library):
  (tmp_path / 'new/chair/a/model.ply').write_text('no mesh')
  added = gallery_changes.add(home, encoder, library, skip_broken=True)
  assert added.cad_ids == ('bed/z', 'chair/c')
  ((broken, reason),) = added.broken
  assert broken == 'chair/a' and 'model.ply' in reason


def test_what_stays_is_linked(tmp_path, home, encoder, library):
  (tmp_path / 'g/notes.txt').write_text('mine')
  mesh = tmp_path / 'g/meshes/bed/a/model.ply'
  before = os.stat(mesh)
  gallery_changes.add(home, encoder, library)
  assert os.path.samestat(os.stat(mesh), before)
  assert (tmp_path / 'g/notes.txt').read_text() == 'mine'


def test_a_mesh_goes_one_change_after_its_cad(tmp_path, home, encoder, library):
  reader = gallery_lib.load(home.root)
  gallery_changes.remove(home, ['chair/b'])
  path = reader.mesh_path('chair/b')
  assert gallery_lib.file_sha256(path) == reader.cad('chair/b').sha256
  gallery_changes.remove(home, ['chair/d'])
  assert not os.path.exists(os.path.dirname(path))
  # Its id is free for another mesh, which does not reach into the old file.
  fake_encoder.write_box(library, 'chair/d', (1.0, 2.0, 3.0))
  gallery_changes.add(home, encoder, library)
  assert not gallery_checks.faults(home.root)


def test_readers_see_old_or_new(home, encoder, library):
  versions, problems, done = set(), [], threading.Event()

  def read():
    while not done.is_set():
      try:
        versions.add(gallery_lib.load(home.root).version)
      except Exception as error:  # whatever: it is what must not happen
        problems.append(error)

  reader = threading.Thread(target=read)
  reader.start()
  try:
    expected = {gallery_lib.load(home.root).version}
    for _ in range(4):
      expected.add(gallery_changes.add(home, encoder, library).gallery.version)
      gallery_changes.remove(home, _NEW)
  finally:
    done.set()
    reader.join()
  assert not problems
  assert versions == expected and len(versions) == 2


def test_changes_at_once_are_all_made(tmp_path, home, encoder):
  libraries = [
    fake_encoder.write_library(tmp_path / f'one{i}', f'chair/n{i}')
    for i in range(4)
  ]
  threads = [
    threading.Thread(target=gallery_changes.add, args=(home, encoder, library))
    for library in libraries
  ]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  assert len(gallery_lib.load(home.root).cads) == 7
  assert not gallery_checks.faults(home.root)


def test_a_home_inside_another_folder(tmp_path, encoder, library):
  fake_encoder.build(
    tmp_path / 'root/deep/g',
    fake_encoder.write_library(tmp_path / 'old', *_OLD),
    encoder,
  )
  (tmp_path / 'root/network').write_text('weights')
  (tmp_path / 'root/deep/manifest.json').write_text('not a gallery')
  network = os.stat(tmp_path / 'root/network')

  def finish(root, gallery):
    with open(os.path.join(root, 'count'), 'w') as file:
      file.write(str(len(gallery.cads)))

  home = gallery_changes.Home(
    str(tmp_path / 'root'), 'network', os.path.join('deep', 'g'), finish
  )
  gallery_changes.add(home, encoder, library)
  assert (tmp_path / 'root/count').read_text() == '6'
  assert os.path.samestat(os.stat(tmp_path / 'root/network'), network)
  assert (tmp_path / 'root/deep/manifest.json').read_text() == 'not a gallery'
  assert not gallery_checks.faults(str(tmp_path / 'root/deep/g'))


def test_a_copied_gallery_works(tmp_path, home, encoder, library):
  shutil.copytree(home.root, tmp_path / 'h')
  copied = gallery_changes.Home(str(tmp_path / 'h'))
  assert (
    gallery_changes.add(copied, encoder, library).gallery.version
    == gallery_changes.add(home, encoder, library).gallery.version
  )


def test_killed_at_any_moment_leaves_the_old_or_the_new(tmp_path):
  result = subprocess.run(
    [
      sys.executable,
      '-m',
      'tests.retrieval.killed_changes',
      str(tmp_path),
      '12',
    ],
    check=True,
    capture_output=True,
    text=True,
  )
  counts = json.loads(result.stdout.splitlines()[-1])
  assert counts['faults'] == []
  assert counts['old'] + counts['new'] == 12
  assert counts['old'] > 0  # some were killed before the end
