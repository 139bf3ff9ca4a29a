"""What the lite recipe's trainers are told, by size and branch."""

import pathlib

import pytest
from official.core import exp_factory
from official.modeling import hyperparams

from mask2cad_tf import number_type
from mask2cad_tf.configs import experiments  # noqa: F401
from mask2cad_tf.configs import lite_recipe

_ROOT = pathlib.Path('runs/lite')
_PHOTOS = {'pix3d': ['pix3d', 'pix3d_crowded'], 'furniture': ['furniture']}


def _config(branch, steps, **arguments):
  overrides = lite_recipe.overrides(_ROOT, branch, steps, _PHOTOS, **arguments)
  return hyperparams.override_params_dict(
    exp_factory.get_exp_config('mask2cad_lite'), overrides, is_strict=True
  )


@pytest.mark.parametrize('branch', ['detection', 'objects'])
def test_the_experiment_takes_it(branch):
  config = _config(branch, 9000)
  task = config.task
  assert task.train_branches == [branch]
  assert task.init_checkpoint is None
  assert config.runtime.mixed_precision_dtype == number_type.fastest()
  assert task.train_data.input_path == [
    f'runs/lite/cached/records/{name}/images*'
    for name in ('pix3d', 'pix3d_crowded', 'furniture')
  ]
  assert task.train_data.views_path == [
    'runs/lite/cached/views/pix3d/views*',
    'runs/lite/cached/views/furniture/views*',
  ]
  # Validation is of the richest library.
  assert task.validation_data.input_path == (
    'runs/lite/records/validation/images*'
  )
  assert task.validation_data.views_path == 'runs/lite/views/pix3d/views*'
  assert task.model.shapemask.priors_path == 'runs/lite/priors.npz'
  assert config.trainer.train_steps == 9000
  cosine = config.trainer.optimizer_config.learning_rate.cosine
  assert cosine.decay_steps == 9000


def test_training_on_has_a_smaller_rate():
  def rate(config):
    return config.trainer.optimizer_config.learning_rate.cosine

  new, on = (
    _config('objects', 600),
    _config('objects', 600, init_checkpoint='M'),
  )
  assert on.task.init_checkpoint == 'M'
  assert 0.0 < rate(on).initial_learning_rate < rate(new).initial_learning_rate


@pytest.mark.parametrize(
  'steps, interval',
  [
    (9000, 2250),  # four validations
    (1200, 600),  # two: every 300 steps would cost a third of the time
    (500, 500),  # one, of all that was learnt
    (4, 4),
  ],
)
def test_short_trainings_are_validated_less(steps, interval):
  assert _config('objects', steps).trainer.validation_interval == interval


def test_the_rate_climbs_in_short_trainings_too():
  # The rate climbs to what the cosine has left after the warm-up: with 200
  # steps of it in a training of 180 that would be nothing.
  size = lite_recipe.FINETUNE.scaled(0.3)
  assert size.steps == {'objects': 180} and size.photos == {'own': 450}
  warmup = _config('objects', 180).trainer.optimizer_config.warmup
  assert warmup.linear.warmup_steps == 18


def test_a_small_share_leaves_a_few():
  size = lite_recipe.QUICK.scaled(0.001)
  # 1.2, .4 and .2 photos, rounded up; of the others at least four.
  assert size.photos == {'pix3d': 2, 'sweethome3d': 1, 'furniture': 1}
  assert size.validation_photos == 4
  assert size.steps == {'detection': 4, 'objects': 4}
