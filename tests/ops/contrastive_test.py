import math

import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from mask2cad_tf.ops import contrastive

TAU, WEIGHT = 0.15, 1.5  # Sec. 3.4


def loss(
  anchors,
  views,
  anchor_cads,
  anchor_classes,
  view_cads,
  view_classes,
  anchor_valid=None,
  num_hard_positives=32,
  num_hard_negatives=128,
):
  if anchor_valid is None:
    anchor_valid = [True] * len(anchor_cads)
  return contrastive.contrastive_loss(
    anchors,
    views,
    tf.constant(anchor_cads),
    tf.constant(anchor_classes),
    tf.constant(view_cads),
    tf.constant(view_classes),
    tf.constant(anchor_valid),
    TAU,
    WEIGHT,
    num_hard_positives,
    num_hard_negatives,
  )


class ContrastiveTest(tf.test.TestCase, parameterized.TestCase):
  def test_cosine_similarity_by_hand(self):
    # (3, 4) against (4, 3): 24 / 25; against (0, 1): 4 / 5; over tau.
    similarity = contrastive.cosine_similarity(
      tf.constant([[3.0, 4.0]]), tf.constant([[8.0, 6.0], [0.0, 1.0]]), TAU
    )
    self.assertAllClose(similarity, [[0.96 / 0.15, 0.8 / 0.15]])

  def test_zero_embedding_has_a_finite_gradient(self):
    x = tf.zeros([1, 3])
    with tf.GradientTape() as tape:
      tape.watch(x)
      similarity = contrastive.cosine_similarity(x, tf.ones([2, 3]), TAU)
    self.assertAllEqual(similarity, [[0, 0]])
    self.assertTrue(np.all(np.isfinite(tape.gradient(similarity, x))))

  def test_pair_by_hand(self):
    # e^{ln 3} = 3; noise = 1.5 * (1 + 1) = 3; -ln(3 / (3 + 3)) = ln 2.
    similarity = tf.constant([[math.log(3.0), 0.0, 0.0]])
    value = contrastive.pair_nce(
      similarity,
      tf.constant([[True, False, False]]),
      tf.constant([[False, True, True]]),
      WEIGHT,
    )
    self.assertAllClose(value, [math.log(2.0)])

  def test_one_positive_two_negatives(self):
    # Cosines 0.6, 0.8 and 0; D = cosine / 0.15 = 4, 5.3333, 0.
    # -ln(e^4 / (e^4 + 1.5 (e^5.3333 + e^0)))
    #   = ln(1 + 1.5 (207.1 + 1) / 54.598) = ln(6.7175) = 1.9047
    anchors = tf.constant([[1.0, 0.0]])
    views = tf.constant([[0.6, 0.8], [0.8, 0.6], [0.0, 1.0]])
    value = loss(anchors, views, [0], [3], [0, 1, 2], [3, 3, 3])
    by_hand = math.log1p(
      1.5 * (math.exp(0.8 / 0.15) + 1.0) / math.exp(0.6 / 0.15)
    )
    self.assertAllClose(by_hand, 1.9047, atol=1e-3)
    self.assertAllClose(value, by_hand, rtol=1e-5)

  def test_mean_over_positives(self):
    similarity = tf.constant([[1.0, 2.0, 0.5]])
    negative = tf.constant([[False, False, True]])
    alone = [
      contrastive.pair_nce(similarity, tf.constant([mask]), negative, WEIGHT)[0]
      for mask in ([True, False, False], [False, True, False])
    ]
    both = contrastive.pair_nce(
      similarity, tf.constant([[True, True, False]]), negative, WEIGHT
    )
    self.assertAllClose(both[0], 0.5 * (alone[0] + alone[1]))

  @parameterized.named_parameters(
    ('no_negatives', [[True, True]], [[False, False]]),
    ('no_positives', [[False, False]], [[True, True]]),
    ('neither', [[False, False]], [[False, False]]),
  )
  def test_zero_and_finite_gradient_without(self, positive, negative):
    similarity = tf.constant([[5.0, -6.0]])
    with tf.GradientTape() as tape:
      tape.watch(similarity)
      value = contrastive.pair_nce(
        similarity, tf.constant(positive), tf.constant(negative), WEIGHT
      )
    self.assertAllEqual(value, [0.0])
    self.assertAllEqual(tape.gradient(value, similarity), [[0.0, 0.0]])

  def test_other_classes_are_no_negatives(self):
    anchors = tf.constant([[1.0, 0.0]])
    views = tf.constant([[0.6, 0.8], [0.8, 0.6]])
    self.assertAllEqual(loss(anchors, views, [0], [3], [0, 1], [3, 4]), 0.0)
    self.assertGreater(loss(anchors, views, [0], [3], [0, 1], [3, 3]), 0.1)

  def test_views_of_the_same_cad_are_no_negatives(self):
    anchors = tf.constant([[1.0, 0.0]])
    views = tf.constant([[0.6, 0.8], [0.8, 0.6]])
    self.assertAllEqual(loss(anchors, views, [5], [3], [5, 5], [3, 3]), 0.0)

  def test_empty_slots_count_for_nothing(self):
    anchors = tf.constant([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    views = tf.constant([[0.6, 0.8], [0.8, 0.6], [1.0, 0.2]])
    padded = loss(
      anchors,
      views,
      [0, -1, 0],
      [3, 3, 3],
      [0, 1, -1],
      [3, 3, 3],
      anchor_valid=[True, True, False],
    )
    alone = loss(anchors[:1], views[:2], [0], [3], [0, 1], [3, 3])
    self.assertAllClose(padded, alone)

  def test_mean_over_anchors_includes_those_without_negatives(self):
    anchors = tf.constant([[1.0, 0.0], [1.0, 0.0]])
    views = tf.constant([[0.6, 0.8], [0.8, 0.6], [0.3, 0.4]])
    one = loss(anchors[:1], views, [0], [3], [0, 1, 7], [3, 3, 4])
    two = loss(anchors, views, [0, 7], [3, 4], [0, 1, 7], [3, 3, 4])
    self.assertAllClose(two, 0.5 * one)

  def test_mining_keeps_the_hard_pairs(self):
    # One hard pair each: the lowest positive 0 and the highest negative 0.8.
    anchors = tf.constant([[1.0, 0.0]])
    views = tf.constant([[1.0, 0.0], [0.0, 1.0], [0.8, 0.6], [0.6, 0.8]])
    mined = loss(
      anchors,
      views,
      [0],
      [3],
      [0, 0, 1, 2],
      [3] * 4,
      num_hard_positives=1,
      num_hard_negatives=1,
    )
    # D = 0 and 0.8 / 0.15: ln(1 + 1.5 e^5.333)
    self.assertAllClose(
      mined, math.log1p(1.5 * math.exp(0.8 / 0.15)), rtol=1e-5
    )

  def test_no_anchor_at_all(self):
    anchors = tf.Variable(tf.ones([2, 4]))
    with tf.GradientTape() as tape:
      value = loss(
        anchors, tf.ones([3, 4]), [-1, -1], [0, 0], [-1] * 3, [0] * 3
      )
    self.assertEqual(value, 0.0)
    self.assertAllEqual(tape.gradient(value, anchors), np.zeros([2, 4]))

  @parameterized.parameters(0, 1)
  def test_descends_to_the_right_cad(self, seed):
    rng = np.random.default_rng(seed)
    anchors = tf.Variable(rng.standard_normal([6, 8]), dtype=tf.float32)
    views = tf.Variable(rng.standard_normal([12, 8]), dtype=tf.float32)
    cads = np.arange(12) // 4
    optimizer = tf.keras.optimizers.legacy.SGD(1.0)
    for _ in range(60):
      with tf.GradientTape() as tape:
        value = loss(anchors, views, np.arange(6) // 2, [1] * 6, cads, [1] * 12)
      variables = [anchors, views]
      optimizer.apply_gradients(zip(tape.gradient(value, variables), variables))
    nearest = np.argmax(
      contrastive.cosine_similarity(anchors, views, TAU), axis=-1
    )
    self.assertAllEqual(cads[nearest], np.arange(6) // 2)
