import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.data import input_pipeline
from mask2cad_tf.data import record_files
from mask2cad_tf.data import schema
from tests.data import toy_config


def _config(toy_data, is_training=True, **fields):
  config = toy_config.data(toy_data, is_training)
  config.override(fields)
  return config


def test_training_batches(toy_data):
  config = _config(toy_data, repeat_threshold=0.5)
  dataset = input_pipeline.build_dataset(config, toy_config.model())
  for spec in tf.nest.flatten(dataset.element_spec):
    assert spec.shape.is_fully_defined(), spec
  classes = set()
  for images, labels in dataset.take(8):
    assert images.shape == [2, 128, 128, 3]
    assert labels['roi_valid'].numpy().all()
    classes |= set(labels['roi_classes'].numpy().ravel())
  assert classes == {1, 2, 3, 4}


def test_bfloat16_images(toy_data):
  dataset = input_pipeline.build_dataset(
    _config(toy_data, dtype='bfloat16'), toy_config.model()
  )
  assert dataset.element_spec[0].dtype == tf.bfloat16


def test_equal_seeds_equal_batches(toy_data):
  config = _config(toy_data, seed=3, deterministic=True, repeat_threshold=0.5)
  runs = [
    list(input_pipeline.build_dataset(config, toy_config.model()).take(3))
    for _ in range(2)
  ]
  tf.nest.map_structure(np.testing.assert_array_equal, *runs)


def test_evaluation_reads_every_photo_once(toy_data):
  config = _config(
    toy_data, is_training=False, drop_remainder=False, views_path=''
  )
  dataset = input_pipeline.build_dataset(config, toy_config.model())
  ids = [
    int(source_id)
    for _, labels in dataset
    for source_id in labels['groundtruths']['source_id']
  ]
  assert sorted(ids) == [1, 2, 3] + list(range(100, 108))


def test_missing_views_say_which_setting(toy_data):
  with pytest.raises(ValueError, match='views_path'):
    input_pipeline.build_dataset(
      _config(toy_data, views_path=''), toy_config.model()
    )
  with pytest.raises(FileNotFoundError, match='/no/where.*render_views'):
    input_pipeline.build_dataset(
      _config(toy_data, views_path='/no/where*'), toy_config.model()
    )


def test_missing_records_say_which_setting(toy_data):
  with pytest.raises(FileNotFoundError, match='input_path'):
    input_pipeline.build_dataset(
      _config(toy_data, input_path=''), toy_config.model()
    )


def test_other_classes_are_refused(toy_data):
  model = toy_config.model()
  model.class_names = ['bed', 'bookcase', 'chair', 'desk']
  with pytest.raises(ValueError, match='class_names'):
    input_pipeline.build_dataset(_config(toy_data), model)


def test_rare_classes_are_repeated_by_their_factor(toy_data):
  # Factor 2.5 for beds, 1 for the rest: over many epochs a photo of a bed
  # comes 2.5 times an epoch, each other photo once.
  records = list(record_files.read(record_files.match(toy_data.image_records)))
  factors = tf.constant([1.0, 2.5, 1.0, 1.0, 1.0])
  source = tf.data.Dataset.from_tensor_slices(records).repeat(40)
  beds, others = 0, 0
  for record in input_pipeline.repeat_rare_classes(source, factors, seed=1):
    labels = (
      tf.train.Example.FromString(record.numpy())
      .features.feature[schema.CLASS_LABEL]
      .int64_list.value
    )
    beds += 1 in labels
    others += 1 not in labels
  assert others == 8 * 40
  # 120 draws of 2 or 3: the mean's standard deviation is .5 / 11.
  assert abs(beds / (3 * 40) - 2.5) < 0.18


def test_threshold_zero_repeats_nothing(toy_data):
  config = _config(toy_data)
  assert (
    input_pipeline._dataset_fn(  # pylint: disable=protected-access
      config, [], 5
    )
    is record_files.dataset
  )


def test_seeds_differ_between_records():
  records = tf.data.Dataset.range(50)
  seeds = {
    tuple(seed.numpy())
    for _, seed in input_pipeline.attach_seeds(records, seed=4)
  }
  assert len(seeds) == 50
  shared = [
    tuple(seed.numpy())
    for worker in range(2)
    for _, seed in input_pipeline.attach_seeds(records, 4, 2, worker)
  ]
  assert len(set(shared)) == len(shared) == 100


def test_a_later_start_passes_batches_over(toy_data):
  config = _config(toy_data, seed=3, deterministic=True, repeat_threshold=0.5)
  whole = input_pipeline.build_dataset(config, toy_config.model())
  late = input_pipeline.build_dataset(config, toy_config.model(), start_step=13)
  tf.nest.map_structure(
    np.testing.assert_array_equal,
    list(whole.skip(13).take(2)),
    list(late.take(2)),
  )


def test_workers_have_the_global_batch_between_them(toy_data):
  config = _config(toy_data, seed=3, deterministic=True, sharding=False)
  config.global_batch_size = 4

  def batches(context, start_step):
    dataset = input_pipeline.build_dataset(
      config, toy_config.model(), context, start_step=start_step
    )
    return list(dataset.take(2))

  whole = batches(None, 2)
  parts = [batches(tf.distribute.InputContext(2, k, 2), 2) for k in range(2)]
  for both, first, second in zip(whole, *parts):
    tf.nest.map_structure(
      lambda x, a, b: np.testing.assert_array_equal(x, np.concatenate([a, b])),
      both,
      first,
      second,
    )


def test_photos_in_quarantine_are_left_out(toy_data, tmp_path):
  path = tmp_path / 'bad.txt'
  path.write_text('2  # no chair\n\n101\n107\n')
  config = _config(
    toy_data, is_training=False, drop_remainder=False, views_path=''
  )
  config.quarantine = str(path)
  dataset = input_pipeline.build_dataset(config, toy_config.model())
  ids = [
    int(source_id)
    for _, labels in dataset
    for source_id in labels['groundtruths']['source_id']
  ]
  assert sorted(ids) == [1, 3, 100, 102, 103, 104, 105, 106]


def test_a_wrong_quarantine_is_named(tmp_path):
  with pytest.raises(FileNotFoundError, match='nowhere.txt'):
    record_files.read_quarantine('nowhere.txt')
  path = tmp_path / 'bad.txt'
  path.write_text('1\nimg/chair.png\n')
  with pytest.raises(ValueError, match='line 2.*img/chair.png'):
    record_files.read_quarantine(str(path))
