"""Malicious archives are refused before anything is unpacked."""

import io
import stat
import warnings
import zipfile

import pytest

from mask2cad_tf.geometry import meshes
from tests.tfrecords_tools.cad_sources import toy_catalogues
from tfrecords_tools.cad_sources import sweethome3d
from tfrecords_tools.cad_sources import zip_archive


def _zip(members, method=zipfile.ZIP_DEFLATED):
  buffer = io.BytesIO()
  with warnings.catch_warnings():
    warnings.simplefilter('ignore')  # two members of one name
    with zipfile.ZipFile(buffer, 'w', method) as archive:
      for name, data in members:
        archive.writestr(name, data)
  return buffer.getvalue()


def _link():
  info = zipfile.ZipInfo('models/wood.png')
  info.external_attr = (stat.S_IFLNK | 0o777) << 16
  return _zip([(info, '/etc/passwd')])


def _renamed(name):
  """A member whose name zipfile would not write."""
  return _zip([('a' * len(name), 'x')]).replace(b'a' * len(name), name)


_FAULTS = {
  'parent': (lambda: _zip([('../../x', '')]), 'leads out of its folder'),
  'absolute': (lambda: _zip([('/etc/cron.d/x', '')]), 'is not relative'),
  'drive': (lambda: _zip([('C:/x', '')]), 'is not relative'),
  'backslash': (lambda: _renamed(b'..\\x'), 'has a backslash'),
  'nul': (lambda: _renamed(b'm.obj\0.png'), 'do not print'),
  'link': (_link, 'is a link'),
  'ratio': (lambda: _zip([('a', bytes(4 << 20))]), 'more than 200 times'),
  'size': (
    lambda: _zip([('a', bytes((128 << 20) + 1))], zipfile.ZIP_STORED),
    'more than 134217728',
  ),
  'twice': (lambda: _zip([('a', '1'), ('a', '2')]), "is 'a' again"),
  'case': (lambda: _zip([('Wood.png', ''), ('wood.PNG', '')]), 'again'),
  'lzma': (lambda: _zip([('a', 'x')], zipfile.ZIP_LZMA), 'not deflate'),
  'text': (lambda: b'hello', 'no .sh3f or .jar file'),
}


@pytest.mark.parametrize('fault', _FAULTS)
def test_refused(fault):
  make, message = _FAULTS[fault]
  with pytest.raises(ValueError, match=message) as error:
    zip_archive.ZipArchive(make(), 'x.sh3f')
  assert str(error.value).startswith('x.sh3f')


def test_a_bomb_of_many_members(monkeypatch):
  monkeypatch.setattr(zip_archive, 'MAX_MEMBERS', 3)
  data = _zip((str(i), '') for i in range(4))
  with pytest.raises(ValueError, match='has 4 members; expected at most 3'):
    zip_archive.ZipArchive(data, 'x.sh3f')


def test_a_large_directory_is_not_read(monkeypatch):
  monkeypatch.setattr(zip_archive, '_MAX_DIRECTORY_BYTES', 1 << 10)
  monkeypatch.setattr(zipfile, 'ZipFile', pytest.fail)
  entries = b''.join(b'PK\x01\x02' + bytes(42) for _ in range(40))
  end = zip_archive._END.pack(b'PK\x05\x06', 0, 0, 40, 40, len(entries), 0, 0)
  with pytest.raises(ValueError, match='larger than any catalogue'):
    zip_archive.ZipArchive(entries + end, 'x.sh3f')


def test_zip64_is_not_read():
  data = _zip([('a', 'x')])
  locator = b'PK\x06\x07' + bytes(16)
  with pytest.raises(ValueError, match='Zip64'):
    zip_archive.ZipArchive(data[:-22] + locator + data[-22:], 'x.sh3f')


def test_a_sound_archive_is_read():
  archive = zip_archive.ZipArchive(_zip([('a/b.txt', 'hello')]), 'x.sh3f')
  assert archive.names == ['a/b.txt']
  assert 'a/b.txt' in archive and 'b.txt' not in archive
  assert archive.read('a/b.txt') == b'hello'


def test_damage_is_said_to_be_damage():
  data = bytearray(_zip([('a', 'hello' * 99)]))
  data[33] ^= 0xFF
  with pytest.raises(ValueError, match='x.sh3f: a is damaged'):
    zip_archive.ZipArchive(bytes(data), 'x.sh3f').read('a')


def _written(tmp_path, members):
  path = toy_catalogues.write(
    tmp_path / 'a.sh3f', [toy_catalogues.entry(model='/m.zip')], members
  )
  (cad,) = sweethome3d.list_models([path]).cads
  cad.write(str(tmp_path))


def test_a_bomb_inside_a_zip_inside(tmp_path):
  inner = _zip([('chair.obj', bytes(4 << 20))])
  with pytest.raises(ValueError, match='a.sh3f:m.zip.*more than 200 times'):
    _written(tmp_path, {'m.zip': inner})


def test_an_obj_reads_nothing_outside_its_archive(tmp_path):
  (tmp_path / 'secret.mtl').write_text('newmtl seat\nKd 1 0 0\n')
  names = f'../secret.mtl {tmp_path}/secret.mtl'
  inner = _zip([('chair.obj', toy_catalogues.chair_obj(names))])
  try:
    _written(tmp_path, {'m.zip': inner})
  except meshes.MeshError:
    return
  for part in meshes.load_parts(str(tmp_path / 'model.glb')):
    assert tuple(part.visual.material.baseColorFactor[:3]) != (255, 0, 0)


@pytest.mark.parametrize('model_id', ['---', 'x' * 300])
def test_an_id_that_names_no_folder(tmp_path, model_id):
  path = toy_catalogues.write(
    tmp_path / 'a.sh3f', [toy_catalogues.entry(id=model_id)]
  )
  listing = sweethome3d.list_models([path])
  assert not listing.cads
  assert 'letters and digits' in listing.failed[0].reason
