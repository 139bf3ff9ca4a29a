"""Experiments are the paper's schedule; YAML files hold only differences."""

import pathlib
import re

import pytest
from official.core import exp_factory
from official.modeling import hyperparams
from official.modeling.optimization import optimizer_factory

from mask2cad_tf import conventions
from mask2cad_tf.configs import experiments
from mask2cad_tf.configs import mask2cad

_EXPERIMENTS = (
  'mask2cad',
  'mask2cad_pix3d',
  'mask2cad_scannet',
  'mask2cad_lite',
  'mask2cad_tiny',
)
_CONFIGS = pathlib.Path(__file__).parents[2] / 'configs'
_YAMLS = sorted(
  path.name
  for path in _CONFIGS.glob('*.yaml')
  if '--experiment=' in path.read_text()
)


@pytest.mark.parametrize('name', _EXPERIMENTS)
def test_experiment_is_consistent(name):
  config = exp_factory.get_exp_config(name)
  assert isinstance(config.task, mask2cad.Mask2CADTask)
  config.validate()
  model = config.task.model
  assert model.num_classes == len(model.class_names) + 1
  assert config.task.train_data.is_training
  assert not config.task.validation_data.is_training
  again = hyperparams.override_params_dict(
    exp_factory.get_exp_config(name), config.as_dict(), is_strict=True
  )
  assert again.as_dict() == config.as_dict()


def _rates(config, steps):
  factory = optimizer_factory.OptimizerFactory(config.trainer.optimizer_config)
  schedule = factory.build_learning_rate()
  return [float(schedule(step)) for step in steps]


def test_pix3d_schedule():
  # 0.08 for 64 images, so 0.16 for 128; warm-up of 500 steps from 0.0067, half
  # way (0.0067 + 0.16) / 2 = 0.08335; x0.1 after 32K and 40K of 48K steps.
  config = exp_factory.get_exp_config('mask2cad_pix3d')
  assert config.trainer.train_steps == 48000
  assert config.task.train_data.global_batch_size == 128
  rates = _rates(config, [0, 250, 500, 32000, 32001, 40000, 40001, 48000])
  expected = [0.0067, 0.08335, 0.16, 0.16, 0.016, 0.016, 0.0016, 0.0016]
  assert rates == pytest.approx(expected, rel=1e-5)


def test_scannet_schedule():
  config = exp_factory.get_exp_config('mask2cad_scannet')
  assert config.trainer.train_steps == 72000
  rates = _rates(config, [48000, 48001, 60000, 60001])
  assert rates == pytest.approx([0.16, 0.016, 0.016, 0.0016], rel=1e-5)
  assert config.task.model.num_classes == 9  # eight classes, Sec. 4
  assert config.task.model.class_names == list(conventions.SCANNET_CLASSES)


def test_learning_rate_follows_the_batch():
  config = experiments.paper_optimizer(train_steps=600, batch_size=64)
  stepwise = config.learning_rate.stepwise
  assert stepwise.boundaries == [400, 500]
  assert stepwise.values == pytest.approx([0.08, 0.008, 0.0008])


@pytest.mark.parametrize('name', ['mask2cad_pix3d', 'mask2cad_scannet'])
def test_papers_constants(name):
  config = exp_factory.get_exp_config(name)
  sgd = config.trainer.optimizer_config.optimizer.sgd
  assert config.trainer.optimizer_config.optimizer.type == 'sgd'
  assert (sgd.momentum, sgd.nesterov) == (0.9, True)
  task = config.task
  assert task.freeze_backbone
  assert task.model.input_size == [640, 640, 3]
  assert task.model.backbone.get().model_id == 50
  norm = task.model.norm_activation
  assert (norm.norm_momentum, norm.norm_epsilon) == (0.997, 1e-4)
  losses = task.losses
  assert (losses.focal_loss_alpha, losses.focal_loss_gamma) == (0.4, 1.5)
  assert (losses.huber_loss_delta, losses.box_loss_weight) == (0.15, 50)
  assert losses.l2_weight_decay == 1e-4
  assert losses.embedding_weight == 0.5
  assert (losses.pose_bin_weight, losses.pose_delta_weight) == (0.25, 5.0)
  assert task.train_data.repeat_threshold == 0.1
  parser = task.train_data.parser
  assert parser.num_sampled_rois == 8
  assert losses.num_hard_positives == 4 * parser.num_sampled_rois
  assert losses.num_hard_negatives == 16 * parser.num_sampled_rois


@pytest.mark.parametrize('name', ['mask2cad_lite', 'mask2cad_tiny'])
def test_small_experiments_build_their_optimizer(name):
  config = exp_factory.get_exp_config(name)
  steps = config.trainer.train_steps
  warmup = config.trainer.optimizer_config.warmup.linear.warmup_steps
  start, peak, end = _rates(config, [0, warmup, steps])
  assert start == 0.0
  assert peak > 0.9 * _rates(config, [warmup + 1])[0]
  assert end == pytest.approx(0.0, abs=1e-8)
  factory = optimizer_factory.OptimizerFactory(config.trainer.optimizer_config)
  factory.build_optimizer(factory.build_learning_rate())


def test_every_experiment_has_a_yaml():
  named = {_head(_CONFIGS / name)[1] for name in _YAMLS}
  assert named == set(_EXPERIMENTS) - {'mask2cad'}


def _flatten(tree, prefix=''):
  if not isinstance(tree, dict):
    return {prefix: tree}
  flat = {}
  for key, value in tree.items():
    flat.update(_flatten(value, f'{prefix}.{key}' if prefix else key))
  return flat


def _head(path):
  """The comment at the head, and the experiment its command names."""
  lines = path.read_text().splitlines()
  head = ' '.join(line[1:] for line in lines if line.startswith('#'))
  return head, re.search(r'--experiment=(\w+)', head).group(1)


@pytest.mark.parametrize('name', _YAMLS)
def test_yaml_overlays_its_experiment_with_differences_only(name):
  path = _CONFIGS / name
  head, experiment = _head(path)
  assert 'python -m mask2cad_tf.train' in head
  assert f'--config_file=configs/{name}' in head
  config = exp_factory.get_exp_config(experiment)
  defaults = _flatten(config.as_dict())
  overlay = hyperparams.read_yaml_to_params_dict(str(path)).as_dict()
  for key, value in _flatten(overlay).items():
    assert defaults[key] != value, f'{key} is the default already'
  config = hyperparams.override_params_dict(config, overlay, is_strict=True)
  config.validate()
  assert config.task.model.shapemask.priors_path
  assert config.task.model.pose.medoids_path
  assert config.task.train_data.views_path


def test_s2_has_scannets_augmentation():
  overlay = hyperparams.read_yaml_to_params_dict(
    str(_CONFIGS / 'pix3d_s2.yaml')
  ).as_dict()
  config = hyperparams.override_params_dict(
    exp_factory.get_exp_config('mask2cad_pix3d'), overlay, is_strict=True
  )
  expected = experiments.stronger_augmentation()
  expected.max_pool_objects = 1  # Pix3D annotates one object a photo
  assert config.task.train_data.parser.as_dict() == expected.as_dict()


@pytest.mark.parametrize(
  'path', sorted((_CONFIGS / 'runtime').glob('*.yaml')), ids=lambda p: p.name
)
def test_machines_change_no_result(path):
  # What a machine's file sets: the runtime, number types, norms, seeds.
  config = exp_factory.get_exp_config('mask2cad_pix3d')
  before = config.as_dict()
  hyperparams.override_params_dict(config, str(path), is_strict=True)
  config.validate()
  after = config.as_dict()
  assert after != before
  for part in ('losses', 'init_checkpoint', 'freeze_backbone'):
    assert after['task'][part] == before['task'][part]
  assert after['trainer'] == before['trainer']
  for data in (before, after):
    for key in ('dtype', 'seed', 'deterministic'):
      data['task']['train_data'].pop(key)
  assert after['task']['train_data'] == before['task']['train_data']
