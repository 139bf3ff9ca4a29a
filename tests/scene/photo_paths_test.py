"""Files, folders and globs of photos."""

import os

import pytest

from mask2cad_tf.scene import photo_paths


@pytest.fixture
def rooms(tmp_path):
  for name in ('b.JPG', 'a.png', 'c.heic', 'notes.txt', 'x[1].jpg'):
    (tmp_path / name).touch()
  (tmp_path / 'd.jpg').mkdir()
  return tmp_path


def _names(paths):
  return [os.path.basename(path) for path in paths]


def test_a_folders_photos_in_order(rooms):
  (rooms / 'd.jpg').rmdir()
  found = photo_paths.expand([str(rooms)])
  assert _names(found) == ['a.png', 'b.JPG', 'c.heic', 'x[1].jpg']


def test_a_glob_takes_files_only(rooms):
  assert _names(photo_paths.expand([f'{rooms}/*.jpg'])) == ['x[1].jpg']


def test_each_photo_once_and_files_as_they_are(rooms):
  paths = [f'{rooms}/b.JPG', f'{rooms}/[ab].*', f'{rooms}/x[1].jpg', 'gone.jpg']
  assert _names(photo_paths.expand(paths)) == [
    'b.JPG',
    'a.png',
    'x[1].jpg',
    'gone.jpg',
  ]


def test_nothing_found_is_an_error(rooms):
  (rooms / 'empty').mkdir()
  with pytest.raises(
    FileNotFoundError, match="No photo in the folder '.*empty"
  ):
    photo_paths.expand([f'{rooms}/empty'])
  with pytest.raises(FileNotFoundError, match=r"No file fits '.*\*\.gif'"):
    photo_paths.expand([f'{rooms}/*.gif'])


def test_same_stems_get_their_folders_names():
  folders = photo_paths.output_folders(['x/1.jpg', 'y/1.jpg', 'y/2.jpg'], 'OUT')
  assert list(folders.values()) == ['OUT/x_1', 'OUT/y_1', 'OUT/2']


def test_two_photos_of_one_folder_name_clash():
  with pytest.raises(ValueError, match="both write 'x_1'"):
    photo_paths.output_folders(['x/1.jpg', 'x/1.png'], 'OUT')
