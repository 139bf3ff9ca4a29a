"""Pictures that nobody painted: for frames, posters, screens and windows."""

import numpy as np
from PIL import Image
from PIL import ImageDraw

from tfrecords_tools.synthesis import colors
from tfrecords_tools.synthesis import patterns

_SIZE = patterns.SIZE


def _mixed(weight: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
  """Colours [3] blended by weight [h, w], clipped to 0..1."""
  weight = np.clip(weight, 0, 1)[..., None]
  return low * (1 - weight) + high * weight


def landscape(rng: np.random.Generator) -> np.ndarray:
  """Sky, hills and a meadow; sRGB uint8 [h, w, 3]."""
  rows, _ = patterns.grid()
  blue = rng.uniform([0.5, 0.65, 0.75], [0.8, 0.85, 0.95])
  sky = _mixed(rows * 1.5, blue, np.array([0.95, 0.94, 0.92]))
  white = np.clip((patterns.noise(rng, 1.8, 3.0) - 0.55) * 3, 0, 0.8)
  picture = _mixed(white, sky, np.ones(3))
  for layer in range(rng.integers(1, 5)):
    edge = rng.normal(0.45 + 0.12 * layer, 0.05)
    ridge = edge + 0.25 * (patterns.noise(rng, 1.6)[0] - 0.5)
    # Far hills fade into the sky.
    shade = colors.draw_srgb(rng, str(rng.choice(['green', 'green', 'grey'])))
    shade = shade + (blue - shade) * max(0.6 - 0.2 * layer, 0)
    speckle = 0.8 + 0.4 * patterns.noise(rng, 1.0)
    picture = np.where(
      (rows > ridge[None])[..., None], shade * speckle[..., None], picture
    )
  return colors.bytes_of(picture)


def view(rng: np.random.Generator) -> np.ndarray:
  """A landscape behind a window, washed out; sRGB uint8 [h, w, 3]."""
  scenery = landscape(rng) / 255
  grey = scenery.mean(axis=-1, keepdims=True)
  return colors.bytes_of(0.35 + 0.3 * scenery + 0.35 * grey)


def abstract(rng: np.random.Generator) -> np.ndarray:
  """Shapes on a ground; sRGB uint8 [h, w, 3]."""
  ground = colors.draw_srgb(rng, rng.choice(['white', 'muted', 'dark', 'grey']))
  image = Image.new('RGB', (_SIZE, _SIZE), tuple(colors.bytes_of(ground)))
  pen = ImageDraw.Draw(image)
  for _ in range(rng.integers(2, 9)):
    color = tuple(int(c) for c in colors.bytes_of(colors.draw_srgb(rng)))
    x, y = rng.uniform(-0.1, 0.9, 2) * _SIZE
    w, h = rng.uniform(0.1, 0.6, 2) * _SIZE
    kind = rng.integers(4)
    if kind == 0:
      pen.rectangle([x, y, x + w, y + h], fill=color)
    elif kind == 1:
      pen.ellipse([x, y, x + w, y + h], fill=color)
    elif kind == 2:
      pen.polygon([tuple(p) for p in rng.uniform(0, _SIZE, (3, 2))], fill=color)
    else:
      pen.line([x, y, x + 2 * w - h, y + h], fill=color, width=int(3 + w / 12))
  return np.asarray(image, np.uint8)


def clouds(rng: np.random.Generator) -> np.ndarray:
  """Flowing colours, as of a photo out of focus; sRGB uint8 [h, w, 3]."""
  first, second, third = (colors.draw_srgb(rng) for _ in range(3))
  picture = _mixed(patterns.noise(rng, 2.2) * 1.6 - 0.3, first, second)
  weight = np.clip(patterns.noise(rng, 1.8) * 2.4 - 0.9, 0, 1)[..., None]
  return colors.bytes_of(picture * (1 - weight) + third * weight)


def portrait(rng: np.random.Generator) -> np.ndarray:
  """A head and shoulders, roughly; sRGB uint8 [h, w, 3]."""
  image = Image.fromarray(clouds(rng))
  pen = ImageDraw.Draw(image)

  def blob(x, y, w, h, color):
    box = [s * _SIZE for s in (x - w / 2, y - h / 2, x + w / 2, y + h / 2)]
    pen.ellipse(box, fill=tuple(int(c) for c in colors.bytes_of(color)))

  skin = colors.draw_srgb(rng, 'wood') * 0.6 + [0.35, 0.25, 0.2]
  x, size = rng.uniform(0.4, 0.6), rng.uniform(0.2, 0.32)
  blob(x, 1.0, size * 2.6, 0.75, colors.draw_srgb(rng))
  blob(x, 0.38, size * 1.25, size * 1.6, colors.draw_srgb(rng, 'dark'))
  blob(x, 0.43, size, size * 1.35, skin)
  return np.asarray(image, np.uint8)


def page(rng: np.random.Generator) -> np.ndarray:
  """Lines of text and boxes: a screen, a poster; sRGB uint8 [h, w, 3]."""
  dark = rng.random() < 0.4
  paper = colors.draw_srgb(rng, 'dark' if dark else 'white')
  ink = colors.draw_srgb(rng, 'grey' if dark else 'dark')
  image = Image.new('RGB', (_SIZE, _SIZE), tuple(colors.bytes_of(paper)))
  pen = ImageDraw.Draw(image)
  ink = tuple(int(c) for c in colors.bytes_of(ink))
  left, y = rng.integers(8, 60), rng.integers(8, 40)
  while y < _SIZE - 12:
    if rng.random() < 0.12:
      color = tuple(int(c) for c in colors.bytes_of(colors.draw_srgb(rng)))
      deep = int(rng.integers(20, 70))
      pen.rectangle([left, y, _SIZE - left, y + deep], fill=color)
      y += deep + 8
    else:
      end = left + rng.uniform(0.4, 1) * (_SIZE - 2 * left)
      pen.rectangle([left, y, end, y + 3], fill=ink)
      y += 9
  return np.asarray(image, np.uint8)
