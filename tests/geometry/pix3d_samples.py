"""The three real Pix3D samples inside the tensorflow_graphics wheel."""

import importlib.util
import json
import os
from typing import List
from typing import NamedTuple

import numpy as np
from PIL import Image


class Sample(NamedTuple):
  mesh_path: str
  mask: np.ndarray  # bool [height, width], drawn on the photo
  rotation: np.ndarray
  translation: np.ndarray
  intrinsics: np.ndarray


def folder() -> str:
  """Root of the samples; finds the wheel without importing it."""
  spec = importlib.util.find_spec('tensorflow_graphics')
  return os.path.join(
    spec.submodule_search_locations[0], 'datasets', 'pix3d', 'fakes'
  )


def load() -> List[Sample]:
  root = folder()
  with open(os.path.join(root, 'pix3d.json')) as file:
    annotations = json.load(file)
  samples = []
  for annotation in annotations:
    width, height = annotation['img_size']
    focal = annotation['focal_length'] / 32.0 * width  # 32 mm sensor
    mask = Image.open(os.path.join(root, annotation['mask'])).convert('L')
    samples.append(
      Sample(
        os.path.join(root, annotation['model']),
        np.asarray(mask) > 127,
        np.array(annotation['rot_mat']),
        np.array(annotation['trans_mat']),
        np.array([focal, focal, width / 2, height / 2]),
      )
    )
  return samples
