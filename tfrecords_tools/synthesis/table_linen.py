"""Tablecloths and runners."""

from typing import List

import numpy as np

from tfrecords_tools.synthesis import draping
from tfrecords_tools.synthesis import height_field
from tfrecords_tools.synthesis import materials
from tfrecords_tools.synthesis import soft_good
from tfrecords_tools.synthesis import textures

_CLOTHS = 0.08  # how often tables have one


def lay(
  rng: np.random.Generator,
  bank: textures.TextureBank,
  field: height_field.HeightField,
) -> List[soft_good.SoftGood]:
  """Sometimes a cloth over the whole table or a strip of it."""
  if rng.random() > _CLOTHS:
    return []
  region = field.level_region(0.3, 1.0, smallest=0.35)
  if region is None or field.top > region.level + 0.1:
    return []  # nothing to lay on, or a hutch stands on it
  half = np.array([np.ptp(region.x), np.ptp(region.z)]) / 2
  reach = half + min(rng.uniform(0.05, 0.3), 0.6 * region.level)
  if rng.random() < 0.45:  # a runner
    reach[1] = rng.uniform(0.14, 0.22)
  shape = draping.sheet(
    rng,
    field,
    (np.mean(region.x), np.mean(region.z)),
    (-reach[0], reach[0]),
    (-reach[1], reach[1]),
    0.002,
    (36, 34),
    rng.normal(0, 0.03),
  )
  return [soft_good.make(*shape, materials.draw(rng, bank, 'linen'))]
