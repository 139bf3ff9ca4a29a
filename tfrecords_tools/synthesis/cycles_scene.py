"""A scene as Blender gets it: arrays, a JSON head, materials of a photo.

Everything that is drawn at random for the path tracer alone (jitter of
materials, depth of field, panorama) is drawn here, from the scene itself:
equal scenes give equal pictures.
"""

import dataclasses
import json
import os
import zlib
from typing import Any
from typing import Dict
from typing import List
from typing import Sequence

import numpy as np

from tfrecords_tools.synthesis import scene as scene_lib

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
_BRIGHTEST = 0.85  # albedo; fresh white paint
_TEXTURE_SIDE = 512  # texels; larger textures are thinned out
PANORAMAS = ('.exr', '.hdr')
# Share of photos with a visible depth of field, by mode, and how large a far
# point becomes then, as a share of the picture's width.
_OUT_OF_FOCUS = {'room': 0.25, 'closeup': 0.4}
_BLUR = (0.003, 0.02)
# In a room, light comes from between this and the next wall; elsewhere from
# everywhere. Metres.
_AMBIENT_DISTANCE = {True: 1.2, False: 20.0}


def pack(scene: scene_lib.Scene, panoramas: Sequence[str] = ()) -> Dict:
  """Everything that `cycles_worker` needs.

  Args:
    scene: what to draw.
    panoramas: paths of .exr and .hdr files, one of which gives the ambient
      light its direction; the scene's own comes first.

  Returns:
    Arrays for numpy.savez; 'head' is JSON.
  """
  rng = np.random.default_rng(_seed(scene))
  arrays: Dict[str, Any] = {}
  materials = _pack_materials(scene, rng, arrays)
  parts = []
  for part in scene.parts:
    faces = _proper(part.faces)
    if not len(faces):
      continue
    index = len(parts)
    arrays[f'vertices{index}'] = np.asarray(part.vertices, np.float32)
    arrays[f'faces{index}'] = faces
    if part.material.texture is not None:
      arrays[f'uv{index}'] = corner_uv(part, faces)
    parts.append(
      {
        'material': materials[id(part.material)],
        'smooth': bool(part.smooth),
        'room': part.owner == scene_lib.ROOM,
      }
    )
  closed = not scene.shadow_catcher and any(part['room'] for part in parts)
  panorama = ''
  if scene.lighting.environment is not None:
    arrays['environment'] = _turned(scene.lighting.environment)
  elif panoramas:
    panorama = panoramas[rng.integers(len(panoramas))]
  head = {
    'materials': arrays.pop('materials'),
    'parts': parts,
    'lights': _lights(scene),
    'camera': _camera(scene, rng),
    'ambient': np.asarray(scene.lighting.ambient, float).tolist(),
    'ambient_distance': _AMBIENT_DISTANCE[closed],
    'bounces_before_ambient': 1,
    'panorama': panorama and os.path.abspath(panorama),
    'panorama_turn': float(rng.uniform(0, 2 * np.pi)) if panorama else 0.0,
    'shadow_catcher': bool(scene.shadow_catcher),
    'seed': int(rng.integers(2**31)),
  }
  arrays['head'] = np.array(json.dumps(head))
  return arrays


def jittered(
  material: scene_lib.Material, rng: np.random.Generator
) -> scene_lib.Material:
  """Paler, and a little other than asked for: real things are.

  Args:
    material: any.
    rng: of the jitter.

  Returns:
    A less saturated material of nearly the same brightness and gloss, that
    reflects less light than arrives.
  """
  paler = rng.uniform(0.1, 0.35)
  brighter = np.exp(rng.normal(0, 0.08))
  color = np.asarray(material.color, np.float32)
  grey = float(color @ _LUMINANCE)
  color = (color + paler * (grey - color)) * brighter
  color = color * (1 + rng.normal(0, 0.015, 3))
  texture = material.texture
  if texture is not None:
    step = 1 + (max(texture.shape[:2]) - 1) // _TEXTURE_SIDE
    texture = texture[::step, ::step].astype(np.float32)
    grey = (texture @ _LUMINANCE)[..., np.newaxis]
    texture = np.rint(texture + paler * (grey - texture)).astype(np.uint8)
  return dataclasses.replace(
    material,
    color=np.clip(color, 0.0, _BRIGHTEST).astype(np.float32),
    texture=texture,
    roughness=float(
      np.clip(material.roughness + rng.normal(0, 0.06), 0.08, 1.0)
    ),
    specular=float(np.clip(material.specular * rng.uniform(0.7, 1.2), 0, 1)),
  )


def corner_uv(part: scene_lib.Part, faces: np.ndarray) -> np.ndarray:
  """Texture coordinates of triangles' corners, as the fast renderer has them.

  Args:
    part: its own coordinates, or by the nearest of the world's planes.
    faces: int [m, 3], of the part.

  Returns:
    Float32 [m, 3, 2], tiles.
  """
  if part.uv is not None:
    return np.asarray(part.uv, np.float32)[faces]
  corners = np.asarray(part.vertices, np.float32)[faces]
  normals = np.cross(
    corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
  )
  axis = np.abs(normals).argmax(axis=1)[:, np.newaxis]
  across = np.where(axis == 0, corners[..., 2], corners[..., 0])
  up = np.where(axis == 1, corners[..., 2], corners[..., 1])
  return np.stack([across, up], axis=-1) / np.float32(
    part.material.texture_size
  )


def _seed(scene: scene_lib.Scene) -> int:
  camera = scene.camera
  values = np.concatenate(
    [
      np.ravel(camera.rotation),
      np.ravel(camera.translation),
      np.ravel(scene.lighting.ambient),
    ]
  )
  return zlib.crc32(values.astype('<f8').tobytes())


def _pack_materials(scene, rng, arrays) -> Dict[int, int]:
  """Adds jittered materials; returns their indices by id()."""
  indices: Dict[int, int] = {}
  arrays['materials'] = []
  for part in scene.parts:
    if id(part.material) in indices:
      continue
    index = len(indices)
    indices[id(part.material)] = index
    look = jittered(part.material, rng)
    if look.texture is not None:
      arrays[f'texture{index}'] = look.texture
    arrays['materials'].append(
      {
        'color': look.color.tolist(),
        'roughness': look.roughness,
        'specular': look.specular,
        'metallic': float(look.metallic),
        'emission': float(look.emission),
        'overlaps': part.is_cad,
      }
    )
  return indices


def _proper(faces: np.ndarray) -> np.ndarray:
  """Triangles of three different corners: Blender asks for them."""
  faces = np.asarray(faces, np.int32)
  a, b, c = faces.T
  return faces[(a != b) & (b != c) & (c != a)]


def _lights(scene: scene_lib.Scene) -> List[Dict[str, Any]]:
  """Blender's power in watts of each lamp."""
  middle = np.zeros(3)
  if scene.objects:
    middle = np.mean([item.translation for item in scene.objects], axis=0)
  lights = []
  for lamp in scene.lighting.lights:
    color = np.asarray(lamp.color, float)
    strength = max(float(color.max()), 1e-6)
    square = float(np.sum((lamp.position - middle) ** 2))
    lights.append(
      {
        'position': np.asarray(lamp.position, float).tolist(),
        'color': (color / strength).tolist(),
        # A white surface at distance d reflects energy / (4 pi^2 d^2).
        'energy': strength * 4.0 * np.pi**2 * square,
        'radius': float(lamp.radius),
      }
    )
  return lights


def _camera(scene: scene_lib.Scene, rng: np.random.Generator) -> Dict[str, Any]:
  camera = scene.camera
  focus = _main_depth(scene)
  aperture = 0.0
  if focus > 0 and rng.random() < _OUT_OF_FOCUS.get(scene.mode, 0.0):
    blur = np.exp(rng.uniform(*np.log(_BLUR)))
    # A far point becomes aperture * focal length / focus wide.
    aperture = blur * camera.width * focus / camera.intrinsics[0]
  return {
    'rotation': np.asarray(camera.rotation, float).tolist(),
    'translation': np.asarray(camera.translation, float).tolist(),
    'intrinsics': [float(value) for value in camera.intrinsics],
    'height': int(camera.height),
    'width': int(camera.width),
    'focus': focus,
    'aperture': float(aperture),
  }


def _main_depth(scene: scene_lib.Scene) -> float:
  """Depth of the first object's middle, metres; 0 where there is none."""
  vertices = [
    part.vertices for part in scene.parts if part.owner == 0 and part.is_cad
  ]
  if not vertices:
    return 0.0
  points = np.concatenate(vertices)
  middle = 0.5 * (points.min(axis=0) + points.max(axis=0))
  camera = scene.camera
  return max(float(camera.rotation[2] @ middle + camera.translation[2]), 0.0)


def _turned(environment: np.ndarray) -> np.ndarray:
  """From atan2(x, z) across to Blender's atan2 of its own axes."""
  flipped = np.asarray(environment, np.float32)[:, ::-1]
  return np.roll(flipped, environment.shape[1] // 4, axis=1)
