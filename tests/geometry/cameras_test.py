"""Cameras: signs, inverses, and the depth that fits a box."""

import numpy as np
import pytest

from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import rotations

_INTRINSICS = np.array([500.0, 400.0, 320.0, 240.0])
_SIZE = (480.0, 640.0)


def _cube():
  return np.stack(np.meshgrid(*[[-0.5, 0.5]] * 3), -1).reshape(-1, 3)


def test_left_and_up_are_positive():
  # u = 320 - 500 * 1 / 2 = 70; v = 240 - 400 * 0.5 / 2 = 140.
  np.testing.assert_allclose(
    cameras.project((1.0, 0.5, 2.0), _INTRINSICS), [70.0, 140.0]
  )


@pytest.mark.parametrize('seed', range(5))
def test_unproject_inverts_project(seed):
  rng = np.random.default_rng(seed)
  point = rng.normal(size=3) + [0.0, 0.0, 6.0]
  center = cameras.project(point, _INTRINSICS)
  np.testing.assert_allclose(
    cameras.unproject(center, point[2], _INTRINSICS), point
  )


def test_box_fit_of_a_cut_off_object():
  # The cube of the closed form with its centre at the lower border: of its
  # 100 rows 50 are seen, of its 125 columns all.
  box = (430.0, 257.5, 480.0, 382.5)
  depth = cameras.box_fit_depth(
    _cube(), np.eye(3), (320.0, 480.0), box, (500.0, 400.0, 320.0, 480.0), _SIZE
  )
  np.testing.assert_allclose(depth, 4.5, rtol=1e-6)


def test_a_box_that_fills_the_image_takes_the_largest_depth():
  # 500 / (z - 1/2) >= 640 columns and 400 / (z - 1/2) >= 480 rows:
  # z <= 1/2 + min(500 / 640, 400 / 480).
  depth = cameras.box_fit_depth(
    _cube(),
    np.eye(3),
    (320.0, 240.0),
    (0.0, 0.0, 480.0, 640.0),
    _INTRINSICS,
    _SIZE,
  )
  np.testing.assert_allclose(depth, 0.5 + 500 / 640, rtol=1e-6)


def test_box_fit_closed_form():
  # A cube of edge 1 at distance z shows its front face: f / (z - 1/2) pixels.
  # With f = 500, 400 and z = 4.5: 125 x 100 around (320, 240).
  box = (190.0, 257.5, 290.0, 382.5)
  depth = cameras.box_fit_depth(
    _cube(), np.eye(3), (320.0, 240.0), box, _INTRINSICS, _SIZE
  )
  np.testing.assert_allclose(depth, 4.5, rtol=1e-9)


@pytest.mark.parametrize('seed', range(12))
def test_box_fit_recovers_the_depth(seed):
  rng = np.random.default_rng(seed)
  rotation = rotations.matrix_from_quaternion(
    rotations.random_rotations(1, rng)[0]
  )
  vertices = rng.normal(size=(40, 3)) * 10.0 ** rng.uniform(-2, 2)
  radius = np.linalg.norm(vertices, axis=1).max()
  depth = radius * 10.0 ** rng.uniform(0.4, 3)  # from cut off to far away
  center = rng.uniform(100, 380, 2)
  points = vertices @ rotation.T + cameras.unproject(center, depth, _INTRINSICS)
  image = np.clip(cameras.project(points, _INTRINSICS), 0.0, _SIZE[::-1])
  box = np.append(image.min(axis=0)[::-1], image.max(axis=0)[::-1])
  found = cameras.box_fit_depth(
    vertices, rotation, center, box, _INTRINSICS, _SIZE
  )
  np.testing.assert_allclose(found, depth, rtol=1e-6)


def test_a_huge_box_still_keeps_the_cad_before_the_camera():
  box = (0.0, 0.0, 1e5, 1e5)
  depth = cameras.box_fit_depth(
    _cube(), np.eye(3), (320.0, 240.0), box, _INTRINSICS, _SIZE
  )
  assert 0.5 < depth < 0.51


def test_a_box_of_one_pixel_is_a_box():
  depth = cameras.box_fit_depth(
    _cube(), np.eye(3), (320.0, 240.0), (0, 0, 1, 1), _INTRINSICS, _SIZE
  )
  assert np.isfinite(depth) and depth > 0.5


@pytest.mark.parametrize(
  'box', [(10, 10, 10, 20), (20, 10, 10, 20), (10, 10, 20, 10)]
)
def test_an_empty_box_is_refused(box):
  with pytest.raises(ValueError, match='ymin, xmin, ymax, xmax.*found'):
    cameras.box_fit_depth(
      _cube(), np.eye(3), (320.0, 240.0), np.array(box), _INTRINSICS, _SIZE
    )
