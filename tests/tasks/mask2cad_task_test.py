"""The task: one step of the paper's configuration, loss weights, errors."""

import numpy as np
import orbit
import pytest
import tensorflow as tf
from official.core import exp_factory

from mask2cad_tf import registry_imports  # noqa: F401
from mask2cad_tf.data import input_pipeline
from mask2cad_tf.geometry import rotations
from mask2cad_tf.geometry import view_medoids
from mask2cad_tf.tasks import mask2cad
from tests.tasks import step_graph

_HEADS = (
  'shape_prior_head',
  'coarse_mask_head',
  'fine_mask_head',
  'embedding_head',
  'pose_bin_head',
  'pose_delta_head',
  'center_head',
  'view_encoder',
)


@pytest.fixture
def paper_task(toy_data, tmp_path):
  """mask2cad_pix3d on the toy records, with priors and bins of nine classes."""
  rng = np.random.default_rng(0)
  # Nine classes as in Tables 7-8, of which the records show four.
  names = list(toy_data.class_names) + [f'unused{i}' for i in range(5)]
  bins = {
    name: view_medoids.k_medoids(
      rotations.random_rotations(40, rng), 16, seed=0
    )
    for name in names
  }
  view_medoids.save(str(tmp_path / 'medoids.npz'), bins, 'camera', 'test')
  np.savez(
    tmp_path / 'priors.npz',
    class_names=names,
    priors=rng.uniform(size=(9, 20, 32, 32)).astype(np.float32),
  )
  config = exp_factory.get_exp_config('mask2cad_pix3d').task
  config.init_checkpoint = None
  config.model.class_names = names
  config.losses.refine_max_angle = 4.0  # every RoI: the bins here are random
  config.model.shapemask.priors_path = str(tmp_path / 'priors.npz')
  config.model.pose.medoids_path = str(tmp_path / 'medoids.npz')
  config.train_data.override(
    {
      'input_path': toy_data.photo_records,
      'views_path': toy_data.view_records_camera,
      'repeat_threshold': 0.0,
      'global_batch_size': 2,
      'shuffle_buffer_size': 4,
      # A second bed in the pool: a negative, whichever photos come first; few
      # RoIs, which are most of the arithmetic.
      'parser': {
        'max_pool_objects': 2,
        'num_distractor_cads': 1,
        'num_sampled_rois': 2,
      },
    }
  )
  return mask2cad.Mask2CADTask(config)


def test_one_step_of_the_papers_configuration(paper_task):
  model = paper_task.build_model()
  images, labels = next(
    iter(paper_task.build_inputs(paper_task.task_config.train_data))
  )
  assert images.shape == (2, 640, 640, 3)
  frozen = [v.numpy() for v in model.backbone.variables]
  before = {
    name: [v.numpy() for v in getattr(model, name).trainable_variables]
    for name in _HEADS
  }
  optimizer = tf.keras.optimizers.legacy.SGD(0.01)

  step = tf.function(
    lambda images, labels: paper_task.train_step(
      (images, labels), model, optimizer
    )
  )
  assert not step_graph.faults(step.get_concrete_function(images, labels))
  logs = step(images, labels)

  for name, value in logs.items():
    assert np.isfinite(value), name
  assert float(logs['embedding']) > 0 and float(logs['pose_bin']) > 0
  assert any('moving_variance' in v.name for v in model.backbone.variables)
  for old, variable in zip(frozen, model.backbone.variables):
    np.testing.assert_array_equal(old, variable.numpy(), variable.name)
  for name, olds in before.items():
    variables = getattr(model, name).trainable_variables
    assert variables
    for old, variable in zip(olds, variables):
      assert np.any(old != variable.numpy()), f'{variable.name} has no gradient'


def test_total_is_the_weighted_sum(paper_task):
  # cls 1 + box 50*2 + prior .1*3 + coarse 4 + fine 5 + embedding .5*6
  # + bin .25*7 + delta 5*8 + centre 5*9 = 200.05
  weight = paper_task._weight
  names = (
    'cls',
    'box',
    'prior_mask',
    'coarse_mask',
    'fine_mask',
    'embedding',
    'pose_bin',
    'pose_delta',
    'center',
  )
  total = sum(weight(name) * (1 + i) for i, name in enumerate(names))
  assert total == pytest.approx(200.05)


@pytest.fixture(name='branch_config')
def _branch_config(toy_data, tmp_path):
  """mask2cad_tiny on the toy records, its RoIs not from the detector's FPN."""
  rng = np.random.default_rng(0)
  np.savez(
    tmp_path / 'priors.npz',
    class_names=toy_data.class_names,
    priors=rng.uniform(size=(4, 3, 8, 8)).astype(np.float32),
  )
  config = exp_factory.get_exp_config('mask2cad_tiny').task
  config.override(
    {
      'freeze_backbone': True,
      'model': {
        'num_classes': 5,
        'class_names': list(toy_data.class_names),
        'roi': {'fused_filters': 8},
        'pose': {'medoids_path': toy_data.medoids_camera},
        'shapemask': {'priors_path': str(tmp_path / 'priors.npz')},
      },
      'losses': {'refine_max_angle': 4.0},
      'train_data': {
        'input_path': toy_data.scene_records,
        'views_path': toy_data.view_records_camera,
        'seed': 0,
        'parser': {'num_distractor_cads': 2},
      },
    }
  )
  return config


def test_losses_of_two_detectors_are_added(branch_config, monkeypatch):
  # cls 1 + 10, box 2 + 20; in total 11 + 50 * 22.
  monkeypatch.setattr(
    mask2cad.detection_losses,
    'detection_losses',
    lambda outputs, *_: {
      'cls': outputs['cls_outputs'],
      'box': outputs['box_outputs'],
    },
  )
  branch_config.train_branches = ['detection']
  task = mask2cad.Mask2CADTask(branch_config)
  values = (1.0, 2.0, 10.0, 20.0)
  names = ('cls_outputs', 'box_outputs')
  names += tuple(f'second_{name}' for name in names)
  outputs = dict(zip(names, map(tf.constant, values)))
  losses = task.build_losses(outputs, {})
  assert {name: float(value) for name, value in losses.items()} == {
    'cls': 11.0,
    'box': 22.0,
    'total_loss': 1111.0,
  }
  alone = task.build_losses({name: outputs[name] for name in names[:2]}, {})
  assert float(alone['total_loss']) == 101.0  # 1 + 50 * 2


def test_a_trained_backbone_is_not_asked_what_imagenet_taught_it():
  config = exp_factory.get_exp_config('mask2cad_lite').task
  config.freeze_backbone = False
  with pytest.raises(ValueError, match='imagenet_exponent is 0.05.* to 0'):
    mask2cad.Mask2CADTask(config).build_model()


_BRANCH_LOSSES = {
  'detection': {'cls', 'box'},
  'objects': {
    'prior_mask',
    'coarse_mask',
    'fine_mask',
    'embedding',
    'pose_bin',
    'pose_delta',
    'center',
  },
}


@pytest.mark.parametrize(
  'branch, other', [('detection', 'objects'), ('objects', 'detection')]
)
def test_a_branch_trains_alone(branch_config, branch, other):
  branch_config.train_branches = [branch]
  task = mask2cad.Mask2CADTask(branch_config)
  model = task.build_model()
  batch = next(iter(task.build_inputs(branch_config.train_data)))
  own = [v for p in model.branch_parts(branch) for v in p.trainable_variables]
  rest = [v for p in model.branch_parts(other) for v in p.variables]
  rest += model.backbone.variables
  before = [v.numpy() for v in own], [v.numpy() for v in rest]
  # Adam: the focal loss of a level without objects has tiny gradients.
  optimizer = tf.keras.optimizers.legacy.Adam(0.01, epsilon=1e-12)
  metrics = task.build_metrics(training=True)

  logs = tf.function(
    lambda batch: task.train_step(batch, model, optimizer, metrics)
  )(batch)

  names = _BRANCH_LOSSES[branch]
  measures = {'refined_share'} if branch == 'objects' else set()
  assert set(logs) == names | measures | {task.loss, 'total_loss'}
  assert {m.name for m in metrics} == names | measures | {'total_loss'}
  total = sum(task._weight(name) * float(logs[name]) for name in names)
  assert float(logs['total_loss']) == pytest.approx(total, rel=1e-5)
  assert {id(v) for v in model.trainable_variables} == {id(v) for v in own}
  for old, variable in zip(before[0], own):
    if variable.shape.rank > 1:  # a norm takes biases away
      assert np.any(old != variable.numpy()), variable.name
  for old, variable in zip(before[1], rest):
    np.testing.assert_array_equal(old, variable.numpy(), variable.name)


def test_frozen_modules_keep_their_weights(branch_config):
  branch_config.train_branches = ['objects']
  free = ('pose_bin_head', 'pose_delta_head')
  model = mask2cad.Mask2CADTask(branch_config).build_model()
  branch_config.frozen_modules = [
    name for name in model.checkpoint_items if name not in free
  ]
  model = mask2cad.Mask2CADTask(branch_config).build_model()
  expected = [
    v for name in free for v in model.checkpoint_items[name].variables
  ]
  assert {id(v) for v in model.trainable_variables} == {id(v) for v in expected}


def test_unknown_frozen_module(branch_config):
  branch_config.frozen_modules = ['pose_bin_head', 'pose_heads']
  with pytest.raises(
    ValueError, match='frozen_modules: no module pose_heads; .* pose_bin_head'
  ):
    mask2cad.Mask2CADTask(branch_config).build_model()


@pytest.mark.parametrize('branches', [['objects'], ['detection', 'objects']])
def test_objects_alone_are_validated_in_true_boxes(
  branch_config, toy_data, branches
):
  branch_config.train_branches = branches
  branch_config.validation_data.input_path = toy_data.scene_records
  branch_config.validation_data.views_path = toy_data.view_records_camera
  task = mask2cad.Mask2CADTask(branch_config)
  model = task.build_model()
  task.build_metrics(training=False)
  state = None
  for batch in task.build_inputs(branch_config.validation_data):
    state = task.aggregate_logs(state, task.validation_step(batch, model))
  # A replica's share of the last batch, with no photo in it.
  nothing = tf.nest.map_structure(lambda x: x[:0], batch)
  outputs = task.validation_step(nothing, model)
  assert outputs[task.coco_metric.name][1]['detection_boxes'].shape[0] == 0
  task.aggregate_logs(state, outputs)
  logs = task.reduce_aggregated_logs(None)
  if branches == ['objects']:
    assert logs['detected_share'] == 1.0
    assert logs['AP'] == pytest.approx(1.0)
    assert 0.0 <= logs['cad_top1'] <= 1.0
  else:  # an untrained detector finds nothing
    assert logs['detected_share'] == 0.0
    assert logs['AP'] <= 0.0


def test_both_branches_are_the_default(branch_config):
  task = mask2cad.Mask2CADTask(branch_config)
  names = {m.name for m in task.build_metrics(training=True)}
  assert names == {'total_loss', 'refined_share'}.union(
    *_BRANCH_LOSSES.values()
  )


@pytest.mark.parametrize(
  'part, field, remedy',
  [
    ('shapemask', 'priors_path', 'build_shape_priors'),
    ('pose', 'medoids_path', 'build_pose_medoids'),
  ],
)
def test_missing_files_name_the_remedy(paper_task, part, field, remedy):
  setattr(getattr(paper_task.task_config.model, part), field, 'nowhere.npz')
  with pytest.raises(FileNotFoundError, match=f'nowhere.npz.*{remedy}'):
    paper_task.build_model()


def test_training_without_views_says_so(paper_task):
  config = paper_task.task_config.train_data
  config.views_path = ''
  with pytest.raises((ValueError, FileNotFoundError), match='views_path'):
    paper_task.build_inputs(config)


def test_the_trainer_says_which_share_of_the_batch_is_wanted(
  branch_config, monkeypatch
):
  # It looks at the signature: a decorator that hides it gives every replica
  # the whole batch.
  contexts = []

  def build_dataset(params, model, input_context, branches, start_step):
    contexts.append(input_context)
    return tf.data.Dataset.range(1)

  monkeypatch.setattr(input_pipeline, 'build_dataset', build_dataset)
  task = mask2cad.Mask2CADTask(branch_config)
  orbit.utils.make_distributed_dataset(
    tf.distribute.OneDeviceStrategy('CPU:0'),
    task.build_inputs,
    branch_config.train_data,
  )
  (context,) = contexts
  assert context.get_per_replica_batch_size(4) == 4
