import json

import pytest
import tensorflow as tf

from mask2cad_tf.data import schema
from tfrecords_tools import record_writer


def _example(*labels):
  feature = {
    schema.CLASS_LABEL: tf.train.Feature(
      int64_list=tf.train.Int64List(value=labels)
    ),
    schema.CLASS_TEXT: tf.train.Feature(
      bytes_list=tf.train.BytesList(
        value=[f'class{label}'.encode() for label in labels]
      )
    ),
  }
  return tf.train.Example(features=tf.train.Features(feature=feature))


def _write(folder, count, shards, name='images'):
  with record_writer.RecordWriter(str(folder), name, shards) as writer:
    for _ in range(count):
      writer.write(_example(1))


def _files(folder):
  return sorted(path.name for path in folder.iterdir())


def test_counts_classes_and_deals_to_the_shards(tmp_path):
  with record_writer.RecordWriter(
    str(tmp_path), 'images', 2, {'seed': 4}
  ) as writer:
    for labels in ((1,), (1, 1, 3), (3,), ()):
      writer.write(_example(*labels))
    writer.skip('photo 9: no')
  section = json.loads((tmp_path / 'manifest.json').read_text())['records'][
    'images'
  ]
  assert section['classes'] == [
    {'label': 1, 'name': 'class1', 'examples': 2, 'objects': 3},
    {'label': 3, 'name': 'class3', 'examples': 2, 'objects': 2},
  ]
  assert [shard['examples'] for shard in section['shards']] == [2, 2]
  assert section['settings'] == {'seed': 4}
  assert section['skipped'] == ['photo 9: no']
  assert record_writer.verify(str(tmp_path / 'images*')) == 4


def test_error_leaves_the_folder_as_it_was(tmp_path):
  _write(tmp_path, 3, 2)
  before = {path: path.read_bytes() for path in tmp_path.iterdir()}
  with (
    pytest.raises(RuntimeError),
    record_writer.RecordWriter(str(tmp_path), 'images', 5) as writer,
  ):
    writer.write(_example(1))
    raise RuntimeError
  assert before == {path: path.read_bytes() for path in tmp_path.iterdir()}


def test_new_shard_count_replaces_the_old_shards(tmp_path):
  _write(tmp_path, 4, 3)
  _write(tmp_path, 4, 2)
  assert _files(tmp_path) == [
    'images.tfrecord-00000-of-00002',
    'images.tfrecord-00001-of-00002',
    'manifest.json',
  ]


def test_sets_share_a_folder(tmp_path):
  _write(tmp_path, 2, 1, 'images')
  _write(tmp_path, 3, 1, 'views')
  manifest = json.loads((tmp_path / 'manifest.json').read_text())
  assert {
    name: section['num_examples']
    for name, section in manifest['records'].items()
  } == {'images': 2, 'views': 3}


def test_verify_finds_exchanged_bytes(tmp_path):
  # Same length, valid records, other content: only the hash tells.
  _write(tmp_path / 'a', 1, 1)
  with record_writer.RecordWriter(str(tmp_path / 'b'), 'images') as writer:
    writer.write(_example(2))
  name = 'images.tfrecord-00000-of-00001'
  (tmp_path / 'a' / name).write_bytes((tmp_path / 'b' / name).read_bytes())
  with pytest.raises(ValueError, match='00000-of-00001.*sha256'):
    record_writer.verify(str(tmp_path / 'a' / 'images*'))


def test_verify_names_a_truncated_shard(tmp_path):
  _write(tmp_path, 5, 2)
  path = tmp_path / 'images.tfrecord-00001-of-00002'
  path.write_bytes(path.read_bytes()[:-3])
  with pytest.raises(ValueError, match='00001-of-00002.*truncated'):
    record_writer.verify(str(tmp_path / 'images*'))


def test_no_shards_is_an_error(tmp_path):
  with pytest.raises(ValueError, match='num_shards'):
    record_writer.RecordWriter(str(tmp_path), 'images', 0)
