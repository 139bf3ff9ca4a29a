"""Photos of other looks, drawn in the space of features.

Channel means and deviations of early features say how a picture was made
(light, lens, renderer), and less what it shows. What learns from
renderings alone must not lean on them: DSU (Li et al., Uncertainty Modeling
for Out-of-Distribution Generalization, ICLR 2022, Eqs. 3-7).
"""

from typing import Dict
from typing import Mapping

import tensorflow as tf

_SHARE = 0.5  # of the photos that change, the paper's p
_EPSILON = 1e-6


def restyle(
  features: Mapping[str, tf.Tensor], strength: float
) -> Dict[str, tf.Tensor]:
  """Moves the channel statistics of half of the photos, at random.

  Each mean and deviation moves by a normal variable as wide as that statistic
  varies between the photos of the batch.

  Args:
    features: level to [B, H_l, W_l, C_l].
    strength: times that width; 1 is the paper's.

  Returns:
    The same, of the same types.
  """
  batch = tf.shape(next(iter(features.values())))[0]
  chosen = tf.random.uniform([batch, 1, 1, 1]) < _SHARE
  return {
    level: tf.where(chosen, _restyled(x, strength), x)
    for level, x in features.items()
  }


def _restyled(x: tf.Tensor, strength: float) -> tf.Tensor:
  values = tf.cast(x, tf.float32)
  mean, variance = tf.nn.moments(values, [1, 2], keepdims=True)  # [B, 1, 1, C]
  deviation = tf.sqrt(variance + _EPSILON)
  shifted, stretched = (
    statistic
    + strength
    * tf.stop_gradient(tf.math.reduce_std(statistic, axis=0, keepdims=True))
    * tf.random.normal(tf.shape(statistic))
    for statistic in (mean, deviation)
  )
  return tf.cast((values - mean) / deviation * stretched + shifted, x.dtype)
