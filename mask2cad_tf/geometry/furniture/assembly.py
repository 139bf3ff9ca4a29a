"""Parts with materials, put together into one CAD model."""

import io
from typing import Dict
from typing import List
from typing import Tuple

import numpy as np
import trimesh
from scipy import sparse

from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import shapes

# Designs are drawn with their front to +z; finished models face -z, as Pix3D's
# do: half a turn about +y.
_HALF_TURN = np.array([-1.0, 1.0, -1.0])
_CREASE_COSINE = np.cos(np.radians(65))  # sharper edges are shaded flat


class Assembly:
  """A model under construction, standing anywhere."""

  def __init__(self) -> None:
    self._parts: Dict[materials.Material, List[shapes.Shape]] = {}

  def add(self, material: materials.Material, *parts: shapes.Shape) -> None:
    """Adds shapes of one material."""
    for part in parts:
      self._parts.setdefault(material, []).append(part)

  def turn(self, axis: str, degrees: float) -> None:
    """Turns everything added so far about the origin."""
    for material, parts in self._parts.items():
      self._parts[material] = [
        shapes.rotated(part, axis, degrees) for part in parts
      ]

  def parts_in_place(self) -> List[Tuple[materials.Material, shapes.Shape]]:
    """One shape a material, in order of appearance, where it was built."""
    return [(m, shapes.joined(*parts)) for m, parts in self._parts.items()]

  def parts(self) -> List[Tuple[materials.Material, shapes.Shape]]:
    """One shape a material, in order of appearance, centred, facing -z.

    Returns:
      (material, shape) pairs; the whole's bounding box is centred at the
      origin. Coordinates are float32 values, so that a file keeps them.
    """
    merged = self.parts_in_place()
    points = np.concatenate([shape.vertices for _, shape in merged])
    middle = (points.min(0) + points.max(0)) / 2
    return [
      (
        m,
        shapes.Shape(
          (_HALF_TURN * (shape.vertices - middle))
          .astype(np.float32)
          .astype(float),
          shape.faces,
        ),
      )
      for m, shape in merged
    ]

  def to_mesh(self) -> trimesh.Trimesh:
    """One mesh with face colours (linear RGBA)."""
    parts = self.parts()
    whole = shapes.joined(*[shape for _, shape in parts])
    colors = np.concatenate(
      [
        np.tile(np.array(m.color, np.uint8), (len(shape.faces), 1))
        for m, shape in parts
      ]
    )
    return trimesh.Trimesh(
      whole.vertices, whole.faces, face_colors=colors, process=False
    )

  def to_glb(self) -> bytes:
    """GLB bytes: one node a material, named and smoothly shaded."""
    scene = trimesh.Scene()
    for material, shape in self.parts():
      vertices, normals, faces = _shaded(shape)
      look = trimesh.visual.material.PBRMaterial(
        name=material.name,
        baseColorFactor=np.array(material.color, np.uint8),
        metallicFactor=material.metallic,
        roughnessFactor=material.roughness,
      )
      mesh = trimesh.Trimesh(
        vertices,
        faces,
        vertex_normals=normals,
        process=False,
        visual=trimesh.visual.TextureVisuals(material=look),
      )
      scene.add_geometry(mesh, node_name=material.name, geom_name=material.name)
    stream = io.BytesIO()
    scene.export(stream, file_type='glb', include_normals=True)
    return stream.getvalue()


def _shaded(shape: shapes.Shape) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Vertices split where edges are sharp, their normals and the faces."""
  vertices, faces = shape
  corners = vertices[faces]  # [f, 3, 3]
  ahead = np.roll(corners, -1, axis=1) - corners
  behind = np.roll(corners, 1, axis=1) - corners
  cross = np.cross(ahead[:, 0], behind[:, 0])  # twice the area, outwards
  area = np.linalg.norm(cross, axis=1, keepdims=True)
  unit = (cross / area)[np.arange(len(faces)).repeat(3)]  # a row per corner
  angle = np.arctan2(area, np.sum(ahead * behind, axis=-1))  # [f, 3]
  weighted = unit * (area * angle).reshape(-1, 1)
  corner = faces.reshape(-1)
  touch = sparse.csr_matrix(
    (np.ones(len(corner)), (np.arange(len(corner)), corner)),
    shape=(len(corner), len(vertices)),
  )
  near = (touch @ touch.T).tocoo()  # pairs of corners at one vertex
  smooth = (unit[near.row] * unit[near.col]).sum(1) > _CREASE_COSINE
  blend = sparse.csr_matrix(
    (np.ones(smooth.sum()), (near.row[smooth], near.col[smooth])),
    shape=near.shape,
  )
  normals = blend @ weighted
  normals /= np.linalg.norm(normals, axis=1, keepdims=True)
  key = np.concatenate([corner[:, None], np.round(normals * 1e4)], axis=1)
  _, chosen, inverse = np.unique(
    key, axis=0, return_index=True, return_inverse=True
  )
  return (vertices[corner[chosen]], normals[chosen], inverse.reshape(-1, 3))
