"""Libraries of boxes and tables for the tests of arranging and composing."""

import os
from typing import Sequence

import numpy as np
import trimesh

from tfrecords_tools.synthesis import library as library_lib
from tfrecords_tools.synthesis import placement
from tfrecords_tools.synthesis import scene as scene_lib

# One or a few CADs of each class of the catalogue, small ones where possible.
CATALOGUE_CLASSES = ('bed', 'chair', 'desk', 'misc', 'sofa', 'table')


def box_mesh(*size: float) -> trimesh.Trimesh:
  """A box centred on the origin."""
  return trimesh.creation.box(size)


def table_mesh(
  width: float = 1.4, height: float = 0.75, depth: float = 0.8
) -> trimesh.Trimesh:
  """A top of 3 cm on four legs of 5 cm, centred on the origin."""
  pieces = [trimesh.creation.box((width, 0.03, depth))]
  pieces[0].apply_translation([0, 0.5 * height - 0.015, 0])
  for x in (-1, 1):
    for z in (-1, 1):
      leg = trimesh.creation.box((0.05, height - 0.03, 0.05))
      leg.apply_translation(
        [x * (0.5 * width - 0.05), -0.015, z * (0.5 * depth - 0.05)]
      )
      pieces.append(leg)
  return trimesh.util.concatenate(pieces)


def chair_mesh() -> trimesh.Trimesh:
  """A seat 45 cm high with a back at +z; the front is -z."""
  seat = trimesh.creation.box((0.42, 0.45, 0.42))
  seat.apply_translation([0, 0.225, 0])
  back = trimesh.creation.box((0.42, 0.45, 0.03))
  back.apply_translation([0, 0.675, 0.195])
  return trimesh.util.concatenate([seat, back])


def write(root: str, cad_id: str, mesh: trimesh.Trimesh) -> None:
  """Writes <root>/<class>/<shape>/model.ply."""
  folder = os.path.join(root, *cad_id.split('/'))
  os.makedirs(folder, exist_ok=True)
  mesh.export(os.path.join(folder, 'model.ply'))


def thing(
  root: str, cad_id: str, class_names: Sequence[str]
) -> placement.Thing:
  """One CAD of a library, in metres."""
  library = library_lib.Library(root, class_names)
  cad = {cad.cad_id: cad for cad in library.cads}[cad_id]
  return placement.Thing.draw(library, cad, np.random.default_rng(0))


def world_triangles(scene: scene_lib.Scene, index: int) -> np.ndarray:
  """The CAD triangles [m, 3, 3] of an object of a scene."""
  return np.concatenate(
    [
      part.vertices[part.faces]
      for part in scene.parts
      if part.owner == index and part.is_cad
    ]
  )
