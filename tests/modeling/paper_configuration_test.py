"""The paper's configuration at 640 x 640: layers and shapes (Tables 6-8)."""

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


def test_tables_and_shapes_at_full_size():
  """A step of it, at this size too: tests/tasks/mask2cad_task_test.py."""
  config = exp_factory.get_exp_config('mask2cad_pix3d').task.model
  model = factory.build_mask2cad(
    tf.keras.layers.InputSpec(shape=[None, *config.input_size]),
    config,
    load_assets=False,
  )
  _check_tables(model)
  assert model.shape_prior_head.priors.shape == (10, 20, 32, 32)

  sizes = {'batch': 2, 'rois': 2, 'objects': 1, 'views': 2}
  inputs = training_batch.random_inputs(config, **sizes)
  forward = tf.function(
    lambda inputs: model(**inputs, training=True), autograph=False
  )
  outputs = forward.get_concrete_function(inputs).structured_outputs
  shapes = training_batch.shapes_of(outputs)
  assert shapes == training_batch.expected_shapes(config, **sizes)
  assert shapes['fine_mask_logits'] == (2, 2, 128, 128)
  assert shapes['pose_bin_logits'] == (2, 2, 10, 16)
