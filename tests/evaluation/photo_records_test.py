"""Records -> photos, against the scenes' silhouettes."""

import json

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf import conventions
from mask2cad_tf.evaluation import photo_records
from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import meshes


def _find(library):
  return lambda cad_id, mesh: f'{library}/{mesh}'


@pytest.fixture(scope='module')
def photos(toy_data):
  return list(
    photo_records.read(toy_data.image_records, _find(toy_data.library))
  )


def test_every_photo_once_with_its_objects(photos):
  assert len(photos) == len({photo.source_id for photo in photos}) == 11
  assert sum(len(photo.objects) for photo in photos) == 3 + sum(
    1 + i % 3 for i in range(8)
  )


def test_pixels_agree(photos):
  for photo in photos:
    height, width = photo.size
    assert photo.image.shape == (height, width, 3)
    assert photo.image.dtype == np.uint8
    for cad in photo.objects:
      assert cad.mask.shape == photo.size
      rows, columns = np.nonzero(cad.mask)
      visible = [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]
      # Pix3D's boxes are annotated apart from its masks.
      np.testing.assert_allclose(cad.box, visible, atol=6)


def test_pose_projects_the_mesh_onto_the_box(photos):
  for photo in photos:
    for cad in photo.objects:
      vertices = np.asarray(meshes.load(cad.mesh).vertices)
      points = cameras.project(
        vertices @ cad.rotation.T + cad.translation, photo.intrinsics
      )
      # Occluded objects show less than their projection.
      low, high = points.min(axis=0)[::-1], points.max(axis=0)[::-1]
      assert (cad.box[:2] > low - 8).all()
      assert (cad.box[2:] < high + 8).all()
      assert cad.depth == pytest.approx(cad.translation[2])


def test_labels_name_the_cads_classes(photos, toy_data):
  for photo in photos:
    for cad in photo.objects:
      assert cad.cad_id.startswith(toy_data.class_names[cad.label - 1] + '/')


def test_no_records_and_truncated_records(toy_data, tmp_path):
  with pytest.raises(FileNotFoundError, match='No record file matches'):
    next(photo_records.read(str(tmp_path / 'none*'), _find('')))
  (whole,) = tf.io.gfile.glob(toy_data.scene_records)[:1]
  broken = tmp_path / 'broken.tfrecord'
  broken.write_bytes(tf.io.gfile.GFile(whole, 'rb').read()[:-100])
  with pytest.raises(ValueError, match='broken.tfrecord'):
    list(photo_records.read(str(broken), _find('')))


@pytest.mark.parametrize(
  'classes,expected',
  [
    ([(2, 'bookcase'), (9, 'wardrobe')], conventions.PIX3D_CLASSES),
    ([], conventions.PIX3D_CLASSES),
    ([(1, 'bed'), (3, 'lamp')], ('bed', 'class 2', 'lamp')),
  ],
)
def test_class_names_by_manifest(classes, expected, tmp_path):
  shard = tmp_path / 'images.tfrecord-00000-of-00001'
  shard.touch()
  manifest = {
    'records': {
      'images': {
        'classes': [
          {'label': label, 'name': name, 'examples': 1}
          for label, name in classes
        ],
        'num_examples': 1,
      }
    }
  }
  (tmp_path / 'manifest.json').write_text(json.dumps(manifest))
  assert photo_records.class_names(str(shard)) == expected


def test_class_names_without_manifest(tmp_path):
  (tmp_path / 'a.tfrecord').touch()
  pattern = str(tmp_path / '*.tfrecord')
  assert photo_records.class_names(pattern) == conventions.PIX3D_CLASSES
