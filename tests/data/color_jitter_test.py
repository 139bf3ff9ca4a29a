import sys

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.data import color_jitter


def _photo(seed=0):
  return tf.constant(
    np.random.default_rng(seed).uniform(0.3, 0.6, (9, 11, 3)), tf.float32
  )


def test_no_range_no_change():
  same = color_jitter.random_hsv(
    _photo(), 0.0, [1.0, 1.0], [1.0, 1.0], tf.constant([1, 2])
  )
  np.testing.assert_allclose(same, _photo(), atol=1e-3)


def test_value_alone_scales_all_channels():
  brighter = color_jitter.random_hsv(
    _photo(), 0.0, [1.0, 1.0], [1.5, 1.5], tf.constant([1, 2])
  )
  np.testing.assert_allclose(brighter, 1.5 * _photo(), atol=2e-3)


@pytest.mark.parametrize('seed', range(5))
def test_luma_moves_with_value_only(seed):
  # Hue and saturation act on I and Q; Y = .299 R + .587 G + .114 B stays.
  jittered = color_jitter.random_hsv(
    _photo(seed), 0.2, [0.8, 1.2], [1.0, 1.0], tf.constant([seed, 2])
  )
  weights = [0.299, 0.587, 0.114]
  np.testing.assert_allclose(
    jittered @ np.array(weights, np.float32)[:, None],
    _photo(seed) @ np.array(weights, np.float32)[:, None],
    atol=5e-3,
  )
  assert not np.allclose(jittered, _photo(seed), atol=1e-3)


def test_seeded_and_in_range_and_traced_alike():
  arguments = (_photo() * 1.6, 0.5, [0.5, 2.0], [0.5, 2.0], tf.constant([4, 5]))
  eager = color_jitter.random_hsv(*arguments)
  traced = tf.function(color_jitter.random_hsv)(*arguments)
  np.testing.assert_allclose(eager, traced, atol=1e-6)
  assert eager.numpy().min() >= 0 and eager.numpy().max() <= 1


def test_missing_package_says_what_to_do(monkeypatch):
  monkeypatch.setitem(sys.modules, 'tensorflow_addons', None)
  with pytest.raises(ImportError, match='aug_rand_hsv.*pip install'):
    color_jitter.random_hsv(
      _photo(), 0.1, [1.0, 1.0], [1.0, 1.0], tf.constant([1, 2])
    )
