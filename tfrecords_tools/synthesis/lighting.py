"""Random light and random sensors."""

from typing import Tuple

import numpy as np

from tfrecords_tools.synthesis import colors
from tfrecords_tools.synthesis import scene

_FULL = (0.75, 1.1)  # how bright a white surface in the light becomes
_WARM = np.array([0.0, -0.18, -0.45])  # what a bulb's light lacks
_HEIGHT = 2.5  # metres, of rooms without a given height


def draw(
  rng: np.random.Generator,
  mode: str,
  size: Tuple[float, ...],
  height: float = _HEIGHT,
) -> Tuple[scene.Lighting, scene.Sensor]:
  """Lamps and a camera's sensor for a scene.

  Args:
    rng: the source of randomness.
    mode: 'room' has its lamps inside of the room; 'closeup' and 'studio' have
      a sun, a window or soft boxes around the scene's middle.
    size: x and z of the room, or of what is photographed; metres. The middle
      is the origin.
    height: of the room, metres.

  Returns:
    One to three lamps, of which the first is the strongest, and the sensor.
    Ambient light and lamps together expose a white surface well.

  Raises:
    ValueError: an unknown mode.
  """
  makers = {'room': _in_room, 'closeup': _outside, 'studio': _in_studio}
  if mode not in makers:
    raise ValueError(f'No mode {mode!r}; there are {tuple(makers)}.')
  full = rng.uniform(*_FULL)
  share = rng.uniform(0.3, 0.7) if mode != 'studio' else rng.uniform(0.45, 0.8)
  count = int(rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15]))
  parts = np.sort(rng.dirichlet(np.full(count, 2.0)))[::-1]
  lights = tuple(
    makers[mode](rng, size, height, 1.5 * full * (1 - share) * part)
    for part in parts
  )
  sky = full * share * (1 + _tint(rng, 0.08))
  return scene.Lighting(lights, sky.astype(np.float32)), _sensor(rng, mode)


def _in_room(rng, size, height, strength) -> scene.Light:
  """A window, a lamp under the ceiling, or one that stands in the room."""
  x, z = 0.5 * size[0], 0.5 * size[1]
  kind = colors.pick(rng, {'window': 5, 'ceiling': 3, 'lamp': 1})
  if kind == 'window':
    radius = min(rng.uniform(0.3, 0.8), 0.3 * min(x, z), 0.3 * height)
    along = rng.uniform(-0.7, 0.7)
    place = [along * x, 0, z - radius]
    if rng.random() < 0.5:
      place = [x - radius, 0, along * z]
    place = np.array(place) * [rng.choice([-1, 1]), 1, rng.choice([-1, 1])]
    place[1] = min(rng.uniform(1.3, 2.0), height - radius)
    return _light(place, strength, 1 + _tint(rng, 0.1), radius)
  color = 1 + rng.uniform(0, 1) * _WARM
  if kind == 'ceiling':
    radius = rng.uniform(0.05, 0.3)
    spot = rng.uniform(-0.5, 0.5, 2) * [x, z]
    place = np.array([spot[0], height - radius - 0.02, spot[1]])
    return _light(place, strength, color, radius)
  corner = rng.choice([-1, 1], 2) * rng.uniform(0.75, 0.92, 2) * [x, z]
  place = np.array([corner[0], rng.uniform(1.1, 1.8), corner[1]])
  return _light(place, strength, color, rng.uniform(0.05, 0.15))


def _outside(rng, size, height, strength) -> scene.Light:
  """A far sun, or a window near by."""
  del height
  reach = max(max(size), 0.5)
  if rng.random() < 0.45:
    far, radius = 30 * reach, rng.uniform(0.3, 2.0) * reach
  else:
    far = rng.uniform(1.5, 4) * reach
    radius = rng.uniform(0.1, 0.35) * far
  place = far * _direction(rng, 20, 80)
  return _light(place, strength, 1 + _tint(rng, 0.15), radius)


def _in_studio(rng, size, height, strength) -> scene.Light:
  """A soft box above."""
  del height
  far = rng.uniform(2, 4) * max(max(size), 0.5)
  radius = rng.uniform(0.2, 0.4) * far
  return _light(
    far * _direction(rng, 35, 85), strength, 1 + _tint(rng, 0.04), radius
  )


def _direction(rng, lowest: float, highest: float) -> np.ndarray:
  """A unit vector [3]; elevation between the two, degrees."""
  elevation = np.radians(rng.uniform(lowest, highest))
  turn = rng.uniform(-np.pi, np.pi)
  return np.array(
    [
      np.cos(elevation) * np.cos(turn),
      np.sin(elevation),
      np.cos(elevation) * np.sin(turn),
    ]
  )


def _light(place, strength, color, radius) -> scene.Light:
  return scene.Light(
    np.asarray(place, np.float64),
    (strength * np.asarray(color)).astype(np.float32),
    float(radius),
  )


def _tint(rng: np.random.Generator, spread: float) -> np.ndarray:
  """Warmer or colder than white, [3], to be added to 1."""
  return np.clip(rng.normal(0, spread), -0.3, 0.3) * np.array([1, 0.1, -1])


def _sensor(rng: np.random.Generator, mode: str) -> scene.Sensor:
  """A phone's or a web shop's camera; shops take cleaner pictures."""
  clean = mode == 'studio' or rng.random() < 0.35
  tint = np.clip(rng.normal(0, 0.03 if clean else 0.07), -0.2, 0.2)
  return scene.Sensor(
    exposure=float(np.clip(rng.normal(0, 0.12 if clean else 0.25), -0.7, 0.6)),
    white_balance=(1 + tint, 1.0, 1 - tint),
    contrast=float(rng.uniform(0.9, 1.25)),
    saturation=float(rng.uniform(0.75, 1.2)),
    blur=float(rng.uniform(0.0, 0.5 if clean else 1.0)),
    noise=float(rng.uniform(0, 0.008) if clean else rng.uniform(0.004, 0.03)),
    vignette=float(0 if clean else max(rng.uniform(-0.2, 0.3), 0)),
    jpeg_quality=int(rng.integers(85, 97) if clean else rng.integers(55, 96)),
  )
