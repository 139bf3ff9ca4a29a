"""A SavedModel's gallery grows and shrinks; its network stays as it is."""

import dataclasses
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf import gallery as gallery_command
from mask2cad_tf.modeling import model_folder
from mask2cad_tf.retrieval import descriptors
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import gallery_builder
from mask2cad_tf.retrieval import search
from mask2cad_tf.serving import gallery_assets
from tests import command_runner

_NEW = ('bed/flat', 'bed/tower')

# Loads each SavedModel as a server would, by both of Python's loaders; the
# second one is a Session's, as the C++ loader is.
_SERVE = """
import json
import sys
import tensorflow as tf

def plain(value):
  if value.dtype == object:
    return [x.decode() for x in value.ravel()]
  return value.tobytes().hex()

def serve(folder, encoded):
  module = tf.saved_model.load(folder)
  outputs = module.signatures['serving_default'](
      image_bytes=tf.constant(encoded))
  outputs = {key: value.numpy() for key, value in outputs.items()}
  with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    meta = tf.compat.v1.saved_model.load(session, ['serve'], folder)
    signature = meta.signature_def['serving_default']
    in_session = session.run(
        signature.outputs['detection_cad_ids'].name,
        {signature.inputs['image_bytes'].name: encoded})
  return {
    'outputs': {key: plain(value) for key, value in outputs.items()},
    'cad_ids': outputs['detection_cad_ids'].astype(str).tolist(),
    'classes': outputs['detection_classes'].tolist(),
    'scores': outputs['detection_cad_scores'].tolist(),
    'in_session': in_session.astype(str).tolist(),
  }

folders, paths = sys.argv[1].split(','), sys.argv[2:]
encoded = [tf.io.read_file(path).numpy() for path in paths]
print(json.dumps([serve(folder, encoded) for folder in folders]))
"""


def _serve(folders, photos):
  """What a fresh process gets from each SavedModel."""
  result = subprocess.run(
    [sys.executable, '-c', _SERVE, ','.join(map(str, folders)), *photos],
    check=True,
    capture_output=True,
    text=True,
  )
  return json.loads(result.stdout.splitlines()[-1])


def _run(*arguments):
  result = command_runner.run(gallery_command, *map(str, arguments))
  assert result.status == 0, result
  return result.stdout


def _hashes(folder):
  return {
    os.path.relpath(path, folder): hashlib.sha256(content).hexdigest()
    for path, content in command_runner.files_below(
      pathlib.Path(folder)
    ).items()
  }


def _network(hashes):
  """All but the gallery's own files."""
  own = (gallery_assets.GALLERY_DIR, 'assets/gallery.example')
  return {k: v for k, v in hashes.items() if not k.startswith(own)}


def _save(tiny_world, folder):
  gallery_assets.save(
    tiny_world.module,
    tiny_world.gallery,
    gallery_builder.model_encoder(
      tiny_world.model, tiny_world.config.task.model
    ),
    str(folder),
  )
  return folder


@pytest.fixture(scope='module')
def exported(tiny_world, tmp_path_factory):
  return _save(tiny_world, tmp_path_factory.mktemp('export') / 'saved_model')


@pytest.fixture
def saved_model(exported, tmp_path):
  shutil.copytree(exported, tmp_path / 's')
  return tmp_path / 's'


@pytest.fixture
def library(tiny_world, tmp_path):
  """Two beds that look like no other and one CAD that is there already."""
  for cad_id, extents in zip(_NEW, ([1.0, 0.1, 1.0], [0.2, 1.0, 0.2])):
    _box(tmp_path / 'library' / cad_id, extents)
  shutil.copytree(
    os.path.join(tiny_world.library, 'chair/low'),
    tmp_path / 'library/chair/low',
  )
  return tmp_path / 'library'


def _box(folder, extents):
  import trimesh

  folder.mkdir(parents=True)
  trimesh.creation.box(extents).export(folder / 'model.ply')


def test_the_module_keeps_its_gallery(tiny_world, exported):
  gallery = tiny_world.gallery
  weight = tiny_world.module.silhouette_weight
  assert weight > 0.0
  views = descriptors.of_views(gallery.embeddings, gallery.silhouettes, weight)
  index = search.index(views, gallery.valid, gallery.labels)
  np.testing.assert_array_equal(tiny_world.module.gallery.views, index.views)
  assert tiny_world.module.gallery.cad_ids.shape == [None]
  assert not hasattr(tiny_world.module, 'gallery_asset')


def test_the_checkpoint_has_no_gallery(exported):
  shapes = dict(tf.train.list_variables(str(exported / 'variables/variables')))
  galleries = {k: v for k, v in shapes.items() if k.startswith('gallery/')}
  assert len(galleries) == 3
  assert all(shape[0] == 0 for shape in galleries.values())


def test_new_cads_are_served_and_removal_brings_back_every_bit(
  tiny_world, saved_model, library, tmp_path
):
  hashes = _hashes(saved_model)
  shutil.copytree(saved_model, tmp_path / 'before')
  out = _run('add', f'--saved_model={saved_model}', f'--library={library}')
  assert '2 added, 12 CADs, 16 views each' in out
  grown_hashes = _hashes(saved_model)
  assert _network(grown_hashes) == _network(hashes)
  assert grown_hashes != hashes
  shutil.copytree(saved_model, tmp_path / 'grown')
  out = _run(
    'remove', f'--saved_model={saved_model}', f'--cad_id={",".join(_NEW)}'
  )
  assert '2 removed, 10 CADs' in out
  after = _hashes(saved_model)
  meshes = {k for k in after if any(x in k for x in _NEW)}  # for one change
  assert {k: v for k, v in after.items() if k not in meshes} == hashes

  before, grown, again = _serve(
    [tmp_path / 'before', tmp_path / 'grown', saved_model], tiny_world.photos
  )
  assert again == before
  assert before['in_session'] == before['cad_ids']
  assert grown['in_session'] == grown['cad_ids']
  beds = np.array(before['classes']) == 1
  assert beds.any() and not beds.all()
  assert set(_NEW) <= set(np.array(grown['cad_ids'])[beds].ravel())
  np.testing.assert_array_equal(
    np.array(grown['cad_ids'])[~beds], np.array(before['cad_ids'])[~beds]
  )
  np.testing.assert_allclose(
    np.array(grown['scores'])[~beds],
    np.array(before['scores'])[~beds],
    atol=1e-6,
  )
  changed = {'detection_cad_ids', 'detection_cad_scores', 'detection_cads'}
  for key in set(before['outputs']) - changed:
    assert grown['outputs'][key] == before['outputs'][key], key


def test_its_signature_embeds_as_the_model_does(
  tiny_world, saved_model, library, tmp_path
):
  """The same gallery, made by Keras: equal but for the last digits."""
  shutil.copytree(tiny_world.gallery_dir, tmp_path / 'g')
  _run('add', f'--saved_model={saved_model}', f'--library={library}')
  _run(
    'add',
    f'--gallery={tmp_path / "g"}',
    f'--library={library}',
    f'--model={tiny_world.model_dir}',
  )
  served = gallery_lib.load(str(saved_model / gallery_assets.GALLERY_DIR))
  built = gallery_lib.load(str(tmp_path / 'g'))
  assert served.cads == built.cads
  assert served.encoder == built.encoder
  np.testing.assert_allclose(
    served.embeddings, built.embeddings, rtol=1e-3, atol=1e-4
  )


def test_a_class_without_a_cad_can_get_one(tiny_world, saved_model, library):
  """The view rotations come with the SavedModel, not with its CADs."""
  beds = [x for x in tiny_world.gallery.cad_ids if x.startswith('bed/')]
  _run('remove', f'--saved_model={saved_model}', f'--cad_id={",".join(beds)}')
  _run('add', f'--saved_model={saved_model}', f'--library={library}')
  gallery = gallery_lib.load(str(saved_model / gallery_assets.GALLERY_DIR))
  np.testing.assert_array_equal(
    gallery.rotations[gallery.row('bed/flat')],
    tiny_world.model.view_rotations[1],
  )


def test_list_and_diff(tiny_world, saved_model):
  _run('remove', f'--saved_model={saved_model}', '--cad_id=chair/low')
  listed = json.loads(_run('list', f'--saved_model={saved_model}', '--json'))
  assert len(listed['cads']) == 9
  out = _run(
    'diff', f'--gallery={tiny_world.gallery_dir}', f'--other={saved_model}'
  )
  assert 'removed chair/low' in out
  assert '0 added, 1 removed, 0 changed' in out


def test_verify(tiny_world, saved_model, tmp_path):
  encoder = model_folder.fingerprint(tiny_world.model)
  assert not gallery_assets.faults(str(saved_model), encoder)
  (line,) = gallery_assets.faults(str(saved_model), 'f' * 64)
  assert 'view encoder' in line
  example = saved_model / 'assets/gallery.example'
  content = example.read_bytes()
  example.write_bytes(content[:-1])
  (line,) = gallery_assets.faults(str(saved_model))
  assert 'gallery.example is damaged' in line and 'Export' in line
  # What it was before descriptors had silhouettes: embeddings alone.
  features = tf.train.Example.FromString(content)
  del features.features.feature['silhouette_weight']
  example.write_bytes(features.SerializeToString())
  (line,) = gallery_assets.faults(str(saved_model))
  assert line == 'assets/gallery.example is not of the gallery beside it'
  example.write_bytes(content)
  (saved_model / 'assets.extra/embed_views.npz').write_bytes(b'no')
  (line,) = gallery_assets.faults(str(saved_model))
  assert 'embed_views.npz cannot be read' in line


def test_a_strange_gallery_is_refused(tmp_path, saved_model, library):
  """Someone has put another model's gallery inside."""
  folder = saved_model / gallery_assets.GALLERY_DIR
  manifest = json.loads((folder / 'manifest.json').read_text())
  gallery = gallery_lib.load(str(folder))
  assert manifest['encoder_fingerprint'] == gallery.encoder
  gallery_lib.write_index(
    str(folder), dataclasses.replace(gallery, encoder='f' * 64)
  )
  before = _hashes(saved_model)
  line = command_runner.run(
    gallery_command,
    'add',
    f'--saved_model={saved_model}',
    f'--library={library}',
  ).only_line
  assert 'another view encoder' in line
  assert _hashes(saved_model) == before


@pytest.mark.parametrize(
  'gone, message',
  [
    ('saved_model.pb', 'No SavedModel at'),
    ('assets', 'has no assets/gallery.example'),
    ('assets.extra/gallery', 'its gallery cannot be changed. Export it anew'),
    ('variables', 'cannot be loaded'),
  ],
)
def test_no_such_saved_model(saved_model, library, gone, message):
  path = saved_model / gone
  shutil.rmtree(path) if path.is_dir() else path.unlink()
  line = command_runner.run(
    gallery_command,
    'add',
    f'--saved_model={saved_model}',
    f'--library={library}',
  ).only_line
  assert message in line
