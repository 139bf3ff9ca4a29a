"""SceneGeometry: which part a pixel shows, and what stands before a lamp."""

import dataclasses

import numpy as np
import pytest

from tests.tfrecords_tools.synthesis import simple_scenes
from tfrecords_tools.synthesis import scene as scene_lib
from tfrecords_tools.synthesis import scene_geometry

_VIEW = simple_scenes.camera((0, 1, -4), (0, 1, 0), 40.0, 21, 31)


def _wall_and_box():
  wall = simple_scenes.box((-9, -9, 2), (9, 9, 3), owner=scene_lib.ROOM)
  near = simple_scenes.box((-0.5, 0.5, 0), (0.5, 1.5, 1))
  return simple_scenes.scene([wall, near], _VIEW)


def test_depth_and_parts():
  geometry = scene_geometry.SceneGeometry(_wall_and_box())
  seen = geometry.seen_at_centers()
  depth = seen.depth.reshape(21, 31)
  parts = geometry.parts[seen.triangle].reshape(21, 31)
  np.testing.assert_allclose(depth[10, 15], 4.0, rtol=1e-5)
  np.testing.assert_allclose(depth[10, 0], 6.0, rtol=1e-5)
  assert parts[10, 15] == 1
  assert parts[10, 0] == 0
  # The box's front is 40 / 4 = 10 pixels wide: 15.5 -+ 5 holds 11 centres,
  # the two at the rim on the edge itself.
  assert 9 <= (parts[10] == 1).sum() <= 11


def test_left_of_the_picture_is_positive_x_of_the_camera():
  ball = simple_scenes.box((0.9, 0.9, -0.1), (1.1, 1.1, 0.1))
  scene = simple_scenes.scene([ball], _VIEW)
  seen = scene_geometry.SceneGeometry(scene).seen_at_centers()
  _, columns = np.nonzero(seen.triangle.reshape(21, 31) >= 0)
  # The camera looks along +z with +y up, so its left is the world's +x.
  np.testing.assert_allclose(columns.mean() + 0.5, 15.5 - 40 / 4, atol=0.6)


def test_triangle_normals_and_owners():
  geometry = scene_geometry.SceneGeometry(_wall_and_box())
  lengths = np.linalg.norm(geometry.normals, axis=1)
  np.testing.assert_allclose(lengths, 1.0, rtol=1e-5)
  assert set(geometry.owners[:12]) == {scene_lib.ROOM}
  assert set(geometry.owners[12:]) == {scene_lib.UNLABELLED}


def test_things_shade_walls_do_not():
  geometry = scene_geometry.SceneGeometry(_wall_and_box())
  starts = np.array([[0, 1, -1], [0, 1, -1], [0, 1, 1.5]], np.float32)
  to_lamp = np.array([[0, 0, 9], [0, 0, 0.5], [0, 0, 9]], np.float32)
  # Behind the box; before the box; behind the wall only.
  np.testing.assert_allclose(
    geometry.way_to(starts, to_lamp), [1 / 9, 1, 1], rtol=1e-5
  )
  np.testing.assert_allclose(
    geometry.reach(starts, np.tile([0, 0, 1.0], (3, 1)).astype(np.float32)),
    [1.0, 1.0, 0.5],
    rtol=1e-5,
  )


def test_vertex_normals_are_the_mean_by_area():
  # A right angle along the x axis, both faces equally large.
  roof = scene_lib.Part(
    np.array([[0, 0, 0], [1, 0, 0], [0, 0, 1], [0, -1, 0]], np.float32),
    np.array([[0, 2, 1], [0, 1, 3]], np.int32),
    simple_scenes.WHITE,
    scene_lib.UNLABELLED,
    smooth=True,
  )
  geometry = scene_geometry.SceneGeometry(simple_scenes.scene([roof], _VIEW))
  normals = geometry.vertex_normals(0)
  np.testing.assert_allclose(
    normals[0], np.array([0, 1, -1]) / 2**0.5, atol=1e-6
  )
  np.testing.assert_allclose(normals[2], [0, 1, 0], atol=1e-6)


def test_an_empty_scene_is_refused():
  scene = dataclasses.replace(_wall_and_box(), parts=())
  with pytest.raises(ValueError, match='no triangles'):
    scene_geometry.SceneGeometry(scene)
