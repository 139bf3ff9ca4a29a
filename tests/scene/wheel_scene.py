"""The three real photos of the wheel as scenes: their true poses, found."""

import json
import os
from typing import Tuple

import numpy as np
from PIL import Image

from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import posed_cad
from mask2cad_tf.scene import assemble
from mask2cad_tf.scene import cad_meshes
from mask2cad_tf.scene import photo as photo_lib
from tests import toy

NUM_PHOTOS = 3


def cads() -> cad_meshes.CadMeshes:
  """The meshes of the two beds."""
  return cad_meshes.CadMeshes(
    lambda cad_id: os.path.join(toy.wheel_pix3d(), 'model', cad_id, 'model.obj')
  )


def load(index: int) -> Tuple[photo_lib.Photo, assemble.SceneObject]:
  """A photo and its bed."""
  root = toy.wheel_pix3d()
  with open(os.path.join(root, 'pix3d.json')) as file:
    entry = json.load(file)[index]
  photo = photo_lib.load(
    os.path.join(root, entry['img']),
    focal_length_px=entry['focal_length'] / 32.0 * entry['img_size'][0],
  )
  x0, y0, x1, y1 = entry['bbox']
  with Image.open(os.path.join(root, entry['mask'])) as mask:
    mask = np.asarray(mask.convert('L')) > 127
  cad_id = '/'.join(entry['model'].split('/')[1:3])
  rotation, translation = map(np.array, (entry['rot_mat'], entry['trans_mat']))
  cad = posed_cad.PosedCad(
    label=1,
    cad_id=cad_id,
    mesh=f'meshes/{cad_id}/model.obj',
    rotation=rotation,
    translation=translation,
    box=np.array([y0, x0, y1, x1], float),
    score=0.9,
    mask=mask,
    center=cameras.project(translation, photo.camera.intrinsics),
  )
  candidate = assemble.Candidate(cad_id, cad.mesh, 0.8, rotation, translation)
  return photo, assemble.SceneObject(cad, 'bed', (candidate,), 'flag')
