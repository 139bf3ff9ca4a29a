"""The paper's configuration at 640 x 640, one training step (Tables 6-8)."""

import numpy as np
import tensorflow as tf
from official.core import exp_factory

from mask2cad_tf.configs import experiments  # noqa: F401
from mask2cad_tf.modeling import factory
from tests.modeling import training_batch


def _check_tables(model):
  # F_i is 32 x 32 x 256; the projection to 128 is the mask branch's only.
  assert model.shape_prior_head._project.kernel.shape == (256, 128)
  # Table 6: 3 x conv(256 -> 256), conv(256 -> 128), mean, nothing else.
  trunk = model.embedding_head._trunk
  kernels = [conv.kernel.shape for conv in trunk._convs]
  assert kernels == [(3, 3, 256, 256)] * 3 + [(3, 3, 256, 128)]
  # Tables 7 and 8: 4 x conv(256 -> 256), mean, linear of 16, 4, 2 per class.
  outputs = {
    'pose_bin_head': 160,  # 16 x 10
    'pose_delta_head': 40,  # 4 x 10
    'center_head': 20,  # 2 x 10
  }
  for name, units in outputs.items():
    head = getattr(model, name)
    kernels = [conv.kernel.shape for conv in head._trunk._convs]
    assert kernels == [(3, 3, 256, 256)] * 4, name
    assert head._linear.kernel.shape == (256, units), name
  np.testing.assert_allclose(
    tf.reshape(model.pose_delta_head._linear.bias, [10, 4]),
    np.tile([0.95, 0.0, 0.0, 0.0], [10, 1]),
  )


def test_one_training_step():
  task = exp_factory.get_exp_config('mask2cad_pix3d').task
  config = task.model
  model = factory.build_mask2cad(
    tf.keras.layers.InputSpec(shape=[None, *config.input_size]),
    config,
    l2_regularizer=tf.keras.regularizers.l2(task.losses.l2_weight_decay / 2),
    load_assets=False,
  )
  assert task.freeze_backbone
  model.backbone.trainable = False
  _check_tables(model)
  priors = model.shape_prior_head.priors
  assert priors.shape == (10, 20, 32, 32)
  priors.assign(np.random.default_rng(0).uniform(size=priors.shape))

  sizes = {'batch': 2, 'rois': 2, 'objects': 1, 'views': 2}
  before = model.backbone.get_weights()
  outputs, variables, found = training_batch.gradients(
    model, training_batch.random_inputs(config, **sizes)
  )
  shapes = training_batch.shapes_of(outputs)
  assert shapes == training_batch.expected_shapes(config, **sizes)
  assert shapes['fine_mask_logits'] == (2, 2, 128, 128)
  assert shapes['pose_bin_logits'] == (2, 2, 10, 16)
  assert all(np.isfinite(x).all() for x in tf.nest.flatten(outputs))
  training_batch.check_every_head_learns(model, variables, found)

  frozen = {id(v) for v in model.backbone.variables}
  assert not frozen & {id(v) for v in variables}
  tf.keras.optimizers.legacy.SGD(0.01).apply_gradients(zip(found, variables))
  for old, new in zip(before, model.backbone.get_weights()):
    np.testing.assert_array_equal(old, new)
