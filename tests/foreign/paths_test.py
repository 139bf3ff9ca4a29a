"""Paths that foreign files name."""

import pytest

from mask2cad_tf.foreign import paths


@pytest.mark.parametrize('name', ['a', 'a/b.obj', '..a/b..', 'ä/ö.png', 'a b'])
def test_below_a_folder(name):
  assert paths.below(name, 'x.json') == name


@pytest.mark.parametrize(
  'name',
  [
    *('', ' ', '..', '../a', 'a/../../b', 'a/..', '/etc/passwd', '~/a'),
    *('C:/a', 'c:a', 'a\\..\\b', 'a\0b', 'a\nb', '\ud800', None, 3, ['a']),
  ],
)
def test_not_below_a_folder(name):
  with pytest.raises(ValueError, match=r'^x\.json: the path .* Correct it'):
    paths.below(name, 'x.json')


def test_links_are_followed(tmp_path):
  root = tmp_path / 'root'
  root.mkdir()
  (tmp_path / 'secret').write_text('s')
  (root / 'out').symlink_to(tmp_path / 'secret')
  (root / 'up').symlink_to(tmp_path)
  (root / 'own').write_text('o')
  (root / 'in').symlink_to(root / 'own')
  stays = {
    name: paths.stays(str(root), name)
    for name in ('own', 'in', 'missing', 'out', 'up/secret', '../root-2')
  }
  assert [name for name, good in stays.items() if good] == [
    *('own', 'in', 'missing')
  ]
