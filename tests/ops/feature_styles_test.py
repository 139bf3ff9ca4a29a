import numpy as np
import tensorflow as tf

from mask2cad_tf.ops import feature_styles


def _statistics(x):
  x = np.asarray(x, np.float64)
  return x.mean((1, 2)), x.std((1, 2))


class FeatureStylesTest(tf.test.TestCase):
  def _features(self, count=64):
    rng = np.random.default_rng(0)
    own = rng.normal(3.0, 2.0, [count, 1, 1, 5])  # a mean of its own each
    width = rng.uniform(0.5, 4.0, [count, 1, 1, 5])
    return {
      level: (own + width * rng.normal(size=[count, side, side, 5])).astype(
        np.float32
      )
      for level, side in (('3', 8), ('4', 4))
    }

  def test_half_of_the_photos_change_at_all_levels(self):
    tf.random.set_seed(0)
    features = self._features(400)
    found = feature_styles.restyle(features, 1.0)
    changed = {
      level: np.abs(found[level] - x).max((1, 2, 3)) > 1e-3
      for level, x in features.items()
    }
    self.assertAllEqual(changed['3'], changed['4'])
    # 400 coins: 200, standard deviation 10.
    self.assertBetween(changed['3'].sum(), 160, 240)

  def test_only_statistics_move(self):
    tf.random.set_seed(1)
    features = self._features()
    found = feature_styles.restyle(features, 1.0)
    for level, x in features.items():
      mean, deviation = _statistics(x)
      new_mean, new_deviation = _statistics(found[level])
      before = (x - mean[:, None, None]) / deviation[:, None, None]
      after = (found[level] - new_mean[:, None, None]) / new_deviation[
        :, None, None
      ]
      # The same picture; a deviation may come out negative: a negative print.
      self.assertAllClose(np.abs(before), np.abs(after), atol=1e-2)

  def test_by_as_much_as_photos_differ(self):
    tf.random.set_seed(2)
    features = {'3': self._features(2000)['3']}
    found = feature_styles.restyle(features, 0.5)
    (mean, _), (new_mean, _) = map(_statistics, (features['3'], found['3']))
    moved = (new_mean - mean)[np.abs(new_mean - mean).max(1) > 1e-4]
    # Half of the standard deviation of the means, in each channel.
    self.assertAllClose(moved.std(0), 0.5 * mean.std(0), rtol=0.1)
    self.assertAllClose(moved.mean(0), np.zeros(5), atol=0.15)

  def test_no_strength_no_change(self):
    features = self._features(4)
    found = feature_styles.restyle(features, 0.0)
    self.assertAllClose(found, features, atol=1e-4)

  def test_one_photo_has_none_to_learn_from(self):
    features = self._features(1)
    self.assertAllClose(
      feature_styles.restyle(features, 1.0), features, atol=1e-4
    )

  def test_graph_types_and_gradient(self):
    features = {
      level: tf.cast(x, tf.bfloat16) for level, x in self._features(4).items()
    }
    found = tf.function(feature_styles.restyle)(features, 1.0)
    for level, x in features.items():
      self.assertEqual(found[level].dtype, tf.bfloat16)
      self.assertEqual(found[level].shape, x.shape)
    flat = {'3': tf.ones([2, 3, 3, 1])}  # no variance
    with tf.GradientTape() as tape:
      tape.watch(flat)
      total = tf.reduce_sum(feature_styles.restyle(flat, 1.0)['3'])
    gradient = tape.gradient(total, flat)['3']
    self.assertTrue(np.isfinite(gradient).all())


if __name__ == '__main__':
  tf.test.main()
