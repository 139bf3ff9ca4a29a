"""Warm-up requests, read back by descriptors of the published protos."""

import os

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import descriptor_pb2
from google.protobuf import descriptor_pool
from google.protobuf import message_factory
from tensorflow.core.framework import tensor_pb2

from mask2cad_tf.serving import mask2cad_module
from mask2cad_tf.serving import warmup

# message: field, number, type; a map is a repeated entry, and a message is
# bytes on the wire.
_PROTOS = {
  'ModelSpec': [('signature_name', 3, 'string')],
  'Entry': [('key', 1, 'string'), ('value', 2, 'bytes')],
  'PredictRequest': [('model_spec', 1, 'ModelSpec'), ('inputs', 2, 'Entry')],
  'PredictLog': [('request', 1, 'PredictRequest')],
  'PredictionLog': [('predict_log', 6, 'PredictLog')],
}


def _prediction_log_class():
  field_type = descriptor_pb2.FieldDescriptorProto
  file = descriptor_pb2.FileDescriptorProto(name='serving.proto')
  for name, fields in _PROTOS.items():
    message = file.message_type.add(name=name)
    for field, number, kind in fields:
      repeated = field == 'inputs'
      added = message.field.add(
        name=field,
        number=number,
        label=field_type.LABEL_REPEATED
        if repeated
        else field_type.LABEL_OPTIONAL,
      )
      if kind in _PROTOS:
        added.type, added.type_name = field_type.TYPE_MESSAGE, kind
      else:
        added.type = getattr(field_type, f'TYPE_{kind.upper()}')
  pool = descriptor_pool.DescriptorPool()
  pool.Add(file)
  return message_factory.GetMessageClass(
    pool.FindMessageTypeByName('PredictionLog')
  )


def _parse(record):
  """(signature, inputs) of a serialized PredictionLog."""
  request = _prediction_log_class().FromString(record).predict_log.request
  return request.model_spec.signature_name, {
    entry.key: tf.make_ndarray(tensor_pb2.TensorProto.FromString(entry.value))
    for entry in request.inputs
  }


def test_bytes_by_hand():
  # TensorProto {dtype = 1: DT_INT32 = 3; tensor_shape = 2: empty; int_val = 7}.
  tensor = b'\x08\x03\x12\x00' + b'\x3a\x01\x05'
  entry = b'\x0a\x01x' + b'\x12\x07' + tensor
  request = b'\x0a\x03' + b'\x1a\x01s' + b'\x12\x0c' + entry
  assert warmup.prediction_log('s', {'x': np.int32(5)}) == (
    b'\x32\x15' + b'\x0a\x13' + request
  )


def test_long_fields_have_lengths_of_several_bytes():
  value = np.arange(70_000, dtype=np.int32)
  signature, inputs = _parse(warmup.prediction_log('serve', {'x': value}))
  assert signature == 'serve'
  np.testing.assert_array_equal(inputs['x'], value)


@pytest.mark.parametrize(
  'signature, entry',
  [
    ('serving_default', 'serve'),
    ('serve_with_intrinsics', 'serve_with_intrinsics'),
    ('embed_views', 'embed_views'),
  ],
)
def test_a_request_for_each_signature(tmp_path, signature, entry):
  warmup.write(str(tmp_path))
  path = os.path.join(tmp_path, 'assets.extra', 'tf_serving_warmup_requests')
  requests = dict(
    _parse(record.numpy()) for record in tf.data.TFRecordDataset(path)
  )
  assert len(requests) == 3
  specs = getattr(mask2cad_module.Mask2CADModule, entry).input_signature
  assert set(requests[signature]) == {spec.name for spec in specs}
  for spec in specs:
    value = tf.constant(requests[signature][spec.name])
    assert value.shape[0] == 1
    assert spec.is_compatible_with(value)
    if spec.name == 'image_bytes':
      assert tf.io.decode_image(value[0]).shape == [480, 640, 3]
