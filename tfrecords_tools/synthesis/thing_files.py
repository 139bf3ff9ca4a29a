"""A folder of small things as meshes: metres, +y up, front towards -z."""

import functools
import os
from typing import Tuple

import numpy as np

from tfrecords_tools.synthesis import colors
from tfrecords_tools.synthesis import library
from tfrecords_tools.synthesis import scene
from tfrecords_tools.synthesis import soft_good

_FORMATS = ('.glb', '.obj', '.off', '.ply')
_MAX_OPEN = 128  # meshes kept in memory
_UNKNOWN = 0.4  # grey of a part without a colour
_SMOOTH = 200  # triangles of a part from which on it is taken for round


def listed(folder: str) -> Tuple[str, ...]:
  """The mesh files below a folder, sorted.

  Raises:
    FileNotFoundError: no such folder.
    ValueError: there are no meshes in it.
  """
  if not os.path.isdir(folder):
    raise FileNotFoundError(
      f'No folder of small things at {folder!r}: make one with `python -m '
      'tfrecords_tools.cad_library --clutter_dir=...`, or leave the flag out.'
    )
  paths = [
    os.path.join(root, name)
    for root, _, names in os.walk(folder)
    for name in names
    if name.lower().endswith(_FORMATS)
  ]
  if not paths:
    raise ValueError(
      f'No meshes ({", ".join(_FORMATS)}) below {folder!r}: add some, or leave '
      'the flag out.'
    )
  return tuple(sorted(paths))


@functools.lru_cache(maxsize=_MAX_OPEN)
def load(path: str) -> Tuple[soft_good.SoftGood, ...]:
  """A file's parts, centred over the origin, standing on y = 0.

  Raises:
    meshes.MeshError: the file cannot be used.
  """
  geometry = library.read_geometry(path)
  used = geometry.vertices[geometry.faces]
  low, high = used.min(axis=(0, 1)), used.max(axis=(0, 1))
  foot = np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2])
  pieces = []
  for indices, base, texture in geometry.parts:
    corners, faces = np.unique(geometry.faces[indices], return_inverse=True)
    color = np.full(3, 1.0 if texture is not None else _UNKNOWN)
    if base is not None:
      color = np.clip(base, 0, colors.MAX_ALBEDO)
    pieces.append(
      soft_good.make(
        geometry.vertices[corners] - foot,
        faces.reshape(-1, 3),
        scene.Material(color.astype(np.float32), texture, roughness=0.5),
        len(indices) > _SMOOTH,
        None if texture is None else geometry.uv[corners],
      )
    )
  return tuple(pieces)
