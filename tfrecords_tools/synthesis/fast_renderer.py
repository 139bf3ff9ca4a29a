"""Draws a scene by casting rays: textures, soft shadows, ambient occlusion.

Rays are jittered in pixels smaller than the picture's, and averaged. Shadows
and occlusion are cast at every other of those pixels, one ray each, and
smoothed along surfaces.
"""

import numpy as np
from PIL import Image

from tfrecords_tools.synthesis import scene as scene_lib
from tfrecords_tools.synthesis import scene_geometry
from tfrecords_tools.synthesis import surfaces as surfaces_lib

_SUPERSAMPLING = 1.4  # rays a pixel's side
_STRIDE = 2  # between the rays that look for light
_OCCLUSION_REACH = 0.35  # metres, at which a neighbour darkens by 1/e
_LIFT = 2e-3  # metres off the surface, where light rays start
_GROUND_SHADOW = 0.6  # share of the light that a shadow catcher can lose


def render(
  scene: scene_lib.Scene,
  geometry: scene_geometry.SceneGeometry,
  rng: np.random.Generator,
) -> np.ndarray:
  """Draws the scene.

  Args:
    scene: what to draw.
    geometry: of the scene.
    rng: places the rays.

  Returns:
    Float32 [height, width, 3], linear radiance; 1 is a white surface in full
    light.
  """
  height = round(scene.camera.height * _SUPERSAMPLING)
  width = round(scene.camera.width * _SUPERSAMPLING)
  offsets = rng.random((height, width, 2), np.float32)
  seen = geometry.see(height, width, offsets)
  hit = seen.triangle >= 0
  radiance = _background(scene, height, width)
  surfaces = surfaces_lib.surfaces(scene, geometry, seen)
  ground = _ground(scene, seen) if scene.shadow_catcher else None
  light = _light(scene, geometry, seen, surfaces, ground, (height, width), rng)
  radiance[hit] = _shade(scene, surfaces, seen.directions[hit], light[hit])
  if ground is not None:
    open_light = light[ground.rows].mean(axis=1, keepdims=True)
    radiance[ground.rows] *= 1.0 - _GROUND_SHADOW * (1.0 - open_light)
  return _shrink(radiance.reshape(height, width, 3), scene.camera)


class _Ground:
  """Where rays that miss everything meet the floor."""

  def __init__(self, rows: np.ndarray, points: np.ndarray):
    self.rows = rows  # int [n], indices of the rays
    self.points = points  # float32 [n, 3]


def _ground(scene, seen) -> _Ground:
  position = scene.camera.position
  depth = -position[1] / np.minimum(seen.directions[:, 1], -1e-6)
  meets = (seen.triangle < 0) & (seen.directions[:, 1] < -1e-3)
  rows = np.flatnonzero(meets & (depth > 0) & (depth < 50.0))
  points = position + depth[rows, np.newaxis] * seen.directions[rows]
  return _Ground(rows, points.astype(np.float32))


def _background(scene, height, width) -> np.ndarray:
  rows, columns = np.mgrid[:height, :width]
  return surfaces_lib.background_at(
    scene.background,
    (rows.reshape(-1) + 0.5) / height,
    (columns.reshape(-1) + 0.5) / width,
  ).copy()


def _light(scene, geometry, seen, surfaces, ground, shape, rng) -> np.ndarray:
  """Share of each lamp's and of the ambient light that arrives, smoothed.

  Float32 [rays, lamps + 1], ambient last; 1 where nothing is seen.
  """
  count = len(seen.triangle)
  points = np.zeros((count, 3), np.float32)
  normals = np.zeros((count, 3), np.float32)
  kinds = np.full(count, -1, np.int32)
  hit = seen.triangle >= 0
  points[hit], normals[hit] = surfaces.points, surfaces.flat_normals
  kinds[hit] = 6 * surfaces.parts + _side(surfaces.flat_normals)
  if ground is not None:
    points[ground.rows], kinds[ground.rows] = ground.points, -2
    normals[ground.rows] = (0.0, 1.0, 0.0)
  coarse = np.arange(count).reshape(shape)[::_STRIDE, ::_STRIDE]
  lit = kinds[coarse] != -1
  arrives = np.ones(
    coarse.shape + (len(scene.lighting.lights) + 1,), np.float32
  )
  if lit.any():
    rows = coarse[lit]
    arrives[lit] = _cast_light(
      scene, geometry, points[rows], normals[rows], rng
    )
  smooth = _smooth(arrives, points[coarse], normals[coarse])
  return _refine(smooth, kinds[coarse], kinds.reshape(shape))


def _side(normals: np.ndarray) -> np.ndarray:
  """Which of a box's six sides a surface is most like, int [n], 0..5."""
  axis = np.abs(normals).argmax(axis=1)
  negative = normals[np.arange(len(normals)), axis] < 0
  return (2 * axis + negative).astype(np.int32)


def _refine(values, coarse_kinds, kinds) -> np.ndarray:
  """Every ray's value, [rays, c]: its neighbour's on the same surface."""
  height, width = kinds.shape
  rows = np.minimum(np.arange(height) // _STRIDE, len(values) - 1)
  columns = np.minimum(np.arange(width) // _STRIDE, values.shape[1] - 1)
  fine = values[rows][:, columns]
  other = coarse_kinds[rows][:, columns] != kinds
  for down, right in ((1, 0), (0, 1), (1, 1), (-1, 0), (0, -1)):
    y, x = np.nonzero(other)
    near_y = np.clip(y // _STRIDE + down, 0, len(values) - 1)
    near_x = np.clip(x // _STRIDE + right, 0, values.shape[1] - 1)
    same = coarse_kinds[near_y, near_x] == kinds[y, x]
    fine[y[same], x[same]] = values[near_y[same], near_x[same]]
    other[y[same], x[same]] = False
  return fine.reshape(height * width, -1)


def _cast_light(scene, geometry, points, normals, rng) -> np.ndarray:
  """One ray to each lamp and one into the open, [n, lamps + 1]."""
  starts = points + _LIFT * normals
  arrives = np.ones((len(points), len(scene.lighting.lights) + 1), np.float32)
  for index, lamp in enumerate(scene.lighting.lights):
    if geometry.shadow_caster is None:
      continue
    to_lamp = lamp.position + lamp.radius * _balls(len(points), rng) - starts
    facing = np.flatnonzero(np.sum(to_lamp * normals, axis=1) > 0)
    distance = geometry.shadow_caster.distance(starts[facing], to_lamp[facing])
    arrives[facing, index] = distance > 1.0
  around = normals + 0.99 * _balls(len(points), rng, shell=True)
  around /= np.linalg.norm(around, axis=1, keepdims=True)
  reach = geometry.caster.distance(starts, around)
  arrives[:, -1] = 1.0 - np.exp(-np.minimum(reach, 10.0) / _OCCLUSION_REACH)
  return arrives


def _balls(count, rng, shell=False) -> np.ndarray:
  """Points [count, 3] in the unit ball, or on its shell."""
  points = rng.standard_normal((count, 3), np.float32)
  points /= np.linalg.norm(points, axis=1, keepdims=True)
  if shell:
    return points
  return points * np.cbrt(rng.random((count, 1), np.float32))


def _smooth(values, points, normals) -> np.ndarray:
  """Averages [h, w, c] over neighbours on the same plane (a-trous)."""
  for step in (1, 2, 4):
    total, weight = values.copy(), np.ones(values.shape[:2] + (1,), np.float32)
    for down in (-step, 0, step):
      for right in (-step, 0, step):
        if down == right == 0:
          continue
        here, there = _overlap(values.shape, down, right)
        offset = np.abs(
          np.einsum('hwc,hwc->hw', points[there] - points[here], normals[here])
        )
        alike = np.einsum('hwc,hwc->hw', normals[here], normals[there])
        share = ((offset < 0.03) & (alike > 0.8)).astype(np.float32)
        share = share[..., np.newaxis] * (0.7 if down and right else 1.0)
        total[here] += share * values[there]
        weight[here] += share
    values = total / weight
  return values


def _overlap(shape, down, right):
  """Slices (here, there) with there = here moved by (down, right)."""
  height, width = shape[:2]

  def pair(size, shift):
    low, high = max(0, -shift), min(size, size - shift)
    return slice(low, high), slice(low + shift, high + shift)

  rows, columns = pair(height, down), pair(width, right)
  return (rows[0], columns[0]), (rows[1], columns[1])


def _shade(scene, surfaces, directions, light) -> np.ndarray:
  """Radiance [n, 3] towards the camera."""
  materials = [part.material for part in scene.parts]
  roughness, specular, metallic, emission = (
    np.array([getattr(m, name) for m in materials], np.float32)[surfaces.parts]
    for name in ('roughness', 'specular', 'metallic', 'emission')
  )
  lighting = scene.lighting
  ambient = lighting.ambient * (0.7 + 0.3 * surfaces.normals[:, 1:2])
  diffuse = ambient * light[:, -1:]
  rays = directions / np.linalg.norm(directions, axis=1, keepdims=True)
  cosine = np.sum(rays * surfaces.normals, axis=1, keepdims=True)
  mirrored = rays - 2.0 * cosine * surfaces.normals
  sharpness = 2.0 / np.maximum(roughness, 0.1) ** 3
  highlight = np.zeros_like(diffuse)
  middle = _middle(scene)
  for index, lamp in enumerate(lighting.lights):
    to_lamp = (lamp.position - surfaces.points).astype(np.float32)
    distance = np.linalg.norm(to_lamp, axis=1, keepdims=True)
    to_lamp /= distance
    reference = np.linalg.norm(lamp.position - middle)
    # A lamp's glare on what is next to it would blind the picture.
    strength = np.minimum((reference / distance) ** 2, 3.0) * lamp.color
    strength = strength * light[:, index : index + 1]
    facing = np.maximum(np.sum(to_lamp * surfaces.normals, axis=1), 0.0)
    diffuse = diffuse + facing[:, np.newaxis] * strength
    gleam = np.maximum(np.sum(to_lamp * mirrored, axis=1), 0.0) ** sharpness
    highlight += gleam[:, np.newaxis] * strength
  grazing = (1.0 + np.minimum(cosine, 0.0)) ** 5
  gloss = (1.0 - roughness[:, np.newaxis]) ** 2
  around = lighting.ambient * light[:, -1:]
  around = around * np.clip(0.6 + 0.6 * mirrored[:, 1:2], 0.0, 1.2)
  reflected = (specular[:, np.newaxis] * (0.15 + 0.85 * grazing)) * (
    gloss * around + 0.5 * highlight
  )
  metal = metallic[:, np.newaxis]
  dielectric = surfaces.albedo * diffuse + reflected
  metallic_look = surfaces.albedo * (
    0.35 * diffuse + 0.65 * around + (0.5 + gloss) * highlight
  )
  shaded = (1.0 - metal) * dielectric + metal * metallic_look
  return shaded + emission[:, np.newaxis] * surfaces.albedo


def _middle(scene) -> np.ndarray:
  """Where lamps are as bright as their colours say, [3]."""
  if not scene.objects:
    return np.zeros(3)
  return np.mean([item.translation for item in scene.objects], axis=0)


def _shrink(radiance: np.ndarray, camera: scene_lib.Camera) -> np.ndarray:
  """Averages to the picture's size, [height, width, 3]."""
  # Brighter than this is white anyway; one spark must not fill its pixel.
  channels = np.minimum(radiance, 4.0).astype(np.float32).transpose(2, 0, 1)
  size = (camera.width, camera.height)
  return np.stack(
    [
      np.asarray(Image.fromarray(channel).resize(size, Image.BOX))
      for channel in np.ascontiguousarray(channels)
    ],
    axis=-1,
  )
