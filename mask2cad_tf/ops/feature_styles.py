"""Photos of other looks, drawn in the space of features.

Channel means and deviations of early features say how a picture was made
(light, lens, renderer), and less what it shows. What learns from
renderings alone must not lean on them: DSU (Li et al., Uncertainty Modeling
for Out-of-Distribution Generalization, ICLR 2022, Eqs. 3-7).
"""

from typing import Dict
from typing import Mapping
from typing import Optional

import tensorflow as tf

_SHARE = 0.5  # of the photos that change, the paper's p
_EPSILON = 1e-6


def restyle(
  features: Mapping[str, tf.Tensor],
  strength: float,
  seed: Optional[tf.Tensor] = None,
) -> Dict[str, tf.Tensor]:
  """Moves the channel statistics of half of the photos, at random.

  Each mean and deviation moves by a normal variable as wide as that statistic
  varies between the photos of the batch.

  Args:
    features: level to [B, H_l, W_l, C_l].
    strength: times that width; 1 is the paper's.
    seed: int [2], the same seed draws the same styles; None draws anew.

  Returns:
    The same, of the same types.
  """
  if seed is None:
    seed = tf.random.uniform([2], maxval=tf.int32.max, dtype=tf.int32)
  seeds = tf.random.experimental.stateless_split(seed, 1 + 2 * len(features))
  batch = tf.shape(next(iter(features.values())))[0]
  chosen = tf.random.stateless_uniform([batch, 1, 1, 1], seeds[0]) < _SHARE
  return {
    level: tf.where(
      chosen, _restyled(x, strength, seeds[1 + 2 * i : 3 + 2 * i]), x
    )
    for i, (level, x) in enumerate(sorted(features.items()))
  }


def _restyled(x: tf.Tensor, strength: float, seeds: tf.Tensor) -> tf.Tensor:
  values = tf.cast(x, tf.float32)
  mean, variance = tf.nn.moments(values, [1, 2], keepdims=True)  # [B, 1, 1, C]
  deviation = tf.sqrt(variance + _EPSILON)
  shifted, stretched = (
    statistic
    + strength
    * tf.stop_gradient(tf.math.reduce_std(statistic, axis=0, keepdims=True))
    * tf.random.stateless_normal(tf.shape(statistic), seeds[i])
    for i, statistic in enumerate((mean, deviation))
  )
  return tf.cast((values - mean) / deviation * stretched + shifted, x.dtype)
