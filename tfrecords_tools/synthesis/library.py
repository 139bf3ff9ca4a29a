"""A CAD library as the synthesizer uses it: shapes, sizes, parts, materials."""

import dataclasses
import functools
import json
import os
from typing import Dict
from typing import List
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np
import trimesh

from mask2cad_tf.geometry import cad_folder
from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import ray_caster
from tfrecords_tools.synthesis import scene as scene_lib
from tfrecords_tools.synthesis import texture_filter

# Longest edges of ordinary furniture, and how low and high it is, metres: what
# CADs of arbitrary units are scaled to.
_SIZES = {
  'bed': (2.15, 0.35, 2.2),
  'bench': (1.3, 0.35, 1.0),
  'bin': (0.45, 0.2, 0.8),
  'bookcase': (1.8, 0.6, 2.4),
  'cabinet': (1.1, 0.4, 2.0),
  'chair': (0.95, 0.65, 1.25),
  'desk': (1.35, 0.68, 1.6),
  'display': (0.8, 0.3, 1.0),
  'misc': (0.6, 0.05, 1.9),
  'sofa': (2.1, 0.6, 1.1),
  'table': (1.25, 0.38, 1.0),
  'tool': (0.35, 0.01, 1.4),
  'wardrobe': (2.05, 1.3, 2.5),
}
_UNKNOWN_SIZE = (0.9, 0.05, 2.2)
_SIZE_SPREAD = 0.06  # of the logarithm; one in ten is off by more than 10 %
_PLAUSIBLE = (0.5, 1.7)  # of the longest edges above
_METRIC_SHARE = 0.75  # of CADs with plausible sizes: then units are metres
_NORMALISED = 0.01  # diagonals and edges this close to 1 or 2 were made so
_PROBED_CADS = 15  # of a library without a manifest
_CUT = 1.02  # times the box without stray pieces: that of a sound CAD
_STRAY = 1.5  # times the edges of its other variants
_STRAY_SHARE = 0.5  # of a manifest's measure, from which on a mesh is left out
_VARIANT_TRIES = 8
_SIBLINGS = 5
_CACHED_CADS = 512
_TEXTURE_SIDE = 256  # pixels; a CAD is rarely larger in a picture


@dataclasses.dataclass(frozen=True)
class LibraryCad:
  """One shape of the library."""

  cad_id: str  # '<class>/<shape>'
  label_name: str
  meshes: Tuple[str, ...]  # its variants, paths in the library
  scale: float  # metres per CAD unit; 0: arbitrary units


@dataclasses.dataclass(frozen=True, eq=False)
class CadGeometry:
  """A CAD's triangles by material, as stored in its file."""

  vertices: np.ndarray  # float32 [n, 3], CAD frame and units
  faces: np.ndarray  # int32 [m, 3]
  parts: List[Tuple[np.ndarray, Optional[np.ndarray], Optional[np.ndarray]]]
  # each: face indices, base colour (linear, [3]), texture (uint8 [h, w, 3])
  uv: Optional[np.ndarray]  # float32 [n, 2]; None where no part has any
  low: np.ndarray  # float64 [3], corner of the box that holds all but stray
  high: np.ndarray  # float64 [3]

  @property
  def base(self) -> np.ndarray:
    """Centre [3] of the bottom of its box, CAD units."""
    middle = 0.5 * (self.low + self.high)
    return np.array([middle[0], self.low[1], middle[2]])

  @functools.cached_property
  def caster(self) -> ray_caster.RayCaster:
    """Its triangles, CAD frame and units."""
    return ray_caster.RayCaster(self.vertices[self.faces])

  @functools.cached_property
  def is_sound(self) -> bool:
    """Is there no stray geometry far from all else?"""
    low, high = self.vertices.min(axis=0), self.vertices.max(axis=0)
    return bool((high - low <= _CUT * (self.high - self.low)).all())


class Library:
  """A folder of CADs."""

  def __init__(self, root: str, class_names: Sequence[str]):
    """Lists the CADs; loads none.

    Args:
      root: folder of tfrecords_tools.cad_library, or any CAD folder.
      class_names: the known classes.

    Raises:
      FileNotFoundError, ValueError: as `cad_folder.list_cads`.
    """
    self._root = root
    entries = cad_folder.list_cads(root, class_names)
    manifest = _manifest(root)
    default = 0.0 if manifest else self._guess_scale(entries)
    self.cads = tuple(
      LibraryCad(
        entry.cad_id,
        entry.label_name,
        _sound_meshes(entry, manifest.get(entry.cad_id)),
        float(manifest.get(entry.cad_id, {}).get('scale', default)),
      )
      for entry in entries
    )
    self.load = functools.lru_cache(maxsize=_CACHED_CADS)(self._load)
    self._usual_edges = functools.lru_cache(None)(self._median_edges)

  def by_class(self) -> Dict[str, List[LibraryCad]]:
    """The shapes of each class that has any."""
    found: Dict[str, List[LibraryCad]] = {}
    for cad in self.cads:
      found.setdefault(cad.label_name, []).append(cad)
    return found

  def draw_variant(
    self, cad: LibraryCad, rng: np.random.Generator
  ) -> Tuple[str, CadGeometry]:
    """One of a shape's meshes, without stray geometry, and what is in it.

    Args:
      cad: the shape.
      rng: source of randomness.

    Raises:
      Rejected: if none of the drawn variants is sound.
      meshes.MeshError: if a file cannot be read.
    """
    for _ in range(_VARIANT_TRIES):
      mesh = cad.meshes[rng.integers(len(cad.meshes))]
      geometry = self.load(mesh)
      edges = geometry.high - geometry.low
      if geometry.is_sound and (edges < _STRAY * self._usual_edges(cad)).all():
        return mesh, geometry
    raise scene_lib.Rejected(f'{cad.cad_id} has stray geometry')

  def draw_scale(
    self, cad: LibraryCad, geometry: CadGeometry, rng: np.random.Generator
  ) -> float:
    """Metres per unit: the library's, or such that its size is plausible."""
    if cad.scale > 0:
      return cad.scale
    longest, lowest, highest = _SIZES.get(cad.label_name, _UNKNOWN_SIZE)
    edges = geometry.high - geometry.low
    scale = longest * np.exp(_SIZE_SPREAD * rng.standard_normal()) / edges.max()
    return float(np.clip(scale, lowest / edges[1], highest / edges[1]))

  def _load(self, mesh: str) -> CadGeometry:
    return read_geometry(os.path.join(self._root, mesh))

  def _median_edges(self, cad: LibraryCad) -> np.ndarray:
    """Of some variants' boxes, [3]: a stray one does not change it."""
    last = len(cad.meshes) - 1
    picks = sorted(set(np.linspace(0, last, _SIBLINGS).round().astype(int)))
    boxes = [self.load(cad.meshes[pick]) for pick in picks]
    edges = np.median([box.high - box.low for box in boxes], axis=0)
    return edges + 0.05 * edges.max()  # of flat CADs, any thickness is fine

  def _guess_scale(self, entries) -> float:
    """1 where the library's sizes are plausible in metres, else 0."""
    picks = np.linspace(0, len(entries) - 1, _PROBED_CADS).round().astype(int)
    plausible, normalised = [], []
    for index in sorted(set(picks)):
      entry = entries[index]
      try:
        geometry = self._load(entry.mesh_paths[0])
      except meshes.MeshError:
        continue
      edges = geometry.high - geometry.low
      ratio = edges.max() / _SIZES.get(entry.label_name, _UNKNOWN_SIZE)[0]
      plausible.append(_PLAUSIBLE[0] <= ratio <= _PLAUSIBLE[1])
      units = np.array([edges.max(), np.linalg.norm(edges)])
      away = np.abs(units[:, np.newaxis] - [1.0, 2.0])
      normalised.append(away.min() < _NORMALISED)
    if not plausible or np.mean(normalised) >= 0.5:
      return 0.0
    return 1.0 if np.mean(plausible) >= _METRIC_SHARE else 0.0


def read_geometry(path: str) -> CadGeometry:
  """Reads a mesh file, its materials apart.

  Args:
    path: OBJ, GLB, PLY or OFF.

  Returns:
    The triangles.

  Raises:
    meshes.MeshError: as `meshes.load`.
  """
  parts, vertices, faces, coordinates = [], [], [], []
  num_vertices = num_faces = 0
  for piece in meshes.load_parts(path):
    uv = getattr(piece.visual, 'uv', None)
    texture = _texture(piece) if uv is not None else None
    indices = np.arange(num_faces, num_faces + len(piece.faces))
    parts.append((indices, _base_color(piece), texture))
    vertices.append(piece.vertices)
    faces.append(piece.faces + num_vertices)
    has_uv = uv is not None and len(uv) == len(piece.vertices)
    coordinates.append(uv if has_uv else np.zeros((len(piece.vertices), 2)))
    num_vertices += len(piece.vertices)
    num_faces += len(piece.faces)
  vertices = np.concatenate(vertices)
  faces = np.concatenate(faces)
  low, high = _robust_box(vertices, faces)
  textured = any(part[2] is not None for part in parts)
  return CadGeometry(
    vertices.astype(np.float32),
    faces.astype(np.int32),
    parts,
    np.concatenate(coordinates).astype(np.float32) if textured else None,
    low,
    high,
  )


def _base_color(piece: trimesh.Trimesh) -> Optional[np.ndarray]:
  """Linear colour [3]; None where the file gives none."""
  material = getattr(piece.visual, 'material', None)
  if isinstance(material, trimesh.visual.material.PBRMaterial):
    factor = material.baseColorFactor
    return None if factor is None else _to_unit(factor)
  if material is not None and material.diffuse is not None:
    return texture_filter.TO_LINEAR[np.asarray(material.diffuse[:3], np.uint8)]
  return None


def _to_unit(factor) -> np.ndarray:
  color = np.asarray(factor, np.float32)[:3]
  return color / 255.0 if color.max() > 1.0 else color


def _texture(piece: trimesh.Trimesh) -> Optional[np.ndarray]:
  material = getattr(piece.visual, 'material', None)
  image = getattr(material, 'baseColorTexture', None)
  image = getattr(material, 'image', None) if image is None else image
  if image is None:
    return None
  image = image.convert('RGB')
  image.thumbnail((_TEXTURE_SIDE, _TEXTURE_SIDE))
  return np.asarray(image, np.uint8)


def _robust_box(vertices, faces) -> Tuple[np.ndarray, np.ndarray]:
  """Box of all but the outermost of the surface: stray pieces fall out."""
  triangles = vertices[faces]
  centers = triangles.mean(axis=1)
  areas = np.linalg.norm(
    np.cross(
      triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    ),
    axis=1,
  )
  low, high = triangles.min(axis=(0, 1)), triangles.max(axis=(0, 1))
  for axis in range(3):
    order = np.argsort(centers[:, axis])
    share = np.cumsum(areas[order]) / areas.sum()
    middle = centers[order[np.searchsorted(share, 0.5)], axis]
    core = order[(share > 0.003) & (share < 0.997)]
    inner = triangles[core, :, axis]
    # Only what lies far out is stray: legs and tips are no outliers.
    reach = 2.0 * max(inner.max() - middle, middle - inner.min())
    low[axis] = max(low[axis], middle - reach)
    high[axis] = min(high[axis], middle + reach)
  return low, high


def _sound_meshes(entry, described: Optional[dict]) -> Tuple[str, ...]:
  """A shape's meshes but those that the manifest says have stray geometry."""
  if not described or not described.get('stray_geometry'):
    return entry.mesh_paths
  pairs = zip(described['meshes'], described['stray_geometry'])
  sound = tuple(mesh for mesh, share in pairs if share < _STRAY_SHARE)
  return sound or entry.mesh_paths


def _manifest(root: str) -> Dict[str, dict]:
  path = os.path.join(root, 'manifest.json')
  if not os.path.exists(path):
    return {}
  with open(path, encoding='utf-8') as file:
    return {entry['id']: entry for entry in json.load(file)['cads']}
