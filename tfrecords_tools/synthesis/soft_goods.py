"""Soft goods where people put them: on beds, sofas, chairs and tables.

CADs come bare; in photos beds wear linen, and a detector that has never seen
any takes them for sofas.
"""

import dataclasses
from typing import Callable
from typing import Dict
from typing import List

import numpy as np

from tfrecords_tools.synthesis import bedding
from tfrecords_tools.synthesis import cushions
from tfrecords_tools.synthesis import height_field
from tfrecords_tools.synthesis import soft_good
from tfrecords_tools.synthesis import table_linen
from tfrecords_tools.synthesis import textures

SoftGood = soft_good.SoftGood

_LAYERS: Dict[str, Callable] = {
  'bed': bedding.lay,
  'chair': cushions.lay_on_chair,
  'desk': table_linen.lay,
  'sofa': cushions.lay_on_sofa,
  'table': table_linen.lay,
}
_TURNED = ('bed', 'sofa')  # whose head or back is looked for


def lay(
  rng: np.random.Generator,
  bank: textures.TextureBank,
  label_name: str,
  vertices: np.ndarray,
  faces: np.ndarray,
) -> List[SoftGood]:
  """Linen, cushions, throws for one piece of furniture.

  Args:
    rng: the source of randomness.
    bank: of textures.
    label_name: the furniture's class; most classes get nothing.
    vertices: [n, 3], metres, upright on y = 0, front towards -z.
    faces: int [m, 3].

  Returns:
    The goods, in the same frame; none where no flat surface is found.
  """
  if label_name not in _LAYERS or not len(faces):
    return []
  vertices = np.asarray(vertices, np.float64)
  # Beds may end with slats.
  bridged = 0.16 if label_name == 'bed' else 0.0
  field = height_field.HeightField(vertices, faces, bridged=bridged)
  turns = 0
  if label_name in _TURNED:
    turns = field.turns_of_highest_rim()
    if turns:
      field = height_field.HeightField(
        _turned(vertices, turns), faces, bridged=bridged
      )
  goods = _LAYERS[label_name](rng, bank, field)
  return [
    dataclasses.replace(g, vertices=_turned(g.vertices, -turns)) for g in goods
  ]


def _turned(vertices: np.ndarray, quarters: int) -> np.ndarray:
  """Vertices [n, 3] turned about y; one quarter takes +x to +z."""
  x, y, z = vertices.T
  for _ in range(quarters % 4):
    x, z = -z, x
  return np.ascontiguousarray(np.stack([x, y, z], axis=1))
