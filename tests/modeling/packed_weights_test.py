"""Weights in one file: what is rounded, what is not, what is refused."""

import json
import os

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.modeling import packed_weights
from tests.modeling import training_batch


@pytest.fixture(scope='module')
def packed(tiny, tmp_path_factory):
  """Folder of the shared tiny model's packed weights."""
  folder = str(tmp_path_factory.mktemp('packed'))
  packed_weights.write(tiny, folder)
  return folder


@pytest.fixture
def copy(packed, tmp_path):
  """A copy of it that a test may break."""
  for name in os.listdir(packed):
    (tmp_path / name).write_bytes(_bytes(packed, name))
  return tmp_path


class _Parts:
  """As much of a model as packing needs."""

  def __init__(self, **parts):
    self.checkpoint_items = {
      name: _Layer(variables) for name, variables in parts.items()
    }

  @property
  def variables(self):
    return [v for x in self.checkpoint_items.values() for v in x.variables]


class _Layer:
  def __init__(self, variables):
    self.variables = [
      tf.Variable(value, name=name) for name, value in variables.items()
    ]


def _parts(kernel=None, **more):
  kernel = np.full([2, 3], 0.1, np.float32) if kernel is None else kernel
  return _Parts(head={'kernel': kernel, **more})


def _bytes(folder, name):
  with open(os.path.join(folder, name), 'rb') as file:
    return file.read()


def _edit(folder, change):
  path = folder / packed_weights.MANIFEST
  manifest = json.loads(path.read_text())
  change(manifest)
  path.write_text(json.dumps(manifest))


def test_every_variable_comes_back_nearly(packed, tiny, build_tiny):
  model = build_tiny()
  packed_weights.read(model, packed)
  assert len(model.variables) == len(tiny.variables)
  for found, expected in zip(model.variables, tiny.variables):
    # float16 has eleven bits; below 6e-8 it has none.
    np.testing.assert_allclose(
      found.numpy(), expected.numpy(), rtol=2.0**-11, atol=1e-7
    )


def test_same_outputs_nearly(packed, tiny, tiny_config, build_tiny):
  model = build_tiny()
  packed_weights.read(model, packed)
  inputs = training_batch.random_inputs(tiny_config)
  views = inputs.pop('views')
  expected = tiny(**inputs, training=False)
  found = model(**inputs, training=False)
  for key in ('detection_masks', 'detection_embeddings', 'detection_centers'):
    scale = np.abs(expected[key]).max()
    np.testing.assert_allclose(found[key], expected[key], atol=0.01 * scale)
  expected = tiny.embed_views(views).numpy()
  scale = np.abs(expected).max()
  np.testing.assert_allclose(
    model.embed_views(views), expected, atol=0.01 * scale
  )


def test_rotations_priors_and_statistics_are_exact(packed, tiny, build_tiny):
  model = build_tiny()
  packed_weights.read(model, packed)
  np.testing.assert_array_equal(model.pose_bins, tiny.pose_bins)
  np.testing.assert_array_equal(
    model.shape_prior_head.priors, tiny.shape_prior_head.priors
  )
  exact = [v for v in tiny.variables if v.shape.rank < 2]
  assert any('moving_variance' in v.name for v in exact)
  for found, expected in zip(model.variables, tiny.variables):
    if expected.shape.rank < 2:
      np.testing.assert_array_equal(found, expected)


def test_manifest_describes_the_file(packed, tiny):
  manifest = json.loads(_bytes(packed, packed_weights.MANIFEST))
  assert manifest['format_version'] == packed_weights.FORMAT_VERSION
  assert len(manifest['variables']) == len(tiny.variables)
  with np.load(os.path.join(packed, packed_weights.WEIGHTS)) as file:
    places = {
      key: entry.get('same_as', key)
      for key, entry in manifest['variables'].items()
    }
    assert list(file) == list(dict.fromkeys(places.values()))
    for key, entry in manifest['variables'].items():
      assert entry['shape'] == list(file[places[key]].shape)
      assert entry['dtype'] == file[places[key]].dtype.name
      part, index = key.split('/')
      variable = tiny.checkpoint_items[part].variables[int(index)]
      assert entry['name'] == variable.name
      is_kernel = variable.name.endswith('kernel:0')
      assert (entry['dtype'] == 'float16') == is_kernel, variable.name


def test_equal_weights_give_equal_bytes(packed, tiny, tmp_path):
  packed_weights.write(tiny, str(tmp_path))
  assert sorted(os.listdir(tmp_path)) == ['weights.json', 'weights.npz']
  for name in os.listdir(tmp_path):
    assert (tmp_path / name).read_bytes() == _bytes(packed, name)


@pytest.mark.parametrize(
  'value, dtype',
  [
    (np.float32([[65504.0, 1.0]]), 'float16'),
    (np.float32([[65505.0, 1.0]]), 'float32'),
    (np.int64([[3, 4]]), 'int64'),
    (np.float32([0.1]), 'float32'),
    (np.float32([[]]), 'float16'),
  ],
)
def test_types(tmp_path, value, dtype):
  manifest = packed_weights.write(_parts(value), str(tmp_path))
  assert manifest['variables']['head/0']['dtype'] == dtype
  found = _parts(np.zeros_like(value))
  packed_weights.read(found, str(tmp_path))
  np.testing.assert_array_equal(found.variables[0], value)


@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_a_diverged_model_is_not_packed(tmp_path, bad):
  with pytest.raises(ValueError, match=r'kernel:0 \(head/0\).*not finite'):
    packed_weights.write(_parts(np.float32([[bad]])), str(tmp_path))
  assert not os.listdir(tmp_path)


def test_no_variable_is_lost(tmp_path):
  class Forgetful(_Parts):
    @property
    def variables(self):
      return [*super().variables, tf.Variable(1.0, name='forgotten')]

  with pytest.raises(ValueError, match='forgotten'):
    packed_weights.write(Forgetful(head={}), str(tmp_path))


@pytest.mark.parametrize('name', ['weights.npz', 'weights.json'])
def test_missing_file_is_named(copy, tiny, name):
  assert packed_weights.is_packed(str(copy))
  (copy / name).unlink()
  with pytest.raises(FileNotFoundError, match=f'No {name} in'):
    packed_weights.read(tiny, str(copy))
  assert packed_weights.is_packed(str(copy))


def test_damage_is_found(copy, tiny):
  path = copy / packed_weights.WEIGHTS
  content = bytearray(path.read_bytes())
  content[len(content) // 2] ^= 1
  path.write_bytes(content)
  with pytest.raises(ValueError, match='weights.npz.*damaged'):
    packed_weights.read(tiny, str(copy))
  path.write_bytes(content[:-10])
  with pytest.raises(ValueError, match='weights.npz.*damaged'):
    packed_weights.read(tiny, str(copy))


@pytest.mark.parametrize(
  'text, message',
  [
    ('{"format_ver', 'weights.json.*not what'),
    ('[]', 'weights.json.*not what'),
    ('{"format_version": 1, "sha256": ""}', 'weights.json.*variables'),
    (
      '{"format_version": 1, "sha256": "", "variables": {"a/0": {}}}',
      'weights.json.*a/0 lacks',
    ),
    (
      '{"format_version": 1, "sha256": "", "variables": {"a/0": '
      '{"name": "a", "shape": [], "dtype": "float32", "same_as": 7}}}',
      'weights.json.*not what',
    ),
    (
      '{"format_version": 9, "sha256": "", "variables": {}}',
      'format 9.*reads format 1',
    ),
  ],
)
def test_strange_manifests(copy, tiny, text, message):
  (copy / packed_weights.MANIFEST).write_text(text)
  with pytest.raises(ValueError, match=message):
    packed_weights.read(tiny, str(copy))


def test_what_is_in_two_parts_is_stored_once(tmp_path):
  kernel = np.float32([[1.0, 2.0], [3.0, 4.0]])
  content = {'kernel': kernel, 'bias': np.float32([0.5, 0.5])}
  changed = {**content, 'kernel': kernel + 1.0}
  written = _Parts(stem=content, tail=content, other=changed)
  manifest = packed_weights.write(written, str(tmp_path))
  with np.load(tmp_path / packed_weights.WEIGHTS) as file:
    assert list(file) == ['stem/0', 'stem/1', 'other/0']
  assert {
    key: entry['same_as']
    for key, entry in manifest['variables'].items()
    if 'same_as' in entry
  } == {'tail/0': 'stem/0', 'tail/1': 'stem/1', 'other/1': 'stem/1'}
  empty = {name: np.zeros_like(value) for name, value in content.items()}
  found = _Parts(stem=empty, tail=empty, other=empty)
  packed_weights.read(found, str(tmp_path))
  for variable, expected in zip(found.variables, written.variables):
    np.testing.assert_array_equal(variable, expected)
  tail = _Parts(tail=empty)
  packed_weights.read_part('tail', tail.checkpoint_items['tail'], str(tmp_path))
  np.testing.assert_array_equal(tail.variables[0], kernel)


def _without_center_head(manifest):
  for key in list(manifest['variables']):
    if key.startswith('center_head/'):
      del manifest['variables'][key]


def _another_part(manifest):
  manifest['variables']['tail/0'] = manifest['variables']['head/0']


def _another_shape(manifest):
  manifest['variables']['center_head/0']['shape'] = [7]


def _stored_elsewhere(manifest):
  manifest['variables']['center_head/0']['same_as'] = 'center_head/99'


def _another_name(manifest):
  manifest['variables']['center_head/0']['name'] = 'gamma:0'


@pytest.mark.parametrize(
  'change, message',
  [
    (_without_center_head, "has 0 variables of the part 'center_head'"),
    (_another_part, "1 variables of the part 'tail'.*model has 0"),
    (_another_shape, r'center_head/0 is .* of shape \[7\]'),
    (_stored_elsewhere, 'does not hold center_head/0'),
    (_another_name, r'center_head/0 is gamma:0.*model has center_head'),
  ],
)
def test_what_does_not_fit_is_named(copy, scratch, change, message):
  before = scratch.get_weights()
  _edit(copy, change)
  with pytest.raises(ValueError, match=message):
    packed_weights.read(scratch, str(copy))
  for found, expected in zip(scratch.get_weights(), before):
    np.testing.assert_array_equal(found, expected)


def test_layers_numbered_otherwise_are_the_same(tmp_path):
  packed_weights.write(_Parts(head={'conv_7/kernel': 1.0}), str(tmp_path))
  found = _Parts(head={'conv/kernel': 0.0})
  packed_weights.read(found, str(tmp_path))
  assert found.variables[0].numpy() == 1.0
