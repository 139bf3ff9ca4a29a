"""Features inside records: bytes by hand, round trips, what is missing."""

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.data import cached_features
from mask2cad_tf.data import decoder
from mask2cad_tf.data import record_files
from mask2cad_tf.data import view_store


def _features(seed=0):
  rng = np.random.default_rng(seed)
  return {
    '3': rng.normal(size=(4, 2, 3)).astype(np.float32),
    '5': rng.normal(size=(1, 1, 7)).astype(np.float32),
  }


def _record(toy_data):
  """The first image record of the toy data, as an Example."""
  paths = record_files.match(toy_data.scene_records)
  return tf.train.Example.FromString(next(record_files.read(paths)))


def test_bytes_by_hand():
  # Half floats 1.0 = 0x3c00, -2.0 = 0xc000, 0.5 = 0x3800; low byte first.
  found = cached_features.encode(np.array([[1.0, -2.0], [0.5, 0.0]]))
  assert found == bytes([0, 0x3C, 0, 0xC0, 0, 0x38, 0, 0])


def test_bytes_go_row_by_row():
  array = np.arange(6.0).reshape(2, 3)
  assert cached_features.encode(array.T) == cached_features.encode(
    np.array([0.0, 3, 1, 4, 2, 5])
  )


@pytest.mark.parametrize('traced', [False, True])
def test_image_round_trip_up_to_float16(traced):
  features, views = _features(), [np.ones((2, 2)), np.zeros((2, 2))]
  example = tf.train.Example()
  cached_features.add_to_image(example, features, views)
  record = example.SerializeToString()
  shapes = cached_features.shapes(record, 'here')
  assert shapes == {'3': (4, 2, 3), '5': (1, 1, 7)}

  def parse(serialized):
    return cached_features.parse(serialized, shapes)

  parse = tf.function(parse) if traced else parse
  found, found_views = parse(tf.constant(record))
  assert set(found) == {'3', '5'}
  for level, array in features.items():
    assert found[level].dtype == tf.float16
    np.testing.assert_array_equal(found[level], array.astype(np.float16))
  assert found_views.numpy().tolist() == [
    cached_features.encode(view) for view in views
  ]


def test_adding_twice_keeps_the_second():
  example = tf.train.Example()
  cached_features.add_to_image(example, _features(0), [np.ones(3)] * 2)
  cached_features.add_to_image(example, _features(1), [np.ones(3)])
  other = tf.train.Example()
  cached_features.add_to_image(other, _features(1), [np.ones(3)])
  assert example == other


def test_a_photo_without_objects_has_no_views():
  example = tf.train.Example()
  cached_features.add_to_image(example, _features(), [])
  record = example.SerializeToString()
  _, views = cached_features.parse(
    record, cached_features.shapes(record, 'here')
  )
  assert views.shape == [0]


def test_the_decoder_reads_them_beside_all_else(toy_data):
  example = _record(toy_data)
  plain = decoder.TfExampleDecoder().decode(example.SerializeToString())
  count = int(tf.shape(plain['groundtruth_classes'])[0])
  cached_features.add_to_image(example, _features(), [np.ones(2)] * count)
  record = example.SerializeToString()
  decoded = decoder.TfExampleDecoder(
    feature_shapes=cached_features.shapes(record, 'here')
  ).decode(record)
  assert set(decoded) - set(plain) == {'features', 'groundtruth_view_features'}
  assert decoded['groundtruth_view_features'].shape == [count]
  for key, value in plain.items():
    np.testing.assert_array_equal(decoded[key], value, key)


def test_records_without_features_name_file_and_remedy(toy_data):
  record = _record(toy_data).SerializeToString()
  with pytest.raises(ValueError, match='a/b.* holds no.*cache_features'):
    cached_features.shapes(record, 'a/b')


def _write_views(toy_data, folder, count):
  """The toy view records, `count` of each CAD's views with features."""
  rng = np.random.default_rng(0)
  features = []
  with tf.io.TFRecordWriter(str(folder / 'views.tfrecord')) as writer:
    paths = record_files.match(toy_data.view_records)
    for record in record_files.read(paths):
      example = tf.train.Example.FromString(record)
      features.append(rng.normal(size=(count, 2, 3, 1)))
      cached_features.add_to_views(example, features[-1])
      writer.write(example.SerializeToString())
  return str(folder / 'views.tfrecord'), features


def test_view_store_with_features(toy_data, tmp_path):
  path, features = _write_views(toy_data, tmp_path, 16)
  store = view_store.ViewStore.load(path, cached=True)
  assert store.feature_shape == (2, 3, 1)
  decoded = tf.io.decode_raw(store.views, tf.float16).numpy()
  # The store sorts by id, and so did the renderer of the records.
  np.testing.assert_array_equal(
    decoded.reshape(10, 16, 2, 3, 1), np.stack(features).astype(np.float16)
  )
  plain = view_store.ViewStore.load(toy_data.view_records)
  assert plain.feature_shape == ()
  np.testing.assert_array_equal(store.cad_ids, plain.cad_ids)
  pictures = view_store.ViewStore.load(path)
  np.testing.assert_array_equal(pictures.views, plain.views)


def test_views_without_features_name_pattern_and_remedy(toy_data, tmp_path):
  for pattern in (
    toy_data.view_records,
    _write_views(toy_data, tmp_path, 15)[0],
  ):
    with pytest.raises(ValueError, match='holds no cached.*cache_features'):
      view_store.ViewStore.load(pattern, cached=True)
