import json
import pickle

import numpy as np
import pytest
from PIL import Image

from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import ray_caster
from mask2cad_tf.geometry.furniture import catalogue
from tests.tfrecords_tools.synthesis import furnished
from tfrecords_tools.synthesis import composer
from tfrecords_tools.synthesis import options as options_lib
from tfrecords_tools.synthesis import scene as scene_lib

_CLASSES = ('bed', 'chair', 'desk', 'misc', 'sofa', 'table')


@pytest.fixture(scope='module')
def library(tmp_path_factory):
  root = str(tmp_path_factory.mktemp('library'))
  catalogue.write_library(root, class_names=_CLASSES)
  return root


def _options(library, mode='room', **changes):
  values = {'class_names': _CLASSES, 'modes': {mode: 1.0}, 'max_objects': 4}
  return options_lib.Options(library, **{**values, **changes})


@pytest.fixture(scope='module')
def rooms(library):
  made = composer.Composer(_options(library, min_objects=3, max_objects=5))
  return [made.compose(np.random.default_rng(seed)) for seed in range(24)]


@pytest.fixture(scope='module')
def singles(library):
  """Close-ups and shop photos."""
  scenes = []
  for mode in ('closeup', 'studio'):
    made = composer.Composer(_options(library, mode))
    scenes += [made.compose(np.random.default_rng(i)) for i in range(12)]
  return scenes


def _edges_hit(triangles, others):
  """Does an edge go through a face?"""
  starts = triangles.reshape(-1, 3)
  ways = np.roll(triangles, -1, axis=1).reshape(-1, 3) - starts
  long = np.linalg.norm(ways, axis=1) > 1e-7
  starts, ways = starts[long], ways[long]
  hits = ray_caster.RayCaster(others).nearest(starts, ways)
  through = np.flatnonzero(hits.distance < 1)
  # Embree may hit a triangle in whose plane a ray lies, however far away.
  points = starts[through] + hits.distance[through, np.newaxis] * ways[through]
  met = others[hits.triangle[through]]
  real = (points > met.min(axis=1) - 1e-3) & (points < met.max(axis=1) + 1e-3)
  return real.all(axis=1).any()


def test_no_object_goes_through_another(rooms, singles):
  for scene in rooms + singles:
    solid = [
      furnished.world_triangles(scene, i) for i in range(len(scene.objects))
    ]
    for i, first in enumerate(solid):
      for second in solid[:i]:
        assert not _edges_hit(first, second)
        assert not _edges_hit(second, first)


def test_objects_stand_on_the_floor_or_on_something(rooms, singles):
  lifted = 0
  for scene in rooms + singles:
    for i in range(len(scene.objects)):
      triangles = furnished.world_triangles(scene, i)
      height = triangles[..., 1].min()
      assert height > -1e-4
      if height < 1e-4:
        continue
      lifted += 1
      low = triangles.reshape(-1, 3)[triangles[..., 1].argmin()]
      others = [
        furnished.world_triangles(scene, j)
        for j in range(len(scene.objects))
        if j != i
      ]
      caster = ray_caster.RayCaster(np.concatenate(others))
      assert caster.distance([low], [[0, -1.0, 0]])[0] < 2e-3
  assert lifted


def test_poses_give_the_drawn_triangles(rooms):
  for scene in rooms[:6]:
    for i, item in enumerate(scene.objects):
      triangles = furnished.world_triangles(scene, i)
      # Undo world = s R v + t: the catalogue's boxes are centred.
      stored = (triangles - item.translation) @ item.rotation / item.scale
      low, high = stored.min(axis=(0, 1)), stored.max(axis=(0, 1))
      np.testing.assert_allclose(low, -high, atol=1e-4)
      np.testing.assert_allclose(item.rotation[1], [0, 1, 0], atol=1e-12)
      assert item.label_name == item.cad_id.split('/')[0]
      assert item.mesh.startswith(item.cad_id + '/')


def test_there_are_as_many_objects_as_asked_for(rooms, singles):
  assert {len(scene.objects) for scene in rooms} == {3, 4, 5}
  assert all(1 <= len(scene.objects) <= 4 for scene in singles)


def test_metric_sizes_stay(rooms):
  assert {item.scale for scene in rooms for item in scene.objects} == {1.0}


def test_pairs_of_the_same_cad_occur(rooms):
  names = [[item.cad_id for item in scene.objects] for scene in rooms]
  assert sum(len(set(ids)) < len(ids) for ids in names) >= 4


def test_twins_look_alike(rooms):
  for scene in rooms:
    looks = {}
    for i, item in enumerate(scene.objects):
      colors = [
        tuple(p.material.color)
        for p in scene.parts
        if p.is_cad and p.owner == i
      ]
      assert looks.setdefault(item.mesh, colors) == colors


def test_the_camera_is_in_the_room_and_sees_something_well(rooms):
  for scene in rooms:
    shell = np.concatenate(
      [p.vertices for p in scene.parts if p.owner == scene_lib.ROOM]
    )
    eye = scene.camera.position
    assert (shell.min(axis=0) < eye).all() and (eye < shell.max(axis=0)).all()
    assert 0.8 - 1e-9 <= eye[1] <= 1.9 + 1e-9
    assert max(_share_inside(scene, i) for i in range(len(scene.objects))) > 0.5


def _share_inside(scene, index):
  """Share of an object's vertices that project into the picture."""
  camera = scene.camera
  points = furnished.world_triangles(scene, index).reshape(-1, 3)
  points = points @ camera.rotation.T + camera.translation
  ahead = points[:, 2] > 0.05
  image = cameras.project(points[ahead], camera.intrinsics)
  size = [camera.width, camera.height]
  return ((image > 0) & (image < size)).all(axis=1).sum() / len(points)


def test_main_objects_are_in_the_picture(singles):
  shares = [_share_inside(scene, 0) for scene in singles]
  assert min(shares) > 0.1
  assert np.median(shares) > 0.8


def test_linen_belongs_to_beds_and_clutter_to_nobody(rooms):
  owners = {'linen': set(), 'clutter': 0}
  for scene in rooms:
    for part in scene.parts:
      if part.owner >= 0 and not part.is_cad:
        owners['linen'].add(scene.objects[part.owner].label_name)
      owners['clutter'] += part.owner == scene_lib.UNLABELLED
  assert 'bed' in owners['linen'] and owners['clutter']
  assert owners['linen'] <= {'bed', 'chair', 'desk', 'sofa', 'table'}


def test_rooms_have_walls_and_shops_have_none(rooms, singles):
  for scene in rooms + singles:
    has_room = any(p.owner == scene_lib.ROOM for p in scene.parts)
    assert has_room is (scene.mode != 'studio')
    assert scene.shadow_catcher is (scene.mode == 'studio')


def _same(first, second):
  assert len(first.parts) == len(second.parts)
  for a, b in zip(first.parts, second.parts):
    np.testing.assert_array_equal(a.vertices, b.vertices)
    np.testing.assert_array_equal(a.material.color, b.material.color)
  for a, b in zip(first.objects, second.objects):
    assert a.cad_id == b.cad_id
    np.testing.assert_array_equal(a.translation, b.translation)
  np.testing.assert_array_equal(
    first.camera.translation, second.camera.translation
  )
  np.testing.assert_array_equal(first.background, second.background)


@pytest.mark.parametrize('mode', composer.MODES)
def test_the_generator_alone_decides(library, mode):
  made = composer.Composer(_options(library, mode))
  made.compose(np.random.default_rng(5))  # What came before does not matter.
  again = pickle.loads(pickle.dumps(made))
  _same(*(c.compose(np.random.default_rng(3)) for c in (made, again)))


def _metre(scenes):
  """What a metre takes of the picture's longer side; median of the objects."""
  found = []
  for scene in scenes:
    camera = scene.camera
    places = np.array([item.translation for item in scene.objects])
    depths = (places @ camera.rotation.T + camera.translation)[:, 2]
    side = max(camera.height, camera.width)
    found.extend(camera.intrinsics[0] / side / depths[depths > 0.0])
  return np.median(found)


def test_rooms_from_afar_show_small_things(library, rooms):
  made = composer.Composer(
    _options(library, 'far', min_objects=3, max_objects=5)
  )
  far = [made.compose(np.random.default_rng(seed)) for seed in range(24)]
  assert _metre(far) < 0.7 * _metre(rooms)
  assert {scene.mode for scene in far} == {'room'}  # lit and furnished as one


def test_other_seeds_give_other_scenes(rooms):
  eyes = {tuple(scene.camera.position) for scene in rooms}
  assert len(eyes) == len(rooms)


def test_modes_are_as_frequent_as_asked_for(library):
  modes = {'closeup': 0.75, 'studio': 0.25}
  made = composer.Composer(_options(library, modes=modes, max_objects=1))
  found = [made.compose(np.random.default_rng(i)).mode for i in range(40)]
  # 40 draws: the mean is 30, the standard deviation sqrt(40 * .75 * .25) = 2.7.
  assert 22 <= found.count('closeup') <= 38
  assert found.count('room') == 0


@pytest.mark.parametrize('aspect', [0.75, 1.5])
def test_pictures_have_the_size_asked_for(library, aspect):
  options = _options(library, 'studio', image_size=120, aspect_ratio=aspect)
  camera = composer.Composer(options).compose(np.random.default_rng(0)).camera
  assert max(camera.height, camera.width) == 120
  assert camera.width / camera.height == pytest.approx(aspect, rel=0.02)


def test_photos_stand_behind_closeups(library, tmp_path):
  photo = Image.fromarray(np.full((50, 90, 3), (10, 200, 30), np.uint8))
  photo.save(tmp_path / 'a.png')
  options = _options(library, 'closeup', backgrounds=str(tmp_path))
  made = composer.Composer(options)
  scenes = [made.compose(np.random.default_rng(i)) for i in range(8)]
  with_photo = [
    s for s in scenes if s.background.ndim == 3 and s.shadow_catcher
  ]
  assert 0 < len(with_photo) < 8
  for scene in with_photo:
    camera = scene.camera
    assert scene.background.shape == (camera.height, camera.width, 3)
    assert scene.background[0, 0].tolist() == [10, 200, 30]
    assert all(part.owner != scene_lib.ROOM for part in scene.parts)


@pytest.mark.parametrize(
  'changes, match',
  [
    ({'modes': {'cellar': 1.0}}, 'room, closeup, studio'),
    ({'modes': {'room': 0.0}}, 'weights'),
    ({'modes': {'room': -1.0, 'studio': 2.0}}, 'weights'),
    ({'max_objects': 9}, '1 to 8'),
    ({'min_objects': 3, 'max_objects': 2}, '1 to 8'),
  ],
)
def test_bad_options_are_errors(library, changes, match):
  with pytest.raises(ValueError, match=match):
    composer.Composer(_options(library, **changes))


def test_a_bad_poses_file_is_an_error(library, tmp_path):
  with pytest.raises(FileNotFoundError, match='nowhere.json'):
    composer.Composer(_options(library, poses='nowhere.json'))
  path = tmp_path / 'poses.json'
  path.write_text('{"no": "annotations"}')
  with pytest.raises(ValueError, match='poses.json'):
    composer.Composer(_options(library, poses=str(path)))
  path.write_text('not json')
  with pytest.raises(ValueError, match='not JSON'):
    composer.Composer(_options(library, poses=str(path)))


def test_an_empty_library_is_an_error(tmp_path):
  made = composer.Composer(_options(str(tmp_path)))
  with pytest.raises(FileNotFoundError, match='No CAD'):
    made.compose(np.random.default_rng(0))


def test_a_library_that_fits_no_room_is_an_error(tmp_path):
  furnished.write(str(tmp_path), 'bin/a', furnished.box_mesh(90, 90, 90))
  manifest = {'cads': [{'id': 'bin/a', 'scale': 1.0}]}
  (tmp_path / 'manifest.json').write_text(json.dumps(manifest))
  options = _options(str(tmp_path), class_names=('bin',))
  with pytest.raises(ValueError, match='No good scene'):
    composer.Composer(options).compose(np.random.default_rng(0))


def test_grey_cads_are_the_same_scenes_in_one_grey(library):
  colored, grey = (
    composer.Composer(_options(library, grey_cads=grey_cads)).compose(
      np.random.default_rng(7)
    )
    for grey_cads in (False, True)
  )
  assert colored.camera.intrinsics == grey.camera.intrinsics
  assert len(colored.parts) == len(grey.parts)
  changed = 0
  for before, after in zip(colored.parts, grey.parts):
    np.testing.assert_array_equal(before.vertices, after.vertices)
    if not after.is_cad:
      np.testing.assert_array_equal(before.material.color, after.material.color)
      continue
    np.testing.assert_allclose(after.material.color, [0.4, 0.4, 0.4])
    assert after.material.texture is None and after.uv is None
    changed += not np.array_equal(before.material.color, after.material.color)
  assert changed
