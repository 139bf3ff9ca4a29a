import pytest

from tfrecords_tools.synthesis import cycles_scene
from tfrecords_tools.synthesis import folder_files


def _list(folder):
  return folder_files.list_files(folder, cycles_scene.PANORAMAS, 'environments')


def test_panoramas_are_listed_or_missed(tmp_path):
  assert _list('') == []
  with pytest.raises(FileNotFoundError, match='--environments'):
    _list(str(tmp_path))
  for name in ('b.exr', 'a.HDR', 'c.txt'):
    (tmp_path / name).write_bytes(b'')
  found = _list(str(tmp_path))
  assert [path[-5:] for path in found] == ['a.HDR', 'b.exr']
