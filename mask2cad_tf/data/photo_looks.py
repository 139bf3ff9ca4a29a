"""A synthetic photo as other cameras and editors would have made it."""

import numpy as np
from PIL import Image
from PIL import ImageFilter

# Standard deviations, and ranges of uniform variables.
_MIXING = 0.08  # of each entry of the colour matrix
_GAMMA = 0.45  # of its logarithm, uniform both ways
_GAIN = 0.3
_SATURATION = (0.0, 1.8)
_BLUR = (0.3, 1.2)  # pixels
_SHARPEN = (30, 200)  # percent
_NOISE = 0.03


def change(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """Another look: colours, tone curve, sharpness, noise. Nothing moves.

  Args:
    image: uint8 [H, W, 3].
    rng: says which look.

  Returns:
    uint8 [H, W, 3].
  """
  picture = Image.fromarray(image)
  if rng.random() < 0.5:
    picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(*_BLUR)))
  else:
    amount = int(rng.uniform(*_SHARPEN))
    picture = picture.filter(ImageFilter.UnsharpMask(1, amount, 0))
  values = np.asarray(picture, np.float32) / 255.0
  matrix = np.eye(3) + rng.normal(0.0, _MIXING, [3, 3])
  matrix /= matrix.sum(axis=1, keepdims=True)  # white stays white
  grey = np.full([3, 3], 1.0 / 3.0)
  saturation = rng.uniform(*_SATURATION)
  matrix = (saturation * np.eye(3) + (1.0 - saturation) * grey) @ matrix
  values = np.clip(values @ matrix.T.astype(np.float32), 0.0, 1.0)
  gamma, gain = np.exp(rng.uniform(-1.0, 1.0, 2) * [_GAMMA, _GAIN])
  values = gain * values**gamma
  values += rng.normal(0.0, rng.uniform(0.0, _NOISE), values.shape)
  return (255.0 * np.clip(values, 0.0, 1.0) + 0.5).astype(np.uint8)
