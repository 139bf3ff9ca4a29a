import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.data import view_store
from mask2cad_tf.geometry import view_medoids
from tests import toy
from tfrecords_tools import record_examples
from tfrecords_tools import record_writer


@pytest.fixture(scope='module', name='store')
def _store(toy_data):
  return view_store.ViewStore.load(toy_data.view_records)


def _write(folder, cads):
  """View records of (cad_id, group) pairs."""
  with record_writer.RecordWriter(str(folder), 'views') as writer:
    for cad_id, group in cads:
      writer.write(
        record_examples.view_example(
          cad_id,
          group,
          1,
          [b'png'] * 16,
          np.tile([1.0, 0, 0, 0], [16, 1]),
          1,
          (1.0, 0.0, 0.0),
        )
      )
  return str(folder / 'views*')


def test_one_row_per_cad_sorted(store):
  cad_ids = [x.decode() for x in store.cad_ids.numpy()]
  assert cad_ids == sorted(
    [*toy.box_furniture(), 'bed/IKEA_MALM_2', 'bed/IKEA_MALM_3']
  )
  assert store.views.shape == [10, 16]
  assert store.rotations.shape == [10, 16, 4]
  for cad_id, label in zip(cad_ids, store.labels.numpy()):
    assert toy.CLASS_NAMES[label - 1] == cad_id.split('/')[0]


def test_symmetry_and_chirality_of_the_toy_cads(store):
  rows = {
    cad_id.decode(): row for row, cad_id in enumerate(store.cad_ids.numpy())
  }
  orders = {cad: int(store.symmetries[row]) for cad, row in rows.items()}
  assert orders['table/round'] == 0
  assert orders['table/square'] == 4
  assert orders['table/long'] == 2
  assert orders['chair/high'] == 1
  assert not store.mirror_normals[rows[toy.CHIRAL_CAD]].numpy().any()
  np.testing.assert_allclose(
    np.abs(store.mirror_normals[rows['chair/high']]), [1, 0, 0], atol=1e-6
  )


def test_views_are_rendered_at_the_class_medoids(store, toy_data):
  medoids, _, _ = view_medoids.load(toy_data.medoids, toy.CLASS_NAMES)
  np.testing.assert_allclose(
    store.rotations, medoids[store.labels.numpy()], atol=1e-6
  )


def test_lookup(store):
  ids = tf.stack([store.cad_ids[3], 'no/such', store.cad_ids[0]])
  np.testing.assert_array_equal(store.lookup(ids), [3, -1, 0])
  traced = next(iter(tf.data.Dataset.from_tensors(ids).map(store.lookup)))
  np.testing.assert_array_equal(traced, [3, -1, 0])


def test_facts_of_rows(store):
  rows = store.lookup(tf.constant(['table/square', 'no/such', 'sofa/corner']))
  np.testing.assert_array_equal(store.group_of(rows), [rows[0], -1, rows[2]])
  np.testing.assert_array_equal(store.label_of(rows), [4, 0, 3])
  np.testing.assert_array_equal(store.symmetry_of(rows), [4, 1, 1])
  has_mirror = np.linalg.norm(store.mirror_normal_of(rows), axis=-1)
  np.testing.assert_allclose(has_mirror, [1, 0, 0], atol=1e-6)


def test_groups_are_rows_of_the_first_member(tmp_path):
  pattern = _write(tmp_path, [('a/3', 'a/1'), ('a/1', 'a/1'), ('a/2', 'a/2')])
  store = view_store.ViewStore.load(pattern)
  np.testing.assert_array_equal(store.groups, [0, 1, 0])


def test_missing_views_name_the_tool():
  with pytest.raises(FileNotFoundError, match='/no/views.*render_views'):
    view_store.ViewStore.load('/no/views*')


def test_image_records_are_refused(toy_data):
  with pytest.raises(ValueError, match='no view records.*render_views'):
    view_store.ViewStore.load(toy_data.photo_records)


def test_cad_in_two_records_is_named(tmp_path):
  pattern = _write(tmp_path, [('a/1', 'a/1'), ('b/1', 'b/1'), ('a/1', 'a/1')])
  with pytest.raises(ValueError, match="'a/1' twice"):
    view_store.ViewStore.load(pattern)
