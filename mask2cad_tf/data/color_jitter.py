"""HSV jitter of photos (S2 and ScanNet, Sec. 4), by tensorflow_addons.

The one module that imports tensorflow_addons, and only when a jitter is asked
for: the package is at its end of life, and no serving path needs it.
"""

import types
import warnings
from typing import Sequence

import tensorflow as tf


def random_hsv(
  image: tf.Tensor,
  max_delta_hue: float,
  saturation: Sequence[float],
  value: Sequence[float],
  seed: tf.Tensor,
) -> tf.Tensor:
  """Turns the hue and scales saturation and value, in YIQ.

  Args:
    image: float [h, w, 3], 0 .. 1.
    max_delta_hue: radians; the turn is uniform in -max .. max.
    saturation: lowest and highest factor of the chrominance.
    value: lowest and highest factor of all channels.
    seed: int [2], of the stateless generator.

  Returns:
    float [h, w, 3], 0 .. 1.

  Raises:
    ImportError: if tensorflow_addons is not installed.
  """
  low = [-max_delta_hue, saturation[0], value[0]]
  high = [max_delta_hue, saturation[1], value[1]]
  hue, saturation_factor, value_factor = tf.unstack(
    tf.random.stateless_uniform([3], seed, low, high)
  )
  jittered = _addons().image.adjust_hsv_in_yiq(
    image, hue, saturation_factor, value_factor
  )
  return tf.clip_by_value(jittered, 0.0, 1.0)


def _addons() -> types.ModuleType:
  try:
    with warnings.catch_warnings():
      warnings.simplefilter('ignore')  # its own end-of-life notice
      import tensorflow_addons  # pylint: disable=import-outside-toplevel
  except ImportError as error:
    raise ImportError(
      'parser.aug_rand_hsv needs tensorflow_addons. Install it (pip install '
      'tensorflow-addons==0.23.0), or set aug_rand_hsv to false.'
    ) from error
  return tensorflow_addons
