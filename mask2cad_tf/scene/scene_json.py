"""scene.json: a photo's objects as text, in the frames of `conventions`.

A vertex v of an object's CAD, or a candidate's, is at X = scale R v + t before
the camera: its 'scale', 'rotation', 'translation'. 'scale' is 1 but for what
`grounding` put on a ground plane. Where it was asked to, 'ground' says of every
object and candidate whether it was; 'ground_plane' is n . X = -h, 'normal' n
(upwards) and 'distance' h, or absent where fewer than two objects stand on one.
"""

import json
from typing import Any
from typing import Dict
from typing import Mapping
from typing import Optional
from typing import Sequence

import numpy as np

from mask2cad_tf.foreign import json_files
from mask2cad_tf.geometry import ground_plane
from mask2cad_tf.geometry import rotations
from mask2cad_tf.scene import assemble
from mask2cad_tf.scene import masks
from mask2cad_tf.scene import photo as photo_lib

_PARTS = {'image': dict, 'camera': dict, 'objects': list}


def describe(
  photo: photo_lib.Photo,
  objects: Sequence[assemble.SceneObject],
  model: Mapping[str, str],
  plane: Optional[ground_plane.Plane] = None,
) -> Dict[str, Any]:
  """The content of scene.json.

  Args:
    photo: the photo and its camera.
    objects: in the order of the GLB's nodes.
    model: 'name', 'gallery_version', 'package_version'.
    plane: that objects stand on.
  """
  camera = photo.camera
  names = ('fx', 'fy', 'cx', 'cy')
  return {
    'image': {
      'path': photo.path,
      'width': camera.width,
      'height': camera.height,
    },
    'camera': {
      **dict(zip(names, map(float, camera.intrinsics))),
      'source': camera.source,
    },
    'model': dict(model),
    **({} if plane is None else {'ground_plane': _plane(plane)}),
    'objects': [_object(found) for found in objects],
  }


def _plane(plane: ground_plane.Plane) -> Dict[str, Any]:
  return {'normal': _numbers(plane.normal), 'distance': plane.distance}


def _object(found: assemble.SceneObject) -> Dict[str, Any]:
  cad = found.cad
  top, left, bottom, right = map(float, cad.box)
  return {
    'label': found.label_name,
    'score': float(cad.score),
    'box': [left, top, right, bottom],
    'mask': masks.encode_rle(cad.mask),
    'cad_id': cad.cad_id,
    'mesh': cad.mesh,
    'similarity': found.similarity,
    'candidates': [_candidate(c) for c in found.candidates],
    'confident': found.confident,
    **({} if found.confidence is None else {'confidence': found.confidence}),
    'rotation': _numbers(cad.rotation),
    'quaternion': _numbers(rotations.quaternion_from_matrix(cad.rotation)),
    'translation': _numbers(cad.translation),
    'scale': found.scale,
    **({} if found.ground is None else {'ground': found.ground}),
    'depth_source': found.depth_source,
    'center': _numbers(cad.center),
  }


def _candidate(candidate: assemble.Candidate) -> Dict[str, Any]:
  entry = {
    'cad_id': candidate.cad_id,
    'mesh': candidate.mesh,
    'similarity': candidate.similarity,
    'rotation': _numbers(candidate.rotation),
    'translation': _numbers(candidate.translation),
    'scale': candidate.scale,
  }
  if candidate.ground is not None:
    entry['ground'] = candidate.ground
  for name in ('silhouette_iou', 'feature_similarity'):
    if getattr(candidate, name) is not None:
      entry[name] = float(getattr(candidate, name))
  return entry


def _numbers(array: np.ndarray) -> list:
  return np.asarray(array, np.float64).tolist()


def dump(scene: Mapping[str, Any], path: str) -> None:
  """Writes scene.json; NaN, which no JSON parser must take, is an error."""
  with open(path, 'w', encoding='utf-8') as file:
    json.dump(scene, file, indent=1, allow_nan=False)
    file.write('\n')


def load(path: str) -> Dict[str, Any]:
  """Reads scene.json.

  Raises:
    FileNotFoundError: there is none.
    ValueError: not a scene.json.
  """
  again = 'Write it anew: python -m mask2cad_tf.predict'
  try:
    scene = json_files.read(path, again)
  except FileNotFoundError as error:
    raise FileNotFoundError(
      f'No scene at {path!r}. Write one: python -m mask2cad_tf.predict'
    ) from error
  missing = set(_PARTS) - set(scene if isinstance(scene, dict) else ())
  if missing:
    raise ValueError(
      f'{path!r} lacks {sorted(missing)}: no scene.json. {again}'
    )
  try:
    values = intrinsics(scene).astype(np.float64)
    wrong = not np.isfinite(values).all() or not values[:2].min() > 0
    wrong |= not all(isinstance(scene[x], kind) for x, kind in _PARTS.items())
  except (KeyError, TypeError, ValueError, OverflowError):
    wrong = True
  if wrong:
    raise ValueError(f'{path!r} has no camera or objects. {again}')
  return scene


def intrinsics(scene: Mapping[str, Any]) -> np.ndarray:
  """Float [4], (fx, fy, cx, cy), pixels, of a scene's camera."""
  return np.array([scene['camera'][name] for name in ('fx', 'fy', 'cx', 'cy')])
