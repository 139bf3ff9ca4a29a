"""scene.html, as a browser shows it."""

import dataclasses
import hashlib
import pathlib
import re

import numpy as np
import pytest
import trimesh
from PIL import Image

from mask2cad_tf.geometry import ground_plane
from mask2cad_tf.geometry import renderer
from mask2cad_tf.scene import assemble
from mask2cad_tf.scene import cad_meshes
from mask2cad_tf.scene import glb
from mask2cad_tf.scene import photo as photo_lib
from mask2cad_tf.scene import scene_folder
from mask2cad_tf.scene import scene_json
from mask2cad_tf.scene import scene_page
from tests.scene import browser
from tests.scene import wheel_scene

_MODEL = {'name': 'm', 'gallery_version': 'g', 'package_version': 'p'}
_MAGENTA = np.array([255, 0, 255], np.uint8)  # no CAD looks like it
_OTHER = 'bed/IKEA_MALM_3'


@pytest.fixture(scope='module')
def browsers():
  with browser.browsers() as found:
    yield found


@pytest.fixture(scope='module')
def chromium(browsers):
  return browsers.start()


def _scene():
  """A magenta photo with a shifted principal point; its bed, two hypotheses."""
  photo, found = wheel_scene.load(0)
  fx, fy, cx, cy = photo.camera.intrinsics
  camera = dataclasses.replace(
    photo.camera, intrinsics=np.array([fx, 1.1 * fy, cx + 30.0, cy - 20.0])
  )
  image = np.broadcast_to(_MAGENTA, photo.image.shape)
  best = found.candidates[0]
  second = assemble.Candidate(
    _OTHER if best.cad_id != _OTHER else 'bed/IKEA_MALM_2',
    best.mesh,
    0.7,
    best.rotation,
    best.translation + [0.2, 0.1, 1.0],
    silhouette_iou=0.5,
  )
  found = dataclasses.replace(found, candidates=(best, second))
  return photo_lib.Photo('a/room.png', np.array(image), camera), found


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
  path = tmp_path_factory.mktemp('scene')
  photo, found = _scene()
  credit = {'creator': 'A. Smith', 'licence': 'CC BY 4.0'}
  cads = cad_meshes.CadMeshes(wheel_scene.cads().mesh_path, lambda _: credit)
  scene_folder.write(str(path), photo, [found], cads, _MODEL)
  return path


@pytest.fixture
def tab(chromium, folder):
  tab = browser.open_page(chromium, f'{folder}/scene.html')
  yield tab
  tab.page.close()


def _covered(tab, tmp_path, shape):
  """Where the CADs hide the magenta photo, bool [H, W] of the photo."""
  image = tab.screenshot(tmp_path, '#picture').astype(int)
  covered = np.abs(image - _MAGENTA).sum(axis=-1) > 120
  resized = Image.fromarray(covered).resize(shape[::-1])
  return np.asarray(resized)


def _iou(a, b):
  return (a & b).sum() / (a | b).sum()


def _silhouette(candidate, camera):
  return renderer.Renderer(
    wheel_scene.cads().mesh(candidate.cad_id)
  ).silhouette(
    candidate.rotation,
    candidate.translation,
    camera.intrinsics,
    camera.height,
    camera.width,
  )


def test_cads_stand_where_they_stand_in_the_photo(tab, folder, tmp_path):
  expected = glb.scene_silhouette(str(folder))
  assert _iou(_covered(tab, tmp_path, expected.shape), expected) > 0.97


def test_nothing_leaves_the_page_and_nothing_is_complained_of(tab, folder):
  for key in ('m', 'w', 'w', 'o', 'o', 'ArrowDown', 'ArrowRight'):
    tab.page.keyboard.press(key)
  tab.page.wait_for_timeout(200)
  assert tab.said == []
  assert tab.requests[0] == f'file://{folder}/scene.html'
  assert all(url.startswith(('blob:', 'data:')) for url in tab.requests[1:])


def test_a_click_shows_the_next_candidate(tab, tmp_path):
  photo, found = _scene()
  second = found.candidates[1]
  rows, columns = np.nonzero(_silhouette(found.candidates[0], photo.camera))
  box = tab.page.locator('#view').bounding_box()
  scale = box['width'] / photo.camera.width
  middle = (np.median(columns) * scale, np.median(rows) * scale)
  tab.page.locator('#view').click(position=dict(zip('xy', map(float, middle))))
  assert tab.page.inner_text('.cad') == second.cad_id
  assert 'silhouette IoU 0.50' in tab.page.inner_text('.facts')
  assert tab.page.inner_text('.number') == '2 of 2'
  assert second.cad_id in tab.page.inner_text('#spoken')
  expected = _silhouette(second, photo.camera)
  assert _iou(_covered(tab, tmp_path, expected.shape), expected) > 0.97


def test_the_cads_creator_is_named(tab):
  assert tab.page.inner_text('.credit') == 'by A. Smith, CC BY 4.0'


def test_keys_choose_object_and_candidate(tab):
  assert tab.page.locator('li.selected').count() == 0
  tab.page.keyboard.press('ArrowDown')
  assert tab.page.locator('li.selected').count() == 1
  for expected in ('2 of 2', '1 of 2'):
    tab.page.keyboard.press('ArrowRight')
    assert tab.page.inner_text('.number') == expected


def test_masks_lie_where_they_are(tab, tmp_path):
  _, found = _scene()
  tab.page.keyboard.press('c')  # CADs off
  assert not _covered(tab, tmp_path, found.cad.mask.shape).any()
  tab.page.keyboard.press('m')
  image = tab.screenshot(tmp_path, '#picture')
  tinted = Image.fromarray(image[..., 0] < 220)
  tinted = np.asarray(tinted.resize(found.cad.mask.shape[::-1]))
  assert _iou(tinted, found.cad.mask) > 0.97


def test_3d_turns_around_the_objects(tab, tmp_path):
  tab.page.keyboard.press('o')
  tab.page.wait_for_timeout(100)
  assert not tab.page.is_visible('#photo')
  first = tab.screenshot(tmp_path, '#view').astype(int)
  box = tab.page.locator('#view').bounding_box()
  x, y = box['x'] + box['width'] / 2, box['y'] + box['height'] / 2
  tab.page.mouse.move(x, y)
  tab.page.mouse.down()
  tab.page.mouse.move(x + 120, y, steps=4)
  tab.page.mouse.up()
  tab.page.wait_for_timeout(100)
  turned = tab.screenshot(tmp_path, '#view').astype(int)
  assert (np.abs(turned - first).sum(axis=-1) > 60).mean() > 0.02
  assert tab.page.inner_text('.number') == '1 of 2'  # a drag is no click


def _both_modes(chromium, path, plane=None, objects=None):
  """Screenshots int [H, W, 3]: over the photo, and from another side."""
  photo, found = _scene()
  scene = scene_json.describe(photo, objects or [found], _MODEL, plane)
  scene_page.write(f'{path}/f.html', scene, photo.image, wheel_scene.cads())
  tab = browser.open_page(chromium, f'{path}/f.html', (500, 300))
  pictures = [tab.screenshot(path, '#view').astype(int)]
  tab.page.keyboard.press('o')
  tab.page.wait_for_timeout(100)
  pictures.append(tab.screenshot(path, '#view').astype(int))
  tab.page.close()
  return pictures


def _differing(one, other):
  return (np.abs(one - other).sum(axis=-1) > 20).mean()


def test_a_floor_from_other_sides_and_none_over_the_photo(chromium, tmp_path):
  best = _scene()[1].candidates[0]
  low, high = wheel_scene.cads().mesh(best.cad_id).bounds
  foot = [(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2]
  up = best.rotation[:, 1]
  distance = -up @ (best.rotation @ foot + best.translation)
  derived, given, deeper = (
    _both_modes(chromium, tmp_path, plane)
    for plane in (
      None,
      ground_plane.Plane(up, distance),
      ground_plane.Plane(up, distance + 0.1),
    )
  )

  # One object stands on the floor under it: what a ground plane there gives.
  assert _differing(derived[1], given[1]) < 1e-3
  assert _differing(derived[1], deeper[1]) > 5e-3
  np.testing.assert_array_equal(derived[0], deeper[0])


def test_no_floor_where_objects_stand_on_several(chromium, tmp_path):
  _, found = _scene()
  best = found.candidates[0]
  up = best.rotation[:, 1]
  lifted = dataclasses.replace(best, translation=best.translation + 0.4 * up)
  above = dataclasses.replace(
    found,
    cad=dataclasses.replace(found.cad, translation=lifted.translation),
    candidates=(lifted,),
  )
  derived, out_of_sight = (
    _both_modes(chromium, tmp_path, plane, [found, above])[1]
    for plane in (None, ground_plane.Plane(up, 1e4))
  )
  assert _differing(derived, out_of_sight) < 1e-3


def test_the_download_is_the_scene_as_shown(tab, folder, tmp_path):
  photo, found = _scene()
  tab.page.keyboard.press('ArrowDown')
  tab.page.keyboard.press('ArrowRight')
  with tab.page.expect_download() as download:
    tab.page.keyboard.press('d')
  assert download.value.suggested_filename == 'room.glb'
  path = str(tmp_path / 'room.glb')
  download.value.save_as(path)
  second = dataclasses.replace(
    found.cad,
    cad_id=found.candidates[1].cad_id,
    translation=found.candidates[1].translation,
  )
  glb.write(
    f'{tmp_path}/expected.glb', [second], wheel_scene.cads(), photo.camera
  )
  np.testing.assert_allclose(
    trimesh.load_scene(path).bounds,
    trimesh.load_scene(f'{tmp_path}/expected.glb').bounds,
    atol=1e-5,
  )


def test_a_phone_sees_photo_and_list(chromium, folder):
  tab = browser.open_page(chromium, f'{folder}/scene.html', (390, 800))
  photo = tab.page.locator('#picture').bounding_box()
  assert photo['width'] <= 390 and photo['width'] > 300
  assert tab.page.locator('#objects').bounding_box()['y'] > photo['y']
  assert tab.page.evaluate('document.documentElement.scrollWidth') <= 390
  tab.page.close()


def test_without_webgl_the_page_says_so(browsers, folder):
  tab = browser.open_page(browsers.start(webgl=False), f'{folder}/scene.html')
  assert 'no WebGL' in tab.page.inner_text('#message')
  assert tab.page.is_visible('#photo') and tab.page.is_visible('#masks')
  assert tab.page.is_disabled('#orbit') and tab.page.is_disabled('#download')
  assert tab.page.locator('.object span').first.inner_text() == 'bed'
  tab.page.close()


def test_no_object_is_said(chromium, tmp_path):
  photo, _ = _scene()
  scene_folder.write(str(tmp_path), photo, [], wheel_scene.cads(), _MODEL)
  tab = browser.open_page(chromium, f'{tmp_path}/scene.html')
  assert 'No object was found' in tab.page.inner_text('#message')
  assert tab.page.is_visible('#photo')
  assert tab.said == []
  tab.page.close()


def test_damaged_meshes_are_said(chromium, folder, tmp_path):
  page = (folder / 'scene.html').read_text()
  start = page.index('id="cad-meshes">') + len('id="cad-meshes">')
  (tmp_path / 'scene.html').write_text(
    page[: start + 400] + page[start + 800 :]
  )
  tab = browser.open_page(chromium, f'{tmp_path}/scene.html')
  assert 'cannot be read' in tab.page.inner_text('#message')
  assert tab.page.is_visible('#photo')
  tab.page.close()


def test_a_huge_scene_keeps_the_best_cads(chromium, tmp_path, monkeypatch):
  photo, found = _scene()
  monkeypatch.setattr(scene_page, '_MAX_FACES', 1)
  scene_folder.write(str(tmp_path), photo, [found], wheel_scene.cads(), _MODEL)
  tab = browser.open_page(chromium, f'{tmp_path}/scene.html')
  assert tab.page.inner_text('.cad').startswith(found.cad.cad_id)
  assert tab.page.inner_text('.number') == '1 of 1'
  assert found.candidates[1].cad_id in tab.page.inner_text('#notes')
  tab.page.close()


def test_names_are_text_not_markup(chromium, tmp_path):
  photo, found = _scene()
  evil = '</script><script>window.evil = 1</script>{{CADS}}<b>'
  photo = dataclasses.replace(photo, path=f'{evil}.png')
  found = dataclasses.replace(found, label_name=evil)
  scene_folder.write(str(tmp_path), photo, [found], wheel_scene.cads(), _MODEL)
  tab = browser.open_page(chromium, f'{tmp_path}/scene.html')
  assert tab.page.locator('.object span').first.inner_text() == evil
  assert tab.page.evaluate('window.evil') is None
  assert tab.said == []
  tab.page.close()


def test_the_photo_inside_is_small(folder):
  photo, found = _scene()
  large = photo_lib.Photo(
    photo.path,
    np.zeros((3000, 4000, 3), np.uint8),
    dataclasses.replace(photo.camera, width=4000, height=3000),
  )
  scene_page.write(
    f'{folder}/large.html',
    scene_json.describe(large, [], _MODEL),
    large.image,
    wheel_scene.cads(),
  )
  assert pathlib.Path(f'{folder}/large.html').stat().st_size < 900_000


def test_the_bundle_is_that_of_its_sources():
  folder = pathlib.Path(scene_page.__file__).parent / 'page'
  names = sorted(
    [
      'package-lock.json',
      *(f'src/{p.name}' for p in (folder / 'src').iterdir()),
    ]
  )
  digest = hashlib.sha256()
  for name in names:
    digest.update((folder / name).read_bytes())
  page = (folder / 'scene.html').read_text()
  (built,) = re.findall('sources-sha256" content="([0-9a-f]+)"', page)
  assert built == digest.hexdigest(), 'make page'
  assert 'SPDX-License-Identifier: MIT' in page  # three.js's notice stays
