"""Puts the objects of a scene on one ground plane; their pictures stay."""

import dataclasses
from typing import List
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np

from mask2cad_tf import conventions
from mask2cad_tf.geometry import ground_plane
from mask2cad_tf.scene import assemble
from mask2cad_tf.scene import cad_meshes

_LEAST_WEIGHT = 1e-6  # of an object that scores nothing


def put_on_ground(
  objects: Sequence[assemble.SceneObject], cads: cad_meshes.CadMeshes
) -> Tuple[List[assemble.SceneObject], Optional[ground_plane.Plane]]:
  """Scales objects about the camera so that they stand on one plane.

  The plane comes from the best hypotheses, weighted by score; every hypothesis
  then gets its own scale. Left alone is what has its depth given, is of a class
  in conventions.OFF_THE_FLOOR, or does not stand on the plane
  (`ground_plane.scale_onto`).

  Args:
    objects: of one photo, not yet scaled.
    cads: their meshes.

  Returns:
    The objects, `ground` said of every hypothesis; and the plane, None where
    fewer than two objects stand on one: none is scaled.
  """
  floor = [f for f in objects if f.label_name not in conventions.OFF_THE_FLOOR]
  plane = ground_plane.fit(
    np.array([_up(found.candidates[0]) for found in floor]),
    [_points(found.candidates[0], cads) for found in floor],
    np.array([max(found.cad.score, _LEAST_WEIGHT) for found in floor]),
    np.array([_is_given(found) for found in floor], bool),
  )
  return [_put(found, plane, cads) for found in objects], plane


def _is_given(found: assemble.SceneObject) -> bool:
  return found.depth_source != 'box_fit'


def _up(candidate: assemble.Candidate) -> np.ndarray:
  return candidate.rotation[:, 1]


def _points(
  candidate: assemble.Candidate, cads: cad_meshes.CadMeshes
) -> np.ndarray:
  """The hull's vertices [n, 3] in the camera's frame."""
  return (
    cads.hull(candidate.cad_id) @ candidate.rotation.T + candidate.translation
  )


def _put(
  found: assemble.SceneObject,
  plane: Optional[ground_plane.Plane],
  cads: cad_meshes.CadMeshes,
) -> assemble.SceneObject:
  """The object with all its hypotheses on the plane, where they reach it."""
  fixed = _is_given(found) or found.label_name in conventions.OFF_THE_FLOOR
  candidates = tuple(
    _scaled(candidate, None if fixed else plane, cads)
    for candidate in found.candidates
  )
  best = candidates[0]
  cad = dataclasses.replace(
    found.cad,
    translation=best.translation,
    depth=float(best.translation[2]),
    scale=np.full(3, best.scale),
  )
  return dataclasses.replace(found, cad=cad, candidates=candidates)


def _scaled(
  candidate: assemble.Candidate,
  plane: Optional[ground_plane.Plane],
  cads: cad_meshes.CadMeshes,
) -> assemble.Candidate:
  scale = plane and ground_plane.scale_onto(
    plane, _up(candidate), _points(candidate, cads)
  )
  if scale is None:
    return dataclasses.replace(candidate, ground=False)
  return dataclasses.replace(
    candidate,
    translation=scale * candidate.translation,
    scale=scale,
    ground=True,
  )
