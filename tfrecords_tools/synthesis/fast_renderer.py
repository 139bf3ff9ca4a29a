"""Draws a scene by casting rays: textures, soft shadows, ambient occlusion.

One ray a pixel, and more where the pixel shows an edge.
"""

import dataclasses
from typing import Tuple

import numpy as np

from tfrecords_tools.synthesis import arriving_light
from tfrecords_tools.synthesis import scene as scene_lib
from tfrecords_tools.synthesis import scene_geometry
from tfrecords_tools.synthesis import shading
from tfrecords_tools.synthesis import surfaces as surfaces_lib
from tfrecords_tools.synthesis import texture_filter

# Places in a pixel of the further rays, (x, y): on a turned grid no upright
# or level edge meets two of them at once.
_FURTHER = ((0.375, 0.125), (0.875, 0.375), (0.125, 0.625), (0.625, 0.875))
_STEP = 0.01  # metres between neighbours' planes that make an edge
_STEP_FAR = 0.003  # and that many metres more a metre of distance
_CREASE = 0.9  # cosine between normals below which pixels show an edge
# Brighter than this is white anyway; one spark must not fill its pixel.
_BRIGHTEST = 4.0
_GROUND_SHADOW = 0.85  # share of its light that a shadow catcher can lose


def render(
  scene: scene_lib.Scene,
  geometry: scene_geometry.SceneGeometry,
  rng: np.random.Generator,
) -> np.ndarray:
  """Draws the scene.

  Args:
    scene: what to draw.
    geometry: of the scene.
    rng: spreads the rays that look for light.

  Returns:
    Float32 [height, width, 3], linear radiance; 1 is a white surface in full
    light.
  """
  height, width = scene.camera.height, scene.camera.width
  rows, columns = (
    x.reshape(-1) + 0.5 for x in np.indices((height, width), np.float32)
  )
  centers = surfaces_lib.surfaces(scene, geometry, geometry.seen_at_centers())
  light = arriving_light.ArrivingLight(scene, geometry, centers, rng)
  picture = _radiance(scene, centers, light, columns, rows)
  edges = np.flatnonzero(_edges(scene, centers))
  if len(edges):
    right, down = np.array(_FURTHER, np.float32).T
    columns, rows = (
      (whole[edges] - 0.5 + part[:, np.newaxis]).reshape(-1)
      for whole, part in ((columns, right), (rows, down))
    )
    further = surfaces_lib.surfaces(
      scene, geometry, geometry.see(columns, rows)
    )
    more = _radiance(scene, further, light, columns, rows)
    more = more.reshape(len(_FURTHER), len(edges), 3).sum(axis=0)
    picture[edges] = (picture[edges] + more) / (1 + len(_FURTHER))
  return picture.reshape(height, width, 3)


def _radiance(
  scene: scene_lib.Scene,
  surfaces: surfaces_lib.Surfaces,
  light: arriving_light.ArrivingLight,
  columns: np.ndarray,
  rows: np.ndarray,
) -> np.ndarray:
  """What rays through places of the picture bring, [n, 3]."""
  arrives = light.at(columns, rows, surfaces)
  radiance = np.empty((len(rows), 3), np.float32)
  of_parts = np.flatnonzero(surfaces.kinds >= 0)
  radiance[of_parts] = np.minimum(
    shading.shade(scene, _choose(surfaces, of_parts), arrives[of_parts]),
    _BRIGHTEST,
  )
  behind = np.flatnonzero(surfaces.kinds < 0)
  radiance[behind] = _background(scene, columns[behind], rows[behind])
  ground = np.flatnonzero(surfaces.kinds == surfaces_lib.GROUND)
  if len(ground):
    share = shading.ground_share(
      scene, _choose(surfaces, ground), arrives[ground]
    )
    share = 1.0 - _GROUND_SHADOW * (1.0 - share)
    radiance[ground] *= share[:, np.newaxis]
  return radiance


def _choose(surfaces: surfaces_lib.Surfaces, rows) -> surfaces_lib.Surfaces:
  if len(rows) == len(surfaces.kinds):
    return surfaces
  return dataclasses.replace(
    surfaces, **{name: value[rows] for name, value in vars(surfaces).items()}
  )


def _background(scene, columns, rows) -> np.ndarray:
  """Linear colours [n, 3] behind the scene."""
  if scene.background.dtype != np.uint8:
    return np.tile(np.asarray(scene.background, np.float32), (len(rows), 1))
  height, width = scene.background.shape[:2]
  row = (rows * (height / scene.camera.height)).astype(np.int32)
  column = (columns * (width / scene.camera.width)).astype(np.int32)
  return texture_filter.TO_LINEAR[
    scene.background[np.minimum(row, height - 1), np.minimum(column, width - 1)]
  ]


def _edges(
  scene: scene_lib.Scene, surfaces: surfaces_lib.Surfaces
) -> np.ndarray:
  """Bool [pixels]: does a neighbour show another surface?"""
  shape = scene.camera.height, scene.camera.width
  kinds = surfaces.kinds.reshape(shape)
  points = surfaces.points.reshape(shape + (3,))
  normals = surfaces.normals.reshape(shape + (3,))
  edges = np.zeros(shape, bool)
  from_camera = np.asarray(scene.camera.position, np.float32)
  for here, there in _NEIGHBOURS:
    apart = points[there] - points[here]
    offset = np.abs(surfaces_lib.dot(apart, normals[here]))
    away = np.abs(surfaces_lib.dot(points[here] - from_camera, normals[here]))
    edge = kinds[here] != kinds[there]
    edge |= offset > _STEP + _STEP_FAR * away
    edge |= surfaces_lib.dot(normals[here], normals[there]) < _CREASE
    edge &= (kinds[here] != surfaces_lib.NOTHING) | (
      kinds[there] != surfaces_lib.NOTHING
    )
    edges[here] |= edge
    edges[there] |= edge
  return edges.reshape(-1)


_ALL: Tuple = (slice(None),)
_NEIGHBOURS = (
  ((slice(None, -1),) + _ALL, (slice(1, None),) + _ALL),
  (_ALL + (slice(None, -1),), _ALL + (slice(1, None),)),
)
