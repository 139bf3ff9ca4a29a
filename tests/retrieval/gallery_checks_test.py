"""`verify`: each fault is told by one line."""

import dataclasses
import os
import shutil

import numpy as np
import pytest

from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import gallery_checks
from tests.retrieval import fake_encoder


@pytest.fixture(scope='module')
def sound(tmp_path_factory):
  root = tmp_path_factory.mktemp('sound')
  library = fake_encoder.write_library(root / 'library', 'bed/a', 'chair/b')
  fake_encoder.build(root / 'g', library, fake_encoder.make())
  return root / 'g'


@pytest.fixture
def folder(sound, tmp_path):
  shutil.copytree(sound, tmp_path / 'g')
  return str(tmp_path / 'g')


def _rewrite(folder, **changes):
  """Writes an index that agrees with itself."""
  gallery = gallery_lib.load(folder)
  if 'cads' in changes:
    changes['cads'] = tuple(
      dataclasses.replace(cad, **changes['cads']) for cad in gallery.cads
    )
  gallery_lib.write_index(folder, dataclasses.replace(gallery, **changes))


def test_a_sound_gallery(folder):
  encoder = fake_encoder.make()
  assert not gallery_checks.faults(folder)
  assert not gallery_checks.faults(
    folder, encoder.fingerprint, encoder.class_names
  )


def test_no_gallery(tmp_path):
  with pytest.raises(FileNotFoundError, match='No gallery at'):
    gallery_checks.faults(str(tmp_path))


def test_another_model(folder):
  (line,) = gallery_checks.faults(folder, fake_encoder.make(1).fingerprint)
  assert 'another view encoder' in line
  (line,) = gallery_checks.faults(folder, class_names=['bed', 'sofa'])
  assert 'the model has bed, sofa' in line


def test_damaged_files(folder):
  with open(os.path.join(folder, 'meshes/bed/a/model.ply'), 'ab') as file:
    file.write(b' ')
  shutil.rmtree(os.path.join(folder, 'meshes/chair/b'))
  bed, chair = gallery_checks.faults(folder)
  assert bed.startswith('bed/a: the mesh') and 'not the one' in bed
  assert chair.startswith('chair/b: the mesh cannot be read')
  os.truncate(os.path.join(folder, 'embeddings.npy'), 150)
  (line,) = gallery_checks.faults(folder)
  assert 'is damaged' in line


def test_the_content_hash(folder):
  path = os.path.join(folder, 'embeddings.npy')
  np.save(path, np.load(path) * np.float32(1.5))
  assert gallery_checks.faults(folder) == [
    'the content is not what the manifest says'
  ]


def _embeddings(value):
  embeddings = np.ones((2, 3, 8), np.float32)
  embeddings[1, 2] = value
  return {'embeddings': embeddings}


@pytest.mark.parametrize(
  'changes, expected',
  [
    (_embeddings(np.nan), ['chair/b: an embedding is']),
    (_embeddings(np.inf), ['chair/b: an embedding is']),
    (_embeddings(0.0), ['chair/b: an embedding is']),
    (_embeddings(1e9), ['chair/b: an embedding is']),
    (
      {'embeddings': np.ones((3, 3, 8), np.float32)},
      ['embeddings: shape [3, 3, 8], expected [2, views, dimensions]'],
    ),
    (
      {'valid': np.ones((2, 4), bool)},
      ['valid: bool [2, 4], expected bool [2, 3]'],
    ),
    ({'valid': np.zeros((2, 3), bool)}, ['bed/a: no view', 'chair/b: no view']),
    (
      {'rotations': np.full((2, 3, 4), 0.6, np.float32)},
      ['bed/a: a rotation is no', 'chair/b: a rotation is no'],
    ),
    (
      {'silhouettes': np.ones((2, 3, 4), np.uint8)},
      ['silhouettes: uint8 [2, 3, 4], expected uint8 [2, 3, 128]'],
    ),
    ({'cads': {'id': 'bed/a'}}, ['bed/a: listed 2 times']),
    (
      {'cads': {'label_name': 'spoon'}},
      ["bed/a: class 'spoon' is not one", "chair/b: class 'spoon' is not one"],
    ),
  ],
)
def test_contents(folder, changes, expected):
  _rewrite(folder, **changes)
  found = gallery_checks.faults(folder)
  found = [line for line in found if 'is not the one that' not in line]
  assert len(found) == len(expected)
  for line, start in zip(found, expected):
    assert line.startswith(start)
