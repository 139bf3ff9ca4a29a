"""Light that surfaces send to the camera: matt, glossy, metallic, glowing."""

import numpy as np

from tfrecords_tools.synthesis import scene as scene_lib
from tfrecords_tools.synthesis import surfaces as surfaces_lib

_NEAREST = 3.0  # how many times brighter a lamp gets close by
_MATT = 0.8  # roughness from which highlights are left out
_FACING = 0.15  # share of the specular strength seen face to face


def shade(
  scene: scene_lib.Scene, surfaces: surfaces_lib.Surfaces, light: np.ndarray
) -> np.ndarray:
  """Radiance of surfaces.

  Args:
    scene: gives materials and lamps.
    surfaces: n of them, all of parts of the scene.
    light: float32 [n, lamps + 1], shares that arrive (`ArrivingLight.at`).

  Returns:
    Float32 [n, 3], linear.
  """
  materials = [part.material for part in scene.parts]
  roughness, specular, metallic, emission = (
    np.array([getattr(m, name) for m in materials], np.float32)[surfaces.parts]
    for name in ('roughness', 'specular', 'metallic', 'emission')
  )
  ambient = np.asarray(scene.lighting.ambient, np.float32)
  # More light comes from above than from the floor.
  open_sky = light[:, -1] * (0.7 + 0.3 * surfaces.normals[:, 1])
  diffuse = open_sky[:, np.newaxis] * ambient
  lamps = list(_lamps(scene, surfaces, light))
  for to_lamp, strength, color in lamps:
    facing = np.maximum(surfaces_lib.dot(to_lamp, surfaces.normals), 0.0)
    diffuse += (facing * strength)[:, np.newaxis] * color
  radiance = surfaces.albedo * diffuse
  glossy = np.flatnonzero(
    ((roughness < _MATT) & (specular > 0)) | (metallic > 0)
  )
  if len(glossy):
    radiance[glossy] = _polish(
      scene,
      _Gloss(surfaces, light, glossy),
      radiance[glossy],
      [(to[glossy], strength[glossy], color) for to, strength, color in lamps],
      (roughness[glossy], specular[glossy], metallic[glossy]),
    )
  glowing = np.flatnonzero(emission > 0)
  radiance[glowing] += (
    emission[glowing][:, np.newaxis] * surfaces.albedo[glowing]
  )
  return radiance


def ground_share(
  scene: scene_lib.Scene, surfaces: surfaces_lib.Surfaces, light: np.ndarray
) -> np.ndarray:
  """Share [n] of the open floor's light that arrives at its points.

  Args:
    scene: gives the lamps.
    surfaces: n points of the ground.
    light: float32 [n, lamps + 1], shares that arrive.

  Returns:
    Float32 [n], 0..1.
  """
  ambient = float(np.mean(scene.lighting.ambient))
  arrives, whole = ambient * light[:, -1], np.full(len(light), ambient)
  alone = np.ones_like(light)
  for (to_lamp, strength, color), (_, full, _) in zip(
    _lamps(scene, surfaces, light), _lamps(scene, surfaces, alone)
  ):
    facing = np.maximum(to_lamp[:, 1], 0.0) * float(color.mean())
    arrives = arrives + facing * strength
    whole = whole + facing * full
  return arrives / np.maximum(whole, 1e-6)


class _Gloss:
  """Mirrored rays of some surfaces."""

  def __init__(self, surfaces, light, rows):
    rays, normals = surfaces.directions[rows], surfaces.normals[rows]
    cosine = surfaces_lib.dot(rays, normals)
    self.mirrored = rays - 2.0 * cosine[:, np.newaxis] * normals
    self.grazing = (1.0 + np.minimum(cosine, 0.0)) ** 5
    self.albedo = surfaces.albedo[rows]
    self.open = light[rows, -1]


def _polish(scene, gloss: _Gloss, matt, lamps, look) -> np.ndarray:
  """Adds reflections to matt surfaces, [n, 3]."""
  roughness, specular, metallic = look
  sharpness = 2.0 / np.maximum(roughness, 0.1) ** 3
  highlight = np.zeros_like(matt)
  for to_lamp, strength, color in lamps:
    gleam = np.maximum(surfaces_lib.dot(to_lamp, gloss.mirrored), 0.0)
    highlight += (gleam**sharpness * strength)[:, np.newaxis] * color
  smooth = ((1.0 - roughness) ** 2)[:, np.newaxis]
  around = gloss.open[:, np.newaxis] * _around(scene.lighting, gloss.mirrored)
  strength = specular * (_FACING + (1.0 - _FACING) * gloss.grazing)
  polished = matt + strength[:, np.newaxis] * (
    smooth * around + 0.5 * highlight
  )
  metal = 0.35 * matt + gloss.albedo * (
    0.65 * around + (0.5 + smooth) * highlight
  )
  share = metallic[:, np.newaxis]
  return (1.0 - share) * polished + share * metal


def _lamps(scene, surfaces, light):
  """Unit vectors to each lamp [n, 3], strength there [n], colour [3]."""
  middle = np.zeros(3)
  if scene.objects:
    middle = np.mean([item.translation for item in scene.objects], axis=0)
  for index, lamp in enumerate(scene.lighting.lights):
    reference = np.linalg.norm(lamp.position - middle)
    to_lamp = np.asarray(lamp.position, np.float32) - surfaces.points
    square = surfaces_lib.dot(to_lamp, to_lamp)
    to_lamp /= np.sqrt(square)[:, np.newaxis]
    # A lamp's glare on what is next to it would blind the picture.
    strength = np.minimum(np.float32(reference**2) / square, _NEAREST)
    yield to_lamp, strength * light[:, index], np.asarray(lamp.color, 'f4')


def _around(lighting: scene_lib.Lighting, rays: np.ndarray) -> np.ndarray:
  """What the surroundings send along rays [n, 3], linear."""
  if lighting.environment is None:
    height = np.clip(0.6 + 0.6 * rays[:, 1:], 0.0, 1.2)[:, :1]
    return height * np.asarray(lighting.ambient, np.float32)
  height, width = lighting.environment.shape[:2]
  turn = np.arctan2(rays[:, 0], rays[:, 2]) / (2.0 * np.pi) + 0.5
  down = np.arccos(np.clip(rays[:, 1], -1.0, 1.0)) / np.pi
  column = np.minimum((turn * width).astype(np.int32), width - 1)
  row = np.minimum((down * height).astype(np.int32), height - 1)
  # A sun in the panorama would leave sparks.
  return np.minimum(lighting.environment[row, column], _NEAREST)
