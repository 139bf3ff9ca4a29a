"""What Blender gets, and its camera."""

import dataclasses
import json

import numpy as np
import pytest

from tests.tfrecords_tools.synthesis import simple_scenes
from tfrecords_tools.synthesis import cycles_scene
from tfrecords_tools.synthesis import cycles_worker
from tfrecords_tools.synthesis import scene as scene_lib

_RED = simple_scenes.paint(0.8, 0.1, 0.1)


def _scene(parts, **changes):
  view = simple_scenes.camera((0.3, 1.2, -3), (0, 0.4, 0), 300.0, 240, 320)
  return simple_scenes.scene(parts, view, **changes)


def test_jitter_makes_paler_and_keeps_brightness():
  luminance = np.array([0.2126, 0.7152, 0.0722])
  rng = np.random.default_rng(0)
  looks = [cycles_scene.jittered(_RED, rng).color for _ in range(300)]
  spread = [color.max() - color.min() for color in looks]
  assert np.mean(spread) == pytest.approx(0.7 * (1 - 0.225), abs=0.03)
  grey = np.mean([color @ luminance for color in looks])
  assert grey == pytest.approx(_RED.color @ luminance, rel=0.03)


def test_jitter_stays_physical():
  rng = np.random.default_rng(1)
  mirror = dataclasses.replace(simple_scenes.WHITE, roughness=0.0, specular=1.0)
  for _ in range(50):
    look = cycles_scene.jittered(mirror, rng)
    assert look.color.min() >= 0 and look.color.max() < 0.8501
    assert 0.08 <= look.roughness <= 1 and 0 <= look.specular <= 1


def test_a_grey_texture_stays_and_a_large_one_shrinks():
  texture = np.full((1100, 30, 3), 90, np.uint8)
  material = dataclasses.replace(_RED, texture=texture)
  look = cycles_scene.jittered(material, np.random.default_rng(0))
  assert look.texture.shape == (367, 10, 3) and (look.texture == 90).all()


def test_equal_scenes_are_packed_equally():
  parts = [simple_scenes.box((-1, 0, 1), (1, 1, 2), _RED)]
  first, again = (cycles_scene.pack(_scene(parts)) for _ in range(2))
  assert sorted(first) == sorted(again)
  for name in first:
    np.testing.assert_array_equal(first[name], again[name])


def test_pack_lists_parts_lamps_and_the_ground():
  floor = simple_scenes.box((-1, -1, -1), (1, 0, 1), owner=scene_lib.ROOM)
  chair = simple_scenes.box((0, 0, 0), (1, 1, 1), _RED, 0, is_cad=True)
  scene = _scene(
    [floor, chair, simple_scenes.box((2, 0, 0), (3, 1, 1), _RED)],
    lights=[simple_scenes.lamp((0, 2, 0), 0.5, 0.1)],
    shadow_catcher=True,
  )
  head = json.loads(str(cycles_scene.pack(scene)['head']))
  assert [part['room'] for part in head['parts']] == [True, False, False]
  assert [part['material'] for part in head['parts']] == [0, 1, 1]
  assert len(head['materials']) == 2 and head['shadow_catcher']
  # Irradiance pi * 0.5 at two metres from a lamp of P watts: P / (4 pi d^2)
  # over pi, as Blender counts.
  (lamp,) = head['lights']
  assert lamp['energy'] == pytest.approx(0.5 * 4 * np.pi**2 * 4)


def test_degenerate_triangles_are_left_out():
  box = simple_scenes.box((0, 0, 0), (1, 1, 1))
  faces = np.concatenate([box.faces, [[3, 3, 5]]])
  arrays = cycles_scene.pack(_scene([dataclasses.replace(box, faces=faces)]))
  np.testing.assert_array_equal(arrays['faces0'], box.faces)


def test_texture_places_by_the_nearest_plane():
  material = dataclasses.replace(_RED, texture_size=0.5)
  floor = scene_lib.Part(
    np.array([[0, 0, 0], [1, 0, 0], [0, 0, 2]], np.float32),
    np.array([[0, 1, 2]], np.int32),
    material,
    scene_lib.ROOM,
  )
  np.testing.assert_allclose(
    cycles_scene.corner_uv(floor, floor.faces), [[[0, 0], [2, 0], [0, 4]]]
  )
  uv = np.array([[0, 0], [1, 0], [1, 1]], np.float32)
  own = dataclasses.replace(floor, uv=uv)
  np.testing.assert_array_equal(
    cycles_scene.corner_uv(own, own.faces), uv[np.newaxis]
  )


def test_blender_projects_as_the_camera_does():
  camera = simple_scenes.camera((0.7, 1.4, -3), (0, 0.3, 0.2), 1, 240, 320)
  camera = dataclasses.replace(camera, intrinsics=(310.0, 280.0, 171.0, 109.0))
  points = np.random.default_rng(0).uniform(-1, 1, (20, 3))
  in_camera = points @ camera.rotation.T + camera.translation
  fx, fy, cx, cy = camera.intrinsics
  expected = np.stack(
    [
      cx - fx * in_camera[:, 0] / in_camera[:, 2],
      cy - fy * in_camera[:, 1] / in_camera[:, 2],
    ],
    axis=-1,
  )
  # As Blender: pinhole along -z, a sensor 36 mm across, shifts in widths.
  matrix = cycles_worker.camera_matrix(camera.rotation, camera.translation)
  assert np.linalg.det(matrix) == pytest.approx(1.0)
  lens, shift_x, shift_y, aspect = cycles_worker.lens_shift(
    camera.intrinsics, camera.height, camera.width
  )
  x, y, z = (
    (cycles_worker.to_blender(points) - matrix[:3, 3]) @ matrix[:3, :3]
  ).T
  right = x / -z * lens / 36.0 - shift_x
  up = y / -z * lens / 36.0 - shift_y
  places = np.stack(
    [camera.width * (0.5 + right), 0.5 * 240 - camera.width * up / aspect],
    axis=-1,
  )
  np.testing.assert_allclose(places, expected, atol=1e-6)
