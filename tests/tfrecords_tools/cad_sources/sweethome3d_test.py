"""Catalogues of furniture to CADs."""

import io
import zipfile

import numpy as np
import pytest
import trimesh

from mask2cad_tf.geometry import meshes
from tests.tfrecords_tools.cad_sources import toy_catalogues
from tfrecords_tools.cad_sources import sweethome3d


def _parts(folder):
  """Material name -> centre and extents of the part's box."""
  scene = trimesh.load_scene(folder / 'model.glb', process=False)
  return {
    part.visual.material.name: (part.bounds.mean(axis=0), part.extents)
    for part in scene.geometry.values()
  }


def _written(tmp_path, members=None, **fields):
  path = toy_catalogues.write(
    tmp_path / 'toy.sh3f', [toy_catalogues.entry(**fields)], members
  )
  listing = sweethome3d.list_models([path])
  (model,) = listing.cads + listing.clutter
  folder = tmp_path / 'out'
  folder.mkdir()
  return model, model.write(str(folder)), folder


def test_what_the_catalogue_says_of_a_model(tmp_path):
  model, written, _ = _written(tmp_path)
  assert model.cad_id == 'chair/toy_chair'
  assert model.label_name == 'chair'
  assert model.name == 'Oak chair'
  assert model.licence == 'CC-BY 3.0'
  assert model.creator == 'Ann'
  assert model.source == 'toy.sh3f:models/chair/chair.obj'
  assert model.scale == 1.0
  assert written.meshes == ('model.glb',)
  assert len(written.sha256) == 64


def test_metres_centred_front_to_minus_z(tmp_path):
  _, _, folder = _written(tmp_path)
  parts = _parts(folder)
  # The file's box is 4 x 6 x 4, the catalogue's 0.4 x 0.6 x 0.5 m: scales
  # 0.1, 0.1, 0.125. Centre (2, 3, 2); half a turn negates x and z.
  for name, low, high in (
    ('seat', (0, 0, 0), (4, 1, 4)),
    ('back', (0, 1, 0), (4, 6, 1)),  # at the file's -z: ends at +z
    ('knob', (3, 1, 3), (4, 2, 4)),  # front right: ends at -x, -z
  ):
    center = (0.5 * (np.add(low, high)) - (2, 3, 2)) * (-0.1, 0.1, -0.125)
    np.testing.assert_allclose(parts[name][0], center, atol=1e-6)
    np.testing.assert_allclose(
      parts[name][1], np.subtract(high, low) * (0.1, 0.1, 0.125), atol=1e-6
    )
  assert parts['back'][0][2] > 0 > parts['knob'][0][2]


def test_the_catalogues_rotation_is_applied_before_the_size(tmp_path):
  # A quarter turn about y takes x to -z and z to x: the box stays 4 x 6 x 4,
  # the back, at -z, goes to -x and then by half a turn to +x.
  _, _, folder = _written(tmp_path, modelRotation='0 0 1 0 1 0 -1 0 0')
  parts = _parts(folder)
  np.testing.assert_allclose(
    parts['back'][0], (1.5 * 0.1, 0.5 * 0.1, 0.0), atol=1e-6
  )
  np.testing.assert_allclose(parts['back'][1], (0.1, 0.5, 0.5), atol=1e-6)


def test_a_jar_with_the_programs_own_materials(tmp_path):
  obj = toy_catalogues.chair_obj('').replace(b'usemtl seat', b'usemtl redwood')
  path = toy_catalogues.write(
    tmp_path / 'sweethome3d.jar',
    [toy_catalogues.entry()],
    {'models/chair/chair.obj': obj},
    toy_catalogues.DEFAULT,
  )
  (model,) = sweethome3d.list_models([path]).cads
  model.write(str(tmp_path))
  scene = trimesh.load_scene(tmp_path / 'model.glb', process=False)
  colors = [
    part.visual.material.baseColorFactor[:3].tolist()
    for part in scene.geometry.values()
  ]
  redwood = [
    round(255 * toy_catalogues.srgb_to_linear(x / 255))
    for x in (0x7C, 0x42, 0x30)
  ]
  assert redwood in colors


def test_a_model_may_be_a_zip(tmp_path):
  buffer = io.BytesIO()
  with zipfile.ZipFile(buffer, 'w') as inner:
    inner.writestr('a/chair.obj', toy_catalogues.chair_obj())
    inner.writestr('a/chair.mtl', toy_catalogues.CHAIR_MTL)
  _, _, folder = _written(
    tmp_path, {'m/chair.zip': buffer.getvalue()}, model='/m/chair.zip'
  )
  assert set(_parts(folder)) == {'seat', 'back', 'knob'}


def test_small_things_of_no_class_stand_on_the_floor(tmp_path):
  model, _, folder = _written(
    tmp_path, name='Vase', width='20', height='30', depth='20'
  )
  assert model.cad_id == 'clutter/toy_chair'
  bounds = meshes.load(str(folder / 'model.glb')).bounds
  np.testing.assert_allclose(
    bounds, [[-0.1, 0.0, -0.1], [0.1, 0.3, 0.1]], atol=1e-6
  )


@pytest.mark.parametrize(
  'fields',
  [
    {'name': 'Chair window', 'doorOrWindow': 'true'},
    {'name': 'Palm tree'},
    {'name': 'Wall vase', 'width': '20', 'height': '20', 'elevation': '90'},
  ],
)
def test_the_rest_is_left_alone(tmp_path, fields):
  path = toy_catalogues.write(
    tmp_path / 'toy.sh3f',
    [toy_catalogues.entry(height='600', **fields)]
    if 'height' not in fields
    else [toy_catalogues.entry(**fields)],
  )
  assert sweethome3d.list_models([path]) == ([], [], [])


@pytest.mark.parametrize(
  'fields, reason',
  [
    ({'width': 'wide'}, 'wide'),
    ({'depth': '0'}, 'size'),
    ({'depth': 'nan'}, 'size'),
    ({'modelRotation': '1 0 0'}, 'modelRotation of 3'),
  ],
)
def test_broken_entries_are_listed(tmp_path, fields, reason):
  path = toy_catalogues.write(
    tmp_path / 'toy.sh3f', [toy_catalogues.entry(**fields)]
  )
  listing = sweethome3d.list_models([path])
  assert not listing.cads
  ((name, why),) = listing.failed
  assert name == 'toy.sh3f:toy#chair'
  assert reason in why


def test_ids_are_unique_whatever_their_case(tmp_path):
  paths = [
    toy_catalogues.write(
      tmp_path / f'{name}.sh3f', [toy_catalogues.entry(id=model_id)]
    )
    for name, model_id in (('a', 'toy#chair'), ('b', 'Toy chair'), ('c', 'x'))
  ]
  cads = sweethome3d.list_models(paths).cads
  assert [cad.cad_id for cad in cads] == [
    'chair/toy_chair',
    'chair/Toy_chair_2',
    'chair/x',
  ]


def test_only_the_wanted_classes(tmp_path):
  path = toy_catalogues.write(
    tmp_path / 'toy.sh3f',
    [toy_catalogues.entry(), toy_catalogues.entry(id='t', name='Table')],
  )
  (cad,) = sweethome3d.list_models([path], ['table']).cads
  assert cad.label_name == 'table'


@pytest.mark.parametrize(
  'fields, reason',
  [
    ({'model': '/models/nowhere.obj'}, 'not in the archive'),
    ({'model': '/models/chair/chair.mtl'}, 'not an OBJ'),
    ({'model': '/empty.zip'}, 'no OBJ'),
  ],
)
def test_models_that_cannot_be_read(tmp_path, fields, reason):
  buffer = io.BytesIO()
  zipfile.ZipFile(buffer, 'w').close()
  with pytest.raises(meshes.MeshError, match=reason):
    _written(tmp_path, {'empty.zip': buffer.getvalue()}, **fields)


def test_an_archive_without_a_catalogue(tmp_path):
  path = tmp_path / 'x.sh3f'
  with zipfile.ZipFile(path, 'w') as archive:
    archive.writestr('a.txt', 'a')
  with pytest.raises(ValueError, match='no furniture catalogue'):
    sweethome3d.list_models([str(path)])


def test_no_archive_at_all(tmp_path):
  path = tmp_path / 'y.sh3f'
  path.write_text('hello')
  with pytest.raises(ValueError, match='no .sh3f or .jar file'):
    sweethome3d.list_models([str(path)])
