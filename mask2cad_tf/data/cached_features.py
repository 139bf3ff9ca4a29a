"""Features of frozen networks inside the records, float16.

A backbone that never changes need not see a photo twice. The cached photo is
the whole one, fitted into the network's input: what varies, the synthesizer
has varied.
"""

from typing import Dict
from typing import Mapping
from typing import Sequence
from typing import Tuple

import numpy as np
import tensorflow as tf

from mask2cad_tf.data import schema

Shapes = Mapping[str, Tuple[int, ...]]  # level -> (H_l, W_l, C_l)


def encode(features: np.ndarray) -> bytes:
  """A float array's bytes, float16, little endian, row by row."""
  return np.ascontiguousarray(features, '<f2').tobytes()


def add_to_image(
  example: tf.train.Example,
  features: Mapping[str, np.ndarray],
  view_features: Sequence[np.ndarray],
) -> None:
  """Adds an image record's features.

  Args:
    example: the record; changed.
    features: level to [H_l, W_l, C_l].
    view_features: an array for each object's jittered view.
  """
  fields = example.features.feature
  levels = sorted(features)
  fields[schema.FEATURES_LEVELS].bytes_list.value[:] = [
    level.encode() for level in levels
  ]
  for level in levels:
    key = schema.FEATURES.format(level=level)
    fields[key].bytes_list.value[:] = [encode(features[level])]
    key = schema.FEATURES_SHAPE.format(level=level)
    fields[key].int64_list.value[:] = features[level].shape
  fields[schema.JITTERED_VIEW_FEATURES].bytes_list.value[:] = [
    encode(view) for view in view_features
  ]


def add_to_views(example: tf.train.Example, features: np.ndarray) -> None:
  """Adds a view record's features, [NUM_VIEWS, h, w, c]; changes it."""
  fields = example.features.feature
  fields[schema.VIEW_FEATURES].bytes_list.value[:] = map(encode, features)
  fields[schema.VIEW_FEATURES_SHAPE].int64_list.value[:] = features.shape[1:]


def shapes(record: bytes, where: str) -> Shapes:
  """Shapes of an image record's features by level.

  Args:
    record: serialized.
    where: the file, for the error.

  Raises:
    ValueError: the record has none.
  """
  fields = tf.train.Example.FromString(record).features.feature
  levels = fields[schema.FEATURES_LEVELS].bytes_list.value
  if not levels:
    raise ValueError(
      f'{where} holds no cached features, and cached_features is set. Write '
      'them: python -m mask2cad_tf.cache_features --help'
    )
  names = [level.decode() for level in levels]
  return {
    level: tuple(
      fields[schema.FEATURES_SHAPE.format(level=level)].int64_list.value
    )
    for level in names
  }


def parse(
  record: tf.Tensor, level_shapes: Shapes
) -> Tuple[Dict[str, tf.Tensor], tf.Tensor]:
  """Features of a serialized image record.

  Args:
    record: string scalar.
    level_shapes: of `shapes`.

  Returns:
    float16 [H_l, W_l, C_l] by level, and the jittered views' features, string
    [n].
  """
  keys = {
    schema.FEATURES.format(level=level): tf.io.FixedLenFeature([], tf.string)
    for level in level_shapes
  }
  parsed = tf.io.parse_single_example(
    record,
    {**keys, schema.JITTERED_VIEW_FEATURES: tf.io.RaggedFeature(tf.string)},
  )
  features = {
    level: tf.reshape(
      tf.io.decode_raw(parsed[schema.FEATURES.format(level=level)], tf.float16),
      shape,
    )
    for level, shape in level_shapes.items()
  }
  return features, parsed[schema.JITTERED_VIEW_FEATURES]
