"""`python -m mask2cad_tf.predict`: outputs, flags, bad input."""

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import mask2cad_tf
from mask2cad_tf import predict
from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import meshes
from mask2cad_tf.retrieval import default_gallery
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.scene import glb
from tests import command_runner


@pytest.fixture(autouse=True)
def share(tiny_world, monkeypatch):
  tiny_world.patch(monkeypatch)


def _run(tiny_world, output, *arguments, photos=(0,)):
  images = [f'--image={tiny_world.photos[i]}' for i in photos]
  return command_runner.run(
    predict,
    *images,
    f'--model={tiny_world.model_dir}',
    f'--gallery={tiny_world.gallery_dir}',
    f'--output_dir={output}',
    *arguments,
  )


def _scene(folder):
  with open(os.path.join(folder, 'scene.json')) as file:
    return json.load(file)


@pytest.fixture(scope='module')
def two_photos(tiny_world, tmp_path_factory):
  output = tmp_path_factory.mktemp('two')
  photos = [
    shutil.copy(tiny_world.photos[0], output / 'a.png'),
    shutil.copy(tiny_world.photos[2], output / 'b.png'),
  ]
  with pytest.MonkeyPatch.context() as patch:
    tiny_world.patch(patch)
    result = command_runner.run(
      predict,
      *(f'--image={photo}' for photo in photos),
      f'--model={tiny_world.model_dir}',
      f'--gallery={tiny_world.gallery_dir}',
      f'--output_dir={output}/out',
      '--min_score=0.1',
      '--focal_length_px=400',
      '--focal_length_px=500',
    )
  assert result.status == 0, result
  return output / 'out', result


def test_four_files_a_photo(two_photos):
  output, result = two_photos
  assert sorted(os.listdir(output)) == ['a', 'b']
  for name in 'ab':
    assert sorted(os.listdir(output / name)) == [
      'overlay.png',
      'scene.glb',
      'scene.html',
      'scene.json',
    ]
    assert f'{output / name}: ' in result.stdout


def test_scene_json_agrees_with_gallery_and_camera(two_photos, tiny_world):
  assert _scene(two_photos[0] / 'a')['camera']['fx'] == 400
  scene = _scene(two_photos[0] / 'b')
  assert (scene['image']['width'], scene['image']['height']) == (1024, 768)
  assert scene['camera'] == {
    'fx': 500,
    'fy': 500,
    'cx': 512,
    'cy': 384,
    'source': 'flag',
  }
  assert scene['model'] == {
    'name': 'model',
    'gallery_version': tiny_world.gallery.version,
    'package_version': mask2cad_tf.__version__,
  }
  assert scene['objects']
  for thing in scene['objects']:
    x0, y0, x1, y1 = thing['box']
    assert 0 <= x0 < x1 <= 1024 and 0 <= y0 < y1 <= 768
    assert thing['mask']['size'] == [768, 1024]
    assert thing['score'] >= 0.1
    assert thing['cad_id'].startswith(thing['label'] + '/')
    assert thing['depth_source'] == 'box_fit'
    assert 1 <= len(thing['candidates']) <= 5
    assert thing['candidates'][0]['cad_id'] == thing['cad_id']
    np.testing.assert_allclose(np.linalg.det(thing['rotation']), 1.0, atol=1e-5)
    np.testing.assert_allclose(
      cameras.project(thing['translation'], [500, 500, 512, 384]),
      thing['center'],
      atol=1e-3,
    )
    assert os.path.isfile(os.path.join(tiny_world.gallery_dir, thing['mesh']))


def test_glb_and_json_show_the_same(two_photos, tiny_world):
  folder = two_photos[0] / 'b'
  scene, found = _scene(folder), glb.read_objects(str(folder / 'scene.glb'))
  corners = []
  for thing in scene['objects']:
    mesh = meshes.transform(
      meshes.load(tiny_world.gallery.mesh_path(thing['cad_id'])),
      np.array(thing['rotation']),
      np.array(thing['translation']),
    )
    corners.append(mesh.bounds)
  expected = [np.min(corners, axis=0)[0], np.max(corners, axis=0)[1]]
  np.testing.assert_allclose(found.bounds, expected, rtol=1e-4, atol=1e-4)


def test_overlay_is_the_photos_size(two_photos):
  assert Image.open(two_photos[0] / 'b' / 'overlay.png').size == (1024, 768)


def test_box_with_label_and_depth(tiny_world, tmp_path):
  result = _run(
    tiny_world,
    tmp_path,
    '--box=4,22,362,228',
    '--label=bed',
    '--depth=1.5',
    '--intrinsics=430,431,197,122',
  )
  assert result.status == 0, result
  scene = _scene(tmp_path / '0001')
  (thing,) = scene['objects']
  assert scene['camera']['fy'] == 431
  assert (thing['label'], thing['score'], thing['depth_source']) == (
    'bed',
    1.0,
    'flag',
  )
  np.testing.assert_allclose(thing['box'], [4, 22, 362, 228], atol=0.01)
  assert thing['translation'][2] == pytest.approx(1.5)


def test_a_small_gallery_is_searched_alike_either_way(tiny_world, tmp_path):
  arguments = ('--min_score=0.1', '--norefine')
  _run(tiny_world, tmp_path / 'exact', *arguments)
  result = _run(
    tiny_world, tmp_path / 'approximate', *arguments, '--search=approximate'
  )
  assert result.status == 0, result
  exact, approximate = (
    _scene(tmp_path / name / '0001')['objects']
    for name in ('exact', 'approximate')
  )
  assert len(exact) == len(approximate) > 0
  for one, other in zip(exact, approximate):
    assert one['cad_id'] == other['cad_id']
    for ours, theirs in zip(one['candidates'], other['candidates']):
      assert ours['cad_id'] == theirs['cad_id']
      assert ours['similarity'] == pytest.approx(theirs['similarity'], abs=1e-4)


def test_without_the_extra_it_says_how_to_install_it(
  tiny_world, tmp_path, monkeypatch
):
  monkeypatch.setitem(sys.modules, 'faiss', None)
  result = _run(tiny_world, tmp_path / 'out', '--search=approximate')
  assert "pip install 'mask2cad-tf[ann]'" in result.only_line
  assert not (tmp_path / 'out').exists()


def test_box_takes_the_class_of_a_detection(tiny_world, tmp_path):
  _run(tiny_world, tmp_path / 'all', '--min_score=0.1', '--norefine')
  seen = _scene(tmp_path / 'all' / '0001')['objects'][0]
  box = ','.join(map(str, seen['box']))
  result = _run(tiny_world, tmp_path / 'one', f'--box={box}')
  assert result.status == 0, result
  (thing,) = _scene(tmp_path / 'one' / '0001')['objects']
  assert thing['label'] == seen['label']


def test_a_folder_of_photos(tiny_world, tmp_path):
  rooms = tmp_path / 'rooms'
  rooms.mkdir()
  shutil.copy(tiny_world.photos[0], rooms / 'a.png')
  with Image.open(tiny_world.photos[2]) as photo:
    photo.convert('RGB').save(rooms / 'b.webp', lossless=True)
  (rooms / 'c.jpg').write_bytes(b'no photo')
  (rooms / 'notes.txt').write_text('no photo either')
  output = tmp_path / 'out'
  arguments = (f'--image={rooms}', '--norefine', '--min_score=0.1')
  result = _run(tiny_world, output, *arguments, photos=())
  assert 'c.jpg' in result.only_line and not output.exists()
  result = _run(tiny_world, output, *arguments, '--skip_broken', photos=())
  assert result.status == 0
  assert 'left out: ' in result.stderr and 'c.jpg' in result.stderr
  assert '2 of 3 photos predicted' in result.stdout
  assert sorted(os.listdir(output)) == ['a', 'b']
  # Interrupted: one scene is not whole.
  os.remove(output / 'a' / 'scene.html')
  kept = os.stat(output / 'b' / 'scene.html').st_mtime_ns
  result = _run(
    tiny_world,
    output,
    *arguments,
    '--skip_broken',
    '--resume',
    '--json',
    photos=(),
  )
  summary = json.loads(result.stdout)  # nothing else is there
  assert summary['num_photos'] == 3
  (photo,) = summary['photos']
  assert photo['path'] == str(rooms / 'a.png')
  assert photo['folder'] == str(output / 'a')
  things = _scene(photo['folder'])['objects']
  assert things and photo['objects'] == [
    {key: thing[key] for key in photo['objects'][0]} for thing in things
  ]
  assert set(photo['objects'][0]) == {
    *('label', 'score', 'cad_id', 'similarity', 'confident')
  }
  assert (output / 'a' / 'scene.html').exists()
  assert os.stat(output / 'b' / 'scene.html').st_mtime_ns == kept


def test_a_depth_map_places_the_object(tiny_world, tmp_path):
  with Image.open(tiny_world.photos[0]) as photo:
    np.save(tmp_path / 'depth.npy', np.full(photo.size[::-1], 3.0, np.float32))
  result = _run(
    tiny_world,
    tmp_path / 'out',
    f'--depth_map={tmp_path}/depth.npy',
    '--min_score=0.1',
    '--norefine',
  )
  assert result.status == 0, result
  for thing in _scene(tmp_path / 'out' / '0001')['objects']:
    assert thing['depth_source'] == 'depth_map'
    assert 2.5 < thing['translation'][2] < 4.0  # near its surface


@pytest.fixture
def upright(tiny_world, monkeypatch):
  """The tiny model's objects stand upright, below the horizon."""
  predict_photo = tiny_world.module.predict

  def predict_upright(image, intrinsics):
    outputs = dict(predict_photo(image, intrinsics))
    count = outputs['detection_rotations'].shape[1]
    half = np.linspace(0.0, np.pi, count)  # of the angle about y
    turned = np.stack([np.cos(half), 0 * half, np.sin(half), 0 * half], axis=-1)
    outputs['detection_rotations'] = tf.constant(turned[np.newaxis], tf.float32)
    column = np.linspace(0.2, 0.8, count) * image.shape[1]
    row = np.linspace(0.6, 0.8, count) * image.shape[0]
    outputs['detection_centers'] = tf.constant(
      np.stack([column, row], axis=-1)[np.newaxis], tf.float32
    )
    return outputs

  monkeypatch.setattr(tiny_world.module, 'predict', predict_upright)


def _camera_heights(scene, gallery):
  """Above the lowest point of each object and candidate, by 'ground'."""
  normal = scene['ground_plane']['normal']
  heights = {True: [], False: []}
  for thing in scene['objects']:
    for entry in (thing, *thing['candidates']):
      mesh = meshes.load(gallery.mesh_path(entry['cad_id']))
      rotation = entry.get('rotation', thing['rotation'])
      points = entry['scale'] * mesh.vertices @ np.transpose(rotation)
      points = points + entry['translation']
      heights[entry['ground']].append(-(points @ normal).min())
  return heights


def test_ground_plane(tiny_world, tmp_path, upright):
  # What is seen again would not stand upright.
  arguments = ('--min_score=0.1', '--norefine', '--nocloser_look')
  assert _run(tiny_world, tmp_path / 'apart', *arguments).status == 0
  result = _run(tiny_world, tmp_path / 'ground', *arguments, '--ground_plane')
  assert result.status == 0, result
  apart, scene = (
    _scene(tmp_path / name / '0001') for name in ('apart', 'ground')
  )
  count = sum(thing['ground'] for thing in scene['objects'])
  assert count >= 2 and f'; {count} put on the ground plane' in result.stdout
  heights = _camera_heights(scene, tiny_world.gallery)
  assert len(heights[True]) >= 2 * count  # the best ones count twice
  np.testing.assert_allclose(heights[True], scene['ground_plane']['distance'])
  assert '"ground' not in json.dumps(apart)
  for old, new in zip(apart['objects'], scene['objects']):
    assert new['center'] == old['center']
    np.testing.assert_allclose(
      new['translation'], new['scale'] * np.array(old['translation'])
    )
  overlays = [
    np.asarray(Image.open(tmp_path / name / '0001' / 'overlay.png'))
    for name in ('apart', 'ground')
  ]
  assert overlays[0].shape == overlays[1].shape


def test_ground_plane_keeps_given_depths(tiny_world, tmp_path, upright):
  result = _run(
    tiny_world,
    tmp_path,
    '--min_score=0.1',
    '--norefine',
    '--depth=2.5',
    '--ground_plane',
  )
  assert result.status == 0, result
  for thing in _scene(tmp_path / '0001')['objects']:
    assert (thing['scale'], thing['ground']) == (1.0, False)
    assert thing['translation'][2] == pytest.approx(2.5)


def test_the_package_has_model_and_gallery(tiny_world, tmp_path, monkeypatch):
  """Without flags: the packaged folders, as default_gallery names them."""
  chosen = tiny_world.model_dir, tiny_world.gallery_dir
  asked = []

  def choose(model, gallery):
    asked.append((model, gallery))
    return chosen

  monkeypatch.setattr(default_gallery, 'choose', choose)
  result = command_runner.run(
    predict,
    f'--image={tiny_world.photos[0]}',
    f'--output_dir={tmp_path}',
    '--norefine',
  )
  assert result.status == 0, result
  assert asked == [(None, None)]
  scene = _scene(tmp_path / '0001')
  assert scene['model']['name'] == 'model'
  assert scene['model']['gallery_version'] == tiny_world.gallery.version


def test_another_model_needs_its_gallery(tiny_world, tmp_path):
  line = command_runner.run(
    predict,
    f'--image={tiny_world.photos[0]}',
    f'--model={tiny_world.model_dir}',
    f'--output_dir={tmp_path / "out"}',
  ).only_line
  assert '--gallery missing' in line
  assert f'--model={tiny_world.model_dir}' in line
  assert not (tmp_path / 'out').exists()


def test_help_shows_an_example_without_tensorflow():
  result = command_runner.run(predict, '--help')
  assert result.status == 0
  assert 'python -m mask2cad_tf.predict --image=room.jpg' in result.stdout
  assert '--focal_length_px' in result.stdout
  subprocess.run(
    [
      sys.executable,
      '-c',
      'import sys; import mask2cad_tf.predict; '
      'sys.exit("tensorflow" in sys.modules)',
    ],
    check=True,
  )


def _broken_photo(tmp_path):
  path = tmp_path / 'broken.jpg'
  path.write_bytes(b'\xff\xd8\xff no photo')
  return str(path)


@pytest.mark.parametrize(
  'arguments, message',
  [
    (['--nope'], "Unknown command line flag 'nope'"),
    (['surplus'], "Cannot use 'surplus'"),
    (['--min_score=2'], '--min_score=2'),
    (['--box=1,2,3'], '--box=1,2,3: expected four numbers'),
    (['--box=1,2,3,x'], '--box=x0,y0,x1,y1'),
    (['--box=0,0,396,200', '--label=bed'], '0001.png.*395 x 244 pixels'),
    (['--box=50,50,40,200', '--label=bed'], '0 <= x0 < x1 <= 395'),
    (
      ['--box=9,9,90,90', '--label=sofas'],
      "label=sofas is no class of .*bed, chair, sofa, table.*mean 'sofa'",
    ),
    (['--label=bed'], 'Give --box as well'),
    (['--intrinsics=1,2,3,4', '--focal_length_px=5'], 'exclude each other'),
    (['--focal_length_px=5', '--focal_length_px=6'], '2 times for 1 photos'),
    (['--intrinsics=-1,2,3,4'], 'must be positive'),
    (['--image=nowhere.jpg'], 'No photo at .nowhere.jpg'),
    (['--model=nowhere'], "params.yaml in 'nowhere'"),
    (['--model='], '--model missing'),
    (['--gallery='], '--gallery missing'),
    (['--gallery=nowhere'], "No gallery at 'nowhere'.*mask2cad_tf.gallery"),
  ],
)
def test_bad_input_says_what_and_leaves_the_rest(
  tiny_world, tmp_path, arguments, message
):
  (tmp_path / '0001').mkdir()
  (tmp_path / '0001' / 'scene.json').write_text('earlier')
  before = command_runner.files_below(tmp_path)
  result = _run(tiny_world, tmp_path, *arguments)
  assert result.only_line.startswith('mask2cad_tf.predict: ')
  assert re.search(message, result.only_line), result.only_line
  assert command_runner.files_below(tmp_path) == before


def test_one_broken_photo_stops_all(tiny_world, tmp_path):
  broken = _broken_photo(tmp_path)
  result = _run(tiny_world, tmp_path / 'out', f'--image={broken}')
  assert 'broken.jpg' in result.only_line
  assert 'does not decode' in result.only_line
  assert not (tmp_path / 'out').exists()


def test_a_gallery_of_another_encoder_is_refused(tiny_world, tmp_path):
  gallery_lib.write_index(
    str(tmp_path), dataclasses.replace(tiny_world.gallery, encoder='f' * 64)
  )
  result = _run(tiny_world, tmp_path / 'out', f'--gallery={tmp_path}')
  assert str(tmp_path) in result.only_line
  assert 'another view encoder' in result.only_line
  assert 'python -m mask2cad_tf.gallery build' in result.only_line
  assert not (tmp_path / 'out').exists()


def test_a_box_of_no_class_asks_for_the_label(tiny_world, tmp_path):
  result = _run(tiny_world, tmp_path / 'out', '--box=393,242,395,244')
  assert '--label=chair' in result.only_line
  assert not (tmp_path / 'out').exists()
