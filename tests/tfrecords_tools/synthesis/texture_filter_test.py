"""Texture lookups: places, tiles, far away."""

import numpy as np
import pytest

from tfrecords_tools.synthesis import texture_filter


def _sample(texture, uv, footprint=0.0):
  uv = np.asarray(uv, np.float32).reshape(-1, 2)
  return texture_filter.FilteredTexture(np.asarray(texture, np.uint8)).sample(
    uv, np.full(len(uv), footprint, np.float32)
  )


def _numbered(height, width):
  """Texel (row, column) has the red 10 * row and the green 10 * column."""
  rows, columns = np.indices((height, width))
  return np.stack([10 * rows, 10 * columns, 0 * rows], -1).astype(np.uint8)


@pytest.mark.parametrize('row, column', [(0, 0), (3, 1), (7, 5)])
def test_texel_centres(row, column):
  # v = 0 is the bottom row's lower edge.
  uv = [(column + 0.5) / 6, 1.0 - (row + 0.5) / 8]
  color = _sample(_numbered(8, 6), uv)[0]
  expected = texture_filter.TO_LINEAR[[10 * row, 10 * column, 0]]
  np.testing.assert_allclose(color, expected, atol=1e-6)


def test_between_texels_it_is_the_mean():
  color = _sample(_numbered(8, 6), [2.0 / 6, 1.0 - 3.5 / 8])[0]
  np.testing.assert_allclose(
    color, texture_filter.TO_LINEAR[[30, 15, 0]], atol=1e-6
  )


def test_tiles_repeat_in_all_directions():
  uv = np.random.default_rng(0).random((20, 2))
  for shift in ([1, 0], [0, 3], [-2, -1]):
    np.testing.assert_allclose(
      _sample(_numbered(8, 8), uv + shift),
      _sample(_numbered(8, 8), uv),
      atol=2e-3,
    )


def test_far_away_it_is_the_mean_color():
  rng = np.random.default_rng(1)
  texture = rng.integers(0, 256, (64, 64, 3))
  colors = _sample(texture, rng.random((50, 2)), footprint=1.0)
  mean = texture_filter.TO_LINEAR[np.rint(texture.mean((0, 1))).astype(int)]
  np.testing.assert_allclose(colors, np.tile(mean, (50, 1)), atol=0.03)


def test_the_farther_the_flatter():
  rng = np.random.default_rng(2)
  texture = rng.integers(0, 256, (64, 64, 3))
  uv = rng.random((500, 2))
  spreads = [
    _sample(texture, uv, footprint).std()
    for footprint in (0.0, 2 / 64, 4 / 64, 16 / 64)
  ]
  assert spreads == sorted(spreads, reverse=True)


@pytest.mark.parametrize('shape', [(1, 1), (1, 7), (5, 3), (700, 20)])
def test_any_size_will_do(shape):
  texture = np.full(shape + (3,), 128)
  colors = _sample(texture, np.random.default_rng(0).random((9, 2)), 0.5)
  np.testing.assert_allclose(colors, texture_filter.TO_LINEAR[128], atol=0.02)
