"""The fast renderer: light and shadow, textures and edges, by hand."""

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest
import trimesh

from tests.tfrecords_tools.synthesis import simple_scenes
from tfrecords_tools.synthesis import fast_renderer
from tfrecords_tools.synthesis import scene as scene_lib
from tfrecords_tools.synthesis import scene_geometry

_FLOOR = simple_scenes.box((-9, -1, -9), (9, 0, 9), owner=scene_lib.ROOM)
_FROM_ABOVE = simple_scenes.camera((0, 4, 0), (0, 0, 0), 40.0, 40, 40)
_HIGH_LAMP = simple_scenes.lamp((0, 100, 0))


def _render(scene, seed=0):
  geometry = scene_geometry.SceneGeometry(scene)
  return fast_renderer.render(scene, geometry, np.random.default_rng(seed))


def test_a_white_floor_that_faces_the_lamp():
  scene = simple_scenes.scene(
    [_FLOOR], _FROM_ABOVE, lights=[_HIGH_LAMP], ambient=0.25
  )
  # 1 of the lamp and 0.25 of the open sky.
  np.testing.assert_allclose(_render(scene), 1.25, atol=0.01)


def test_a_lamp_at_an_angle_loses_the_cosine():
  lamp = simple_scenes.lamp((100, 100, 0), color=0.8)
  scene = simple_scenes.scene([_FLOOR], _FROM_ABOVE, lights=[lamp])
  # 0.8 cos 45 degrees, a little more next to the lamp.
  np.testing.assert_allclose(_render(scene).mean(), 0.5657, atol=0.01)


def test_two_lamps_add_up():
  first, second = simple_scenes.lamp((9, 60, 3)), simple_scenes.lamp((0, 80, 9))
  pictures = [
    _render(simple_scenes.scene([_FLOOR], _FROM_ABOVE, lights=lights))
    for lights in ([first], [second], [first, second])
  ]
  np.testing.assert_allclose(pictures[0] + pictures[1], pictures[2], atol=1e-4)


def test_the_colour_of_paint_multiplies_that_of_light():
  floor = dataclasses.replace(
    _FLOOR, material=simple_scenes.paint(0.5, 0.2, 0.1)
  )
  lamp = scene_lib.Light(
    np.array([0, 100.0, 0]), np.array([1, 0.5, 2], np.float32), 0.0
  )
  scene = simple_scenes.scene([floor], _FROM_ABOVE, lights=[lamp])
  np.testing.assert_allclose(
    _render(scene)[20, 20], [0.5, 0.1, 0.2], atol=0.005
  )


def _table_over_floor(radius):
  top = simple_scenes.box((-0.5, 0.9, -0.5), (0.5, 1, 0.5))
  view = simple_scenes.camera((0, 0.7, -3), (0, 0.1, 0), 90.0, 90, 120)
  lamp = simple_scenes.lamp((0, 10, 0), radius=radius)
  return simple_scenes.scene([_FLOOR, top], view, lights=[lamp], ambient=0.1)


def _at_floor(scene, picture, x, z):
  """The pixel that shows the floor at (x, 0, z)."""
  camera = scene.camera
  place = camera.rotation @ [x, 0.0, z] + camera.translation
  fx, fy, cx, cy = camera.intrinsics
  return picture[
    int(cy - fy * place[1] / place[2]), int(cx - fx * place[0] / place[2])
  ]


def test_under_a_box_lies_its_shadow():
  scene = _table_over_floor(0.0)
  picture = _render(scene)
  # Ambient light only, and less than all of it.
  assert _at_floor(scene, picture, 0, 0).max() < 0.1
  # The shadow's edge: 0.5 * 10 / 9 = 0.56 m from the middle.
  assert _at_floor(scene, picture, 0.4, 0).max() < 0.1
  assert _at_floor(scene, picture, 0.8, 0).min() > 0.9


def test_a_large_lamp_makes_soft_shadows():
  hard, soft = (_table_over_floor(radius) for radius in (0.0, 3.0))
  edge = [_at_floor(s, _render(s), 0.5556, 0.0).mean() for s in (hard, soft)]
  middle = _at_floor(soft, _render(soft), 0.0, 0.0).mean()
  assert middle < edge[1] < 0.95
  # Half of the lamp is seen from where the hard shadow ends, 0.5 + 0.1.
  np.testing.assert_allclose(edge[1], 0.6, atol=0.2)


def test_walls_do_not_shade_the_room():
  # A sun outside: its light comes through the wall.
  wall = simple_scenes.box((2, 0, -9), (2.1, 3, 9), owner=scene_lib.ROOM)
  sun = simple_scenes.lamp((100, 30, 0))
  lit = simple_scenes.scene([_FLOOR, wall], _FROM_ABOVE, lights=[sun])
  np.testing.assert_allclose(_render(lit)[20, 20], 0.287, atol=0.01)


def test_corners_get_less_of_the_ambient_light():
  wall = simple_scenes.box((-9, 0, 1), (9, 9, 2), owner=scene_lib.ROOM)
  view = simple_scenes.camera((0, 3, -3), (0, 0, 0), 60.0, 60, 60)
  scene = simple_scenes.scene([_FLOOR, wall], view, ambient=1.0)
  picture = _render(scene)
  corner = _at_floor(scene, picture, 0, 0.95).mean()
  assert corner < 0.8 < 0.95 < _at_floor(scene, picture, 0, -1.0).mean()


def test_what_glows_shines_in_the_dark():
  screen = simple_scenes.paint(0.5, 0.5, 1.0, emission=2.0)
  scene = simple_scenes.scene(
    [dataclasses.replace(_FLOOR, material=screen)], _FROM_ABOVE
  )
  np.testing.assert_allclose(_render(scene)[9, 9], [1, 1, 2], rtol=1e-5)


def test_the_background_is_seen_where_nothing_stands():
  photo = np.zeros((40, 40, 3), np.uint8)
  photo[:20] = 255
  scene = simple_scenes.scene(
    [simple_scenes.box((-0.2, 0, -0.2), (0.2, 0.1, 0.2))], _FROM_ABOVE
  )
  scene = dataclasses.replace(scene, background=photo)
  picture = _render(scene)
  np.testing.assert_allclose(picture[2, 2], 1.0)
  np.testing.assert_allclose(picture[37, 2], 0.0)
  np.testing.assert_allclose(picture[20, 20], 0.0)  # the unlit box


@pytest.mark.parametrize('catcher', [False, True])
def test_the_shadow_catcher_shows_the_background_with_shadows(catcher):
  top = simple_scenes.box((-0.5, 0.9, -0.5), (0.5, 1, 0.5))
  view = simple_scenes.camera((0, 0.7, -3), (0, 0.1, 0), 90.0, 90, 120)
  scene = simple_scenes.scene(
    [top],
    view,
    lights=[simple_scenes.lamp((0, 10, 0))],
    background=0.8,
    shadow_catcher=catcher,
  )
  picture = _render(scene)
  np.testing.assert_allclose(picture[0, 0], 0.8, rtol=1e-5)
  np.testing.assert_allclose(
    _at_floor(scene, picture, 1.4, 0.0), 0.8, rtol=0.05
  )
  shadow = _at_floor(scene, picture, 0.0, 0.0).mean()
  assert (shadow < 0.3) == catcher


def test_a_texture_stands_upright_with_u_to_the_right():
  # Seen from -z the square's own right, u, is the picture's right.
  quarters = np.zeros((2, 2, 3), np.uint8)
  quarters[0, 0], quarters[0, 1] = (255, 0, 0), (0, 255, 0)  # upper row
  quarters[1, 0], quarters[1, 1] = (0, 0, 255), (255, 255, 255)
  texture = np.repeat(np.repeat(quarters, 64, axis=0), 64, axis=1)
  square = scene_lib.Part(
    np.array([[1, 0, 0], [-1, 0, 0], [-1, 2, 0], [1, 2, 0]], np.float32),
    np.array([[0, 1, 2], [0, 2, 3]], np.int32),
    simple_scenes.paint(1, 1, 1, texture=texture, emission=1.0),
    scene_lib.UNLABELLED,
    uv=np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32),
  )
  view = simple_scenes.camera((0, 1, -2), (0, 1, 0), 40.0, 40, 40)
  picture = _render(simple_scenes.scene([square], view))
  np.testing.assert_allclose(picture[8, 8], [1, 0, 0], atol=1e-5)
  np.testing.assert_allclose(picture[8, 31], [0, 1, 0], atol=1e-5)
  np.testing.assert_allclose(picture[31, 8], [0, 0, 1], atol=1e-5)
  np.testing.assert_allclose(picture[31, 31], [1, 1, 1], atol=1e-5)


def test_a_texture_without_uv_repeats_every_texture_size():
  stripes = np.zeros((8, 128, 3), np.uint8)
  stripes[:, 64:] = 255
  material = simple_scenes.paint(
    1, 1, 1, texture=stripes, texture_size=2.0, emission=1.0
  )
  floor = dataclasses.replace(_FLOOR, material=material)
  row = _render(simple_scenes.scene([floor], _FROM_ABOVE))[20, :, 0]
  # 40 pixels show 4 m: two tiles, half of each white.
  np.testing.assert_allclose(row.mean(), 0.5, atol=0.05)
  assert 3 <= np.abs(np.diff(row > 0.5)).sum() <= 4


def test_edges_are_mixed_by_their_share_of_the_pixel():
  # The picture's left half is the box's glowing face, 20.3 pixels of 40.
  edge = -0.3 * 2.0 / 40.0
  face = simple_scenes.box(
    (edge, 0, 0), (9, 9, 1), simple_scenes.paint(1, 1, 1, emission=1.0)
  )
  view = simple_scenes.camera((0, 1, -2), (0, 1, 0), 40.0, 40, 40)
  row = _render(simple_scenes.scene([face], view))[10, :, 0]
  np.testing.assert_allclose(row[:20], 1.0)
  np.testing.assert_allclose(row[21:], 0.0)
  np.testing.assert_allclose(row[20], 0.3, atol=0.15)


def _ball_bends(subdivisions, smooth):
  """The strongest bend in the brightness across a ball, 20 pixels wide."""
  ball = trimesh.creation.icosphere(subdivisions)
  part = simple_scenes.part(
    ball, simple_scenes.WHITE, scene_lib.UNLABELLED, smooth=smooth
  )
  view = simple_scenes.camera((0, 0, -4), (0, 0, 0), 60.0, 60, 60)
  lamp = simple_scenes.lamp((-30, 30, -60))
  picture = _render(simple_scenes.scene([part], view, lights=[lamp]))
  return np.abs(np.diff(picture[20:40, 20:40, 0], 2, axis=1)).max()


def test_smooth_parts_and_blunt_edges_have_no_facets():
  # An icosahedron's are edges, unless the part is smooth.
  assert _ball_bends(0, smooth=True) < 0.5 * _ball_bends(0, smooth=False)
  # Facets of 10 degrees: nobody modelled them as edges.
  assert _ball_bends(3, smooth=False) == _ball_bends(3, smooth=True)


def test_a_box_keeps_its_edges():
  # Its vertices are shared by three sides.
  box = simple_scenes.box((-0.5, 0, -0.5), (0.5, 1, 0.5))
  view = simple_scenes.camera((0, 4, 0), (0, 0, 0), 40.0, 40, 40)
  scene = simple_scenes.scene([box], view, lights=[_HIGH_LAMP])
  # Its top lies a metre nearer to the lamp: (100 / 99) ** 2.
  np.testing.assert_allclose(_render(scene)[16:24, 16:24], 1.0203, atol=1e-3)


def test_highlights_and_reflections_grow_with_gloss():
  view = simple_scenes.camera((0, 2, -2), (0, 0, 0), 60.0, 60, 60)
  lamp = simple_scenes.lamp((0, 20, 20))  # mirrored into the camera
  peaks = []
  for roughness in (1.0, 0.5, 0.2):
    material = simple_scenes.paint(
      0.1, 0.1, 0.1, roughness=roughness, specular=0.8
    )
    floor = dataclasses.replace(_FLOOR, material=material)
    scene = simple_scenes.scene([floor], view, lights=[lamp])
    peaks.append(_render(scene)[30, 30].mean())
  assert peaks[0] < peaks[1]
  assert peaks[0] < peaks[2]


def test_metal_reflects_the_environment():
  view = simple_scenes.camera((0, 2, -2), (0, 0, 0), 60.0, 20, 20)
  metal = simple_scenes.paint(0.9, 0.9, 0.9, roughness=0.1, metallic=1.0)
  scene = simple_scenes.scene(
    [dataclasses.replace(_FLOOR, material=metal)], view
  )
  environment = np.zeros((16, 32, 3), np.float32)
  environment[:8] = (1.0, 0.0, 0.0)  # a red sky
  lighting = dataclasses.replace(scene.lighting, environment=environment)
  picture = _render(dataclasses.replace(scene, lighting=lighting))
  # 0.65 of the red sky, times the metal's own 0.9.
  np.testing.assert_allclose(picture[10, 10], [0.585, 0, 0], atol=0.03)


_IN_A_NEW_PROCESS = """
import hashlib
import numpy as np
from tests.tfrecords_tools.synthesis import simple_scenes
from tfrecords_tools.synthesis import fast_renderer, scene_geometry, sensor
scene, _ = simple_scenes.furnished_room(60, 80)
rng = np.random.default_rng(5)
picture = fast_renderer.render(scene, scene_geometry.SceneGeometry(scene), rng)
print(hashlib.sha256(sensor.encode(
  sensor.develop(picture, scene.sensor, rng), 90)).hexdigest())
"""


def test_equal_seeds_give_equal_files_in_any_process():
  digests = {
    subprocess.run(
      [sys.executable, '-c', _IN_A_NEW_PROCESS],
      env={**os.environ, 'OMP_NUM_THREADS': threads},
      capture_output=True,
      text=True,
      check=True,
    ).stdout
    for threads in ('1', '2')
  }
  assert len(digests) == 1


def test_another_seed_moves_the_rays_only_a_little():
  scene, _ = simple_scenes.furnished_room(60, 80)
  first, second = _render(scene, 0), _render(scene, 1)
  assert (first != second).any()
  assert np.abs(first - second).mean() < 0.02
