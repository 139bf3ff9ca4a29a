"""Sensor: a neutral one keeps order and hues; each setting by hand."""

import io

import numpy as np
import pytest
from PIL import Image

from tfrecords_tools.synthesis import scene as scene_lib
from tfrecords_tools.synthesis import sensor


def _develop(light, seed=0, **settings):
  return sensor.develop(
    np.asarray(light, np.float32),
    scene_lib.Sensor(**settings),
    np.random.default_rng(seed),
  )


def _ramp(top=1.0):
  """A grey ramp [32, 64, 3] whose bright parts are white."""
  row = np.linspace(0.0, top, 64)
  return np.broadcast_to(row[:, np.newaxis], (32, 64, 3)).copy()


def _grey(value, size=64):
  """A grey picture with a white stripe, so that the meter leaves it alone."""
  picture = np.full((size, size, 3), value, np.float32)
  picture[:, : size // 4] = 1.0
  return picture


def test_a_neutral_sensor_keeps_the_order():
  row = _develop(_ramp())[0, :, 0].astype(int)
  assert (np.diff(row) >= 0).all()
  assert row[0] == 0
  assert row[-1] >= 250


def test_middle_grey_is_118_in_srgb():
  # 1.055 * 0.18 ** (1 / 2.4) - 0.055 = 0.4614, times 255 = 117.7.
  assert set(_develop(_grey(0.18))[10, 30]) == {118}


def test_the_meter_brightens_dark_pictures_and_darkens_bright_ones():
  dark, usual, bright = (
    _develop(scale * _grey(0.18)) for scale in (0.4, 1.0, 2.0)
  )
  np.testing.assert_allclose(dark.astype(int), usual, atol=1)
  np.testing.assert_allclose(bright.astype(int), usual, atol=1)
  # No further than three times.
  assert _develop(0.1 * _grey(0.18))[10, 30, 0] < 100


def test_a_stop_doubles_the_light():
  doubled = _develop(_grey(0.09), exposure=1.0)[10, 30]
  np.testing.assert_array_equal(doubled, _develop(_grey(0.18))[10, 30])


def test_white_balance_and_saturation():
  warm = _develop(_grey(0.18), white_balance=(1.2, 1.0, 0.8))[10, 30]
  assert warm[0] > warm[1] > warm[2]
  picture = _grey(0.2)
  picture[..., 0] *= 1.5
  colored, faded, grey = (
    _develop(picture, saturation=value)[10, 30].astype(int)
    for value in (1.0, 0.5, 0.0)
  )
  assert np.ptp(colored) > np.ptp(faded) > np.ptp(grey) == 0


def test_contrast_turns_about_middle_grey():
  flat, steep = (
    _develop(_ramp(), contrast=value)[0, :, 0].astype(int)
    for value in (0.8, 1.3)
  )
  assert steep[5] < flat[5]
  assert steep[30] > flat[30]
  grey = [
    _develop(_grey(0.18), contrast=value)[10, 30, 0] for value in (0.8, 1.3)
  ]
  assert grey == [118, 118]


def test_highlights_roll_off_softly():
  row = _develop(_ramp(2.0), exposure=1.0)[0, :, 0].astype(int)
  assert row.max() == 255
  assert np.diff(row[row > 150]).max() <= 8  # no step where white begins
  assert (np.diff(row) >= 0).all()


def test_the_vignette_darkens_corners_only():
  picture = _develop(np.full((65, 65, 3), 0.5), vignette=0.5)
  plain = _develop(np.full((65, 65, 3), 0.5))
  assert picture[32, 32, 0] == plain[32, 32, 0]
  assert picture[0, 0, 0] < plain[0, 0, 0] - 20


def test_blur_keeps_the_mean_and_softens_edges():
  picture = _grey(0.2)
  sharp, soft = _develop(picture), _develop(picture, blur=1.5)
  assert (
    np.abs(np.diff(soft[20, :, 0].astype(int))).max()
    < 0.5 * np.abs(np.diff(sharp[20, :, 0].astype(int))).max()
  )


def test_noise_has_the_stated_spread_and_follows_the_seed():
  picture = _grey(0.18, 128)
  noisy = _develop(picture, noise=0.01)
  np.testing.assert_array_equal(noisy, _develop(picture, noise=0.01))
  assert (noisy != _develop(picture, seed=1, noise=0.01)).any()
  # d sRGB / d linear at 0.18 is 1.055 / 2.4 * 0.18 ** (1 / 2.4 - 1) = 1.195.
  spread = noisy[:, 40:].astype(float).std()
  np.testing.assert_allclose(spread, 255 * 0.01 * 1.195, rtol=0.1)


@pytest.mark.parametrize('value', [0.0, 1e-6, 100.0])
def test_black_and_blinding_pictures_stay_in_range(value):
  picture = _develop(np.full((8, 8, 3), value), noise=0.1, contrast=1.3)
  assert picture.dtype == np.uint8
  assert picture.shape == (8, 8, 3)


def test_encode_is_a_jpeg_of_the_quality():
  picture = _develop(_ramp(), noise=0.05)
  sizes = {}
  for quality in (50, 95):
    content = sensor.encode(picture, quality)
    assert content == sensor.encode(picture, quality)
    with Image.open(io.BytesIO(content)) as image:
      assert image.format == 'JPEG'
      assert image.size == (64, 32)
    sizes[quality] = len(content)
  assert sizes[50] < sizes[95]
