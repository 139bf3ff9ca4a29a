"""CAD meshes: read with checks, move, sample; units and frame of the file."""

import logging
import os
from typing import Any

import numpy as np
import trimesh

from mask2cad_tf.foreign import paths

_FORMATS = ('.obj', '.glb', '.gltf', '.ply', '.off')


class MeshError(ValueError):
  """A mesh file that cannot be used; the message names it and the remedy."""


def load(path: str, with_materials: bool = True) -> trimesh.Trimesh:
  """Reads a mesh file as one mesh; nodes of a scene keep their places.

  A single part keeps its texture; several parts keep their texture atlas, or
  one colour per face where no part has an image.

  Args:
    path: OBJ, GLB, GLTF, PLY or OFF file.
    with_materials: False reads no textures, which is many times faster.

  Returns:
    One mesh, vertices as stored (node transforms applied), CAD frame.

  Raises:
    MeshError: missing or unreadable file, no faces, vertices that are NaN or
      infinite, or no surface area.
  """
  check_path(path)
  scene = _read_scene(path, with_materials)
  mesh = _flatten(_triangle_parts(scene, path), path)
  if not mesh.area > 0:
    raise MeshError(
      f'{path!r} has no surface: its {len(mesh.faces)} faces have zero area. '
      'Export the CAD again.'
    )
  return mesh


def check_path(path: str) -> None:
  """Raises MeshError where there is no file, or of another format."""
  if not os.path.isfile(path):
    raise MeshError(
      f'No mesh at {path!r}. Check the CAD library: it must hold '
      '<class>/<shape>/*.{obj,glb,ply,off}.'
    )
  if os.path.splitext(path)[1].lower() not in _FORMATS:
    raise MeshError(
      f'{path!r} is not one of {", ".join(_FORMATS)}. Convert it first, '
      'for example with Blender.'
    )


def load_parts(path: str) -> list[trimesh.Trimesh]:
  """Reads a mesh file as one mesh per material, where it has materials.

  Args:
    path: OBJ, GLB, GLTF, PLY or OFF file.

  Returns:
    The meshes, node transforms applied, in the order of `load`'s faces.

  Raises:
    MeshError: as `load`.
  """
  check_path(path)
  return _triangle_parts(_read_scene(path, with_materials=True), path)


def sample_surface(
  mesh: trimesh.Trimesh, num_points: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
  """Draws points uniformly by area.

  Args:
    mesh: a mesh with surface area.
    num_points: n.
    seed: of the random generator; equal seeds give equal points.

  Returns:
    points [n, 3] in the mesh's frame and unit face normals [n, 3].
  """
  points, faces = trimesh.sample.sample_surface(mesh, num_points, seed=seed)
  return np.asarray(points), np.asarray(mesh.face_normals[faces])


def transform(
  mesh: trimesh.Trimesh,
  rotation: np.ndarray,
  translation: np.ndarray,
  scale: float = 1.0,
) -> trimesh.Trimesh:
  """A copy moved by X = R (scale v) + t.

  Args:
    mesh: vertices v.
    rotation: [3, 3].
    translation: [3], units of the result.
    scale: factor from the units of v to those of the result.

  Returns:
    The moved copy, with its visuals.
  """
  matrix = np.eye(4)
  matrix[:3, :3] = np.asarray(rotation, np.float64) * scale
  matrix[:3, 3] = translation
  return mesh.copy().apply_transform(matrix)


class _Beside(trimesh.resolvers.FilePathResolver):
  """What a mesh names: in or under its folder, whatever links say."""

  def get(self, name: str) -> bytes:
    name = name.strip().replace('\\', '/')
    for place in (name, name.rsplit('/', 1)[-1]):  # also of another machine
      path = os.path.join(self.parent, place)
      if paths.stays(self.parent, place) and os.path.isfile(path):
        with open(path, 'rb') as file:
          return file.read()
    raise FileNotFoundError(name)


def _read_scene(path: str, with_materials: bool) -> trimesh.Scene:
  try:
    # process=True would weld vertices and silently drop the NaN ones.
    return trimesh.load_scene(
      path,
      resolver=_Beside(path),
      process=False,
      skip_materials=not with_materials,
    )
  except Exception as error:  # The formats' readers raise anything.
    raise MeshError(
      f'{path!r} cannot be read as a mesh ({error}). Fetch or export the '
      'file again.'
    ) from error


def _triangle_parts(scene: trimesh.Scene, path: str) -> list[trimesh.Trimesh]:
  """The scene's triangle meshes, node transforms applied."""
  try:
    parts = [
      part
      for part in scene.dump()
      if isinstance(part, trimesh.Trimesh) and len(part.faces)
    ]
  except Exception as error:  # A graph of nodes may be anything, too.
    raise MeshError(
      f'{path!r} has nodes that cannot be placed ({error}). Export it again.'
    ) from error
  if not parts:
    raise MeshError(
      f'{path!r} has no faces (a point cloud or an empty file?). Export it '
      'with triangles.'
    )
  for part in parts:
    _check_arrays(part, path)
  return parts


def _flatten(parts: list[trimesh.Trimesh], path: str) -> trimesh.Trimesh:
  """Joins meshes."""
  if len(parts) == 1:
    return parts[0]
  if any(_has_image(part) for part in parts):
    try:
      joined: Any = trimesh.util.concatenate(parts)
      return joined
    except Exception as error:  # Atlas packing depends on the images.
      logging.warning(
        '%s: textures cannot be packed (%s); one colour per face is kept.',
        path,
        error,
      )
  colors = np.concatenate([_face_colors(part) for part in parts])
  offsets = np.cumsum([0] + [len(part.vertices) for part in parts[:-1]])
  return trimesh.Trimesh(
    np.concatenate([part.vertices for part in parts]),
    np.concatenate([p.faces + o for p, o in zip(parts, offsets)]),
    face_colors=colors,
    process=False,
  )


def _has_image(part: trimesh.Trimesh) -> bool:
  material = getattr(part.visual, 'material', None)
  return any(
    getattr(material, name, None) is not None
    for name in ('image', 'baseColorTexture')
  )


def _face_colors(part: trimesh.Trimesh) -> np.ndarray:
  """RGBA uint8 [faces, 4]: the part's own colours or its material's."""
  visual: Any = part.visual
  material = getattr(visual, 'material', None)
  if material is None:
    return np.asarray(visual.face_colors, np.uint8)
  color = np.asarray(material.main_color, np.uint8)
  return np.tile(color, (len(part.faces), 1))


def _check_arrays(mesh: trimesh.Trimesh, path: str) -> None:
  """The readers check neither: embree would read past the vertices' end."""
  vertices, faces = mesh.vertices, mesh.faces
  if vertices.ndim != 2 or vertices.shape[1] != 3 or faces.shape[1:] != (3,):
    raise MeshError(
      f'{path!r} has vertices of shape {list(vertices.shape)} and faces of '
      f'shape {list(faces.shape)}, not three numbers each. Export it again.'
    )
  if faces.min() < 0 or faces.max() >= len(vertices):
    raise MeshError(
      f'{path!r} has faces of vertices {faces.min()} to {faces.max()}, but '
      f'only {len(vertices)} vertices. Export it again.'
    )
  finite = np.isfinite(vertices).all(axis=1)
  if not finite.all():
    raise MeshError(
      f'{path!r} has {np.sum(~finite)} of {len(finite)} vertices that are '
      'NaN or infinite. Export the CAD again or remove them.'
    )
