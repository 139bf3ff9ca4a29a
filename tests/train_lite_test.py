"""The recipe: its commands, in order; what is done is not done again."""

import pathlib

import pytest
import yaml
from official.core import exp_factory
from official.modeling import hyperparams

from mask2cad_tf import number_type
from mask2cad_tf import packaged_model
from mask2cad_tf import train_lite
from mask2cad_tf.configs import experiments  # noqa: F401

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
  assert recipe.run(train_lite.QUICK) == tmp_path / 'model'
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
  train_lite.Recipe(tmp_path, '', sweethome3d=True).run(train_lite.QUICK)
  commands.modules.clear()
  train_lite.Recipe(tmp_path, '', sweethome3d=True).run(train_lite.QUICK)
  assert commands.modules == ['mask2cad_tf.pack']


def test_photos_of_missing_libraries_go_to_the_others(
  monkeypatch, commands, tmp_path
):
  counts = {}
  monkeypatch.setattr(
    train_lite.Recipe,
    '_synthesize',
    lambda self, name, library, count, *_: counts.update({name: count}),
  )
  train_lite.Recipe(tmp_path, '', sweethome3d=False).run(train_lite.QUICK)
  # 1200 + 400 + 200 photos, all of the furniture; a quarter are crowded rooms.
  assert counts == {
    'furniture': 1350,
    'furniture_crowded': 450,
    'validation': 100,
  }


@pytest.mark.parametrize('branch', ['detection', 'objects'])
def test_configuration_overlays_the_experiment(commands, tmp_path, branch):
  train_lite.Recipe(tmp_path, '', sweethome3d=False).run(train_lite.FULL)
  overlay = yaml.safe_load((tmp_path / f'{branch}.yaml').read_text())
  config = hyperparams.override_params_dict(
    exp_factory.get_exp_config('mask2cad_lite'), overlay, is_strict=True
  )
  assert config.task.train_branches == [branch]
  assert config.task.init_checkpoint is None
  assert config.runtime.mixed_precision_dtype == number_type.fastest()
  assert config.task.validation_data.input_path == (
    f'{tmp_path}/records/validation/images*'
  )
  assert config.trainer.validation_interval < config.trainer.train_steps
  assert config.task.train_data.input_path == [
    f'{tmp_path}/cached/records/{name}/images*'
    for name in ('furniture', 'furniture_crowded')
  ]
  steps = train_lite.FULL.steps[branch]
  assert config.trainer.train_steps == steps
  cosine = config.trainer.optimizer_config.learning_rate.cosine
  assert cosine.decay_steps == steps


@pytest.mark.parametrize(
  'steps, interval',
  [
    (9000, 2250),  # four validations
    (1200, 600),  # two: every 300 steps would cost a third of the time
    (500, 500),  # one, of all that was learnt
    (4, 4),
  ],
)
def test_short_trainings_are_validated_less(
  commands, tmp_path, steps, interval
):
  size = train_lite.FULL._replace(steps={'objects': steps})
  train_lite.Recipe(tmp_path, '', sweethome3d=False).run(size)
  config = yaml.safe_load((tmp_path / 'objects.yaml').read_text())
  assert config['trainer']['validation_interval'] == interval


def test_the_rate_climbs_in_short_trainings_too(commands, tmp_path):
  # The rate climbs to what the cosine has left after the warm-up: with 200
  # steps of it in a training of 180 that would be nothing.
  library = tmp_path / 'library'
  library.mkdir()
  size = train_lite.FINETUNE.scaled(0.3)
  assert size.steps == {'objects': 180} and size.photos == {'own': 450}
  root = tmp_path / 'run'
  root.mkdir()
  train_lite.Recipe(root, finetune=str(library)).run(size)
  overlay = yaml.safe_load((root / 'objects.yaml').read_text())
  warmup = overlay['trainer']['optimizer_config']['warmup']['linear']
  assert warmup['warmup_steps'] == 18


def test_fine_tuning_starts_from_the_packaged_model(commands, tmp_path):
  library = tmp_path / 'library'
  library.mkdir()
  root = tmp_path / 'run'
  root.mkdir()
  train_lite.Recipe(root, finetune=str(library)).run(train_lite.FINETUNE)
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
