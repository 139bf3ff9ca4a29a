"""Textures of what rooms and furniture are made of; sRGB uint8 [256, 256, 3].

Fabrics come neutral (light grey, to be tinted by a material's colour) or with
colours of their own.
"""

import numpy as np

from tfrecords_tools.synthesis import colors
from tfrecords_tools.synthesis import patterns


def _between(
  weight: np.ndarray, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
  """Colours [3] blended by weight [h, w]."""
  weight = np.clip(weight, 0, 1)[..., None]
  return low * (1 - weight) + high * weight


def _grain(rng: np.random.Generator) -> np.ndarray:
  """Wood's rings and pores along the columns, about 0..1."""
  rows, _ = patterns.grid()
  bend = patterns.noise(rng, 1.9, stretch=rng.uniform(4, 10)) - 0.5
  rings = np.sin(
    2 * np.pi * (rng.integers(2, 7) * rows + rng.uniform(1, 4) * bend)
  )
  pores = patterns.noise(rng, 0.6, stretch=30.0) - 0.5
  share = rng.uniform(0.1, 0.35)
  return 0.5 + share * rings + rng.uniform(0.3, 0.8) * pores


def wood(rng: np.random.Generator) -> np.ndarray:
  """One board, grain along the rows."""
  light = colors.draw_srgb(rng, 'wood')
  dark = light * rng.uniform([0.55, 0.5, 0.45], [0.85, 0.82, 0.8])
  return colors.bytes_of(_between(_grain(rng), dark, light))


def planks(rng: np.random.Generator) -> np.ndarray:
  """A floor of boards."""
  rows, columns = int(rng.integers(4, 9)), int(rng.integers(1, 3))
  board, gaps, shade = patterns.boards(rng, rows, columns, 0.006)
  grain = _grain(rng)
  grain = np.where(board % 2 > 0, grain, np.roll(grain, (90, 120), (0, 1)))
  family = 'wood' if rng.random() < 0.8 else str(rng.choice(['grey', 'white']))
  light = colors.draw_srgb(rng, family)
  color = _between(0.3 + 0.5 * grain, 0.6 * light, light)
  color = color * (1 - rng.uniform(0.05, 0.35) * shade[..., None])
  return colors.bytes_of(color * (1 - 0.55 * gaps[..., None]))


def floor_tiles(rng: np.random.Generator) -> np.ndarray:
  """Square tiles with joints, plain, marbled or in two colours."""
  count = int(rng.choice([1, 2, 4]))
  number, gaps = patterns.tiles(count, rng.uniform(0.006, 0.02))
  base = colors.draw_srgb(
    rng, str(rng.choice(['white', 'grey', 'wood', 'dark']))
  )
  veins = patterns.veins(rng) * rng.uniform(0, 0.5)
  color = _between(veins, base, 0.6 * base)
  color = color * (0.94 + 0.12 * patterns.noise(rng, 1.2)[..., None])
  if count > 1 and rng.random() < 0.3:
    odd = (number // count + number % count) % 2
    color = np.where(odd[..., None] > 0, color * rng.uniform(0.3, 0.8), color)
  joint = colors.draw_srgb(rng, 'grey')
  return colors.bytes_of(_between(gaps, color, joint))


def carpet(rng: np.random.Generator) -> np.ndarray:
  """Pile in one colour, sometimes with a motif."""
  base = colors.draw_srgb(
    rng, str(rng.choice(['white', 'grey', 'muted', 'dark', 'saturated']))
  )
  color = base * (0.75 + 0.5 * patterns.noise(rng, 0.4)[..., None])
  if rng.random() < 0.3:
    motif = patterns.dots(rng, int(rng.choice([2, 4, 6])))
    color = _between(motif * 0.8, color, colors.draw_srgb(rng))
  return colors.bytes_of(color)


def rug(rng: np.random.Generator) -> np.ndarray:
  """A whole rug with borders, made for uv 0..1."""
  rows, columns = patterns.grid()
  rim = np.minimum.reduce([rows, 1 - rows, columns, 1 - columns])
  families = rng.choice(['white', 'grey', 'muted', 'dark', 'saturated'], 3)
  ground, border, motif = (colors.draw_srgb(rng, str(f)) for f in families)
  inside = patterns.dots(rng, int(rng.choice([3, 4, 6, 8])))
  if rng.random() < 0.4:
    inside = patterns.stripes(rng, int(rng.integers(2, 9)))
  color = _between(inside * rng.choice([0, 0.7, 1]), ground, motif)
  edges = np.sort(rng.uniform(0.01, 0.15, 3))
  ring = (np.searchsorted(edges, rim) % 2 == 0) & (rim < edges[-1])
  color = np.where(ring[..., None], border, color)
  return colors.bytes_of(
    color * (0.8 + 0.4 * patterns.noise(rng, 0.3)[..., None])
  )


def neutral_fabric(rng: np.random.Generator) -> np.ndarray:
  """Light threads without a colour of their own."""
  count = int(rng.choice([32, 48, 64]))
  threads = (
    patterns.weave(count)
    if rng.random() < 0.7
    else patterns.herringbone(int(rng.choice([4, 6, 8])))
  )
  depth = rng.uniform(0.05, 0.3)
  melange = rng.uniform(0.05, 0.25) * (patterns.noise(rng, 0.5) - 0.5)
  light = 0.95 - depth * threads + melange
  return colors.bytes_of(np.repeat(light[..., None], 3, axis=-1))


def patterned_fabric(rng: np.random.Generator) -> np.ndarray:
  """Stripes, checks or motifs in two or three colours."""
  first = colors.draw_srgb(rng, str(rng.choice(['white', 'muted', 'grey'])))
  second = colors.draw_srgb(rng)
  count = int(rng.choice([2, 3, 4, 6, 8]))
  drawn = rng.integers(4)
  if drawn == 0:
    weight = patterns.stripes(rng, count)
  elif drawn == 1:
    weight = patterns.checks(rng, count)
  elif drawn == 2:
    weight = patterns.dots(rng, count)
  else:
    weight = np.clip((patterns.noise(rng, 1.2, lowest=3) - 0.55) * 12, 0, 1)
  color = _between(weight * rng.uniform(0.5, 1), first, second)
  return colors.bytes_of(color * (1 - 0.15 * patterns.weave(64)[..., None]))


def plaster(rng: np.random.Generator) -> np.ndarray:
  """Nearly white, rough or cloudy; to be tinted."""
  light = 0.93 + rng.uniform(0.05, 0.25) * (
    patterns.noise(rng, rng.uniform(0.3, 1.6)) - 0.5
  )
  return colors.bytes_of(np.repeat(light[..., None], 3, axis=-1))


def wallpaper(rng: np.random.Generator) -> np.ndarray:
  """Stripes or motifs, mostly pale."""
  ground = colors.draw_srgb(rng, str(rng.choice(['white', 'muted', 'grey'])))
  ink = np.clip(ground * rng.uniform(0.6, 1.15, 3), 0, 1)
  if rng.random() < 0.25:
    ink = colors.draw_srgb(rng)
  count = int(rng.choice([2, 4, 6, 8]))
  weight = (
    patterns.stripes(rng, count)
    if rng.random() < 0.4
    else patterns.dots(rng, count)
  )
  return colors.bytes_of(_between(weight, ground, ink))


def bricks(rng: np.random.Generator) -> np.ndarray:
  """A wall of bricks, bare or painted."""
  _, gaps, shade = patterns.boards(rng, 2 * int(rng.integers(4, 8)), 4, 0.012)
  base = np.array([0.6, 0.33, 0.25]) * rng.uniform(0.8, 1.2)
  if rng.random() < 0.5:
    base = colors.draw_srgb(rng, 'white')
  color = (
    base
    * (0.75 + 0.2 * shade + 0.3 * (patterns.noise(rng, 0.8) - 0.5))[..., None]
  )
  return colors.bytes_of(_between(gaps, color, 0.8 * base + 0.1))


def marble(rng: np.random.Generator) -> np.ndarray:
  """Veins and clouds."""
  base = colors.draw_srgb(
    rng, str(rng.choice(['white', 'white', 'dark', 'grey']))
  )
  vein = np.clip(1 - base, 0.2, 0.8) if rng.random() < 0.7 else base * 0.6
  color = base * (0.92 + 0.16 * patterns.noise(rng, 1.8)[..., None])
  return colors.bytes_of(_between(0.8 * patterns.veins(rng), color, vein))


def terrazzo(rng: np.random.Generator) -> np.ndarray:
  """Chips in a pale binder."""
  levels = int(rng.integers(2, 5))
  palette = [colors.draw_srgb(rng, 'white')]
  palette += [colors.draw_srgb(rng) for _ in range(levels)]
  return colors.bytes_of(np.array(palette)[patterns.chips(rng, levels)])


def concrete(rng: np.random.Generator) -> np.ndarray:
  """Grey clouds and specks."""
  light = rng.uniform(0.45, 0.75)
  light = light + 0.25 * (patterns.noise(rng, 1.5) - 0.5)
  light = light + 0.1 * (patterns.noise(rng, 0.3) - 0.5)
  return colors.bytes_of(light[..., None] * [1, 0.99, 0.96])
