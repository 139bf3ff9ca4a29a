"""From linear radiance to a JPEG, as a phone or a web shop makes it."""

import io

import numpy as np
from PIL import Image
from scipy import ndimage

from tfrecords_tools.synthesis import scene as scene_lib

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
_METERED_SHARE = 95.0  # percentile of luminance that the meter makes white
_METER_RANGE = (0.5, 3.0)  # gains
_SHOULDER = 0.8  # radiance above which highlights are compressed
_GREY = 0.18  # linear


def develop(
  radiance: np.ndarray, sensor: scene_lib.Sensor, rng: np.random.Generator
) -> np.ndarray:
  """Exposes, colours and disturbs a picture.

  Args:
    radiance: float32 [height, width, 3], linear.
    sensor: what the camera does.
    rng: of the noise.

  Returns:
    uint8 [height, width, 3], sRGB.
  """
  light = np.maximum(radiance, 0.0) * _metered_gain(radiance)
  light = light * np.float32(2.0**sensor.exposure)
  light = light * np.asarray(sensor.white_balance, np.float32)
  if sensor.blur > 0:
    light = ndimage.gaussian_filter(light, (sensor.blur, sensor.blur, 0))
  if sensor.vignette > 0:
    light = light * _vignette(light.shape, sensor.vignette)
  grey = (light @ _LUMINANCE)[..., np.newaxis]
  light = np.maximum(grey + sensor.saturation * (light - grey), 0.0)
  light = _roll_off(_GREY * (light / _GREY) ** sensor.contrast)
  if sensor.noise > 0:
    # Shot noise grows with the root of the light.
    spread = sensor.noise * np.sqrt((light + 0.02) / (_GREY + 0.02))
    light = light + spread * rng.standard_normal(light.shape, np.float32)
  return np.round(255.0 * _to_srgb(np.clip(light, 0.0, 1.0))).astype(np.uint8)


def encode(image: np.ndarray, quality: int) -> bytes:
  """JPEG bytes of uint8 [height, width, 3]."""
  buffer = io.BytesIO()
  Image.fromarray(image).save(buffer, format='JPEG', quality=quality)
  return buffer.getvalue()


def _metered_gain(radiance: np.ndarray) -> np.float32:
  """Makes the bright parts nearly white, as an exposure meter would."""
  bright = np.percentile(radiance @ _LUMINANCE, _METERED_SHARE)
  return np.float32(np.clip(1.0 / max(bright, 1e-3), *_METER_RANGE))


def _vignette(shape, strength: float) -> np.ndarray:
  rows = np.linspace(-1.0, 1.0, shape[0], dtype=np.float32)[:, np.newaxis]
  columns = np.linspace(-1.0, 1.0, shape[1], dtype=np.float32)
  return (1.0 - strength * 0.5 * (rows**2 + columns**2))[..., np.newaxis]


def _roll_off(light: np.ndarray) -> np.ndarray:
  """Identity up to the shoulder, then bends towards 1 (reached at 1.2)."""
  room = 1.0 - _SHOULDER
  over = np.clip((light - _SHOULDER) / (2.0 * room), 0.0, 1.0)
  bent = _SHOULDER + room * (2.0 * over - over**2)
  return np.where(light > _SHOULDER, bent, light)


def _to_srgb(light: np.ndarray) -> np.ndarray:
  return np.where(
    light <= 0.0031308, 12.92 * light, 1.055 * light ** (1.0 / 2.4) - 0.055
  )
