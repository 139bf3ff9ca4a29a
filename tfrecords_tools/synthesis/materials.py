"""Random materials, and CADs dressed in them or in their own."""

from typing import Dict
from typing import List
from typing import NamedTuple
from typing import Optional
from typing import Tuple

import numpy as np

from tfrecords_tools.synthesis import colors
from tfrecords_tools.synthesis import mesh_groups
from tfrecords_tools.synthesis import scene
from tfrecords_tools.synthesis import textures


class _Recipe(NamedTuple):
  """How the materials of a kind are drawn."""

  families: Dict[str, float]  # colour families, weights
  textures: Dict[str, float]  # kinds of textures, weights; '': plain
  tile: Tuple[float, float]  # metres
  roughness: Tuple[float, float]
  specular: Tuple[float, float]


_CLOTH = {'white': 3, 'grey': 3, 'dark': 2, 'muted': 3, 'saturated': 1.5}
_BODY = {'white': 4, 'grey': 2, 'dark': 2, 'muted': 1, 'saturated': 1}
_PLAIN = {'': 1.0}
_RECIPES = {
  'wood': _Recipe(
    {'wood': 1}, {'wood': 8, '': 1}, (0.4, 1.6), (0.25, 0.8), (0.1, 0.4)
  ),
  'fabric': _Recipe(
    _CLOTH, {'fabric': 6, '': 4}, (0.15, 0.6), (0.85, 1.0), (0.0, 0.08)
  ),
  'linen': _Recipe(
    {'white': 5, 'grey': 2, 'muted': 3, 'dark': 3, 'saturated': 1.5},
    {'': 5, 'fabric': 5},
    (0.2, 0.9),
    (0.9, 1.0),
    (0.0, 0.05),
  ),
  'leather': _Recipe(
    {'wood': 3, 'dark': 4, 'white': 2, 'saturated': 1, 'grey': 1},
    _PLAIN,
    (1, 1),
    (0.3, 0.55),
    (0.2, 0.5),
  ),
  'metal': _Recipe(
    {'grey': 6, 'white': 1, 'dark': 2}, _PLAIN, (1, 1), (0.12, 0.5), (0.4, 0.9)
  ),
  'plastic': _Recipe(_BODY, _PLAIN, (1, 1), (0.15, 0.6), (0.2, 0.5)),
  'paint': _Recipe(
    _BODY, {'': 6, 'wall': 1}, (0.8, 2.0), (0.3, 0.8), (0.05, 0.35)
  ),
  'stone': _Recipe(
    {'white': 3, 'grey': 1}, {'stone': 1}, (0.5, 1.5), (0.15, 0.6), (0.1, 0.5)
  ),
  'floor': _Recipe(
    {'white': 1}, {'floor': 10, 'stone': 1}, (0.9, 2.2), (0.3, 1.0), (0.0, 0.4)
  ),
  'wall': _Recipe(
    {'white': 6, 'muted': 2.5, 'grey': 1.5, 'saturated': 0.25, 'dark': 0.2},
    {'': 5, 'wall': 4},
    (0.5, 2.0),
    (0.8, 1.0),
    (0.0, 0.1),
  ),
}
KINDS = (*_RECIPES, 'any')
_ANY = {
  'paint': 5, 'wood': 5, 'fabric': 3, 'plastic': 2, 'leather': 1, 'metal': 1,
  'stone': 0.5,
}  # fmt: skip

# What the largest and the other parts of the classes are made of.
_HARD = {'wood': 6, 'paint': 4, 'plastic': 0.5, 'metal': 0.3, 'stone': 0.3}
_MAKE: Dict[str, Dict[str, float]] = {
  'bed': {'wood': 4, 'paint': 3, 'fabric': 3, 'leather': 0.7},
  'bookcase': _HARD,
  'cabinet': _HARD,
  'chair': {'wood': 4, 'fabric': 3, 'plastic': 2, 'leather': 2, 'paint': 2},
  'desk': _HARD,
  'sofa': {'fabric': 7, 'leather': 3},
  'table': {**_HARD, 'metal': 1, 'stone': 1},
  'wardrobe': _HARD,
}
_TRIM = {'wood': 4, 'paint': 3, 'metal': 3, 'plastic': 1.5, 'fabric': 1}

_KEEP_OWN = 0.5  # how often CADs keep their own colours and textures
_ODD = 0.1  # how often a part is made of anything at all
_MAX_MATERIALS = 4  # of a redressed CAD

Dress = List[Tuple[np.ndarray, scene.Material, bool]]


def draw(
  rng: np.random.Generator, bank: textures.TextureBank, kind: str = 'any'
) -> scene.Material:
  """A random material.

  Args:
    rng: the source of randomness.
    bank: of textures.
    kind: one of `KINDS`: 'wood', 'fabric', 'linen', 'leather', 'metal',
      'plastic', 'paint', 'stone', 'floor', 'wall' or 'any'.

  Returns:
    The material; colours are linear, at most .9.

  Raises:
    ValueError: an unknown kind.
  """
  if kind not in KINDS:
    raise ValueError(f'No materials of kind {kind!r}; there are {KINDS}.')
  if kind == 'any':
    kind = colors.pick(rng, _ANY)
  recipe = _RECIPES[kind]
  color = colors.draw(rng, colors.pick(rng, recipe.families))
  texture_kind = colors.pick(rng, recipe.textures)
  texture = bank.draw(rng, texture_kind) if texture_kind else None
  if texture is not None and not _is_neutral(texture):
    color = _pale(rng)  # the texture brings the colour
  return scene.Material(
    color=color,
    texture=texture,
    texture_size=float(np.exp(rng.uniform(*np.log(recipe.tile)))),
    roughness=float(rng.uniform(*recipe.roughness)),
    specular=float(rng.uniform(*recipe.specular)),
    metallic=float(kind == 'metal'),
  )


def plain(
  rng: np.random.Generator,
  color: np.ndarray,
  roughness: float = 0.6,
  specular: float = 0.2,
  emission: float = 0.0,
  texture: Optional[np.ndarray] = None,
) -> scene.Material:
  """A material of a given linear colour [3]; roughness varies a little."""
  return scene.Material(
    color=np.clip(color, 0, colors.MAX_ALBEDO).astype(np.float32),
    texture=texture,
    roughness=float(np.clip(roughness + rng.normal(0, 0.05), 0.05, 1)),
    specular=specular,
    emission=emission,
  )


def dress(
  rng: np.random.Generator,
  bank: textures.TextureBank,
  geometry,
  label_name: str,
) -> Dress:
  """Materials for a CAD: its own about half of the time, else random ones.

  Args:
    rng: the source of randomness.
    bank: of textures.
    geometry: a `library.CadGeometry`: vertices, faces, parts and uv.
    label_name: the CAD's class, which decides what it is likely made of.

  Returns:
    (face indices int [k], material, whether the CAD's uv are meant) triples;
    every face is in exactly one.
  """
  colored = [p for p in geometry.parts if p[1] is not None or p[2] is not None]
  if colored and rng.random() < _KEEP_OWN:
    return _own(rng, geometry)
  if len(geometry.parts) > 1:
    groups = [np.asarray(part[0]) for part in geometry.parts]
  else:
    groups = mesh_groups.split(rng, geometry.vertices, geometry.faces)
  sizes = mesh_groups.areas(geometry.vertices, geometry.faces, groups)
  return _random(rng, bank, label_name, groups, sizes, len(geometry.faces))


def _own(rng: np.random.Generator, geometry) -> Dress:
  """The CAD's own looks, a little brighter or darker."""
  light = np.exp(rng.normal(0, 0.08))
  dressed = []
  for faces, base, texture in geometry.parts:
    color = np.ones(3) if base is None else np.asarray(base)[:3]
    if base is None and texture is None:
      color = colors.draw(rng)
    if texture is not None:
      texture = np.asarray(texture)[..., :3]
    material = plain(
      rng, color * light, rng.uniform(0.3, 0.9), rng.uniform(0, 0.3),
      texture=texture,
    )  # fmt: skip
    use_uv = texture is not None and geometry.uv is not None
    dressed.append((np.asarray(faces), material, use_uv))
  rest = _missing([d[0] for d in dressed], len(geometry.faces))
  if len(rest):
    dressed.append((rest, plain(rng, colors.draw(rng)), False))
  return dressed


def _random(
  rng: np.random.Generator,
  bank: textures.TextureBank,
  label_name: str,
  groups: List[np.ndarray],
  sizes: np.ndarray,
  num_faces: int,
) -> Dress:
  """One material for the largest group, a few for all the others."""
  order = np.argsort(-sizes, kind='stable')
  body = _MAKE.get(label_name, _ANY)
  palette = [draw(rng, bank, _kind(rng, body))]
  for _ in range(int(rng.integers(0, _MAX_MATERIALS))):
    palette.append(draw(rng, bank, _kind(rng, _TRIM)))
  chosen = rng.integers(0, len(palette), len(groups))
  chosen[order[0]] = 0
  # Groups of nearly the same size are most likely the same kind of part.
  for before, after in zip(order, order[1:]):
    if abs(sizes[after] - sizes[before]) < 0.01 * max(sizes[before], 1e-12):
      chosen[after] = chosen[before]
  dressed = []
  for number, material in enumerate(palette):
    faces = [np.asarray(g) for g, c in zip(groups, chosen) if c == number]
    if number == 0:
      faces.append(_missing(groups, num_faces))
    if faces:
      dressed.append((np.concatenate(faces).astype(int), material, False))
  return dressed


def _kind(rng: np.random.Generator, odds: Dict[str, float]) -> str:
  return colors.pick(rng, _ANY if rng.random() < _ODD else odds)


def _pale(rng: np.random.Generator) -> np.ndarray:
  """Nearly white: tints a texture that has its own colours."""
  return (rng.uniform(0.75, 0.9) * rng.uniform(0.96, 1, 3)).astype(np.float32)


def _is_neutral(texture: np.ndarray) -> bool:
  """Is it light and without colour, so that a material's colour tints it?"""
  sparse = texture[::8, ::8].astype(float)
  return bool(sparse.mean() > 140 and np.ptp(sparse, axis=-1).max() < 6)


def _missing(groups: List[np.ndarray], num_faces: int) -> np.ndarray:
  """Faces that are in no group, int [k]."""
  seen = np.zeros(num_faces, bool)
  for faces in groups:
    seen[faces] = True
  return np.flatnonzero(~seen)
