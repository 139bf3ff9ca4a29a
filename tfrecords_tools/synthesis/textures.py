"""The synthesizer's textures: a procedural bank and the user's own images."""

import functools
import os
from typing import Callable
from typing import Dict
from typing import Tuple

import numpy as np
from PIL import Image

from tfrecords_tools.synthesis import patterns
from tfrecords_tools.synthesis import pictures
from tfrecords_tools.synthesis import surface_textures

_SEED = 20  # of the bank; every process makes the same one
_FORMATS = ('.jpg', '.jpeg', '.png', '.webp', '.bmp')
_USERS_SHARE = 0.5  # of the draws, where the user has images of the kind
_MAX_OPEN = 64  # the user's images kept in memory: 12 MiB

# Kind -> makers and how many of each.
_RECIPES: Dict[str, Tuple[Tuple[Callable, int], ...]] = {
  'wood': ((surface_textures.wood, 16),),
  'fabric': (
    (surface_textures.neutral_fabric, 10),
    (surface_textures.patterned_fabric, 14),
  ),
  'floor': (
    (surface_textures.planks, 9),
    (surface_textures.floor_tiles, 6),
    (surface_textures.carpet, 5),
    (surface_textures.concrete, 2),
  ),
  'wall': (
    (surface_textures.plaster, 6),
    (surface_textures.wallpaper, 8),
    (surface_textures.bricks, 2),
  ),
  'picture': (
    (pictures.landscape, 5),
    (pictures.abstract, 6),
    (pictures.clouds, 3),
    (pictures.portrait, 2),
    (pictures.page, 2),
  ),
  'stone': (
    (surface_textures.marble, 5),
    (surface_textures.terrazzo, 3),
    (surface_textures.concrete, 2),
  ),
  'rug': ((surface_textures.rug, 8),),
  'outside': ((pictures.view, 3),),
  'screen': ((pictures.page, 4), (pictures.clouds, 2)),
}
KINDS = (*_RECIPES, 'any')
_UNSORTED = ('floor', 'wall', 'fabric')  # of images in no kind's folder


@functools.cache
def _procedural() -> Dict[str, Tuple[np.ndarray, ...]]:
  """Kind -> textures, made once a process."""
  bank = {}
  for number, (kind, makers) in enumerate(_RECIPES.items()):
    rng = np.random.default_rng([_SEED, number])
    bank[kind] = tuple(
      make(rng) for make, count in makers for _ in range(count)
    )
  bank['any'] = tuple(texture for kind in _RECIPES for texture in bank[kind])
  for texture in bank['any']:
    texture.setflags(write=False)
  return bank


@functools.lru_cache(maxsize=_MAX_OPEN)
def _read(path: str) -> np.ndarray:
  """The middle of an image file as a texture."""
  try:
    with Image.open(path) as file:
      image = file.convert('RGB')
  except OSError as error:
    raise ValueError(
      f'The texture {path!r} cannot be read ({error}): remove it from the '
      'folder or save it again as JPEG or PNG.'
    ) from error
  side = min(image.size)
  left, top = ((length - side) // 2 for length in image.size)
  square = image.crop((left, top, left + side, top + side))
  size = (patterns.SIZE, patterns.SIZE)
  texture = np.array(square.resize(size, Image.Resampling.LANCZOS), np.uint8)
  texture.setflags(write=False)
  return texture


class TextureBank:
  """Random textures by kind; cheap to make, to pickle and to send around."""

  def __init__(self, folder: str = ''):
    """Lists the user's images.

    Args:
      folder: of images, at any depth; those in a subfolder that is called as a
        kind are only of this kind, the others are floors, walls and fabrics.
        '' for none.

    Raises:
      FileNotFoundError: no such folder.
      ValueError: there are no images in it.
    """
    self._paths = {kind: [] for kind in KINDS}
    if not folder:
      return
    if not os.path.isdir(folder):
      raise FileNotFoundError(
        f'No folder of textures at {folder!r}: give a folder of images, or '
        'leave the flag out.'
      )
    for root, folders, names in os.walk(folder):
      folders.sort()
      kinds = set(os.path.relpath(root, folder).split(os.sep)) & set(_RECIPES)
      for name in sorted(names):
        if name.lower().endswith(_FORMATS):
          for kind in (*(kinds or _UNSORTED), 'any'):
            self._paths[kind].append(os.path.join(root, name))
    if not self._paths['any']:
      raise ValueError(
        f'No images ({", ".join(_FORMATS)}) in the folder of textures '
        f'{folder!r}: add some, or leave the flag out.'
      )

  def draw(self, rng: np.random.Generator, kind: str = 'any') -> np.ndarray:
    """A random texture.

    Args:
      rng: the source of randomness.
      kind: one of `KINDS`: 'wood', 'fabric', 'floor', 'wall', 'picture',
        'stone', 'rug', 'outside', 'screen' or 'any'.

    Returns:
      sRGB uint8 [256, 256, 3], read-only.

    Raises:
      ValueError: an unknown kind, or an image that cannot be read.
    """
    if kind not in self._paths:
      raise ValueError(f'No textures of kind {kind!r}; there are {KINDS}.')
    paths = self._paths[kind]
    if paths and rng.random() < _USERS_SHARE:
      return _read(paths[rng.integers(len(paths))])
    textures = _procedural()[kind]
    return textures[rng.integers(len(textures))]
