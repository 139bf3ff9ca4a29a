"""Library and model to gallery."""

import json
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import renderer
from mask2cad_tf.geometry import rotations
from mask2cad_tf.geometry import views
from mask2cad_tf.modeling import model_folder
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import gallery_builder


def _library(tmp_path, tiny_world, *cad_ids):
  for cad_id in cad_ids:
    shutil.copytree(
      os.path.join(tiny_world.library, cad_id), tmp_path / 'library' / cad_id
    )
  return str(tmp_path / 'library')


def _build(tiny_world, library, output, **options):
  return gallery_builder.build(
    tiny_world.model,
    tiny_world.config.task.model,
    library,
    str(output),
    **options,
  )


def test_every_cad_once_sorted(tiny_world):
  gallery = tiny_world.gallery
  assert len(gallery.cads) == 10
  assert list(gallery.cad_ids) == sorted(gallery.cad_ids)
  assert gallery.embeddings.shape == (10, 16, 16)
  assert gallery.encoder == model_folder.fingerprint(tiny_world.model)


def test_embeddings_are_of_views_at_the_class_rotations(tiny_world):
  row = tiny_world.gallery.cad_ids.index('chair/high')
  label = tiny_world.gallery.labels[row]
  scene = renderer.Renderer(
    meshes.load(tiny_world.gallery.mesh_path('chair/high'))
  )
  bins = tiny_world.model.pose_bins.numpy()[label]
  np.testing.assert_array_equal(tiny_world.gallery.rotations[row], bins)
  for view in (0, 7):
    picture = views.render_view(
      scene, rotations.matrix_from_quaternion(bins[view])
    )
    embedding = tiny_world.model.embed_views(
      tf.constant(picture[None, ..., None] / 255.0, tf.float32)
    )
    np.testing.assert_allclose(
      tiny_world.gallery.embeddings[row, view],
      embedding[0],
      rtol=1e-3,
      atol=1e-4,
    )


def test_symmetry_and_chirality_are_noted(tiny_world):
  cads = {cad.id: cad for cad in tiny_world.gallery.cads}
  assert cads['sofa/corner'].chiral and not cads['sofa/straight'].chiral
  assert cads['table/round'].symmetry == 0
  assert cads['table/square'].symmetry == 4
  assert cads['chair/high'].symmetry == 1


def test_meshes_come_along_with_their_materials(tiny_world):
  folder = os.path.join(tiny_world.gallery_dir, 'meshes', 'bed', 'IKEA_MALM_2')
  assert set(os.listdir(folder)) == {'model.obj', 'malm_bed_2_obj0_object.mtl'}


def test_same_input_same_version(tmp_path, tiny_world):
  library = _library(tmp_path, tiny_world, 'chair/high', 'bed/IKEA_MALM_3')
  first = _build(tiny_world, library, tmp_path / 'a').gallery
  again = _build(tiny_world, library, tmp_path / 'b').gallery
  assert first.content_hash == again.content_hash


def test_fewer_views(tmp_path, tiny_world):
  library = _library(tmp_path, tiny_world, 'chair/high')
  gallery = _build(tiny_world, library, tmp_path / 'g', num_views=4).gallery
  np.testing.assert_array_equal(
    gallery.rotations[0], tiny_world.model.pose_bins.numpy()[2, :4]
  )
  with pytest.raises(ValueError, match='17 views .*the model has 16'):
    _build(tiny_world, library, tmp_path / 'g', num_views=17)


def test_broken_meshes_by_name(tmp_path, tiny_world):
  library = _library(tmp_path, tiny_world, 'chair/high', 'chair/low')
  (tmp_path / 'library/chair/low/model.ply').write_text('no mesh')
  with pytest.raises(ValueError, match='chair/low/model.ply.*--skip_broken'):
    _build(tiny_world, library, tmp_path / 'g')
  assert os.listdir(tmp_path) == ['library']
  report = _build(tiny_world, library, tmp_path / 'g', skip_broken=True)
  ((broken, reason),) = report.broken
  assert broken == 'chair/low' and 'model.ply' in reason
  assert report.gallery.cad_ids == ('chair/high',)
  assert not (tmp_path / 'g/meshes/chair/low').exists()


def test_nothing_but_broken_meshes(tmp_path, tiny_world):
  library = _library(tmp_path, tiny_world, 'chair/low')
  (tmp_path / 'library/chair/low/model.ply').write_text('no mesh')
  with pytest.raises(ValueError, match='No CAD of .* can be read'):
    _build(tiny_world, library, tmp_path / 'g', skip_broken=True)
  assert not (tmp_path / 'g').exists()


def test_failure_keeps_the_earlier_gallery(tmp_path, tiny_world):
  library = _library(tmp_path, tiny_world, 'chair/high')
  before = _build(tiny_world, library, tmp_path / 'g').gallery.version
  os.makedirs(tmp_path / 'library/spoon/one')
  shutil.copy(
    tmp_path / 'library/chair/high/model.ply',
    tmp_path / 'library/spoon/one/model.ply',
  )
  with pytest.raises(ValueError, match='spoon'):
    _build(tiny_world, library, tmp_path / 'g')
  assert gallery_lib.load(str(tmp_path / 'g')).version == before


def test_the_librarys_credits_are_kept(tmp_path, tiny_world):
  library = _library(tmp_path, tiny_world, 'chair/high', 'chair/low')
  (tmp_path / 'library/manifest.json').write_text(
    json.dumps(
      {
        'cads': [
          {'id': 'chair/low', 'licence': 'CC0', 'creator': 'Ann', 'scale': 0.01}
        ]
      }
    )
  )
  high, low = _build(tiny_world, library, tmp_path / 'g').gallery.cads
  assert (low.licence, low.creator, low.scale) == ('CC0', 'Ann', 0.01)
  assert (high.licence, high.creator, high.scale) == ('', '', 0.0)
