import pytest

from tfrecords_tools import scan2cad_splits

_SCENES = [f'scene{i:04d}_{visit:02d}' for i in range(10) for visit in (0, 1)]


def _lists(tmp_path, train, val):
  paths = []
  for name, ids in (('train', train), ('val', val)):
    path = tmp_path / f'{name}.txt'
    path.write_text('\n'.join(ids) + '\n\n')
    paths.append(str(path))
  return paths


def test_spaces_stay_together():
  parts = scan2cad_splits.split(_SCENES)
  spaces = {
    part: {scan2cad_splits.space(scene) for scene in scenes}
    for part, scenes in parts.items()
  }
  assert spaces['val'] == {'scene0004', 'scene0009'}
  assert not spaces['train'] & spaces['val']
  assert sorted(parts['train'] + parts['val']) == _SCENES
  assert scan2cad_splits.split(_SCENES[::-1]) == parts


@pytest.mark.parametrize(
  'scenes,val', [(_SCENES[:2], []), (_SCENES[:6], _SCENES[4:6])]
)
def test_few_spaces(scenes, val):
  assert scan2cad_splits.split(scenes)['val'] == val


def test_official_lists(tmp_path):
  # Only scans that are there; those of neither list stay out.
  train, val = _lists(
    tmp_path, ['scene0000_00', 'scene0999_00'], ['scene0002_01']
  )
  assert scan2cad_splits.split(_SCENES, train, val) == {
    'train': ['scene0000_00'],
    'val': ['scene0002_01'],
  }


def test_a_space_in_both_lists(tmp_path):
  train, val = _lists(tmp_path, ['scene0000_00'], ['scene0000_01'])
  with pytest.raises(ValueError, match='spaces scene0000 are in the training'):
    scan2cad_splits.split(_SCENES, train, val)


def test_bad_lists(tmp_path):
  train, val = _lists(tmp_path, ['scene0999_00'], ['scene0001_00'])
  with pytest.raises(ValueError, match='None of the 20 scans'):
    scan2cad_splits.split(_SCENES, train, val)
  with pytest.raises(ValueError, match='both --train_scenes and --val_scenes'):
    scan2cad_splits.split(_SCENES, train)
  with pytest.raises(FileNotFoundError, match='none.txt'):
    scan2cad_splits.split(_SCENES, train, str(tmp_path / 'none.txt'))
