"""Finding Sweet Home 3D's archives."""

import os
import stat

import pytest

from tfrecords_tools.cad_sources import furniture_archives


def _touch(folder, *names):
  for name in names:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b'')
  return [str(folder / name) for name in names]


def _program(folder, name, script):
  """A stand-in for a program of Debian's."""
  folder.mkdir(exist_ok=True)
  path = folder / name
  path.write_text(f'#!/bin/sh\n{script}\n')
  path.chmod(path.stat().st_mode | stat.S_IEXEC)


@pytest.fixture
def programs(tmp_path, monkeypatch):
  """A folder whose programs come first."""
  folder = tmp_path / 'bin'
  monkeypatch.setenv('PATH', f'{folder}{os.pathsep}{os.environ["PATH"]}')
  return folder


def test_files_keep_their_order(tmp_path):
  b, a = _touch(tmp_path, 'b.sh3f', 'a.jar')
  assert furniture_archives.find(f'{b}, {a}', str(tmp_path)) == [b, a]


def test_a_folder_gives_its_archives_sorted(tmp_path):
  _touch(tmp_path, 'x/b.sh3f', 'a.sh3f', 'SweetHome3D.jar', 'lib/other.jar')
  found = furniture_archives.find(str(tmp_path), str(tmp_path))
  names = [os.path.basename(path) for path in found]
  assert names == ['SweetHome3D.jar', 'a.sh3f', 'b.sh3f']


def test_packages_are_unpacked(tmp_path, programs):
  (package,) = _touch(tmp_path, 'sweethome3d-furniture_1_all.deb')
  _program(programs, 'dpkg-deb', 'mkdir -p "$3/usr" && touch "$3/usr/a.sh3f"')
  work = tmp_path / 'work'
  work.mkdir()
  (found,) = furniture_archives.find(package, str(work))
  assert found == str(work / 'package_0/usr/a.sh3f')


def test_nothing_given_fetches_the_packages(tmp_path, programs):
  _program(
    programs, 'apt-get', '[ "$1" = download ] && touch "$2.deb" "$3.deb"'
  )
  _program(
    programs, 'dpkg-deb', 'mkdir "$3" && touch "$3/$(basename $2 .deb).sh3f"'
  )
  work = tmp_path / 'work'
  work.mkdir()
  found = furniture_archives.find('', str(work))
  assert [os.path.basename(path) for path in found] == [
    'sweethome3d-furniture.sh3f',
    'sweethome3d.sh3f',
  ]


def test_a_machine_without_apt(tmp_path, monkeypatch):
  monkeypatch.setenv('PATH', str(tmp_path))
  with pytest.raises(ValueError, match='no apt-get on this machine.*--input'):
    furniture_archives.find('', str(tmp_path))


def test_a_fetch_that_fails_says_why(tmp_path, programs):
  _program(programs, 'apt-get', 'echo "E: no network" >&2; exit 100')
  with pytest.raises(ValueError, match='apt-get download failed.*no network'):
    furniture_archives.find('', str(tmp_path))


@pytest.mark.parametrize(
  'name, error', [('nowhere.sh3f', FileNotFoundError), ('a.txt', ValueError)]
)
def test_paths_that_are_none(tmp_path, name, error):
  _touch(tmp_path, 'a.txt')
  with pytest.raises(error, match=name):
    furniture_archives.find(str(tmp_path / name), str(tmp_path))


def test_an_empty_folder(tmp_path):
  with pytest.raises(FileNotFoundError, match='No .sh3f'):
    furniture_archives.find(str(tmp_path), str(tmp_path))
