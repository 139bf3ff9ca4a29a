"""The recipe: its commands, in order; what is done is not done again."""

import pathlib

import pytest
import yaml

from mask2cad_tf import packaged_model
from mask2cad_tf import train_lite
from mask2cad_tf.configs import lite_recipe

# What the recipe waits for after each command.
_LAST_FILES = {
  'tfrecords_tools.synthesize': 'preview.png',
  'tfrecords_tools.render_views': 'manifest.json',
  'tfrecords_tools.cad_library': 'manifest.json',
  'mask2cad_tf.cache_features': 'manifest.json',
}


class Commands:
  """Stands for the commands: notes them, leaves their last file."""

  def __init__(self):
    self.modules = []

  def __call__(self, module, *arguments):
    self.modules.append(module)
    values = dict(word[2:].partition('=')[::2] for word in arguments)
    if 'output' in values:
      pathlib.Path(values['output']).touch()
    elif module in _LAST_FILES:
      folder = pathlib.Path(values['output_dir'])
      folder.mkdir(parents=True, exist_ok=True)
      (folder / _LAST_FILES[module]).touch()


@pytest.fixture(name='commands')
def _commands(monkeypatch):
  commands = Commands()
  monkeypatch.setattr(train_lite, '_run', commands)
  monkeypatch.setattr(train_lite.Recipe, '_start', lambda *arguments: _Ended())
  monkeypatch.setattr(
    train_lite.catalogue,
    'write_library',
    lambda root: pathlib.Path(root).mkdir(parents=True),
  )
  return commands


class _Ended:
  """A trainer that went well."""

  def wait(self, timeout):
    return 0


def test_all_steps_in_order(commands, tmp_path, capsys):
  recipe = train_lite.Recipe(tmp_path, '', sweethome3d=True)
  assert recipe.run(lite_recipe.QUICK) == tmp_path / 'model'
  first = [
    'tfrecords_tools.cad_library',
    # Two libraries, each in crowded rooms, too; the validation.
    *['tfrecords_tools.synthesize'] * 5,
    *['tfrecords_tools.build_pose_medoids'] * 2,
    'tfrecords_tools.build_shape_priors',
  ]
  assert commands.modules[: len(first)] == first
  # Two libraries at a time: their views, then caches of photos and views.
  assert sorted(commands.modules[len(first) : -1]) == [
    *['mask2cad_tf.cache_features'] * 6,
    *['tfrecords_tools.render_views'] * 2,
  ]
  assert commands.modules[-1] == 'mask2cad_tf.pack'
  stages = [x for x in capsys.readouterr().out.split('\n') if 'Stage' in x]
  assert [stage.split(':')[0] for stage in stages] == [
    f'Stage {number} of 6' for number in range(1, 7)
  ]


def test_what_is_done_is_not_done_again(commands, tmp_path):
  train_lite.Recipe(tmp_path, '', sweethome3d=True).run(lite_recipe.QUICK)
  commands.modules.clear()
  train_lite.Recipe(tmp_path, '', sweethome3d=True).run(lite_recipe.QUICK)
  assert commands.modules == ['mask2cad_tf.pack']


def test_each_branch_has_its_configuration(commands, tmp_path):
  train_lite.Recipe(tmp_path, '', sweethome3d=False).run(lite_recipe.FULL)
  for branch, steps in lite_recipe.FULL.steps.items():
    found = yaml.safe_load((tmp_path / f'{branch}.yaml').read_text())
    assert found == lite_recipe.overrides(
      tmp_path, branch, steps, {'furniture': ['furniture', 'furniture_crowded']}
    )


def test_photos_of_missing_libraries_go_to_the_others(
  monkeypatch, commands, tmp_path
):
  counts = {}
  monkeypatch.setattr(
    train_lite.Recipe,
    '_synthesize',
    lambda self, name, library, count, *_: counts.update({name: count}),
  )
  train_lite.Recipe(tmp_path, '', sweethome3d=False).run(lite_recipe.QUICK)
  # 1200 + 400 + 200 photos, all of the furniture; a quarter are crowded rooms.
  assert counts == {
    'furniture': 1350,
    'furniture_crowded': 450,
    'validation': 100,
  }


def test_fine_tuning_starts_from_the_packaged_model(commands, tmp_path):
  library = tmp_path / 'library'
  library.mkdir()
  root = tmp_path / 'run'
  root.mkdir()
  train_lite.Recipe(root, finetune=str(library)).run(lite_recipe.FINETUNE)
  assert commands.modules == [
    *['tfrecords_tools.synthesize'] * 2,
    *['tfrecords_tools.build_pose_medoids'] * 2,
    'tfrecords_tools.build_shape_priors',
    'tfrecords_tools.render_views',
    *['mask2cad_tf.cache_features'] * 2,
    'mask2cad_tf.pack',
  ]
  assert not (root / 'detection.yaml').exists()  # the packaged one stays
  task = yaml.safe_load((root / 'objects.yaml').read_text())['task']
  assert task['init_checkpoint'] == packaged_model.folder()
  assert task['train_data']['input_path'] == [
    f'{root}/cached/records/own/images*'
  ]


def test_a_missing_library_is_told(tmp_path):
  with pytest.raises(FileNotFoundError, match="--finetune='nowhere'"):
    train_lite.Recipe(tmp_path, finetune='nowhere')


def test_a_pix3d_folder_without_models_is_told(tmp_path):
  with pytest.raises(FileNotFoundError, match='no folder model/'):
    train_lite.Recipe(tmp_path, str(tmp_path), sweethome3d=False)
