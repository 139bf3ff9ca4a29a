"""A model's folder: params.yaml and packed weights; PyTorch's tensors."""

import functools
import os
import types

import numpy as np
import tensorflow as tf

from mask2cad_tf.configs import yaml_files
from mask2cad_tf.modeling import packed_weights
from mask2cad_tf.refinement import confidence
from tests.fuzz import mutations
from tests.fuzz import target


@functools.cache
def _model():
  """As much of a model as packing needs."""
  layer = types.SimpleNamespace(
    variables=[
      tf.Variable(np.ones([2, 3], np.float32), name='kernel'),
      tf.Variable(np.ones([3], np.float32), name='bias'),
    ]
  )
  return types.SimpleNamespace(
    checkpoint_items={'head': layer}, variables=layer.variables
  )


def _folder():
  folder = os.path.join(target.folder(), 'packed')
  os.makedirs(folder, exist_ok=True)
  packed_weights.write(_model(), folder)
  return folder


def _seeds(name):
  def seeds():
    with open(os.path.join(_folder(), name), 'rb') as file:
      return (file.read(),)

  return seeds


def _read_weights(data):
  """The bytes with a manifest that vouches for them: an attacker has both."""
  folder = _folder()
  path = os.path.join(folder, packed_weights.MANIFEST)
  with open(path, encoding='utf-8') as file:
    manifest = file.read()
  before = packed_weights.sha256(os.path.join(folder, packed_weights.WEIGHTS))
  target.in_file('packed/weights.npz', lambda path: path)(data)
  after = packed_weights.sha256(os.path.join(folder, packed_weights.WEIGHTS))
  with open(path, 'w', encoding='utf-8') as file:
    file.write(manifest.replace(before, after))
  packed_weights.read(_model(), folder)


def _read_manifest(data):
  folder = _folder()
  target.in_file('packed/weights.json', lambda path: path)(data)
  packed_weights.read(_model(), folder)


TARGETS = (
  target.Target(
    'weights',
    'weights.npz of a packed model, with a manifest that vouches for it',
    _read_weights,
    _seeds(packed_weights.WEIGHTS),
    says='packed',
  ),
  target.Target(
    'weights_manifest',
    'weights.json of a packed model',
    _read_manifest,
    _seeds(packed_weights.MANIFEST),
    says='packed',
    mutate=mutations.json_changed,
  ),
  target.Target(
    'params',
    'params.yaml of a model',
    target.in_file('params.yaml', yaml_files.check),
    lambda: (
      b'task:\n  model: {num_classes: 10, min_level: 3}\n  loss: 1e-4\n',
    ),
    says='params.yaml',
  ),
  target.Target(
    'confidence',
    'confidence.json of a model',
    target.in_file(
      confidence.FILE_NAME, lambda path: confidence.load(os.path.dirname(path))
    ),
    lambda: (b'{"bias": 0.5, "weights": [1.0, 2.0, 3.0]}',),
    says='confidence.json',
    mutate=mutations.json_changed,
  ),
)
