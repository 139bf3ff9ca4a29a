import json

import numpy as np
import pytest

from mask2cad_tf.geometry import cameras as projection
from tests.tfrecords_tools.synthesis import furnished
from tfrecords_tools.synthesis import cameras
from tfrecords_tools.synthesis import options as options_lib
from tfrecords_tools.synthesis import placement
from tfrecords_tools.synthesis import pose_prior
from tfrecords_tools.synthesis import scene as scene_lib


def _pose(rotation, name='img/chair/0001.png'):
  return {
    'img': name, 'category': 'chair', 'img_size': [400, 300],
    'mask': 'mask/chair/0001.png', 'model': 'model/chair/a/model.obj',
    'rot_mat': np.asarray(rotation).tolist(), 'trans_mat': [0.2, 0.1, 2.0],
    'focal_length': 32.0, 'bbox': [100, 60, 300, 240],
  }  # fmt: skip


@pytest.fixture(scope='module')
def chair(tmp_path_factory):
  root = str(tmp_path_factory.mktemp('library'))
  furnished.write(root, 'chair/plain', furnished.chair_mesh())
  return furnished.thing(root, 'chair/plain', ['chair'])


@pytest.mark.parametrize('ray', [(0, 0, 1), (0.3, -0.2, 1), (-1, 1, 0.5)])
def test_toward_takes_the_axis_to_the_ray(ray):
  rotation = pose_prior.toward(ray)
  np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
  np.testing.assert_allclose(
    rotation[:, 2], np.array(ray) / np.linalg.norm(ray), atol=1e-12
  )


def test_chairs_are_seen_from_above_more_than_wardrobes():
  prior, rng = pose_prior.PosePrior(), np.random.default_rng(0)
  chairs, wardrobes = (
    np.median([prior.draw(name, rng).elevation for _ in range(300)])
    for name in ('chair', 'wardrobe')
  )
  # Medians of Pix3D: 31 and 8 degrees.
  np.testing.assert_allclose(np.degrees([chairs, wardrobes]), [31, 8], atol=4)


@pytest.mark.parametrize('seed', range(12))
def test_the_camera_shows_what_the_view_says(chair, seed):
  rng = np.random.default_rng(seed)
  view = pose_prior.PosePrior().draw('chair', rng)
  main = placement.Placed(chair, rng.uniform(-3, 3), np.array([1.0, 0, 2.0]))
  try:
    camera = cameras.frame_object(view, main, 240, 320)
  except scene_lib.Rejected:
    return
  points = main.vertices @ camera.rotation.T + camera.translation
  image = projection.project(points, camera.intrinsics)
  side = np.ptp(image, axis=0) / [320, 240]
  middle = 0.5 * (image.min(axis=0) + image.max(axis=0)) / [320, 240]
  np.testing.assert_allclose(side.max(), view.size, rtol=0.05)
  np.testing.assert_allclose(middle, view.center, atol=0.03)


def test_an_annotated_pose_is_found_again(chair, tmp_path):
  # A camera made for a view gives that view back, but for the jitter.
  view = pose_prior.View(0.6, 0.4, 0.05, 1.0, 0.5, (0.55, 0.5))
  main = placement.Placed(chair, 0.0, np.zeros(3))
  camera = cameras.frame_object(view, main, 300, 400)
  pose = _pose(camera.rotation)
  middle = main.in_world([0, 0.45, 0])
  centre = camera.rotation @ middle + camera.translation
  pose['trans_mat'] = centre.tolist()
  path = tmp_path / 'poses.json'
  path.write_text(json.dumps([pose]))
  prior, rng = pose_prior.PosePrior(str(path)), np.random.default_rng(0)
  drawn = [prior.draw('chair', rng) for _ in range(200)]
  found = np.mean([[v.azimuth, v.elevation, v.roll] for v in drawn], axis=0)
  np.testing.assert_allclose(found, [0.6, 0.4, 0.05], atol=0.06)
  assert np.std([v.azimuth for v in drawn]) > 0.05


def test_excluded_photos_give_no_pose_whatever_their_ending(tmp_path):
  poses, exclude = tmp_path / 'poses.json', tmp_path / 'not.json'
  poses.write_text(json.dumps([_pose(np.eye(3))]))
  exclude.write_text(json.dumps(['img/chair/0001.jpeg']))
  with pytest.raises(ValueError, match='not excluded'):
    pose_prior.PosePrior(str(poses), str(exclude))


def test_a_missing_or_wrong_list_is_an_error(tmp_path):
  poses, exclude = tmp_path / 'poses.json', tmp_path / 'not.json'
  poses.write_text(json.dumps([_pose(np.eye(3))]))
  with pytest.raises(FileNotFoundError, match='not.json'):
    pose_prior.PosePrior(str(poses), str(exclude))
  exclude.write_text('{}')
  with pytest.raises(ValueError, match='no JSON list'):
    pose_prior.PosePrior(str(poses), str(exclude))


def test_pictures_are_mostly_between_tall_and_wide():
  options, rng = options_lib.Options('x'), np.random.default_rng(0)
  sizes = [pose_prior.picture_size(options, rng) for _ in range(100)]
  aspects = [width / height for height, width in sizes]
  assert all(max(size) == 320 for size in sizes)
  assert 0.59 < min(aspects) < 0.8 and 1.3 < max(aspects) < 1.81
