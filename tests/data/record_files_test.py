import json
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.data import record_files


@pytest.fixture(name='records')
def _records(toy_data, tmp_path):
  """A copy that a test may break."""
  folder = tmp_path / 'records'
  shutil.copytree(os.path.dirname(toy_data.image_records), folder)
  return folder


def _truncate(path):
  with open(path, 'rb+') as file:
    file.truncate(os.path.getsize(path) - 100)


def test_match_joins_patterns_and_sorts(records):
  found = record_files.match(f'{records}/views*, {records}/images*')
  assert [os.path.basename(path).split('-')[0] for path in found] == [
    'images.tfrecord',
    'images.tfrecord',
    'views.tfrecord',
  ]
  assert record_files.match([f'{records}/views*']) == found[2:]


def test_match_names_the_pattern_and_the_tools():
  with pytest.raises(FileNotFoundError, match='/nowhere/x.*tfrecords_tools'):
    record_files.match('/nowhere/x*')


def test_count(records, tmp_path):
  for paths in (
    record_files.match(f'{records}/images*'),
    record_files.match(f'{records}/views*'),
  ):
    assert record_files.count(paths) == len(list(record_files.read(paths)))
  (tmp_path / 'empty').touch()
  (tmp_path / 'text').write_text('no record file, but longer than a head')
  assert record_files.count([str(tmp_path / 'empty')]) == 0
  assert record_files.count([str(tmp_path / 'text')]) == 0
  shards = record_files.match(f'{records}/images*')
  whole = record_files.count(shards)
  _truncate(shards[0])
  assert record_files.count(shards) == whole - 1


def test_truncated_shard_is_named_on_reading(records):
  path = str(records / 'images.tfrecord-00000-of-00002')
  _truncate(path)
  with pytest.raises(ValueError, match='00000-of-00002.*truncated'):
    list(record_files.read([path]))


def test_truncated_shard_is_named_before_reading(records):
  paths = record_files.match(f'{records}/images*')
  record_files.check_sizes(paths)
  _truncate(paths[1])
  with pytest.raises(ValueError, match='00001-of-00002.*manifest says'):
    record_files.check_sizes(paths)


def test_missing_shard_is_named():
  with pytest.raises(FileNotFoundError, match='/nowhere/x'):
    list(record_files.read(['/nowhere/x']))


def test_file_that_is_no_tfrecord_is_named(tmp_path):
  (tmp_path / 'x').write_bytes(b'not a record at all, but long enough')
  with pytest.raises(ValueError, match='no TFRecord'):
    list(record_files.read([str(tmp_path / 'x')]))


def test_lengths_that_lead_out_of_a_record_are_not_followed(tmp_path):
  # {'x': [1.0]}: a list of floats has the tag and the length (0a 04), then the
  # number; 80 80 80 80 3f in place of length and number is a length of
  # 63 * 2^28, of which 32 bits are left: -2^28. TensorFlow's parser copies so
  # many bytes, and the process ends.
  good = tf.train.Example()
  good.features.feature['x'].float_list.value.append(1.0)
  good = good.SerializeToString()
  number = bytes.fromhex('0a04 0000803f')
  assert good.count(number) == 1
  bad = good.replace(number, bytes.fromhex('0a80 8080803f'))
  path = str(tmp_path / 'images.tfrecord-00000-of-00001')
  with tf.io.TFRecordWriter(path) as writer:
    writer.write(good)
    writer.write(bad)
  features = {'x': tf.io.VarLenFeature(tf.float32)}
  parsed = iter(
    record_files.dataset(path).map(
      lambda record: tf.io.parse_single_example(record, features)
    )
  )
  assert next(parsed)['x'].values.numpy() == [1.0]
  with pytest.raises(tf.errors.DataLossError, match='parse binary protobuf'):
    next(parsed)
  with pytest.raises(ValueError, match='00000-of-00001.*damaged'):
    list(record_files.read([path]))


def test_class_frequencies_of_a_hand_written_manifest(tmp_path):
  # 4 + 6 = 10 images; class 1 in 3, class 2 in 2 + 5 = 7, class 3 in none.
  records = {
    'a': {
      'num_examples': 4,
      'classes': [
        {'label': 1, 'name': 'bed', 'examples': 3, 'objects': 9},
        {'label': 2, 'name': 'desk', 'examples': 2, 'objects': 2},
      ],
    },
    'b': {
      'num_examples': 6,
      'classes': [{'label': 2, 'name': 'desk', 'examples': 5, 'objects': 5}],
    },
  }
  (tmp_path / 'manifest.json').write_text(json.dumps({'records': records}))
  paths = [
    str(tmp_path / f'{name}.tfrecord-0000{i}-of-00002')
    for name in 'ab'
    for i in range(2)
  ]
  np.testing.assert_allclose(
    record_files.class_frequencies(paths, 4), [0.0, 0.3, 0.7, 0.0]
  )


def test_class_frequencies_need_the_manifest(records):
  os.remove(records / 'manifest.json')
  with pytest.raises(FileNotFoundError, match='manifest.json.*repeat'):
    record_files.class_frequencies(record_files.match(f'{records}/i*'), 5)


def test_other_classes_are_refused(records):
  paths = record_files.match(f'{records}/scenes*')
  record_files.check_classes(paths, ('bed', 'chair', 'sofa', 'table'))
  for names in (('bed', 'bookcase', 'chair', 'desk'), ('bed', 'chair')):
    with pytest.raises(ValueError, match='class_names'):
      record_files.check_classes(paths, names)


def test_read_is_what_tf_data_reads(records):
  paths = record_files.match(f'{records}/scenes*')
  expected = [r.numpy() for p in paths for r in tf.data.TFRecordDataset(p)]
  assert list(record_files.read(paths)) == expected
