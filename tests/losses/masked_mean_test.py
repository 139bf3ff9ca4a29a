import numpy as np
import tensorflow as tf

from mask2cad_tf.losses import masked_mean


class MaskedMeanTest(tf.test.TestCase):
  def test_by_hand(self):
    values = tf.constant([[1.0, 5.0, 100.0], [3.0, 100.0, 100.0]])
    valid = tf.constant([[True, True, False], [True, False, False]])
    # (1 + 5 + 3) / 3, each RoI the same weight whichever image it is in.
    self.assertAllClose(masked_mean.masked_mean(values, valid), 3.0)

  def test_elements_of_a_roi_are_averaged(self):
    values = tf.reshape(tf.range(16.0), [1, 2, 2, 4])
    valid = tf.constant([[False, True]])
    # 8 .. 15: 11.5
    self.assertAllClose(masked_mean.masked_mean(values, valid), 11.5)

  def test_padded_rois_may_hold_anything(self):
    values = tf.constant([[2.0, np.nan], [np.inf, 4.0]])
    valid = tf.constant([[True, False], [False, True]])
    self.assertAllClose(masked_mean.masked_mean(values, valid), 3.0)

  def test_padding_changes_nothing(self):
    values = tf.constant([[1.0, 2.0]])
    valid = tf.constant([[True, True]])
    padded = masked_mean.masked_mean(
      tf.pad(values, [[0, 3], [0, 7]], constant_values=9.0),
      tf.pad(valid, [[0, 3], [0, 7]]),
    )
    self.assertAllClose(padded, masked_mean.masked_mean(values, valid))

  def test_none_valid_is_zero(self):
    values = tf.ones([2, 3, 4])
    with tf.GradientTape() as tape:
      tape.watch(values)
      mean = masked_mean.masked_mean(values, tf.zeros([2, 3], tf.bool))
    self.assertEqual(mean, 0.0)
    self.assertAllEqual(tape.gradient(mean, values), np.zeros([2, 3, 4]))
