"""Colours as furniture has them; linear RGB, at most .9, unless said sRGB."""

import numpy as np

MAX_ALBEDO = 0.9
# How often things have a colour of each family.
_FAMILIES = ('white', 'grey', 'dark', 'wood', 'muted', 'saturated')
_OFTEN = (0.24, 0.16, 0.18, 0.2, 0.14, 0.08)


def linear(srgb: np.ndarray) -> np.ndarray:
  """sRGB, 0..1 or uint8, to linear float32, the same shape."""
  srgb = np.asarray(srgb)
  value = srgb.astype(np.float32) / (255 if srgb.dtype == np.uint8 else 1)
  return np.where(
    value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4
  ).astype(np.float32)


def bytes_of(srgb: np.ndarray) -> np.ndarray:
  """SRGB 0..1, clipped, to uint8."""
  return np.uint8(np.clip(np.asarray(srgb) * 255 + 0.5, 0, 255))


def _of_hue(hue: float, saturation: float, value: float) -> np.ndarray:
  """SRGB [3] of hue, saturation and value, all 0..1."""
  # Pure greens are rare in houses, and glare.
  value = value * (1 - 0.65 * saturation * max(1 - 6 * abs(hue - 0.37), 0))
  wave = np.abs((6 * hue + np.array([0.0, 4.0, 2.0])) % 6 - 3) - 1
  return value * (1 - saturation * (1 - np.clip(wave, 0, 1)))


def draw_srgb(rng: np.random.Generator, family: str = '') -> np.ndarray:
  """As `draw`, but sRGB."""
  family = family or _FAMILIES[rng.choice(len(_FAMILIES), p=_OFTEN)]
  if family == 'white':
    return rng.uniform(0.8, 0.95) * (1 - rng.uniform(0, 0.06) * _WARMTH)
  if family == 'grey':
    return rng.uniform(0.35, 0.75) * (1 + rng.normal(0, 0.04) * (_WARMTH - 0.5))
  if family == 'dark':
    return rng.uniform(0.08, 0.28) * (1 + rng.normal(0, 0.1) * (_WARMTH - 0.5))
  if family == 'wood':
    return _of_hue(
      rng.uniform(0.05, 0.092), rng.uniform(0.28, 0.62), rng.uniform(0.25, 0.85)
    )
  if family == 'muted':
    return _of_hue(rng.random(), rng.uniform(0.08, 0.4), rng.uniform(0.4, 0.92))
  if family == 'saturated':
    return _of_hue(rng.random(), rng.uniform(0.5, 0.9), rng.uniform(0.35, 0.9))
  if family == 'green':
    return _of_hue(
      rng.uniform(0.2, 0.36), rng.uniform(0.25, 0.6), rng.uniform(0.25, 0.55)
    )
  raise ValueError(f'No colour family {family!r}; there are {_FAMILIES}.')


_WARMTH = np.array([0.0, 0.35, 1.0])  # what a warm white lacks


def draw(rng: np.random.Generator, family: str = '') -> np.ndarray:
  """A random colour.

  Args:
    rng: the source of randomness.
    family: 'white', 'grey', 'dark', 'wood', 'muted', 'saturated', 'green', or
      '' for any, as often as furniture has them.

  Returns:
    Float32 [3], linear, 0 .. `MAX_ALBEDO`.
  """
  srgb = np.clip(draw_srgb(rng, family), 0, 1)
  return np.clip(linear(srgb), 0.004, MAX_ALBEDO).astype(np.float32)


def pick(rng: np.random.Generator, odds: dict) -> str:
  """A key of {name: weight}, drawn by weight."""
  names = list(odds)
  weights = np.array([odds[name] for name in names], float)
  return names[rng.choice(len(names), p=weights / weights.sum())]
