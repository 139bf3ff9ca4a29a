"""Warm-up requests: TensorFlow Serving runs them before the first client's.

They are TFRecords of tensorflow.serving.PredictionLog, whose protos come with
tensorflow-serving-api. An export must not need that package, and of four
messages only these fields are used, so they are written as protobuf puts them
on the wire:

  PredictionLog  {PredictLog predict_log = 6}
  PredictLog     {PredictRequest request = 1}
  PredictRequest {ModelSpec model_spec = 1; map<string, TensorProto> inputs = 2}
  ModelSpec      {string signature_name = 3}
"""

import os
from typing import Any
from typing import Iterator
from typing import Mapping
from typing import Tuple

import numpy as np
import tensorflow as tf

from mask2cad_tf import conventions

FILE = os.path.join('assets.extra', 'tf_serving_warmup_requests')  # fixed names
_HEIGHT, _WIDTH, _FOCAL = 480, 640, 500.0
_BLOCK = 16  # pixels of one colour: a photo that compresses well


def write(folder: str) -> None:
  """Writes one request for each signature into a SavedModel's folder."""
  path = os.path.join(folder, FILE)
  os.makedirs(os.path.dirname(path), exist_ok=True)
  with tf.io.TFRecordWriter(path) as writer:
    for signature, inputs in _requests():
      writer.write(prediction_log(signature, inputs))


def prediction_log(signature: str, inputs: Mapping[str, Any]) -> bytes:
  """A serialized PredictionLog.

  Args:
    signature: name of the signature.
    inputs: name -> array.
  """
  request = _field(1, _field(3, signature.encode()))
  for name, value in inputs.items():
    tensor = tf.make_tensor_proto(value).SerializeToString()
    request += _field(2, _field(1, name.encode()) + _field(2, tensor))
  return _field(6, _field(1, request))


def _requests() -> Iterator[Tuple[str, Mapping[str, Any]]]:
  blocks = np.random.default_rng(0).integers(
    0, 256, (_HEIGHT // _BLOCK, _WIDTH // _BLOCK, 3), np.uint8
  )
  blocks = blocks.repeat(_BLOCK, axis=0).repeat(_BLOCK, axis=1)
  photo = tf.io.encode_jpeg(blocks).numpy()
  camera = [_FOCAL, _FOCAL, 0.5 * _WIDTH, 0.5 * _HEIGHT]
  view = np.zeros((1, *[conventions.VIEW_SIZE] * 2, 1), np.float32)
  yield 'serving_default', {'image_bytes': [photo]}
  yield (
    'serve_with_intrinsics',
    {'image_bytes': [photo], 'intrinsics': np.array([camera], np.float32)},
  )
  yield 'embed_views', {'views': view}


def _field(number: int, content: bytes) -> bytes:
  """A length-delimited field: its key (wire type 2), its length, its bytes."""
  return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
  """Seven bits a byte, the lowest first; the top bit says that more follow."""
  parts = []
  while number > 0x7F:
    parts.append(number & 0x7F | 0x80)
    number >>= 7
  return bytes([*parts, number])
