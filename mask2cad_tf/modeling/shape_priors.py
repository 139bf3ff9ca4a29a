"""The shape priors file: k-means masks of every class (ShapeMask)."""

import io
import os
from typing import Sequence

import numpy as np
import tensorflow as tf

from mask2cad_tf.foreign import array_files

_REMEDY = (
  'Build them: python -m tfrecords_tools.build_shape_priors --help, and set '
  'model.shapemask.priors_path.'
)


def load(
  path: str, class_names: Sequence[str], num_priors: int, size: int
) -> np.ndarray:
  """Reads priors and brings them to the model's classes and mask size.

  Args:
    path: .npz of tfrecords_tools.build_shape_priors: 'priors', float
      [classes or 1 + classes, num_priors, M', M'] in 0..1, and 'class_names'
      (without the background).
    class_names: of the model, without the background.
    num_priors: expected number of priors per class.
    size: M, side of the result; an area average where M < M'.

  Returns:
    float32 [1 + len(class_names), num_priors, M, M]; row 0, the background,
    is zero.

  Raises:
    FileNotFoundError: no such file.
    ValueError: a class is missing or the number of priors differs.
  """
  if not path or not tf.io.gfile.exists(path):
    raise FileNotFoundError(f'No shape priors at {path!r}. {_REMEDY}')
  with tf.io.gfile.GFile(path, 'rb') as file:
    archive = array_files.read_npz(io.BytesIO(file.read()))
  if not {'priors', 'class_names'} <= set(archive):
    raise ValueError(f'{path!r} holds no shape priors. {_REMEDY}')
  priors = archive['priors'].astype(np.float32)
  names = [str(name) for name in archive['class_names']]
  missing = [name for name in class_names if name not in names]
  if missing:
    raise ValueError(
      f'The shape priors {os.path.basename(path)!r} have no class '
      f'{", ".join(missing)}; they have {", ".join(names)}. {_REMEDY}'
    )
  if priors.shape[1] != num_priors:
    raise ValueError(
      f'model.shapemask.num_priors is {num_priors}, but '
      f'{os.path.basename(path)!r} has {priors.shape[1]} priors per class. '
      'Make them equal.'
    )
  first = len(priors) - len(names)  # 1 where the file has a background row
  rows = [first + names.index(name) for name in class_names]
  resized = _resize(priors[rows], size)
  return np.concatenate([np.zeros_like(resized[:1]), resized])


def _resize(priors: np.ndarray, size: int) -> np.ndarray:
  """[C, P, M', M'] to [C, P, size, size], float32 in 0..1."""
  if priors.shape[-1] == size:
    return priors
  images = np.moveaxis(priors, 1, -1)  # [C, M', M', P]
  resized = tf.image.resize(images, [size, size], antialias=True).numpy()
  return np.clip(np.moveaxis(resized, -1, 1), 0.0, 1.0)
