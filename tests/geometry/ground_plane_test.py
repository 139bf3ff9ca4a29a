"""A common plane of posed points, and the scales that reach it."""

import numpy as np
import pytest

from mask2cad_tf.geometry import ground_plane
from tests.scene import ground_scene

_UP = np.array([0.0, 1.0, 0.0])


def _tilted(degrees, about=(1.0, 0.0, 0.0)):
  """The up direction, turned from the vertical."""
  return ground_scene.turn(degrees, about) @ _UP


def _box(low, high, position=(0.0, 0.0, 4.0)):
  """The corners of a box of side 1 between two heights."""
  x, y, z = np.meshgrid((-0.5, 0.5), (low, high), (-0.5, 0.5))
  return np.stack([x, y, z], axis=-1).reshape(-1, 3) + position


def _fit(ups, points, weights=None, given=None):
  return ground_plane.fit(
    np.array(ups),
    points,
    np.ones(len(ups)) if weights is None else np.array(weights),
    np.zeros(len(ups), bool) if given is None else np.array(given),
  )


def test_three_boxes_by_hand():
  # The camera stands 1.5, 1.2 and 3 above the boxes' grounds. Of the weights
  # 0.9 + 0.8 + 0.7 = 2.4 the half is 1.2; in the order 1.2, 1.5, 3 they add up
  # to 0.8, 1.7, 2.4: the median is 1.5. Scales 1.5 / 1.5, 1.5 / 1.2, 1.5 / 3.
  points = [_box(-1.5, 0.0), _box(-1.2, 0.0), _box(-3.0, 0.0)]
  plane = _fit([_UP] * 3, points, (0.9, 0.8, 0.7))
  np.testing.assert_allclose(plane.normal, _UP)
  assert plane.distance == pytest.approx(1.5)
  scales = [ground_plane.scale_onto(plane, _UP, part) for part in points]
  assert scales == pytest.approx([1.0, 1.25, 0.5])


@pytest.mark.parametrize(
  'weights, expected',
  [
    ((1.0, 1.0), 2.0),  # sqrt(1 * 4)
    ((0.6, 0.5), 1.0),  # the heavier of two
    ((0.5, 0.6), 4.0),
  ],
)
def test_median_of_two(weights, expected):
  heights = np.array([1.0, 4.0])
  assert ground_plane.median_height(heights, np.array(weights)) == (
    pytest.approx(expected)
  )


def test_the_mean_of_two_directions_by_hand():
  # +10 and -10 degrees, the first with twice the weight: their sum is
  # (0, 3 cos 10, sin 10), tan = tan(10) / 3 = 0.176327 / 3: 3.3637 degrees.
  ups = np.stack([_tilted(10.0), _tilted(-10.0)])
  normal = ground_plane.common_normal(ups, np.array([2.0, 1.0]))
  np.testing.assert_allclose(normal, _tilted(3.3637), atol=1e-5)


@pytest.mark.parametrize('degrees', [25.0, 60.0, 180.0])
def test_the_normal_does_not_follow_an_outlier(degrees):
  ups = np.stack([_tilted(2.0), _tilted(-2.0), _tilted(degrees)])
  normal = ground_plane.common_normal(ups, np.array([0.5, 0.5, 0.9]))
  np.testing.assert_allclose(normal, _UP, atol=1e-6)


def test_the_distance_does_not_follow_an_outlier():
  points = [_box(-1.5, 0.0), _box(-1.6, 0.0), _box(-40.0, 0.0)]
  plane = _fit([_UP] * 3, points)
  assert plane.distance == pytest.approx(1.6)
  assert ground_plane.scale_onto(plane, _UP, points[2]) is None


@pytest.mark.parametrize(
  'up, points',
  [
    (_tilted(21.0), _box(-1.0, 0.0)),  # leans
    (_UP, _box(0.2, 1.2)),  # above the horizon
    (_UP, _box(0.0, 1.0)),  # on it
    (_UP, _box(-0.39, 1.0)),  # 2.56 times
    (_UP, _box(-2.6, 1.0)),  # 0.38 times
  ],
)
def test_what_does_not_reach_the_plane(up, points):
  assert (
    ground_plane.scale_onto(ground_plane.Plane(_UP, 1.0), up, points) is None
  )


@pytest.mark.parametrize(
  'up, low, scale',
  [(_tilted(19.0), -1.0, 1.0), (_UP, -0.401, 2.4938), (_UP, -2.49, 0.4016)],
)
def test_what_just_reaches_it(up, low, scale):
  plane = ground_plane.Plane(_UP, 1.0)
  found = ground_plane.scale_onto(plane, up, _box(low, 1.0))
  assert found == pytest.approx(scale, abs=1e-4)


def test_given_depths_set_the_distance():
  points = [_box(-1.5, 0.0), _box(-1.6, 0.0), _box(-2.0, 0.0)]
  plane = _fit([_UP] * 3, points, given=(False, False, True))
  assert plane.distance == pytest.approx(2.0)
  # One that does not stand sets nothing.
  points[2] = _box(0.1, 0.4)
  plane = _fit([_UP] * 3, points, given=(False, False, True))
  assert plane.distance == pytest.approx(np.sqrt(1.5 * 1.6))


@pytest.mark.parametrize(
  'ups, lows',
  [
    ([], []),
    ([_UP], [-1.0]),
    ([_UP, _tilted(30.0)], [-1.0, -1.0]),
    ([_UP, _UP], [-1.0, 0.1]),
    ([_UP, _UP], [0.1, 0.1]),
    ([_UP, _UP], [-1.0, -9.0]),  # 1 / 3 and 3 times
  ],
)
def test_fewer_than_two_that_stand_have_no_plane(ups, lows):
  assert _fit(ups, [_box(low, low + 1.0) for low in lows]) is None


@pytest.mark.parametrize('seed', range(8))
def test_the_whole_scene_may_turn_and_grow(seed):
  rng = np.random.default_rng(seed)
  rotation = ground_scene.turn(rng.uniform(0.0, 180.0), rng.normal(size=3))
  count = rng.integers(2, 6)
  lows = -rng.uniform(1.0, 2.0, count)
  ups = np.stack([_tilted(a) for a in rng.uniform(-9.0, 9.0, count)])
  points = [
    _box(low, 0.5, 3.0 * rng.normal(size=3) * [1, 0, 1]) for low in lows
  ]
  weights = rng.uniform(0.1, 1.0, count)
  plane = _fit(ups, points, weights)
  turned = _fit(
    ups @ rotation.T, [7.0 * part @ rotation.T for part in points], weights
  )
  np.testing.assert_allclose(turned.normal, rotation @ plane.normal, atol=1e-9)
  assert turned.distance == pytest.approx(7.0 * plane.distance)
