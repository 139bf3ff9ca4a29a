"""The frozen ImageNet features that renderings and photos are compared by."""

from typing import Callable
from typing import Optional

import numpy as np
import tensorflow as tf

# uint8 [n, 128, 128, 3] -> float32 [n, 16, 16, c]
Extractor = Callable[[np.ndarray], np.ndarray]


def extractor(encoder: tf.keras.layers.Layer) -> Optional[Extractor]:
  """A `refinement.fine_features.FeatureExtractor` of a model.

  Args:
    encoder: the model's view encoder, with weights.

  Returns:
    The extractor; None for a view encoder without a frozen stem.
  """
  if not hasattr(encoder, 'fine_features'):
    return None
  compute = tf.function(
    lambda crops: encoder.fine_features(tf.cast(crops, tf.float32) / 255.0),
    input_signature=[tf.TensorSpec([None, 128, 128, 3], tf.uint8)],
    autograph=False,
  )
  # Traced here, not within the time of the first object.
  compute(tf.zeros([1, 128, 128, 3], tf.uint8))
  return lambda crops: compute(crops).numpy()
