"""Galleries: the manifest, the arrays beside it; libraries' manifests."""

import os

import numpy as np

from mask2cad_tf.foreign import array_files
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import gallery_checks
from mask2cad_tf.retrieval import gallery_rows
from tests.fuzz import mutations
from tests.fuzz import target


def folder():
  """A gallery that is sound, but for its meshes."""
  folder = os.path.join(target.folder(), 'gallery')
  os.makedirs(folder, exist_ok=True)
  gallery_lib.write_index(
    folder,
    gallery_lib.Gallery(
      path=folder,
      class_names=('bed', 'chair'),
      encoder='e' * 64,
      cads=(gallery_lib.Cad('bed/a', 'bed', 'meshes/bed/a/m.obj', 'f00'),),
      embeddings=np.ones([1, 2, 3], np.float32),
      rotations=np.ones([1, 2, 4], np.float32) / 2,
      valid=np.array([[True, False]]),
      silhouettes=np.zeros([1, 2, 128], np.uint8),
    ),
  )
  return folder


def _file_of(name):
  """The file's bytes as a seed, and a reader of the gallery with others."""

  def seeds():
    with open(os.path.join(folder(), name), 'rb') as file:
      return (file.read(),)

  def read(data):
    place = folder()
    with open(os.path.join(place, name), 'wb') as file:
      file.write(data)
    gallery_checks.faults(place)
    gallery, _ = gallery_lib.read(place)
    for cad in gallery.cads:
      path = os.path.normpath(gallery.mesh_path(cad.id))
      assert path.startswith(os.path.join(place, 'meshes') + os.sep)

  return seeds, read


def _embeddings(data):
  array_files.read_npy(target.in_file('e.npy', lambda path: path)(data))


_MANIFEST_SEEDS, _READ_MANIFEST = _file_of(gallery_lib.MANIFEST)
_NPY_SEEDS, _READ_NPY = _file_of(gallery_lib.INDEX[1])
_NPZ_SEEDS, _READ_NPZ = _file_of(gallery_lib.INDEX[2])

TARGETS = (
  target.Target(
    'gallery_manifest',
    "a gallery's manifest.json",
    _READ_MANIFEST,
    _MANIFEST_SEEDS,
    says='gallery',
    mutate=mutations.json_changed,
  ),
  target.Target(
    'gallery_npy',
    "a gallery's embeddings.npy",
    _READ_NPY,
    _NPY_SEEDS,
    says='gallery',
  ),
  target.Target(
    'gallery_npz',
    "a gallery's views.npz",
    _READ_NPZ,
    _NPZ_SEEDS,
    says='gallery',
  ),
  target.Target(
    'library_manifest',
    "a CAD library's manifest.json",
    target.in_file(
      'library/manifest.json',
      lambda path: gallery_rows.library_manifest(os.path.dirname(path)),
    ),
    lambda: (b'{"cads": [{"id": "bed/a", "licence": "x", "scale": 1.0}]}',),
    says='manifest.json',
    mutate=mutations.json_changed,
  ),
)
