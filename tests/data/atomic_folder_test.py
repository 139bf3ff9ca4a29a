"""A folder appears whole or not at all."""

import pathlib

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
