"""What TensorBoard's projector is given."""

import os

import numpy as np
from google.protobuf import text_format
from PIL import Image
from tensorboard.plugins.projector import projector_config_pb2

from mask2cad_tf.evaluation import embedding_projector


def _point(kind, name, value, grey):
  picture = np.full((10, 20, 3), grey, np.uint8)
  return embedding_projector.Point(
    kind, 'chair', name, np.array([value, -value], np.float32), picture
  )


def test_tensorboard_finds_every_row(tmp_path):
  folder = str(tmp_path / 'projector')
  found = [
    _point('photo', 'a\tb\nc.jpg', 0.5, 0),
    _point('CAD', 'chair/x', 1.0, 100),
    _point('CAD', 'chair/y', 2.0, 200),
  ]
  embedding_projector.write(folder, found)
  config = projector_config_pb2.ProjectorConfig()
  with open(f'{folder}/projector_config.pbtxt') as file:
    text_format.Parse(file.read(), config)
  (entry,) = config.embeddings
  vectors = np.loadtxt(os.path.join(folder, entry.tensor_path), delimiter='\t')
  np.testing.assert_allclose(vectors, [[0.5, -0.5], [1, -1], [2, -2]])
  with open(os.path.join(folder, entry.metadata_path)) as file:
    rows = [line.split('\t') for line in file.read().splitlines()]
  assert rows == [
    ['kind', 'class', 'name'],
    ['photo', 'chair', 'a b c.jpg'],
    ['CAD', 'chair', 'chair/x'],
    ['CAD', 'chair', 'chair/y'],
  ]
  side = list(entry.sprite.single_image_dim)
  with Image.open(os.path.join(folder, entry.sprite.image_path)) as sheet:
    # Three thumbnails: two rows of two, the third below the first.
    assert sheet.size == (2 * side[0], 2 * side[1])
    centres = [(24, 24), (72, 24), (24, 72)]
    assert [sheet.getpixel(c)[0] for c in centres] == [0, 100, 200]
