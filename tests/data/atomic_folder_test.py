"""A folder appears whole or not at all."""

import os
import pathlib
import threading

import pytest

from mask2cad_tf.data import atomic_folder


def _write(path, text):
  with atomic_folder.replacing(str(path), 'marker') as new:
    pathlib.Path(new, 'marker').write_text(text)


def test_appears_and_is_replaced(tmp_path):
  target = tmp_path / 'a' / 'folder'
  _write(target, 'one')
  (target / 'old_file').write_text('')
  _write(target, 'two')
  assert (target / 'marker').read_text() == 'two'
  assert [p.name for p in target.iterdir()] == ['marker']
  assert [p.name for p in target.parent.iterdir()] == ['folder']


def test_failure_leaves_the_old_one(tmp_path):
  target = tmp_path / 'folder'
  _write(target, 'one')
  with (
    pytest.raises(KeyError),
    atomic_folder.replacing(str(target), 'marker') as new,
  ):
    pathlib.Path(new, 'marker').write_text('half')
    raise KeyError
  assert (target / 'marker').read_text() == 'one'
  assert [p.name for p in tmp_path.iterdir()] == ['folder']


def test_failure_leaves_nothing_where_nothing_was(tmp_path):
  with (
    pytest.raises(KeyError),
    atomic_folder.replacing(str(tmp_path / 'folder'), 'marker'),
  ):
    raise KeyError
  assert not list(tmp_path.iterdir())


def test_a_stranger_is_not_overwritten(tmp_path):
  (tmp_path / 'thesis.tex').write_text('years of work')
  with pytest.raises(ValueError, match='has no marker'):
    _write(tmp_path, 'one')
  assert (tmp_path / 'thesis.tex').exists()


def test_an_empty_folder_may_be_filled(tmp_path):
  (tmp_path / 'folder').mkdir()
  _write(tmp_path / 'folder', 'one')
  assert (tmp_path / 'folder' / 'marker').exists()


def test_a_file_in_the_place(tmp_path):
  (tmp_path / 'folder').write_text('')
  with pytest.raises(ValueError, match='is a file'):
    _write(tmp_path / 'folder', 'one')


def test_never_absent_while_it_is_replaced(tmp_path):
  target = tmp_path / 'folder'
  _write(target, '0')
  done = threading.Event()
  seen = []

  def read():
    while not done.is_set():
      seen.append((target / 'marker').read_text())

  reader = threading.Thread(target=read)
  reader.start()
  try:
    for step in range(200):
      _write(target, str(step))
  finally:
    done.set()
    reader.join()
  # An exception in the reader would have left few.
  assert len(seen) > 100 and '' not in seen


def test_without_exchange(tmp_path, monkeypatch):
  monkeypatch.setattr(atomic_folder, '_exchange', lambda one, other: False)
  target = tmp_path / 'folder'
  _write(target, 'one')
  _write(target, 'two')
  assert (target / 'marker').read_text() == 'two'
  assert [p.name for p in tmp_path.iterdir()] == ['folder']


def test_a_link_stays_a_link(tmp_path):
  _write(tmp_path / 'v1', 'one')
  (tmp_path / 'current').symlink_to('v1')
  _write(tmp_path / 'current', 'two')
  assert (tmp_path / 'v1/marker').read_text() == 'two'
  assert sorted(p.name for p in tmp_path.iterdir()) == ['current', 'v1']


def test_what_a_killed_process_left_goes_what_lives_stays(tmp_path):
  (tmp_path / '.folder.new-dead/deep').mkdir(parents=True)
  (tmp_path / '.other.new-dead').mkdir()
  with atomic_folder.replacing(str(tmp_path / 'folder'), 'marker') as slow:
    _write(tmp_path / 'folder', 'fast')
    pathlib.Path(slow, 'marker').write_text('slow')
  assert (tmp_path / 'folder/marker').read_text() == 'slow'
  assert sorted(p.name for p in tmp_path.iterdir()) == [
    '.other.new-dead',
    'folder',
  ]


def test_changes_wait_for_each_other(tmp_path):
  target = tmp_path / 'folder'
  _write(target, '0')

  def count():
    for _ in range(20):
      with atomic_folder.locked(str(target)):
        _write(target, str(int((target / 'marker').read_text()) + 1))

  workers = [threading.Thread(target=count) for _ in range(3)]
  for worker in workers:
    worker.start()
  for worker in workers:
    worker.join()
  assert (target / 'marker').read_text() == '60'


def test_nothing_to_wait_for(tmp_path):
  with atomic_folder.locked(str(tmp_path / 'nothing')):
    pass


def test_files_are_carried_over_as_links(tmp_path, monkeypatch):
  source = tmp_path / 'source'
  for name in ('a', 'deep/b', 'deep/c', 'out/d'):
    (source / name).parent.mkdir(parents=True, exist_ok=True)
    (source / name).write_text(name)
  leave = {'out', 'deep/c'}
  atomic_folder.carry_over(str(source), str(tmp_path / 'target'), leave)
  monkeypatch.setattr(os, 'link', _no_links)
  atomic_folder.carry_over(str(source), str(tmp_path / 'copied'), leave)
  for folder in ('target', 'copied'):
    files = [p for p in (tmp_path / folder).rglob('*') if p.is_file()]
    assert sorted(p.read_text() for p in files) == ['a', 'deep/b']
  assert (tmp_path / 'target/a').samefile(source / 'a')
  assert not (tmp_path / 'copied/a').samefile(source / 'a')


def _no_links(source, target):
  raise OSError
