"""Repeat-factor sampling of rare classes (LVIS; Sec. 3.2, t = 0.1)."""

import tensorflow as tf


def repeat_factors(class_frequencies: tf.Tensor, threshold: float) -> tf.Tensor:
  """How often a class's images are shown: max(1, sqrt(t / f)).

  Args:
    class_frequencies: float [C], share of the images that show the class.
    threshold: t; classes above it are not repeated.

  Returns:
    float [C]; 1 for a class that no image shows.
  """
  return tf.maximum(
    1.0, tf.sqrt(tf.math.divide_no_nan(threshold, class_frequencies))
  )


def image_repeat_factor(labels: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
  """The largest factor of an image's classes.

  Args:
    labels: int [n], class ids.
    factors: float [C].

  Returns:
    float scalar; 1 for an image without objects.
  """
  return tf.maximum(1.0, tf.reduce_max(tf.gather(factors, labels)))


def stochastic_count(factor: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
  """Rounds a factor down or up at random, so that its mean is kept.

  Args:
    factor: float scalar.
    seed: int [2], of the stateless generator.

  Returns:
    int64 scalar.
  """
  whole = tf.floor(factor)
  more = tf.random.stateless_uniform([], seed) < factor - whole
  return tf.cast(whole, tf.int64) + tf.cast(more, tf.int64)
