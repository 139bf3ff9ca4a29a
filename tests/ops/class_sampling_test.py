import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from mask2cad_tf.ops import class_sampling


class ClassSamplingTest(tf.test.TestCase, parameterized.TestCase):
  def test_factors_by_hand(self):
    # sqrt(0.1 / 0.4) = 0.5 -> 1; sqrt(0.1 / 0.025) = 2; sqrt(0.1 / 0.001) = 10.
    self.assertAllClose(
      class_sampling.repeat_factors(tf.constant([0.0, 0.4, 0.025, 0.001]), 0.1),
      [1, 1, 2, 10],
    )

  def test_rarest_class_decides(self):
    factors = tf.constant([1.0, 1.0, 2.0, 10.0])
    factor = class_sampling.image_repeat_factor
    self.assertAllEqual(factor(tf.constant([1, 2]), factors), 2.0)
    self.assertAllEqual(factor(tf.constant([3, 2, 1]), factors), 10.0)
    self.assertAllEqual(factor(tf.zeros([0], tf.int32), factors), 1.0)

  @parameterized.parameters(1.0, 2.0, 1.25, 2.6)
  def test_count_keeps_the_mean(self, factor):
    seeds = np.stack([np.arange(4000), np.full(4000, 3)], -1)
    counts = tf.vectorized_map(
      lambda seed: class_sampling.stochastic_count(tf.constant(factor), seed),
      tf.constant(seeds),
    )
    self.assertEqual(counts.dtype, tf.int64)
    self.assertAllInSet(counts, {int(factor), int(np.ceil(factor))})
    # Standard error at most 0.5 / sqrt(4000) = 0.008.
    self.assertAllClose(np.mean(counts), factor, atol=0.03)

  def test_same_seed_same_count(self):

    def count():
      return class_sampling.stochastic_count(
        tf.constant(1.5), tf.constant([4, 2])
      )

    self.assertAllEqual(count(), count())
