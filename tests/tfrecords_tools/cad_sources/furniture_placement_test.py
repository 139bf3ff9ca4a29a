"""Catalogue frame to library frame."""

import numpy as np
import pytest

from tfrecords_tools.cad_sources import furniture_placement

_BOX = np.array([[0.0, 0.0, 0.0], [4.0, 6.0, 8.0]])
_SIZE = (0.4, 1.2, 1.6)  # scales 0.1, 0.2, 0.2


def _moved(point, rotation=None, **options):
  matrix = furniture_placement.matrix(
    _BOX, np.eye(3) if rotation is None else rotation, _SIZE, **options
  )
  return matrix[:3, :3] @ np.asarray(point, float) + matrix[:3, 3]


@pytest.mark.parametrize(
  'point, expected',
  [
    # (x - 2) * 0.1 * -1, (y - 3) * 0.2, (z - 4) * 0.2 * -1
    ((2, 3, 4), (0.0, 0.0, 0.0)),
    ((4, 6, 8), (-0.2, 0.6, -0.8)),
    ((0, 0, 0), (0.2, -0.6, 0.8)),
    ((3, 4, 8), (-0.1, 0.2, -0.8)),  # a front (+z) ends at -z
  ],
)
def test_by_hand(point, expected):
  np.testing.assert_allclose(_moved(point), expected, atol=1e-12)


def test_standing_on_the_floor():
  np.testing.assert_allclose(
    _moved((2, 0, 4), standing=True), (0, 0, 0), atol=1e-12
  )


def test_the_catalogues_rotation_comes_first():
  # A quarter turn about +x takes y to z: (2, 4, -3) to (2, 3, 4), the centre.
  rotation = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
  np.testing.assert_allclose(
    _moved((2, 4, -3), rotation), (0, 0, 0), atol=1e-12
  )


def test_it_is_a_turn_not_a_mirror():
  matrix = furniture_placement.matrix(_BOX, np.eye(3), _SIZE)
  assert np.linalg.det(matrix[:3, :3]) == pytest.approx(0.1 * 0.2 * 0.2)


def test_a_flat_model_keeps_its_flatness():
  flat = np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 2.0]])
  matrix = furniture_placement.matrix(flat, np.eye(3), (1.0, 0.01, 1.0))
  assert np.isfinite(matrix).all()
  assert matrix[1, 1] == 1.0
