import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from mask2cad_tf.ops import hard_mining

SIMILARITY = np.float32([[0.9, -0.5, 0.1, 0.4, -0.8]])


class HardMiningTest(tf.test.TestCase, parameterized.TestCase):
  def test_hard_positives_are_the_least_similar(self):
    positive = tf.constant([[True, True, True, True, False]])
    # Among 0.9, -0.5, 0.1, 0.4 the two lowest are -0.5 and 0.1.
    self.assertAllEqual(
      hard_mining.hardest_positives(SIMILARITY, positive, 2),
      [[False, True, True, False, False]],
    )

  def test_hard_negatives_are_the_most_similar(self):
    negative = tf.constant([[False, True, True, True, True]])
    # Among -0.5, 0.1, 0.4, -0.8 the two highest are 0.4 and 0.1.
    self.assertAllEqual(
      hard_mining.hardest_negatives(SIMILARITY, negative, 2),
      [[False, False, True, True, False]],
    )

  @parameterized.parameters(3, 5, 100)
  def test_too_few_are_all_kept(self, k):
    among = tf.constant([[False, True, False, True, False]])
    self.assertAllEqual(
      hard_mining.hardest_positives(SIMILARITY, among, k), among
    )
    self.assertAllEqual(
      hard_mining.hardest_negatives(SIMILARITY, among, k), among
    )

  def test_none_marked(self):
    none = tf.zeros([1, 5], tf.bool)
    self.assertAllEqual(
      hard_mining.hardest_negatives(SIMILARITY, none, 2), none
    )

  def test_ties_keep_exactly_k(self):
    ones = tf.ones([2, 6])
    chosen = hard_mining.hardest_negatives(ones, tf.fill([2, 6], True), 4)
    self.assertAllEqual(chosen, [[True] * 4 + [False] * 2] * 2)

  @parameterized.parameters(range(4))
  def test_against_a_sort(self, seed):
    rng = np.random.default_rng(seed)
    similarity = rng.standard_normal([7, 30]).astype(np.float32)
    among = rng.random([7, 30]) < 0.5
    lowest = hard_mining.hardest_positives(similarity, among, 5)
    highest = hard_mining.hardest_negatives(similarity, among, 5)
    for row in range(7):
      ordered = np.sort(similarity[row, among[row]])
      self.assertAllEqual(np.sort(similarity[row, lowest[row]]), ordered[:5])
      self.assertAllEqual(np.sort(similarity[row, highest[row]]), ordered[-5:])
