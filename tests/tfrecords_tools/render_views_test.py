import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.data import record_files
from mask2cad_tf.data import schema
from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import renderer
from mask2cad_tf.geometry import rotations
from mask2cad_tf.geometry import views
from tests import toy
from tfrecords_tools import render_views

_VIEW_KEYS = {
  value
  for name, value in vars(schema).items()
  if name.isupper() and isinstance(value, str) and value.startswith('cad/')
} - {schema.VIEW_FEATURES, schema.VIEW_FEATURES_SHAPE}  # cache_features adds


def _features(pattern):
  return {
    x[schema.VIEW_CAD_ID].bytes_list.value[0].decode(): x
    for x in (
      tf.train.Example.FromString(record).features.feature
      for record in record_files.read(record_files.match(pattern))
    )
  }


@pytest.fixture(name='library')
def _library(toy_data, tmp_path):
  """The two beds and a chair; small enough to render again."""
  for cad in ('bed/IKEA_MALM_2', 'bed/IKEA_MALM_3', 'chair/low'):
    shutil.copytree(f'{toy_data.library}/{cad}', tmp_path / 'library' / cad)
  return tmp_path / 'library'


def _convert(library, toy_data, output, **options):
  return render_views.convert(
    str(library), toy_data.medoids, str(output), toy.CLASS_NAMES, **options
  )


def test_every_key_of_the_schema(toy_data):
  for features in _features(toy_data.view_records).values():
    assert set(features) == _VIEW_KEYS


def test_views_are_the_cad_at_its_rotations(toy_data):
  features = _features(toy_data.view_records)['chair/low']
  drawer = renderer.Renderer(
    meshes.load(f'{toy_data.library}/chair/low/model.ply')
  )
  quaternions = np.reshape(
    features[schema.VIEW_ROTATION].float_list.value, [16, 4]
  )
  for index in (0, 7, 15):
    expected = views.render_view(
      drawer, rotations.matrix_from_quaternion(quaternions[index])
    )
    found = tf.io.decode_png(
      features[schema.VIEW_ENCODED].bytes_list.value[index]
    )[..., 0].numpy()
    # Rotations were rounded to float32 on the way: edges may differ by a ray.
    assert np.mean(found != expected) < 0.01


def test_deterministic_bytes(toy_data, library, tmp_path):
  for run in 'ab':
    _convert(library, toy_data, tmp_path / run)
  name = 'views.tfrecord-00000-of-00001'
  assert (tmp_path / 'a' / name).read_bytes() == (
    tmp_path / 'b' / name
  ).read_bytes()


def test_copies_share_a_group(toy_data, library, tmp_path):
  shutil.copytree(library / 'chair/low', library / 'chair/twin')
  shutil.copytree(f'{toy_data.library}/chair/high', library / 'chair/high')
  _convert(library, toy_data, tmp_path / 'out')
  groups = {
    cad_id: features[schema.VIEW_CAD_GROUP].bytes_list.value[0].decode()
    for cad_id, features in _features(f'{tmp_path}/out/views*').items()
  }
  assert groups['chair/twin'] == groups['chair/low'] == 'chair/low'
  assert groups['chair/high'] == 'chair/high'


def test_broken_mesh_is_named_or_skipped(toy_data, library, tmp_path):
  (library / 'chair/broken').mkdir()
  (library / 'chair/broken/m.obj').write_text('v 0 0 0\n')
  with pytest.raises(meshes.MeshError, match='chair/broken/m.obj'):
    _convert(library, toy_data, tmp_path / 'out')
  assert not list((tmp_path / 'out').iterdir())
  skipped = _convert(library, toy_data, tmp_path / 'out', skip_broken=True)
  assert len(skipped) == 1 and 'chair/broken' in skipped[0]
  assert len(_features(f'{tmp_path}/out/views*')) == 3
  manifest = json.loads((tmp_path / 'out/manifest.json').read_text())
  assert manifest['records']['views']['skipped'] == skipped


def test_unknown_class_folder_is_named(toy_data, library, tmp_path):
  shutil.copytree(library / 'chair/low', library / 'spaceship/x')
  with pytest.raises(ValueError, match='spaceship'):
    _convert(library, toy_data, tmp_path / 'out')


def test_missing_medoids_name_the_tool(library, tmp_path):
  with pytest.raises(FileNotFoundError, match='build_pose_medoids'):
    render_views.convert(
      str(library), '/no/medoids.npz', str(tmp_path / 'out'), toy.CLASS_NAMES
    )
