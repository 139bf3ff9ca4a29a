"""Looks of a photo: other colours, the same picture."""

import numpy as np

from mask2cad_tf.data import photo_looks


def _picture():
  """A red square on grey, with a white corner."""
  image = np.full([64, 80, 3], 110, np.uint8)
  image[20:44, 30:60] = [200, 40, 30]
  image[:12, :12] = 255
  return image


def test_the_same_seed_gives_the_same_look():
  image = _picture()
  first, again, other = (
    photo_looks.change(image, np.random.default_rng(seed))
    for seed in ([1, 5], [1, 5], [2, 5])
  )
  np.testing.assert_array_equal(first, again)
  assert first.dtype == np.uint8 and first.shape == image.shape
  assert np.abs(first.astype(int) - other).mean() > 2
  np.testing.assert_array_equal(image, _picture())  # its own is left alone


def test_edges_stay_where_they_are():
  image = _picture()
  for seed in range(20):
    look = photo_looks.change(image, np.random.default_rng(seed)).astype(float)
    inside = look[24:40, 34:56].mean((0, 1))
    outside = look[48:, 20:].mean((0, 1))
    # What is nearer to the square's colour than to the wall's.
    near = np.linalg.norm(look - inside, axis=-1) < np.linalg.norm(
      look - outside, axis=-1
    )
    near[:14, :14] = False
    rows, columns = np.nonzero(near)
    if near.mean() > 0.3:  # grey look: the square is as bright as the wall
      continue
    assert (
      abs(np.median(rows) - 31.5) < 2 and abs(np.median(columns) - 44.5) < 2
    )


def test_looks_differ_in_colour_brightness_and_sharpness():
  image = _picture()
  looks = np.array(
    [photo_looks.change(image, np.random.default_rng(i)) for i in range(60)],
    float,
  )
  wall = looks[:, 50:, 30:].mean((1, 2))  # [60, 3]
  assert wall.mean(1).std() > 15
  square = looks[:, 26:38, 36:54].mean((1, 2))
  saturation = square.max(1) - square.min(1)
  assert saturation.min() < 60 and saturation.max() > 170
  edges = np.abs(np.diff(looks[:, 30, 24:36].mean(-1), axis=1)).max(1)
  assert edges.std() > 5
