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
from tfrecords_tools.synthesis import surfaces

# Box diagonals of ordinary furniture, metres: what CADs of arbitrary units are
# scaled to.
_DIAGONALS = {
  'bed': 2.5,
  'bookcase': 2.0,
  'chair': 1.15,
  'desk': 1.7,
  'misc': 0.6,
  'sofa': 2.2,
  'table': 1.6,
  'tool': 0.4,
  'wardrobe': 2.4,
}
_UNKNOWN_DIAGONAL = 1.0
_PLAUSIBLE = (0.4, 1.6)  # of the diagonal above: then units are metres
_PROBED_CADS = 15  # of a library without a manifest
_CACHED_CADS = 192
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
        tuple(manifest.get(entry.cad_id, {}).get('sound') or entry.mesh_paths),
        float(manifest.get(entry.cad_id, {}).get('scale', default)),
      )
      for entry in entries
    )
    self.load = functools.lru_cache(maxsize=_CACHED_CADS)(self._load)

  def by_class(self) -> Dict[str, List[LibraryCad]]:
    """The shapes of each class that has any."""
    found: Dict[str, List[LibraryCad]] = {}
    for cad in self.cads:
      found.setdefault(cad.label_name, []).append(cad)
    return found

  def draw_scale(
    self, cad: LibraryCad, geometry: CadGeometry, rng: np.random.Generator
  ) -> float:
    """Metres per unit: the library's, or such that its size is plausible."""
    if cad.scale > 0:
      return cad.scale
    typical = _DIAGONALS.get(cad.label_name, _UNKNOWN_DIAGONAL)
    diagonal = np.linalg.norm(geometry.high - geometry.low)
    return float(typical * np.exp(0.08 * rng.standard_normal()) / diagonal)

  def _load(self, mesh: str) -> CadGeometry:
    return read_geometry(os.path.join(self._root, mesh))

  def _guess_scale(self, entries) -> float:
    """1 where the library's sizes are plausible in metres, else 0."""
    picks = np.linspace(0, len(entries) - 1, _PROBED_CADS).round().astype(int)
    ratios = []
    for index in sorted(set(picks)):
      entry = entries[index]
      try:
        geometry = self._load(entry.mesh_paths[0])
      except meshes.MeshError:
        continue
      typical = _DIAGONALS.get(entry.label_name, _UNKNOWN_DIAGONAL)
      ratios.append(np.linalg.norm(geometry.high - geometry.low) / typical)
    metric = ratios and _PLAUSIBLE[0] <= np.median(ratios) <= _PLAUSIBLE[1]
    spread = ratios and max(ratios) < 4.0 * np.median(ratios)
    return 1.0 if metric and spread else 0.0


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
    return surfaces.TO_LINEAR[np.asarray(material.diffuse[:3], np.uint8)]
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


def _manifest(root: str) -> Dict[str, dict]:
  path = os.path.join(root, 'manifest.json')
  if not os.path.exists(path):
    return {}
  with open(path, encoding='utf-8') as file:
    return {entry['id']: entry for entry in json.load(file)['cads']}
