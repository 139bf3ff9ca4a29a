"""`python -m mask2cad_tf.cache_features`, and training on what it writes."""

import glob
import json
import os
import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf
from official.core import exp_factory

from mask2cad_tf import cache_features
from mask2cad_tf.configs import experiments
from mask2cad_tf.data import cached_features
from mask2cad_tf.data import decoder
from mask2cad_tf.data import detection_parser
from mask2cad_tf.data import input_pipeline
from mask2cad_tf.data import record_files
from mask2cad_tf.data import view_store
from tests import command_runner
from tests import toy

_EXPERIMENT = 'mask2cad_lite_toy'
_SIZE = 128


def _frozen_experiment():
  """mask2cad_lite, small, of the toy data's classes."""
  config = experiments.mask2cad_lite()
  config.task.model.override(
    {
      'input_size': [_SIZE, _SIZE, 3],
      'num_classes': 1 + len(toy.CLASS_NAMES),
      'class_names': list(toy.CLASS_NAMES),
    }
  )
  return config


@pytest.fixture(scope='module', name='networks')
def _networks():
  exp_factory.register_config_factory(_EXPERIMENT)(_frozen_experiment)
  return cache_features.FrozenNetworks(_EXPERIMENT)


def _run(networks, *arguments):
  """The command with networks that are there already."""
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(cache_features, 'FrozenNetworks', lambda _: networks)
    return command_runner.run(
      cache_features, f'--experiment={_EXPERIMENT}', *arguments
    )


@pytest.fixture(scope='module', name='folder')
def _folder(toy_data, networks, tmp_path_factory):
  """Photos, scenes and views with features."""
  folder = tmp_path_factory.mktemp('cached') / 'made'
  for pattern, count in (
    (toy_data.image_records, 3 + toy.NUM_SCENES),
    (toy_data.view_records, 10),
  ):
    result = _run(networks, f'--records={pattern}', f'--output_dir={folder}')
    assert result.status == 0, result
    assert f'{count} records with features' in result.stdout
  return str(folder)


def _in_folder(folder, pattern):
  return os.path.join(folder, os.path.basename(pattern))


def test_the_records_are_the_same_but_for_features(toy_data, folder):
  for pattern in (toy_data.image_records, toy_data.view_records):
    plain = record_files.match(pattern)
    cached = record_files.match(_in_folder(folder, pattern))
    assert list(map(os.path.basename, plain)) == list(
      map(os.path.basename, cached)
    )
    pairs = zip(record_files.read(plain), record_files.read(cached))
    for before, after in pairs:
      before = tf.train.Example.FromString(before).features.feature
      after = tf.train.Example.FromString(after).features.feature
      assert {key: after[key] for key in before} == dict(before)
      added = set(after) - set(before)
      assert added and all('features' in key for key in added)


def test_features_are_the_frozen_networks(toy_data, folder, networks):
  (first, *_) = record_files.read(
    record_files.match(_in_folder(folder, toy_data.scene_records))
  )
  shapes = cached_features.shapes(first, 'here')
  # Lite0's channels at strides 4 to 32.
  assert shapes == {
    '2': (32, 32, 48),
    '3': (16, 16, 72),
    '4': (8, 8, 208),
    '5': (4, 4, 640),
  }
  store = view_store.ViewStore.load(
    _in_folder(folder, toy_data.view_records), cached=True
  )
  plain = view_store.ViewStore.load(toy_data.view_records)
  picture = tf.io.decode_png(plain.views[4, 9])
  np.testing.assert_allclose(
    np.frombuffer(store.views[4, 9].numpy(), '<f2').reshape(
      store.feature_shape
    ),
    networks.of_views(tf.cast(picture[tf.newaxis], tf.float32) / 255.0)[0],
    atol=2e-3,
  )


def test_the_manifest_has_the_new_sizes(toy_data, folder):
  with open(os.path.join(folder, 'manifest.json')) as file:
    records = json.load(file)['records']
  assert set(records) == {'images', 'scenes', 'views'}
  for pattern in (toy_data.image_records, toy_data.view_records):
    paths = record_files.match(_in_folder(folder, pattern))
    record_files.check_sizes(paths)
    record_files.check_classes(paths, toy.CLASS_NAMES)
    section = record_files.manifest_section(paths[0])
    sizes = {shard['file']: shard['bytes'] for shard in section['shards']}
    assert (
      sizes.items()
      <= {
        os.path.basename(path): os.path.getsize(path) for path in paths
      }.items()
    )


def test_a_cut_shard_is_told(toy_data, folder, tmp_path):
  shutil.copytree(folder, tmp_path / 'copy')
  paths = record_files.match(
    _in_folder(str(tmp_path / 'copy'), toy_data.scene_records)
  )
  record_files.check_sizes(paths)
  os.truncate(paths[0], os.path.getsize(paths[0]) - 1)
  with pytest.raises(ValueError, match='truncated'):
    record_files.check_sizes(paths)


def test_one_shard_of_two(toy_data, networks, tmp_path):
  shard = record_files.match(toy_data.photo_records)[0]
  result = _run(networks, f'--records={shard}', f'--output_dir={tmp_path}')
  assert result.status == 0, result
  (path,) = record_files.match(str(tmp_path / 'images*'))
  section = record_files.manifest_section(path)
  assert [each['file'] for each in section['shards']] == [
    os.path.basename(shard)
  ]
  record_files.check_sizes([path])


def test_a_killed_run_goes_on(toy_data, networks, tmp_path):
  pattern = toy_data.scene_records
  arguments = (f'--records={pattern}', f'--output_dir={tmp_path}')
  assert _run(networks, *arguments).status == 0
  first, second = record_files.match(_in_folder(tmp_path, pattern))
  written = pathlib.Path(second).read_bytes()
  # As a kill leaves it: one shard whole, of the other a part.
  os.remove(second)
  head, tail = os.path.split(second)
  partial = os.path.join(head, f'.{tail}.partial')
  with open(partial, 'wb') as file:
    file.write(written[:100])
  os.utime(first, (1, 1))
  assert record_files.match(_in_folder(tmp_path, pattern)) == [first]

  result = _run(networks, *arguments)

  assert result.status == 0, result
  assert '4 records with features' in result.stdout  # of eight in two shards
  assert os.path.getmtime(first) == 1
  assert pathlib.Path(second).read_bytes() == written
  assert not os.path.exists(partial)
  assert '0 records with features' in _run(networks, *arguments).stdout


def _features(field):
  return np.frombuffer(b''.join(field.bytes_list.value), np.float16)


def test_looks_of_a_photo(toy_data, folder, networks, tmp_path):
  pattern = toy_data.scene_records
  arguments = (f'--records={pattern}', f'--output_dir={tmp_path}', '--looks=3')
  result = _run(networks, *arguments)
  assert f'{3 * toy.NUM_SCENES} records with features' in result.stdout
  looks = list(
    record_files.read(record_files.match(_in_folder(tmp_path, pattern)))
  )
  plain = list(
    record_files.read(record_files.match(_in_folder(folder, pattern)))
  )
  for number, record in enumerate(looks):
    fields, before = (
      tf.train.Example.FromString(each).features.feature
      for each in (record, plain[number // 3])
    )
    differing = {key for key in before if fields[key] != before[key]}
    assert set(fields) == set(before)
    if number % 3 == 0:  # the photo as it is
      assert all('features' in key for key in differing), differing
      for key in differing:  # another batch: the last digit may be another
        np.testing.assert_allclose(
          _features(fields[key]), _features(before[key]), atol=0.02
        )
    else:
      assert {'image/encoded', 'image/features/3'} <= differing
      assert all(
        key == 'image/encoded' or 'features' in key for key in differing
      )
  (section,) = {
    json.dumps(record_files.manifest_section(path)['num_examples'])
    for path in record_files.match(_in_folder(tmp_path, pattern))
  }
  assert int(section) == 3 * toy.NUM_SCENES
  line = _run(
    networks,
    f'--records={toy_data.view_records}',
    f'--output_dir={tmp_path}',
    '--looks=2',
  ).only_line
  assert '--looks is for photos' in line


def test_a_failure_leaves_no_shard(toy_data, networks, tmp_path):
  class Broken:
    input_size = networks.input_size

    def of_images(self, images):
      raise ValueError('out of memory')

  arguments = (
    f'--records={toy_data.photo_records}',
    f'--output_dir={tmp_path}',
  )
  line = _run(Broken(), *arguments).only_line
  assert 'out of memory' in line
  assert not glob.glob(_in_folder(str(tmp_path), toy_data.photo_records))


def test_training_sees_what_the_plain_parser_shows(toy_data, folder, networks):
  config = _frozen_experiment().task
  plain_data = config.train_data
  plain_data.cached_features = False
  plain_data.parser.override(
    {'num_distractor_cads': 2, 'box_jitter_scale': 0.0}
  )
  cached_data = plain_data.replace(cached_features=True)
  examples = {}
  for name, data, pattern, views in (
    ('plain', plain_data, toy_data.scene_records, toy_data.view_records),
    (
      'cached',
      cached_data,
      _in_folder(folder, toy_data.scene_records),
      _in_folder(folder, toy_data.view_records),
    ),
  ):
    is_cached = name == 'cached'
    records = list(record_files.read(record_files.match(pattern)))
    shapes = cached_features.shapes(records[0], pattern) if is_cached else None
    decode = decoder.TfExampleDecoder(feature_shapes=shapes).decode
    parse = detection_parser.Parser(
      config.model, data, view_store.ViewStore.load(views, is_cached)
    ).parse_fn(True)
    examples[name] = [
      parse({**decode(record), 'seed': tf.constant([3, index], tf.int64)})
      for index, record in enumerate(records[:3])
    ]
  for (image, labels), (features, cached) in zip(*examples.values()):
    expected = networks.of_images(image[tf.newaxis])
    assert set(features) == set(expected) == set('2345')
    for level, value in features.items():
      assert value.dtype == image.dtype
      _check_close(value, expected[level][0])
    views = labels.pop('pool_views')
    view_features = cached.pop('pool_views')
    leading = views.shape[:2]
    stem = networks.of_views(tf.reshape(views, [-1, *views.shape[2:]]))
    stem = stem.reshape([*leading, *stem.shape[1:]])
    known = labels['pool_cads'].numpy() >= 0
    assert known.any()
    _check_close(view_features.numpy()[known], stem[known])
    assert not view_features.numpy()[~known].any()
    tf.nest.map_structure(np.testing.assert_array_equal, labels, cached)


def _check_close(found, expected):
  """Equal up to float16's rounding and the arithmetic's of other batches."""
  found, expected = np.float32(found), np.float32(expected)
  assert found.shape == expected.shape
  assert np.abs(expected).max() > 0.1
  np.testing.assert_allclose(found, expected, rtol=5e-3, atol=5e-3)


def test_batches_of_cached_records(toy_data, folder):
  config = _frozen_experiment().task
  data = config.train_data
  data.override(
    {
      'input_path': _in_folder(folder, toy_data.image_records),
      'views_path': _in_folder(folder, toy_data.view_records),
      'global_batch_size': 2,
      'shuffle_buffer_size': 4,
    }
  )
  dataset = input_pipeline.build_dataset(data, config.model)
  for spec in tf.nest.flatten(dataset.element_spec):
    assert spec.shape.is_fully_defined(), spec
  features, labels = next(iter(dataset))
  assert features['2'].shape == (2, 32, 32, 48)
  assert labels['pool_views'].shape == (2, 8, 2, 8, 8, 272)
  # The detector does not read level 2.
  dataset = input_pipeline.build_dataset(
    data, config.model, branches=['detection']
  )
  assert set(dataset.element_spec[0]) == {'3', '4', '5'}
  data.input_path = toy_data.image_records
  with pytest.raises(ValueError, match='holds no cached.*cache_features'):
    input_pipeline.build_dataset(data, config.model)


def test_trainable_networks_are_refused(toy_data, tmp_path):
  result = command_runner.run(
    cache_features,
    '--experiment=mask2cad_tiny',
    f'--records={toy_data.photo_records}',
    f'--output_dir={tmp_path / "out"}',
  )
  assert 'frozen networks' in result.only_line
  assert 'freeze_backbone' in result.only_line
  assert not (tmp_path / 'out').exists()


def test_bad_input_is_one_line(toy_data, tmp_path):
  records = f'--records={toy_data.photo_records}'
  own = os.path.dirname(toy_data.photo_records)
  before = sorted(os.listdir(own))
  for arguments, expected in (
    ([], '--records, --output_dir missing'),
    ([records], '--output_dir missing'),
    ([records, f'--output_dir={own}'], 'holds the records themselves'),
    ([f'--records={tmp_path}/no*', f'--output_dir={tmp_path}'], 'No record'),
    ([records, f'--output_dir={tmp_path}', 'stray'], "'stray'"),
  ):
    line = command_runner.run(cache_features, *arguments).only_line
    assert line.startswith('mask2cad_tf.cache_features: ')
    assert expected in line
  assert sorted(os.listdir(own)) == before


def test_help_has_an_example():
  result = command_runner.run(cache_features, '--help')
  assert result.status == 0
  assert 'python -m mask2cad_tf.cache_features ' in result.stdout
  for flag in ('--experiment', '--records', '--output_dir', '--looks'):
    assert flag in result.stdout
