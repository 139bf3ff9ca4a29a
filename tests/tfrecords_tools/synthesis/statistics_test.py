import json

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.data import record_files
from mask2cad_tf.data import schema
from tests import toy
from tfrecords_tools.synthesis import statistics


@pytest.fixture(scope='module')
def summary(toy_data):
  return statistics.summarise(toy_data.scene_records)


def test_counts_are_those_of_the_records(summary):
  # Scenes hold 1, 2, 3, 1, 2, 3, 1, 2 objects.
  assert summary['photos'] == toy.NUM_SCENES == 8
  assert summary['objects'] == 15
  assert summary['objects_per_photo'] == {'1': 3, '2': 3, '3': 2}
  assert summary['modes'] == {'scenes': 8}
  classes = summary['classes']
  assert list(classes) == sorted(classes)
  assert sum(entry['objects'] for entry in classes.values()) == 15
  for entry in classes.values():
    assert entry['photos'] <= min(entry['objects'], 8)
    assert 1 <= entry['cads'] <= entry['objects']


def test_percentiles_lie_where_the_scenes_were_drawn(summary):
  # The toy's focal length is 170 pixels of 160, its pictures 160 wide.
  np.testing.assert_allclose(summary['focal'], 170 / 160, atol=1e-4)
  area = summary['box_area']
  assert area == sorted(area) and area[0] > 0 and area[-1] <= 1
  # Tilted by 0.35 rad, plus where in the picture they stand.
  assert 10 < summary['elevation'][3] < 30
  assert summary['percentiles'][0] == 0 and summary['percentiles'][-1] == 100


def test_it_is_json_and_repeats(toy_data, summary):
  again = statistics.summarise(toy_data.scene_records)
  assert json.dumps(again) == json.dumps(summary)


def test_box_area_of_one_photo(toy_data, tmp_path):
  record = next(record_files.read(record_files.match(toy_data.photo_records)))
  path = str(tmp_path / 'one.tfrecord')
  with tf.io.TFRecordWriter(path) as writer:
    writer.write(record)
  feature = tf.train.Example.FromString(record).features.feature
  ymin, xmin, ymax, xmax = (
    feature[key].float_list.value[0]
    for key in (
      schema.BOX_YMIN,
      schema.BOX_XMIN,
      schema.BOX_YMAX,
      schema.BOX_XMAX,
    )
  )
  found = statistics.summarise(path)
  assert found['photos'] == found['objects'] == 1
  expected = round((ymax - ymin) * (xmax - xmin), 4)
  np.testing.assert_allclose(found['box_area'], expected, atol=1e-4)


def test_no_records_are_an_error(tmp_path):
  with pytest.raises(FileNotFoundError):
    statistics.summarise(str(tmp_path / '*.tfrecord'))
