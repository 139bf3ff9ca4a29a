"""Galleries in milliseconds: boxes as CADs, a projection as the view encoder.

Without TensorFlow, so that processes start fast and can be forked.
"""

import os

import numpy as np
import trimesh

from mask2cad_tf.data import atomic_folder
from mask2cad_tf.geometry import rotations
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import gallery_rows

CLASS_NAMES = ('bed', 'chair')


def make(seed=0, num_views=3):
  """An encoder; another seed is another one, of the same rotations."""
  projection = np.random.default_rng(seed).normal(size=(64, 8))

  def embed(views):
    cells = views.reshape(len(views), 8, 16, 8, 16).mean(axis=(2, 4))
    return (cells.reshape(len(views), 64) @ projection).astype(np.float32)

  turns = rotations.random_rotations(3 * num_views, np.random.default_rng(0))
  return gallery_rows.Encoder(
    fingerprint=f'{seed:064d}',
    class_names=CLASS_NAMES,
    rotations=turns.reshape(3, num_views, 4).astype(np.float32),
    valid=np.ones((3, num_views), bool),
    embed=embed,
  )


def write_library(root, *cad_ids):
  """A box for each id, its shape drawn from the id; returns the folder."""
  for cad_id in cad_ids:
    extents = np.random.default_rng(list(cad_id.encode())).uniform(0.2, 1.0, 3)
    write_box(root, cad_id, extents)
  return str(root)


def write_box(root, cad_id, extents):
  folder = os.path.join(str(root), cad_id)
  os.makedirs(folder)
  trimesh.creation.box(extents).export(os.path.join(folder, 'model.ply'))


def build(path, library, encoder):
  """What gallery_builder does with a model."""
  with atomic_folder.replacing(str(path), gallery_lib.MANIFEST) as folder:
    entries = gallery_rows.wanted(library, encoder.class_names)
    gallery, _ = gallery_rows.make(encoder, library, entries, folder)
    gallery_lib.write_index(folder, gallery)
  return gallery_lib.load(str(path))
