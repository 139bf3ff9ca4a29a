"""What stands behind an object where no room does: paper or a photo."""

import numpy as np

from mask2cad_tf.foreign import pictures

PICTURES = ('.jpg', '.jpeg', '.png', '.webp')
_ZOOM = (1.0, 1.5)  # of photos, beyond filling the picture
_WHITE = 0.5  # share of shop photos on plain white
_GRADED = 0.3  # share of the others whose paper grows darker somewhere


def read_photo(
  path: str, height: int, width: int, rng: np.random.Generator
) -> np.ndarray:
  """A random crop of a photo that fills a picture.

  Args:
    path: the photo.
    height: pixels.
    width: pixels.
    rng: source of randomness.

  Returns:
    uint8 [height, width, 3], sRGB.

  Raises:
    ValueError: if the file is no picture.
  """
  try:
    with pictures.opened(path) as file:
      image = file.convert('RGB')
  except (OSError, ValueError) as error:
    raise ValueError(
      f'{path!r} cannot be read as a picture ({error}). Remove it from the '
      'folder of backgrounds.'
    ) from error
  zoom = max(height / image.height, width / image.width) * rng.uniform(*_ZOOM)
  size = (round(image.width * zoom), round(image.height * zoom))
  image = image.resize((max(size[0], width), max(size[1], height)))
  left = int(rng.integers(image.width - width + 1))
  top = int(rng.integers(image.height - height + 1))
  box = (left, top, left + width, top + height)
  return np.asarray(image.crop(box), np.uint8)


def paper(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
  """A shop's backdrop: white, grey or tinted, sometimes with a gradient.

  Args:
    height: pixels.
    width: pixels.
    rng: source of randomness.

  Returns:
    float32 [3], linear, or uint8 [height, width, 3], sRGB.
  """
  if rng.random() < _WHITE:
    return np.ones(3, np.float32)
  tint = 1.0 + 0.05 * rng.standard_normal(3) * (rng.random() < 0.5)
  color = np.clip(rng.uniform(0.35, 0.95) * tint, 0.0, 1.0)
  if rng.random() > _GRADED:
    return color.astype(np.float32)
  rows = np.linspace(-1.0, 1.0, height)[:, np.newaxis]
  columns = np.linspace(-1.0, 1.0, width)
  if rng.random() < 0.5:
    shade = 0.5 * (rows + 1.0) + 0.0 * columns
  else:
    shade = 0.5 * (rows**2 + columns**2)
  light = 1.0 - rng.uniform(0.1, 0.4) * shade
  # Half of the gamma's way is near enough for paper.
  srgb = (color * light[..., np.newaxis]) ** (1.0 / 2.2)
  return np.round(255.0 * srgb).astype(np.uint8)
