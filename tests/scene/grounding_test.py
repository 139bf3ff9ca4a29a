"""Objects of one photo on one ground plane, in all files of their scene."""

import dataclasses
import json

import numpy as np
import pytest
import trimesh
from PIL import Image

from mask2cad_tf.geometry import cameras
from mask2cad_tf.scene import glb
from mask2cad_tf.scene import grounding
from mask2cad_tf.scene import overlay
from mask2cad_tf.scene import scene_folder
from tests.scene import browser
from tests.scene import ground_scene

_MODEL = {'name': 'm', 'gallery_version': 'g', 'package_version': 'p'}
_FLOOR_UP = ground_scene.CAMERA_FROM_FLOOR[:, 1]


def _table(score=0.9, **options):
  """A table of the right size, on the floor."""
  pose = ground_scene.pose('table/low', (0.9, 4.0), 20.0)
  return ground_scene.found(
    [ground_scene.candidate('table/low', *pose)], score, **options
  )


def _chair(score=0.8, place=(-0.5, 3.5), **options):
  """A chair on the floor, its CAD twice too large and so twice too far."""
  rotation, translation = ground_scene.pose('chair/small', place, -40.0)
  return ground_scene.found(
    [ground_scene.candidate('chair/twice', rotation, 2.0 * translation)],
    score,
    **options,
  )


def _put(*objects):
  return grounding.put_on_ground(objects, ground_scene.CADS)


def _ground(hypothesis, normal=_FLOOR_UP):
  """The camera's height above a hypothesis's lowest point."""
  return -(ground_scene.vertices(hypothesis) @ normal).min()


def test_a_cad_twice_too_large_comes_to_stand_beside_the_others():
  # The camera is 1.5 above the floor, the chair's lowest point 3 below it: the
  # better object's ground is the plane, the chair's scale 1.5 / 3 = 0.5.
  table, chair = _table(), _chair()
  assert _ground(chair.candidates[0]) == pytest.approx(3.0)
  (first, second), plane = _put(table, chair)
  np.testing.assert_allclose(plane.normal, _FLOOR_UP, atol=1e-9)
  assert plane.distance == pytest.approx(1.5)
  assert (first.scale, second.scale) == pytest.approx((1.0, 0.5))
  assert first.ground and second.ground
  np.testing.assert_allclose(
    second.cad.translation,
    ground_scene.pose('chair/small', (-0.5, 3.5), -40.0)[1],
  )
  np.testing.assert_allclose(second.cad.scale, [0.5] * 3)
  assert second.cad.depth == second.cad.translation[2]
  for found in (first, second):
    assert _ground(found.candidates[0]) == pytest.approx(1.5, abs=1e-9)


@pytest.mark.parametrize('seed', range(6))
def test_pictures_stay_and_lowest_points_lie_on_the_plane(seed):
  rng = np.random.default_rng(seed)
  objects = []
  for _ in range(4):
    candidates = []
    place = rng.uniform((-1.0, 3.0), (1.0, 6.0))
    for cad_id in rng.choice(sorted(ground_scene.SIZES), 3):
      rotation, translation = ground_scene.pose(
        cad_id, place, rng.uniform(0.0, 360.0), rng.uniform(-8.0, 8.0)
      )
      candidates.append(
        ground_scene.candidate(
          cad_id, rotation, rng.uniform(0.6, 1.6) * translation
        )
      )
    objects.append(ground_scene.found(candidates, rng.uniform(0.5, 1.0)))
  put, plane = _put(*objects)
  count = 0
  for before, after in zip(objects, put):
    assert after.cad.score == before.cad.score
    np.testing.assert_array_equal(after.cad.center, before.cad.center)
    for old, new in zip(before.candidates, after.candidates):
      np.testing.assert_allclose(
        *(
          cameras.project(
            ground_scene.vertices(c), ground_scene.CAMERA.intrinsics
          )
          for c in (old, new)
        ),
        atol=1e-6,
      )
      if new.ground:
        height = _ground(new, plane.normal)
        assert height == pytest.approx(plane.distance, abs=1e-9)
        count += 1
      else:
        assert new.scale == 1.0
  assert count >= 8  # of 12


def test_one_that_leans_is_left_alone():
  rotation, translation = ground_scene.pose(
    'chair/small', (0.0, 5.0), 0.0, lean=35.0
  )
  leaning = ground_scene.found(
    [ground_scene.candidate('chair/small', rotation, translation)], 1.0
  )
  put, plane = _put(leaning, _table(), _chair())
  np.testing.assert_allclose(plane.normal, _FLOOR_UP, atol=1e-9)
  assert [found.ground for found in put] == [False, True, True]
  np.testing.assert_array_equal(put[0].cad.translation, translation)
  assert put[0].scale == 1.0


def test_every_candidate_has_a_scale_of_its_own():
  rotation, translation = ground_scene.pose('chair/small', (-0.5, 3.5), 10.0)
  leaning, _ = ground_scene.pose('chair/small', (-0.5, 3.5), 10.0, lean=50.0)
  candidates = [
    ground_scene.candidate('chair/small', rotation, translation),
    ground_scene.candidate('chair/twice', rotation, 2.0 * translation),
    ground_scene.candidate('chair/twice', rotation, 9.0 * translation),
    ground_scene.candidate('chair/small', leaning, translation),
  ]
  (_, chair), _ = _put(_table(), ground_scene.found(candidates, 0.8))
  assert [c.ground for c in chair.candidates] == [True, True, False, False]
  assert [c.scale for c in chair.candidates] == pytest.approx(
    [1.0, 0.5, 1.0, 1.0]
  )


@pytest.mark.parametrize('source', ['flag', 'depth_map'])
def test_given_depths_are_kept_and_set_the_plane(source):
  chair = _chair(depth_source=source)  # the worse one, but it is known
  (table, kept), plane = _put(_table(), chair)
  assert plane.distance == pytest.approx(3.0)
  assert (table.scale, table.ground) == (pytest.approx(2.0), True)
  assert (kept.scale, kept.ground) == (1.0, False)
  np.testing.assert_array_equal(kept.cad.translation, chair.cad.translation)


def test_all_depths_given_move_nothing():
  objects = _table(depth_source='flag'), _chair(depth_source='flag')
  put, plane = _put(*objects)
  assert plane is not None
  assert [found.scale for found in put] == [1.0, 1.0]


def test_a_display_stands_on_no_floor():
  # Upright on a desk, its lowest point is 0.75 below the camera: its scale
  # would be 2.
  chair = _chair()
  display = dataclasses.replace(chair, label_name='display')
  put, plane = _put(display, _table(), _chair(place=(0.2, 4.5)))
  assert [found.ground for found in put] == [False, True, True]
  assert plane.distance == pytest.approx(1.5)
  _, plane = _put(display, _table())
  assert plane is None


@pytest.mark.parametrize('count', [0, 1])
def test_fewer_than_two_change_nothing(count):
  objects = [_chair()] * count
  put, plane = _put(*objects)
  assert plane is None
  for before, after in zip(objects, put):
    assert (after.scale, after.ground) == (1.0, False)
    np.testing.assert_array_equal(after.cad.translation, before.cad.translation)


def test_the_overlay_stays_where_objects_do_not_overlap():
  photo = ground_scene.photo()
  objects = [_table(), _chair(place=(-1.0, 3.5))]
  first, second = (found.cad.mask for found in objects)
  assert not (first & second).any()
  put, _ = _put(*objects)
  assert put[1].scale == pytest.approx(0.5)
  before, after = (
    np.asarray(overlay.draw(photo, things, ground_scene.CADS), int)
    for things in (objects, put)
  )
  np.testing.assert_array_equal(before, after)


def test_the_overlay_draws_the_nearer_one_in_front():
  # In the photo the chair stands before the sofa; twice as large and as far
  # it would be behind.
  pose = ground_scene.pose('sofa/long', (-0.4, 5.0), 0.0)
  sofa = ground_scene.found([ground_scene.candidate('sofa/long', *pose)])
  chair = _chair(place=(-0.5, 3.0))
  below = 66  # the labels
  both = (sofa.cad.mask & chair.cad.mask)[below:]
  assert both.sum() > 100
  photo = ground_scene.photo()
  drawn = {}
  put, _ = _put(sofa, chair)
  truth = ground_scene.found(
    [
      ground_scene.candidate(
        'chair/small', *ground_scene.pose('chair/small', (-0.5, 3.0), -40.0)
      )
    ],
    chair.cad.score,
  )
  for name, things in {
    'apart': [sofa, chair],
    'put': put,
    'true': [sofa, truth],
  }.items():
    image = overlay.draw(photo, things, ground_scene.CADS)
    drawn[name] = np.asarray(image, int)[below:]

  def difference(one, other):
    pixels = np.abs(drawn[one] - drawn[other]).sum(axis=-1) > 60
    return pixels[both].mean()

  assert difference('apart', 'true') > 0.5
  assert difference('put', 'true') < 0.02


@pytest.fixture(scope='module')
def written(tmp_path_factory):
  """The folder of a scene with a chair of scale 0.5, a second CAD for it."""
  path = tmp_path_factory.mktemp('ground')
  table = _table()
  chair = _chair(place=(-1.0, 3.5))
  second = ground_scene.candidate(
    'sofa/long',
    chair.cad.rotation,
    1.7 * ground_scene.pose('sofa/long', (-1.0, 3.5), 0.0)[1],
  )
  chair = dataclasses.replace(chair, candidates=(*chair.candidates, second))
  put, plane = _put(table, chair)
  scene_folder.write(
    str(path), ground_scene.photo(), put, ground_scene.CADS, _MODEL, plane
  )
  return path, put, plane


def test_scene_json_says_what_was_done(written):
  folder, put, plane = written
  scene = json.loads((folder / 'scene.json').read_text())
  assert scene['ground_plane'] == {
    'normal': plane.normal.tolist(),
    'distance': plane.distance,
  }
  for found, entry in zip(put, scene['objects']):
    assert entry['ground'] is True
    assert entry['scale'] == found.scale
    for candidate, listed in zip(found.candidates, entry['candidates']):
      assert (listed['scale'], listed['ground']) == (candidate.scale, True)
    stored = ground_scene.CADS.mesh(entry['cad_id']).vertices
    points = entry['scale'] * stored @ np.transpose(entry['rotation'])
    points = points + entry['translation']
    height = -(points @ scene['ground_plane']['normal']).min()
    assert height == pytest.approx(scene['ground_plane']['distance'])
    np.testing.assert_allclose(
      cameras.project(entry['translation'], ground_scene.CAMERA.intrinsics),
      entry['center'],
      atol=1e-9,
    )


def test_nobody_asked_nothing_is_said(tmp_path):
  scene_folder.write(
    str(tmp_path), ground_scene.photo(), [_chair()], ground_scene.CADS, _MODEL
  )
  text = (tmp_path / 'scene.json').read_text()
  assert '"ground' not in text
  assert '"scale": 1.0' in text


def test_the_glbs_lowest_points_lie_on_the_plane(written):
  folder, put, plane = written
  scene = trimesh.load_scene(str(folder / 'scene.glb'))
  # glTF's camera is turned by half a turn about y.
  normal = plane.normal * [-1.0, 1.0, -1.0]
  for found in put:
    matrix, name = scene.graph[found.cad.cad_id]
    points = trimesh.transform_points(scene.geometry[name].vertices, matrix)
    assert -(points @ normal).min() == pytest.approx(plane.distance, abs=1e-5)


def test_the_page_shows_what_the_overlay_shows(written, tmp_path):
  folder, put, _ = written
  silhouette = glb.scene_silhouette(str(folder))
  masks = np.any([found.cad.mask for found in put], axis=0)
  assert (silhouette & masks).sum() / (silhouette | masks).sum() > 0.99

  def covered(tab):
    image = tab.screenshot(tmp_path, '#picture').astype(int)
    found = np.abs(image - [255, 0, 255]).sum(axis=-1) > 120
    return np.asarray(Image.fromarray(found).resize(silhouette.shape[::-1]))

  with browser.browsers() as browsers:
    tab = browser.open_page(browsers.start(), f'{folder}/scene.html')
    seen = covered(tab)
    assert (seen & silhouette).sum() / (seen | silhouette).sum() > 0.95
    facts = tab.page.locator('.facts').all_inner_texts()
    assert 'scale 0.50' in facts[1] and 'scale' not in facts[0]
    assert all('(on the ground plane)' in text for text in facts)
    for key in ('ArrowDown', 'ArrowDown', 'ArrowRight'):  # the chair's second
      tab.page.keyboard.press(key)
    table, second = put[0].cad.mask, put[1].candidates[1]
    expected = table | ground_scene.found([second]).cad.mask
    seen = covered(tab)
    assert (seen & expected).sum() / (seen | expected).sum() > 0.95
    with tab.page.expect_download() as download:
      tab.page.keyboard.press('d')
    download.value.save_as(tmp_path / 'shown.glb')
    assert tab.said == []
  bounds = trimesh.load_scene(str(tmp_path / 'shown.glb')).bounds
  expected = np.concatenate(
    [ground_scene.vertices(c) for c in (put[0].candidates[0], second)]
  ) * [-1.0, 1.0, -1.0]
  np.testing.assert_allclose(
    bounds, [expected.min(axis=0), expected.max(axis=0)], atol=1e-5
  )
