"""A gallery as data of a SavedModel, apart from the network.

    saved_model.pb, variables/       the network; its gallery is empty
    assets/gallery.example           what the graph searches, a tf.train.Example
    assets.extra/gallery/            the gallery's folder, meshes too
    assets.extra/embed_views.npz     what belongs to the signature embed_views:
                                     encoder, classes, view rotations by class

When a SavedModel is loaded, by whatever runtime, its initialization reads
gallery.example and fills the gallery's variables. So a gallery of another size
needs no other graph and no other checkpoint. It is one file: a runtime that
loads while the gallery is replaced reads the old or the new one.
"""

import contextlib
import functools
import os
import tempfile
from typing import Any
from typing import Dict
from typing import Iterator
from typing import List
from typing import Optional

import numpy as np
import tensorflow as tf
from google.protobuf import message

from mask2cad_tf.foreign import array_files
from mask2cad_tf.geometry import mesh_files
from mask2cad_tf.retrieval import descriptors
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import gallery_changes
from mask2cad_tf.retrieval import gallery_checks
from mask2cad_tf.retrieval import gallery_rows

MARKER = 'saved_model.pb'
GALLERY_DIR = os.path.join('assets.extra', 'gallery')

_EXAMPLE = 'gallery.example'
_EMBED_VIEWS = os.path.join('assets.extra', 'embed_views.npz')


class _Filling(tf.saved_model.experimental.TrackableResource):
  """Assigns the asset to the module's gallery when a SavedModel is loaded.

  A resource is what a SavedModel initializes; its own handle stays unused.
  """

  def __init__(self, module: tf.Module):
    super().__init__(device='cpu:0')
    self._module = module

  def _create_resource(self) -> tf.Tensor:
    return tf.raw_ops.VarHandleOp(
      dtype=tf.bool, shape=[], shared_name='gallery_filling'
    )

  def _initialize(self) -> None:
    gallery = self._module.gallery
    with tf.device('cpu:0'):
      content = tf.io.read_file(self._module.gallery_asset.asset_path)
      gallery.assign(**_parse(content, gallery.views.shape[2]))


def _parse(content: tf.Tensor, width: int) -> Dict[str, tf.Tensor]:
  """The arrays of `_serialize`, whose descriptors are `width` long."""
  text = tf.io.FixedLenFeature([], tf.string)
  example = tf.io.parse_single_example(
    content,
    {
      'embeddings': text,
      'valid': text,
      'labels': tf.io.FixedLenSequenceFeature([], tf.int64, allow_missing=True),
      'cad_ids': tf.io.FixedLenSequenceFeature(
        [], tf.string, allow_missing=True
      ),
    },
  )
  count = tf.size(example['labels'])
  views = tf.io.decode_raw(example['embeddings'], tf.float32)
  valid = tf.io.decode_raw(example['valid'], tf.uint8)
  return {
    'views': tf.reshape(views, [count, -1, width]),
    'valid': tf.cast(tf.reshape(valid, [count, -1]), tf.bool),
    'labels': tf.cast(example['labels'], tf.int32),
    'cad_ids': example['cad_ids'],
  }


def _serialize(gallery: gallery_lib.Gallery, silhouette_weight: float) -> bytes:
  """What the graph needs of a gallery; equal galleries, equal bytes."""
  weight = np.float32(silhouette_weight)
  views = descriptors.of_views(
    gallery.embeddings, gallery.silhouettes, float(weight)
  )

  def of_bytes(values: List[bytes]) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))

  features = {
    'embeddings': of_bytes([views.astype('<f4').tobytes()]),
    'valid': of_bytes([gallery.valid.astype('u1').tobytes()]),
    'labels': tf.train.Feature(
      int64_list=tf.train.Int64List(value=gallery.labels)
    ),
    'cad_ids': of_bytes([cad_id.encode() for cad_id in gallery.cad_ids]),
  }
  if weight:
    features['silhouette_weight'] = tf.train.Feature(
      float_list=tf.train.FloatList(value=[weight])
    )
  return tf.train.Example(
    features=tf.train.Features(feature=features)
  ).SerializeToString(deterministic=True)


def _silhouette_weight(path: str) -> float:
  """That of a file of `_serialize`; 0 where it is not said: embeddings alone.

  Raises:
    ValueError: it is something else.
  """
  with open(path, 'rb') as file:
    content = file.read()
  try:
    features = tf.train.Example.FromString(content).features.feature
  except message.DecodeError as error:
    raise ValueError(
      f'{path} is damaged ({error}). Export the SavedModel anew: python -m '
      'mask2cad_tf.export --help'
    ) from error
  return sum(features['silhouette_weight'].float_list.value)


def save(
  module: tf.Module,
  gallery: gallery_lib.Gallery,
  encoder: gallery_rows.Encoder,
  folder: str,
) -> None:
  """Writes a SavedModel whose gallery can be replaced.

  Args:
    module: a Mask2CADModule with the gallery inside; afterwards as before.
    gallery: as loaded from its folder.
    encoder: of the module's model.
    folder: empty or new.
  """
  with tempfile.TemporaryDirectory() as scratch:
    path = os.path.join(scratch, _EXAMPLE)
    with open(path, 'wb') as file:
      file.write(_serialize(gallery, module.silhouette_weight))
    with _without_gallery(module):
      module.gallery_asset = tf.saved_model.Asset(path)
      module.gallery_filling = _Filling(module)
      try:
        tf.saved_model.save(module, folder, signatures=module.signatures())
      finally:
        del module.gallery_filling, module.gallery_asset
  _write_gallery(gallery, os.path.join(folder, GALLERY_DIR))
  np.savez(
    os.path.join(folder, _EMBED_VIEWS),
    encoder=np.array(encoder.fingerprint),
    class_names=np.array(encoder.class_names),
    rotations=encoder.rotations,
    valid=encoder.valid,
  )


def _write_gallery(gallery: gallery_lib.Gallery, folder: str) -> None:
  for cad in gallery.cads:
    mesh_files.copy(gallery.mesh_path(cad.id), os.path.join(folder, cad.mesh))
  gallery_lib.write_index(folder, gallery)


@contextlib.contextmanager
def _without_gallery(module: tf.Module) -> Iterator[None]:
  """Empties the gallery's variables: a checkpoint is not to hold them."""
  variables = module.gallery.variables
  values = [variable.read_value() for variable in variables]
  try:
    for variable, value in zip(variables, values):
      variable.assign(value[:0])
    yield
  finally:
    for variable, value in zip(variables, values):
      variable.assign(value)


def encoder(saved_model: str) -> gallery_rows.Encoder:
  """What embeds views for the gallery of a SavedModel: its own signature.

  Raises:
    FileNotFoundError, ValueError: as `home`; from `embed`, if it cannot be
      loaded.
  """
  home(saved_model)
  fields = _embed_views_fields(saved_model)

  @functools.cache
  def loaded() -> Any:  # when first asked for: others render meanwhile
    try:
      module = tf.saved_model.load(saved_model)
      module.signatures['embed_views']
      return module
    except (OSError, KeyError, ValueError, tf.errors.OpError) as error:
      raise ValueError(
        f'The SavedModel {saved_model!r} cannot be loaded ({error}). Export it '
        'anew: python -m mask2cad_tf.export --help'
      ) from error

  def embed(views: np.ndarray) -> np.ndarray:
    # The signature alone does not keep its variables.
    outputs = loaded().signatures['embed_views'](views=tf.constant(views))
    return outputs['embeddings'].numpy()

  return gallery_rows.Encoder(
    fingerprint=str(fields['encoder']),
    class_names=tuple(fields['class_names'].tolist()),
    rotations=fields['rotations'],
    valid=fields['valid'],
    embed=embed,
  )


def _embed_views_fields(saved_model: str) -> Dict[str, np.ndarray]:
  names = ('encoder', 'class_names', 'rotations', 'valid')
  try:
    file = array_files.read_npz(os.path.join(saved_model, _EMBED_VIEWS))
    return {name: file[name] for name in names}
  except (OSError, KeyError, ValueError) as error:
    raise ValueError(
      f'The SavedModel {saved_model!r} is damaged: {_EMBED_VIEWS} cannot be '
      f'read ({error}). Export it anew: python -m mask2cad_tf.export --help'
    ) from error


def faults(saved_model: str, encoder: Optional[str] = None) -> List[str]:
  """One line for each fault of a SavedModel's gallery.

  Args:
    saved_model: its folder.
    encoder: fingerprint of the view encoder of the model that it should be of;
      None takes any.

  Raises:
    FileNotFoundError, ValueError: as `home`.
  """
  gallery_dir = home(saved_model).gallery_dir
  try:
    fields = _embed_views_fields(saved_model)
  except ValueError as error:
    return [str(error)]
  own = str(fields['encoder'])
  found = gallery_checks.faults(
    gallery_dir, own, fields['class_names'].tolist()
  )
  if encoder not in (None, own):
    found.append(
      f'the view encoder ({own[:12]}) is not the one of the model '
      f'({encoder[:12]})'
    )
  if not found:
    path = os.path.join(saved_model, 'assets', _EXAMPLE)
    gallery = gallery_lib.load(gallery_dir)
    try:
      expected = _serialize(gallery, _silhouette_weight(path))
    except ValueError as error:
      return [str(error)]
    with open(path, 'rb') as file:
      if file.read() != expected:
        found.append(f'assets/{_EXAMPLE} is not of the gallery beside it')
  return found


def home(saved_model: str) -> gallery_changes.Home:
  """Where the gallery of a SavedModel lies.

  Raises:
    FileNotFoundError: no SavedModel there.
    ValueError: one whose gallery cannot be replaced.
  """
  if not os.path.isfile(os.path.join(saved_model, MARKER)):
    raise FileNotFoundError(
      f'No SavedModel at {saved_model!r} (no {MARKER} there). Write it: '
      f'python -m mask2cad_tf.export --export_dir={saved_model}'
    )
  for path in (
    _EMBED_VIEWS,
    os.path.join(GALLERY_DIR, gallery_lib.MANIFEST),
    os.path.join('assets', _EXAMPLE),
  ):
    if not os.path.isfile(os.path.join(saved_model, path)):
      raise ValueError(
        f'The SavedModel {saved_model!r} has no {path}: its gallery cannot be '
        'changed. Export it anew: python -m mask2cad_tf.export --help'
      )

  def finish(root: str, gallery: gallery_lib.Gallery) -> None:
    path = os.path.join(root, 'assets', _EXAMPLE)
    weight = _silhouette_weight(path)
    os.remove(path)  # a link to the old one's
    with open(path, 'wb') as file:
      file.write(_serialize(gallery, weight))

  return gallery_changes.Home(saved_model, MARKER, GALLERY_DIR, finish)
