import numpy as np
import pytest
import tensorflow as tf
from official.modeling import performance
from official.modeling.optimization import legacy_adamw

from mask2cad_tf.tasks import gradient_step


def _adamw(clip_norm):
  # With beta_1 = 0, m is the gradient that arrived.
  return legacy_adamw.AdamWeightDecay(
    0.1, beta_1=0.0, gradient_clip_norm=clip_norm
  )


def _arrived(optimizer, variable):
  return optimizer.get_slot(variable, 'm').numpy()


@pytest.mark.parametrize(
  'clip_norm, wanted',
  [
    (1.0, [0.6, 0.8]),  # (3, 4) has norm 5
    (10.0, [3.0, 4.0]),
    (0.0, [3.0, 4.0]),
  ],
)
def test_clips_by_the_norm(clip_norm, wanted):
  variable, optimizer = tf.Variable([1.0, 2.0]), _adamw(clip_norm)
  gradient_step.apply(optimizer, [tf.constant([3.0, 4.0])], [variable])
  np.testing.assert_allclose(_arrived(optimizer, variable), wanted, rtol=1e-6)


def test_clips_under_a_loss_scale():
  # Model Garden's own AdamW does not.
  variable, inner = tf.Variable([1.0, 2.0]), _adamw(1.0)
  optimizer = performance.configure_optimizer(
    inner, use_float16=True, loss_scale='dynamic'
  )
  gradient = optimizer.get_unscaled_gradients(
    [optimizer.get_scaled_loss(tf.constant([3.0, 4.0]))]
  )
  gradient_step.apply(optimizer, gradient, [variable])
  np.testing.assert_allclose(_arrived(inner, variable), [0.6, 0.8], rtol=1e-6)


def test_what_has_no_gradient_stays():
  variables = [tf.Variable([1.0]), tf.Variable([2.0])]
  gradient_step.apply(_adamw(1.0), [None, tf.constant([1.0])], variables)
  assert variables[0].numpy() == 1.0 and variables[1].numpy() < 2.0
