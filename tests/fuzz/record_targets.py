"""Records: one example, a file of them, the manifest beside them."""

import functools
import os

import numpy as np
import tensorflow as tf

from mask2cad_tf.data import decoder
from mask2cad_tf.data import record_files
from mask2cad_tf.geometry import views
from tests.fuzz import mutations
from tests.fuzz import target
from tfrecords_tools import record_examples
from tfrecords_tools.diagnosis import record_samples


@functools.cache
def _example():
  mask = np.zeros([24, 32], bool)
  mask[4:20, 5:25] = True
  item = record_examples.ObjectRecord(
    label=1,
    label_name='bed',
    box=(4.0, 5.0, 20.0, 25.0),
    mask=mask,
    cad_id='bed/a',
    mesh='bed/a/m.obj',
    rotation=np.eye(3),
    translation=np.array([0.0, 0.0, 2.0]),
    jittered_view=views.encode_png(np.zeros([128, 128], np.uint8)),
  )
  photo = views.encode_png(np.zeros([24, 32, 3], np.uint8))
  return record_examples.image_example(
    photo, 'a.png', 1, (40.0, 40.0, 16.0, 12.0), [item]
  ).SerializeToString(deterministic=True)


@functools.cache
def _decode():
  decode = decoder.TfExampleDecoder(with_scan=True).decode
  return tf.function(
    lambda record: decode(record_files.sound(record)),
    input_signature=[tf.TensorSpec([], tf.string)],
  )


def _read_for_training(data):
  _decode()(tf.constant(data))


def _read_for_doctor(path):
  shards = (path,)
  entries = ((0, 0, 0, os.path.getsize(path)),)
  record_samples.RecordSamples(shards, entries, {}, {}).read(0)


def _record_file():
  path = os.path.join(target.folder(), 'seed.tfrecord-00000-of-00001')
  with tf.io.TFRecordWriter(path) as writer:
    writer.write(_example())
    writer.write(_example())
  with open(path, 'rb') as file:
    return (file.read(),)


def _read_file(path):
  samples, _ = record_samples.open_records(path)
  for index in range(len(samples)):
    samples.read(index)
  list(record_files.read([path]))


def _read_manifest(path):
  shard = os.path.join(os.path.dirname(path), 'images.tfrecord-00000-of-00001')
  with open(shard, 'wb') as file:
    file.write(b'0123456789')
  record_files.check_sizes([shard])
  record_files.check_classes([shard], ('bed', 'chair'))
  record_files.class_frequencies([shard], 3)


TARGETS = (
  target.Target(
    'record',
    'one image record, as training decodes it',
    _read_for_training,
    lambda: (_example(),),
    # The last of TensorFlow itself: it quotes the bytes as text.
    allowed=(
      tf.errors.DataLossError,
      tf.errors.InvalidArgumentError,
      UnicodeDecodeError,
    ),
  ),
  target.Target(
    'record_sample',
    'one image record, as the doctor reads it',
    target.in_file('sample.bin', _read_for_doctor),
    lambda: (_example(),),
    says='sample.bin',
  ),
  target.Target(
    'record_file',
    'a file of records',
    target.in_file('images.tfrecord-00000-of-00001', _read_file),
    _record_file,
    says='tfrecord',
  ),
  target.Target(
    'record_manifest',
    'the manifest.json beside records',
    target.in_file('records/manifest.json', _read_manifest),
    lambda: (
      b'{"records": {"images": {"num_examples": 3, "classes": [{"label": 1,'
      b' "name": "bed", "examples": 2}], "shards": [{"file":'
      b' "images.tfrecord-00000-of-00001", "bytes": 10}], "settings": {}}}}',
    ),
    allowed=(ValueError, FileNotFoundError),
    says='records',
    mutate=mutations.json_changed,
  ),
)
