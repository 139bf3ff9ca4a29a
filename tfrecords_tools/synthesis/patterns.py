"""Grey patterns that tile: float32 [SIZE, SIZE], about 0..1, rows downwards."""

import functools
from typing import Tuple

import numpy as np

SIZE = 256  # pixels, side of a texture


@functools.cache
def grid() -> Tuple[np.ndarray, np.ndarray]:
  """Row and column of each pixel, in tiles, 0..1, float32 [SIZE, SIZE]."""
  steps = (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE
  rows, columns = np.meshgrid(steps, steps, indexing='ij')
  return rows, columns


@functools.cache
def _frequencies() -> Tuple[np.ndarray, np.ndarray]:
  return (
    np.fft.fftfreq(SIZE)[:, None] * SIZE,
    np.fft.rfftfreq(SIZE)[None, :] * SIZE,
  )


def noise(
  rng: np.random.Generator,
  power: float = 1.5,
  stretch: float = 1.0,
  lowest: float = 1.0,
) -> np.ndarray:
  """Noise whose amplitude falls with frequency.

  Args:
    rng: the source of randomness.
    power: of the fall; 0 white, 2 clouds.
    stretch: how much longer than high its features are; below 1: higher.
    lowest: cycles a tile under which there is nothing.

  Returns:
    The pattern, mean .5, standard deviation .2, not clipped.
  """
  rows, columns = _frequencies()
  stretch = np.sqrt(stretch)
  radius = np.hypot(rows / stretch, columns * stretch)
  gain = np.where(radius < lowest, 0, np.maximum(radius, 1e-6) ** -power)
  waves = np.fft.rfft2(rng.standard_normal((SIZE, SIZE), np.float32)) * gain
  field = np.fft.irfft2(waves, s=(SIZE, SIZE)).astype(np.float32)
  return 0.5 + 0.2 * field / max(float(field.std()), 1e-12)


def stripes(rng: np.random.Generator, count: int) -> np.ndarray:
  """Vertical stripes of random widths, repeated `count` times."""
  edges = np.sort(rng.uniform(0.05, 0.95, 2 * rng.integers(1, 3)))
  _, columns = grid()
  return (np.searchsorted(edges, (columns * count) % 1) % 2).astype(np.float32)


def checks(rng: np.random.Generator, count: int) -> np.ndarray:
  """Crossing stripes, as on a tea towel."""
  across = stripes(rng, count)
  return 0.5 * across + 0.5 * across.T


def weave(count: int) -> np.ndarray:
  """Threads over and under each other; `count` is even."""
  rows, columns = grid()
  over = (np.floor(rows * count) + np.floor(columns * count)) % 2
  warp = np.abs(np.sin(np.pi * rows * count))
  weft = np.abs(np.sin(np.pi * columns * count))
  return np.where(over > 0, warp, weft).astype(np.float32)


def herringbone(count: int) -> np.ndarray:
  """Zigzag of slanted threads; `count` zigzags a tile."""
  rows, columns = grid()
  zigzag = np.abs((columns * count) % 1 - 0.5) * 2
  return (
    0.5 + 0.5 * np.sin(2 * np.pi * (rows * 8 * count + 2 * zigzag))
  ).astype(np.float32)


def dots(rng: np.random.Generator, count: int) -> np.ndarray:
  """A lattice of round motifs with petals; 1 inside."""
  rows, columns = grid()
  shift = 0.5 * (np.floor(rows * count) % 2) * (count % 2 == 0)
  y, x = (rows * count) % 1 - 0.5, (columns * count + shift) % 1 - 0.5
  petals, depth = rng.integers(3, 9), rng.choice([0.0, 0.15, 0.3])
  reach = 0.28 + depth * 0.4 * np.cos(petals * np.arctan2(y, x))
  return (np.hypot(x, y) < reach).astype(np.float32)


def boards(
  rng: np.random.Generator, rows: int, columns: int, joint: float
) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Rows of boards, tiles or bricks, every row shifted.

  Args:
    rng: the source of randomness.
    rows: of boards a tile.
    columns: boards a row.
    joint: width of the gap, tiles.

  Returns:
    A number per board int [SIZE, SIZE], the joints (1 in a gap), and a random
    value per board 0..1, float32.
  """
  y, x = grid()
  row = np.floor(y * rows).astype(int)
  shift = rng.choice([rng.random(rows), 0.5 * (np.arange(rows) % 2)])
  along = (x * columns + shift[row]) % columns
  column = np.floor(along).astype(int)
  to_row = np.abs((y * rows + 0.5) % 1 - 0.5) / rows
  to_column = np.abs((along + 0.5) % 1 - 0.5) / columns
  gaps = (np.minimum(to_row, to_column) < joint / 2).astype(np.float32)
  board = row * columns + column
  return board, gaps, rng.random(rows * columns).astype(np.float32)[board]


def tiles(count: int, joint: float) -> Tuple[np.ndarray, np.ndarray]:
  """Square tiles: a number per tile and the joints, as `boards` gives them."""
  y, x = grid()
  number = np.floor(y * count) * count + np.floor(x * count)
  near = [np.abs((c * count + 0.5) % 1 - 0.5) / count for c in (y, x)]
  gaps = np.minimum(*near) < joint / 2
  return number.astype(int), gaps.astype(np.float32)


def veins(rng: np.random.Generator) -> np.ndarray:
  """Thin wandering lines of marble; 1 on a line."""
  depth = np.abs(noise(rng, 1.6) - 0.5)
  return np.exp(-depth * rng.uniform(15, 50)) * np.clip(noise(rng, 1.5), 0, 1)


def chips(rng: np.random.Generator, levels: int) -> np.ndarray:
  """Stone chips of `levels` kinds in a binder: int [SIZE, SIZE], 0 binder."""
  kind = np.zeros((SIZE, SIZE), int)
  for level in range(1, levels + 1):
    field = noise(rng, 0.9, lowest=rng.uniform(6, 14))
    kind = np.where(field > np.quantile(field[::4, ::4], 0.85), level, kind)
  return kind
